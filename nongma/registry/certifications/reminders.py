"""Certifications that end, told to the operator's people 60, 30 and 7 days before (到期提醒)."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from nongma.notices.models import Notice
from nongma.notices.services import Note, notify_each
from nongma.registry.models import NOT_TRADING, Certification, OperatorMember

STAGES = (7, 30, 60)
BATCH = 1000


def about(certification: Certification, stage: int) -> str:
    """What notices of one stage are kept under."""
    return f"certification:{certification.uid}:{stage}"


def remind_of_ends(on: date | None = None) -> int:
    """Tell of certifications that end within 60 days; how many notices that made.

    Each person is told once at each stage: a day on which nobody was told is made up for on the next.
    """
    today = on or timezone.localdate()
    told, last = 0, (today, 0)
    until = today + timedelta(days=max(STAGES))
    ending = (
        Certification.objects.filter(to_on__gte=today, to_on__lte=until, withdrawn_on=None)
        .exclude(operator__status__in=NOT_TRADING)
        .select_related("operator")
        .order_by("to_on", "id")
    )
    while batch := list(ending.filter(to_on__gte=last[0]).exclude(to_on=last[0], id__lte=last[1])[:BATCH]):
        told += _tell(batch, today)
        assert batch[-1].to_on
        last = (batch[-1].to_on, batch[-1].pk)
    return told


@transaction.atomic
def _tell(ending: list[Certification], today: date) -> int:
    people: dict[int, list[int]] = {}
    members = OperatorMember.objects.open().filter(user__is_active=True)
    members = members.filter(operator__in={each.operator_id for each in ending})
    for operator, user in members.values_list("operator_id", "user_id"):
        people.setdefault(operator, []).append(user)
    notes = [
        Note(
            user,
            f"{each.shown_kind}认证 {each.to_on} 到期",
            f"证书编号 {each.number}，还有 {(each.to_on - today).days} 天；续期后请在主体页面修改，过期的不再公开",
            f"{each.operator.get_absolute_url()}#certifications",
            about(each, min(stage for stage in STAGES if each.to_on <= today + timedelta(days=stage))),
            each.to_on,
        )
        for each in ending
        if each.to_on
        for user in people.get(each.operator_id, ())
    ]
    known = Notice.objects.filter(user__in={note.user for note in notes}, about__in={note.about for note in notes})
    before = set(known.values_list("user_id", "about", "due_on"))
    new = [note for note in notes if (note.user, note.about, note.due_on) not in before]
    notify_each(notes=new, kind=Notice.Kind.DEADLINE)
    return len(new)
