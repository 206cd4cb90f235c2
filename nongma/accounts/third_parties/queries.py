"""Reads about third-party collectors and what they may do today."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.paginator import Page
from django.db import models
from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from nongma.accounts.models import Agency, Authorisation, ThirdParty, User
from nongma.lib.pages import MOST_LISTED, CappedPaginator
from nongma.lib.sorting import Sorting
from nongma.regions.models import Region
from nongma.regions.queries import children_of

ENDING_DAYS = 30


class Standing(models.TextChoices):
    """Where a third party's authorisation stands on a day (授权状态)."""

    RUNNING = "running", "授权中"
    ENDING = "ending", f"{ENDING_DAYS} 天内到期"
    FUTURE = "future", "还没开始"
    ENDED = "ended", "已到期"
    NONE = "none", "没有授权"


TONES = {
    Standing.RUNNING: "green",
    Standing.ENDING: "amber",
    Standing.FUTURE: "blue",
    Standing.ENDED: "red",
    Standing.NONE: "grey",
}
COLUMNS = {"name": ("name", "pk"), "county": ("agency__region_id", "pk"), "until": ("until", "pk")}


@dataclass(frozen=True)
class Row:
    """A third party in the list, with its standing today."""

    firm: ThirdParty
    standing: Standing
    until: date | None

    @property
    def tone(self) -> str:
        return TONES[self.standing]


@dataclass(frozen=True)
class Wanted:
    """What the list is narrowed by."""

    q: str = ""
    standing: str = ""


def page_of(user: User, wanted: Wanted, sorting: Sorting, number: str | None) -> tuple[Page[Any], list[Row]]:
    """A page of the third parties that the person may see."""
    today = timezone.localdate()
    firms = _narrowed(ThirdParty.objects.visible_to(user), wanted, today)
    shown = with_until(firms, today).select_related("agency").order_by(*sorting.fields)
    page = CappedPaginator(firms, shown, most_counted=MOST_LISTED).get_page(number)
    return page, [Row(firm, standing_of(firm, today), vars(firm)["until"]) for firm in page]


def with_until(firms: QuerySet[ThirdParty], today: date) -> QuerySet[ThirdParty]:
    """With `until`, the last day of what began by today, and `starts`, the first day of what has not."""
    valid = Authorisation.objects.filter(third_party=OuterRef("pk"), revoked_at=None).order_by()
    begun = valid.filter(from_on__lte=today).values("third_party").annotate(day=Max("to_on"))
    coming = valid.filter(from_on__gt=today).values("third_party").annotate(day=Min("from_on"))
    return firms.annotate(until=Subquery(begun.values("day")), starts=Subquery(coming.values("day")))


def standing_of(firm: ThirdParty, today: date) -> Standing:
    """Where a firm of `with_until` stands."""
    until, starts = vars(firm)["until"], vars(firm)["starts"]
    if until and until >= today:
        return Standing.ENDING if until <= today + timedelta(days=ENDING_DAYS) else Standing.RUNNING
    if starts:
        return Standing.FUTURE
    return Standing.ENDED if until else Standing.NONE


def counts_of(user: User) -> Mapping[Standing, int]:
    """How many of the person's third parties end soon or have ended, counted up to `MOST_LISTED`."""
    today = timezone.localdate()
    firms = ThirdParty.objects.visible_to(user)
    return {one: firms.filter(_where(one, today))[:MOST_LISTED].count() for one in (Standing.ENDING, Standing.ENDED)}


def counties_of(user: User) -> list[Agency]:
    """The 监管 agencies at counties whose administrator the person is: they authorise third parties."""
    return [agency for agency in user.administers if authorises(agency)]


def authorises(agency: Agency) -> bool:
    """Whether it is a county's 监管 agency; of a city without counties (东莞市), which has towns itself, the city's."""
    if agency.kind != Agency.Kind.SUPERVISION or agency.level not in {Region.Level.CITY, Region.Level.COUNTY}:
        return False
    return agency.level == Region.Level.COUNTY or all(
        one.level >= Region.Level.TOWN for one in children_of(agency.region_id)
    )


def authorisations_of(firm: ThirdParty) -> QuerySet[Authorisation]:
    """All of a firm's authorisations with their towns, the newest first."""
    return firm.authorisations.select_related("created_by").prefetch_related("towns").order_by("-from_on", "-pk")


def _narrowed(firms: QuerySet[ThirdParty], wanted: Wanted, today: date) -> QuerySet[ThirdParty]:
    text = wanted.q.strip()
    if text:
        firms = firms.filter(Q(name__contains=text) | Q(uscc=text.upper()))
    return firms.filter(_where(Standing(wanted.standing), today)) if wanted.standing else firms


def _where(standing: Standing, today: date) -> Q:
    """As `standing_of` has it, but starting from the authorisations of those days, by the index of their ends."""
    soon = today + timedelta(days=ENDING_DAYS)
    valid = Authorisation.objects.filter(third_party=OuterRef("pk"), revoked_at=None).order_by()
    begun = valid.filter(from_on__lte=today)
    on = Q(Exists(begun.filter(to_on__gte=today)))
    return {
        Standing.RUNNING: Q(Exists(begun.filter(to_on__gt=soon))),
        Standing.ENDING: Q(Exists(begun.filter(to_on__range=(today, soon)))) & ~Q(Exists(begun.filter(to_on__gt=soon))),
        Standing.FUTURE: Q(Exists(valid.filter(from_on__gt=today))) & ~on,
        Standing.ENDED: Q(Exists(valid.filter(to_on__lt=today))) & ~Q(Exists(valid.filter(to_on__gte=today))),
        Standing.NONE: ~Q(Exists(valid)),
    }[standing]


@dataclass(frozen=True)
class Collecting:
    """What a third party's person may collect today, or why nothing, and whom to ask (采集授权情况)."""

    firm: ThirdParty
    towns: list[Region]
    until: date | None
    reason: str = ""

    @property
    def administrator(self) -> User | None:
        return self.firm.agency.administrator


def collecting_of(user: User) -> Collecting | None:
    """As the person's start page tells it; None for who belongs to no third party."""
    if user.third_party_id is None:
        return None
    today = timezone.localdate()
    firm = ThirdParty.objects.select_related("agency__administrator").get(pk=user.third_party_id)
    towns = list(Region.objects.filter(pk__in=ThirdParty.towns_on(firm.pk, today)))
    if towns:
        running = firm.authorisations.filter(revoked_at=None, from_on__lte=today, to_on__gte=today)
        return Collecting(firm, towns, running.aggregate(day=Max("to_on"))["day"])
    return Collecting(firm, [], None, _why_nothing(firm, today))


def _why_nothing(firm: ThirdParty, today: date) -> str:
    if firm.agency.suspended_at:
        return f"{firm.agency}已停用"
    coming = firm.authorisations.filter(revoked_at=None, from_on__gt=today).aggregate(day=Min("from_on"))["day"]
    if coming:
        return f"授权从 {coming} 起才开始"
    last = firm.authorisations.order_by("-to_on", "-pk").first()
    if last is None:
        return "本县还没有授权"
    if last.revoked_at:
        return f"授权已于 {timezone.localdate(last.revoked_at)} 撤销"
    return f"授权已于 {last.to_on} 到期"
