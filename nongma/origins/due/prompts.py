"""Telling people in the morning what is to be collected (采集提示): the collector, then the township, then the county.

Each stage of a day is a few counts over an index, whatever the number of dues. Who is told and that it was noted stand
in one transaction, so that a worker that was killed goes on where it was and tells nobody twice. Days on which no
worker ran are made up for, `MOST_DAYS` at most.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.access import ALLOWED, Action
from nongma.accounts.models import AuthorisedTown, Membership, Role, User
from nongma.lib.copying import array
from nongma.notices.models import Notice
from nongma.notices.services import Note, notify_each
from nongma.origins.due.terms import USUAL, terms_of
from nongma.origins.models import CollectionTerms, DuePrompt
from nongma.regions.models import Region
from nongma.regions.spans import WIDTHS, Span, above, ancestors_of, span_of

Stage = DuePrompt.Stage
BATCH = 5_000
MOST_DAYS = 7
COLLECTING = [role.value for role, actions in ALLOWED.items() if Action.COLLECT_ORIGINS in actions]

TITLES = {
    Stage.OPENED: "{count} 条产地信息要采集",
    Stage.DEADLINE: "{count} 条产地信息今天是采集的最后一天",
    Stage.TOWN: "辖区内 {count} 条产地信息逾期未采集",
    Stage.COUNTY: "全县 {count} 条产地信息逾期未采集",
}

# Whoever has something that opens that day is told of all that is open; on the first of a month all who collect by
# month, since what they left alone comes round again.
_OPENED = """
    SELECT collector_id, region_id, count(*) FROM origins_due
    WHERE outcome = '' AND opens_on <= %(day)s AND (%(is_first)s OR collector_id IN (
        SELECT collector_id FROM origins_due WHERE outcome = '' AND opens_on = %(day)s))
    GROUP BY 1, 2
"""
_DEADLINE = """
    SELECT collector_id, region_id, count(*) FROM origins_due
    WHERE outcome = '' AND (due_on = %(day)s OR %(is_last)s AND due_on < %(day)s AND rhythm = 'monthly')
    GROUP BY 1, 2
"""
# A due that is left alone passes a deadline each month; `passed` is the day of one, so long ago as somebody is told.
_PASSED = """
    SELECT DISTINCT region_id - region_id %% %(width)s FROM origins_due
    WHERE outcome = '' AND (due_on = %(passed)s OR %(is_last)s AND due_on < %(passed)s AND rhythm = 'monthly')
"""
_OVERDUE = """
    SELECT region_id - region_id %% %(width)s, count(*) FROM origins_due
    WHERE outcome = '' AND due_on < %(day)s GROUP BY 1
"""
_NOTE = """
    INSERT INTO origins_dueprompt (day, stage, user_id, number)
    SELECT %s, %s, each.* FROM unnest(%s::bigint[], %s::integer[]) AS each
    ON CONFLICT DO NOTHING RETURNING user_id
"""

Told = dict[int, int]
"""How many each person is told of."""


def prompt_all(on: date | None = None) -> int:
    """Prompt for today, and for the days behind it that were left out; how many people were told."""
    today = on or timezone.localdate()
    latest = DuePrompt.objects.aggregate(day=Max("day"))["day"] or today
    first = max(min(latest, today), today - timedelta(days=MOST_DAYS - 1))
    # The last day that anybody was told on may have been cut off.
    return sum(prompt_day(first + timedelta(days=n)) for n in range((today - first).days + 1))


def prompt_day(day: date) -> int:
    """Prompt everybody of one day, each once at each stage; how many were told now."""
    stages: dict[DuePrompt.Stage, Callable[[date], Told]] = {
        Stage.OPENED: lambda on: _by_collector(_OPENED, on),
        Stage.DEADLINE: lambda on: _by_collector(_DEADLINE, on),
        Stage.TOWN: lambda on: _overdue(on, Region.Level.TOWN, "town_after", COLLECTING),
        Stage.COUNTY: lambda on: _overdue(on, Region.Level.COUNTY, "county_after", [Role.REVIEWER.value]),
    }
    return sum(_tell(day, stage, count(day)) for stage, count in stages.items())


def _tell(day: date, stage: DuePrompt.Stage, told: Told) -> int:
    users = sorted(user for user, number in told.items() if number)
    return sum(_tell_some(day, stage, told, users[start : start + BATCH]) for start in range(0, len(users), BATCH))


@transaction.atomic
def _tell_some(day: date, stage: DuePrompt.Stage, told: Told, users: list[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [day, stage.value, array(users), array(told[user] for user in users)])
        new = [user for (user,) in cursor.fetchall()]
    url = reverse("origins:dues")
    late = "逾期的列入及时率；不再种养的，请写明原因"
    notes = [
        Note(
            user,
            TITLES[stage],
            body="" if stage == Stage.OPENED else late,
            url=f"{url}?tab=overdue" if stage in {Stage.TOWN, Stage.COUNTY} else url,
            about=f"dues.{stage.value}",
            count=told[user],
        )
        for user in new
    ]
    notify_each(notes=notes, kind=Notice.Kind.PROMPT, is_added=False)
    return len(new)


# Who is told


def _by_collector(sql: str, day: date) -> Told:
    """How many each collector has there; what somebody left behind goes to who collects in that village now."""
    is_last = (day + timedelta(days=1)).day == 1
    with connection.cursor() as cursor:
        cursor.execute(sql, {"day": day, "is_first": day.day == 1, "is_last": is_last})
        rows = cursor.fetchall()
    spans = _spans_of({collector for collector, _, _ in rows}, day)
    told: Counter[int] = Counter()
    orphans: Counter[int] = Counter()
    for collector, region, number in rows:
        if any(region in span for span in spans.get(collector, ())):
            told[collector] += number
        else:
            orphans[region] += number
    for user, number in _heirs(orphans, day):
        told[user] += number
    return told


def _spans_of(users: Iterable[int], day: date) -> dict[int, set[Span]]:
    """Where each of some people may collect on a day."""
    held: dict[int, set[Span]] = defaultdict(set)
    active = {"user__is_active": True, "user__suspended_at": None}
    wanted = list(users)
    posts = Membership.objects.active(day).filter(
        user__in=wanted, role__in=COLLECTING, agency__suspended_at=None, **active
    )
    for user, region in posts.values_list("user_id", "agency__region_id"):
        held[user].add(span_of(region))
    firms: dict[int, list[int]] = defaultdict(list)
    hired = User.objects.filter(pk__in=wanted, third_party__isnull=False, is_active=True, suspended_at=None)
    for user, firm in hired.values_list("pk", "third_party"):
        firms[firm].append(user)
    towns = AuthorisedTown.objects.filter(
        authorisation__third_party__in=firms,
        authorisation__revoked_at=None,
        authorisation__from_on__lte=day,
        authorisation__to_on__gte=day,
        authorisation__third_party__agency__suspended_at=None,
    )
    for firm, region in towns.values_list("authorisation__third_party", "region_id"):
        for user in firms[firm]:
            held[user].add(span_of(region))
    return held


def _heirs(orphans: Counter[int], day: date) -> Iterable[tuple[int, int]]:
    """The collectors of the nearest division that has any: village, township, county."""
    nearest = {region: [region, *reversed(ancestors_of(region))][:3] for region in orphans}
    there = _people({place for chain in nearest.values() for place in chain}, [Role.COLLECTOR.value], day)
    for region, number in orphans.items():
        heirs = next((there[place] for place in nearest[region] if place in there), ())
        for user in heirs:
            yield user, number


def _people(places: Iterable[int], roles: list[str], day: date) -> dict[int, set[int]]:
    """Who holds one of the roles at the agency of each division on a day."""
    found: dict[int, set[int]] = defaultdict(set)
    posts = Membership.objects.active(day).filter(
        agency__region_id__in=list(places),
        agency__suspended_at=None,
        agency__kind="supervision",
        role__in=roles,
        user__is_active=True,
        user__suspended_at=None,
    )
    for user, region in posts.values_list("user_id", "agency__region_id"):
        found[region].add(user)
    return found


def _overdue(day: date, level: Region.Level, after: str, roles: list[str]) -> Told:
    """What is overdue in all, for people of the divisions where a deadline passed just so many days ago."""
    waits = {getattr(USUAL, after), *CollectionTerms.objects.values_list(after, flat=True).distinct()}
    passed: set[int] = set()
    with connection.cursor() as cursor:
        for wait in sorted(waits):
            then = day - timedelta(days=wait)
            is_last = (then + timedelta(days=1)).day == 1
            cursor.execute(_PASSED, {"width": WIDTHS[level], "passed": then, "is_last": is_last})
            places = [place for (place,) in cursor.fetchall()]
            held = terms_of(above(place, Region.Level.COUNTY) for place in places)
            passed |= {place for place in places if getattr(held[above(place, Region.Level.COUNTY)], after) == wait}
        if not passed:
            return {}
        cursor.execute(_OVERDUE, {"width": WIDTHS[level], "day": day})
        numbers = {place: number for place, number in cursor.fetchall() if place in passed}
    told: Counter[int] = Counter()
    for place, users in _people(numbers, roles, day).items():
        for user in users:
            told[user] += numbers[place]
    return told
