"""Notices that are overdue, prompted once to the operator's people and once to the township's officers (超期提醒)."""

from datetime import date, timedelta

from django.utils import timezone

from nongma.accounts.models import Membership, Role
from nongma.notices.models import Notice
from nongma.notices.services import Note, notify_each
from nongma.regions.spans import ancestors_of
from nongma.registry.directory.corrections.services import ANSWERABLE, about
from nongma.registry.models import NOT_TRADING, Correction, OperatorMember

BATCH = 1_000
WEEK = timedelta(days=7)


def prompt_of_overdue(on: date | None = None) -> int:
    """Tell of notices that nobody answered in time, the operator's people on the first day, then the collectors of the
    township or village, or nearest above; how many notices that made. Each is told of each notice once.
    """
    today = on or timezone.localdate()
    told, last = 0, (today - WEEK, 0)
    overdue = (
        Correction.objects.filter(state__in=ANSWERABLE, due_on__gte=today - WEEK, due_on__lt=today)
        .exclude(operator__status__in=NOT_TRADING)
        .select_related("operator")
        .order_by("due_on", "id")
    )
    while batch := list(overdue.filter(due_on__gte=last[0]).exclude(due_on=last[0], id__lte=last[1])[:BATCH]):
        told += _tell(batch, today)
        last = (batch[-1].due_on, batch[-1].pk)
    return told


def _tell(overdue: list[Correction], today: date) -> int:
    members: dict[int, list[int]] = {}
    people = OperatorMember.objects.open().filter(
        operator__in={one.operator_id for one in overdue}, user__is_active=True
    )
    for operator, user in people.values_list("operator_id", "user_id"):
        members.setdefault(operator, []).append(user)
    officers = _officers({one.region_id for one in overdue}, today)
    notes = []
    for one in overdue:
        title, url = f"督促整改 {one.due_on} 到期，还没有答复", one.get_absolute_url()
        key = f"{about(one)}:overdue"
        notes += [
            Note(user, title, one.get_matter_display(), url, key, one.due_on)
            for user in members.get(one.operator_id, ())
        ]
        if one.due_on < today - timedelta(days=1):
            notes += [
                Note(user, f"{title}，请上门指导", one.operator.name, url, key, one.due_on)
                for user in officers.get(one.region_id, ())
            ]
    known = Notice.objects.filter(user__in={note.user for note in notes}, about__in={note.about for note in notes})
    before = set(known.values_list("user_id", "about", "due_on"))
    new = [note for note in notes if (note.user, note.about, note.due_on) not in before]
    notify_each(notes=new, kind=Notice.Kind.DEADLINE)
    return len(new)


def _officers(places: set[int], today: date) -> dict[int, list[int]]:
    """The collectors nearest to each place: of the village, else the township, else the county."""
    chains = {place: [place, *reversed(ancestors_of(place))] for place in places}
    posts = Membership.objects.active(today).filter(
        role=Role.COLLECTOR,
        agency__region_id__in={code for chain in chains.values() for code in chain},
        agency__suspended_at=None,
        user__is_active=True,
        user__suspended_at=None,
    )
    by_place: dict[int, list[int]] = {}
    for user, place in posts.values_list("user_id", "agency__region_id"):
        by_place.setdefault(place, []).append(user)
    return {place: next((by_place[code] for code in chain if code in by_place), []) for place, chain in chains.items()}
