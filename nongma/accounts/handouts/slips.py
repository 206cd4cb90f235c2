"""First passwords on paper (密码条): slips to be cut and handed over, for people who have not signed in yet."""

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.access import Action, may
from nongma.accounts.models import Agency, Handout, HandoutRow, Membership, User
from nongma.accounts.queries import place_by_user, place_of
from nongma.accounts.services.passwords import looks_after
from nongma.audit.services import record, record_many
from nongma.lib import qr
from nongma.lib.refused import Refused
from nongma.lib.typesetting import typeset

SOURCE = (Path(__file__).parent / "slips.typ").read_bytes()
A_SHEET = 10
A_FILE = 1_000
"""Rows of a hand-out whose slips go into one PDF."""


@dataclass(frozen=True, slots=True)
class Slip:
    """What a person needs for the first sign-in."""

    agency: str
    name: str
    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Part:
    """The slips of one PDF: of the rows from one to another, how many there are."""

    number: int
    first_row: int
    last_row: int
    slips: int


class Order(models.TextChoices):
    """How slips follow one another."""

    ROW = "row", "按表格的顺序"
    AGENCY = "agency", "每个机构另起一页"


def slip_pdf(slips: Sequence[Slip], *, issuer: User, by_agency: bool = False) -> bytes:
    """The slips as an A4 PDF, ten on a sheet; `by_agency` begins a sheet with each agency. `issuer`: whom to ask."""
    groups = (
        [list(group) for _, group in itertools.groupby(slips, key=lambda slip: slip.agency)] if by_agency else [slips]
    )
    pages = [group[start : start + A_SHEET] for group in groups for start in range(0, len(group), A_SHEET)]
    address = settings.PUBLIC_URL + reverse("accounts:sign-in")
    data = {
        "address": address,
        "symbol": qr.svg(qr.symbol(address)),
        "days": settings.FIRST_PASSWORD_KEPT.days,
        "contact": f"{issuer.agency.name if issuer.agency else '平台管理员'} {issuer.name}".strip(),
        "pages": [[asdict(slip) for slip in page] for page in pages],
    }
    return typeset(SOURCE, data, pdf_tags=False)


def waiting_slips(handout: Handout, actor: User) -> models.QuerySet[HandoutRow]:
    """The rows whose slips the person may print: none of another's hand-out.

    Their people have not changed the first password yet, and their accounts are wholly in the person's care now, by the
    rule of `looks_after`: whoever has moved to another county could sign in as people of the one before.
    """
    if handout.user_id != actor.pk:
        return HandoutRow.objects.none()
    rows = handout.rows.exclude(first_password="").filter(user__must_change_password=True, user__is_active=True)
    cared_for = Agency.objects.visible_to(actor)
    posts = Membership.objects.filter(user=OuterRef("user")).exclude(to_on__lt=timezone.localdate())
    outside = posts.filter(~Exists(cared_for.filter(pk=OuterRef("agency"))))
    return rows.filter(Exists(cared_for.filter(pk=OuterRef("user__agency"))), ~Exists(outside))


def parts_of(handout: Handout, actor: User) -> list[Part]:
    """The PDFs that the slips make that a person may print of a hand-out, each of so many rows of the sheet."""
    counted: dict[int, list[int]] = {}
    for row in waiting_slips(handout, actor).order_by("row").values_list("row", flat=True):
        counted.setdefault((row - 1) // A_FILE, []).append(row)
    return [Part(number, rows[0], rows[-1], len(rows)) for number, rows in counted.items()]


@transaction.atomic
def print_slips(*, handout: Handout, part: int, order: Order, actor: User) -> bytes:
    """The slips of one part as a PDF, for whoever handed the accounts out and still looks after them, on record.

    Refuses `not_allowed` and `no_slips` (all are changed, cleared, too old, or in another's care by now).
    """
    if handout.user_id != actor.pk or not may(actor, Action.MANAGE_ACCOUNTS):
        raise Refused("not_allowed", "密码条只有分配账号的人自己能打印")
    rows = waiting_slips(handout, actor).filter(row__gt=part * A_FILE, row__lte=(part + 1) * A_FILE)
    by_agency = order == Order.AGENCY
    places = ("agency__region_id", "agency_id", "row") if by_agency else ("row",)
    slips = [
        Slip(row.agency.name if row.agency else "", row.user.name, row.user.username, row.first_password)
        for row in rows.select_related("user", "agency").order_by(*places)
        if row.user
    ]
    if not slips:
        raise Refused(
            "no_slips", "没有要打印的密码条：本人已改密码，或已清除，或已不归您管理。忘了密码的，请在人员页面重设"
        )
    record("handout.slips_printed", actor=actor, target=handout, region_code=place_of(actor), count=len(slips))
    return slip_pdf(slips, issuer=actor, by_agency=by_agency)


@transaction.atomic
def print_slip(*, user: User, password: str, actor: User) -> bytes:
    """The slip of one person as a PDF, on record; the password comes from the page that told it: it is not kept.

    Refuses `outside_area`, and `slip_over` for any but the password that an administrator gave and nobody changed yet.
    """
    if not looks_after(actor, user):
        raise Refused("outside_area", "这个人不归您管理")
    if not user.must_change_password or not user.check_password(password):
        raise Refused("slip_over", "密码已经改过，密码条不能再打印；忘了密码的，请重设")
    record("account.slip_printed", actor=actor, target=user, region_code=user.place)
    slip = Slip(user.agency.name if user.agency else "", user.name, user.username, password)
    return slip_pdf([slip], issuer=actor)


@transaction.atomic
def clear_slips(*, handout: Handout, actor: User) -> Handout:
    """Forget the first passwords of a hand-out when all slips are handed over; accounts stay as they are.

    Refuses `not_allowed`, `handout_unfinished` and `already_cleared`.
    """
    handout = Handout.objects.select_for_update(no_key=True).get(pk=handout.pk)
    if handout.user_id != actor.pk:
        raise Refused("not_allowed", "密码条只有分配账号的人自己能清除")
    if handout.finished_at is None:
        raise Refused("handout_unfinished", "还没有办完，请稍后再清除")
    if handout.slips_cleared_at:
        raise Refused("already_cleared", "密码条已经清除")
    _clear([handout.pk])
    record("handout.slips_cleared", actor=actor, target=handout, region_code=place_of(actor))
    handout.refresh_from_db()
    return handout


@transaction.atomic
def clear_old_slips() -> int:
    """Forget the first passwords of hand-outs that ended `settings.KEEP_SLIPS_DAYS` ago; how many hand-outs."""
    before = timezone.now() - timedelta(days=settings.KEEP_SLIPS_DAYS)
    old = Handout.objects.filter(slips_cleared_at=None, created_at__lt=before, finished_at__lt=before)
    handouts = list(old.select_for_update(no_key=True).order_by("pk"))
    _clear([handout.pk for handout in handouts])
    places = place_by_user({handout.user_id for handout in handouts})
    record_many(
        "handout.slips_cleared",
        actor=None,
        targets=[("handout", str(handout.uid), places.get(handout.user_id), {}) for handout in handouts],
    )
    return len(handouts)


def _clear(handouts: list[int]) -> None:
    HandoutRow.objects.filter(handout__in=handouts).exclude(first_password="").update(first_password="")
    Handout.objects.filter(pk__in=handouts).update(slips_cleared_at=timezone.now())
