"""Sending, answering and settling notices to put a record right (督促整改)."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import Action
from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.locks import take_turn
from nongma.lib.once import once
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Misfilled, Refused
from nongma.lib.texts import checked_text
from nongma.notices.models import Notice
from nongma.notices.services import notify, withdraw
from nongma.registry.directory.fields import LABELS
from nongma.registry.directory.marks import mark, touch
from nongma.registry.models import Correction, Operator, OperatorMember
from nongma.registry.services.checks import check_area

Matter, State = Correction.Matter, Correction.State
ANSWERABLE = {State.SENT, State.RETURNED}
LATEST = timedelta(days=365)
LONGEST, LONGEST_ANSWER = 300, 500
SENDING_LOCK = 0x7365_6E64


@transaction.atomic
def send_correction(
    *,
    operator: Operator,
    matter: Correction.Matter,
    finding: str,
    demand: str,
    due_on: date,
    actor: User,
    fields: Sequence[str] = (),
) -> Correction:
    """Ask an operator to put its record right by a day (发督促整改通知); its people are told.

    Refuses `outside_area`, `not_active` (only one that is approved or imported answers), `already_open` (one of the
    same matter is not settled), `field_unknown`, `field_missing` (missing or wrong, but of what), `due_invalid` (not
    from tomorrow to a year from now), `text_missing`, `text_too_long`.
    """
    operator = Operator.objects.select_for_update().get(pk=operator.pk)
    check_area(operator.region_id, actor, Action.SUPERVISE_OPERATORS)
    if operator.status not in (Operator.Status.APPROVED, Operator.Status.IMPORTED):
        raise Refused("not_active", f"主体现在是“{operator.get_status_display()}”，不能督促整改")
    asked = checked_demand(matter, fields, finding, demand, due_on)
    with once("already_open", f"“{asked.matter.label}”的整改通知已经发过，还没有办结", field="matter"):
        notice = Correction.objects.create(
            operator=operator,
            region_id=operator.region_id,
            sent_by=actor,
            **asked.columns(),
        )
    record("correction.sent", actor=actor, target=operator, region_code=notice.region_id, **details_of(notice))
    _tell_operator(notice, "请整改主体信息", f"{asked.matter.label}，{due_on} 前整改", actor)
    mark([operator.pk])
    return notice


@dataclass(frozen=True)
class Demanded:
    """What is asked of an operator, as it is kept."""

    matter: Correction.Matter
    fields: list[str]
    finding: str
    demand: str
    due_on: date

    def columns(self) -> dict[str, Any]:
        """The values by the columns of the same names."""
        return {one.name: getattr(self, one.name) for one in dataclass_fields(self)}


def checked_demand(
    matter: Correction.Matter,
    fields: Sequence[str],
    finding: str,
    demand: str,
    due_on: date,
    *,
    is_listed: bool = False,
) -> Demanded:
    """What is asked of operators, checked as `send_correction` says; `is_listed`: the directory tells what lacks."""
    matter = Matter(matter)
    named = list(dict.fromkeys(fields))
    if unknown := [field for field in named if field not in LABELS]:
        raise Misfilled("field_unknown", f"没有这个项目：{'、'.join(unknown)}", field="fields")
    if not named and (matter == Matter.WRONG or (matter == Matter.MISSING and not is_listed)):
        raise Misfilled("field_missing", "请勾选涉及的项目", field="fields")
    today = timezone.localdate()
    if not today < due_on <= today + LATEST:
        raise Misfilled("due_invalid", "整改期限要在明天到一年之内", field="due_on")
    told = checked_text(finding, label="问题", longest=LONGEST, field="finding", is_needed=True)
    wanted = checked_text(demand, label="整改要求", longest=LONGEST, field="demand", is_needed=True)
    return Demanded(matter, named, told, wanted, due_on)


def details_of(correction: Correction) -> dict[str, Any]:
    """What the log tells of a notice that was sent."""
    return {
        "correction": str(correction.uid),
        "matter": Matter(correction.matter).label,
        "fields": [LABELS[field] for field in correction.fields],
        "due": str(correction.due_on),
    }


@transaction.atomic
def answer_correction(*, correction: Correction, answer: str, actor: User) -> Correction:
    """Say what was put right (答复); for the operator's own people. That the record is right counts as confirmed.

    Refuses `not_own_operator`, `not_open` (settled, or answered already), `text_missing`, `text_too_long`.
    """
    correction = _locked(correction)
    if not correction.operator.members.open().filter(user=actor).exists():
        raise Refused("not_own_operator", "只有主体的人员可以答复")
    if correction.state not in ANSWERABLE:
        raise Refused("not_open", f"这份通知现在是“{correction.get_state_display()}”")
    correction.answer = checked_text(answer, label="整改情况", longest=LONGEST_ANSWER, field="answer", is_needed=True)
    correction.answered_by, correction.answered_at = actor, timezone.now()
    correction.state, correction.note = State.ANSWERED, ""
    correction.save(update_fields=["answer", "answered_by", "answered_at", "state", "note"])
    _record("answered", correction, actor)
    withdraw(about=about(correction))
    _withdraw_of_sending(correction)
    notify(
        users=[correction.sent_by_id],
        kind=Notice.Kind.PROMPT,
        title="一份督促整改通知已答复",
        body=correction.operator.name,
        url=correction.get_absolute_url(),
        about=about(correction),
        actor=actor,
    )
    touch(correction.operator_id)
    return correction


@transaction.atomic
def accept_correction(*, correction: Correction, actor: User) -> Correction:
    """Close a notice whose answer holds (确认已整改). Refuses `outside_area`, `not_answered`."""
    correction = _locked(correction)
    check_area(correction.region_id, actor, Action.SUPERVISE_OPERATORS)
    _check_answered(correction)
    return _settle(correction, State.DONE, "accepted", "督促整改已办结", actor)


@transaction.atomic
def return_correction(*, correction: Correction, reason: str, actor: User) -> Correction:
    """Send an answer back that does not hold. Refuses `outside_area`, `not_answered`, `reason_missing`."""
    correction = _locked(correction)
    check_area(correction.region_id, actor, Action.SUPERVISE_OPERATORS)
    _check_answered(correction)
    correction.note = checked_reason(reason, told="请写明还要改什么，主体照着改")
    correction.state = State.RETURNED
    correction.save(update_fields=["note", "state"])
    _record("returned", correction, actor, reason=correction.note)
    withdraw(about=about(correction))
    _tell_operator(correction, "整改退回，请再改", f"还要改：{correction.note}", actor)
    return correction


@transaction.atomic
def withdraw_correction(*, correction: Correction, reason: str, actor: User) -> Correction:
    """Take back a notice that was sent by mistake. Refuses `outside_area`, `settled`, `reason_missing`."""
    correction = _locked(correction)
    check_area(correction.region_id, actor, Action.SUPERVISE_OPERATORS)
    if not correction.is_open:
        raise Refused("settled", f"这份通知现在是“{correction.get_state_display()}”")
    correction.note = checked_reason(reason, told="请写明为什么撤回")
    return _settle(correction, State.WITHDRAWN, "withdrawn", "督促整改通知已撤回", actor)


def about(correction: Correction) -> str:
    """What notices of it are kept under."""
    return f"correction:{correction.uid}"


def about_sending(sending: UUID) -> str:
    """What the one notice to each person is kept under that tells of all theirs in a sending to many."""
    return f"sending:{sending}"


def _withdraw_of_sending(correction: Correction) -> None:
    """Whoever has nothing left to put right of a sending is reminded of it no longer.

    Those who settle notices of one sending take turns, so that the last of a person's is seen to be the last.
    """
    if correction.sending is None:
        return
    take_turn(SENDING_LOCK, str(correction.sending))
    people = set(correction.operator.members.open().values_list("user_id", flat=True))
    asked = OperatorMember.objects.open().filter(
        user__in=people,
        operator__corrections__sending=correction.sending,
        operator__corrections__state__in=ANSWERABLE,
    )
    withdraw(about=about_sending(correction.sending), of=people - set(asked.values_list("user_id", flat=True)))


def _locked(correction: Correction) -> Correction:
    return Correction.objects.select_for_update(of=("self",)).select_related("operator").get(pk=correction.pk)


def _check_answered(correction: Correction) -> None:
    if correction.state != State.ANSWERED:
        raise Refused("not_answered", f"这份通知现在是“{correction.get_state_display()}”，没有等待确认的答复")


def _settle(correction: Correction, state: Correction.State, deed: str, title: str, actor: User) -> Correction:
    correction.state, correction.settled_at = state, timezone.now()
    correction.save(update_fields=["state", "settled_at", "note"])
    _record(deed, correction, actor, **({"reason": correction.note} if correction.note else {}))
    withdraw(about=about(correction))
    _withdraw_of_sending(correction)
    _tell_operator(correction, title, correction.get_matter_display(), actor)
    mark([correction.operator_id])
    return correction


def _tell_operator(correction: Correction, title: str, body: str, actor: User) -> None:
    notify(
        users=correction.operator.members.open().values_list("user_id", flat=True),
        kind=Notice.Kind.DECISION,
        title=title,
        body=body,
        url=correction.get_absolute_url(),
        about=about(correction),
        due_on=correction.due_on if correction.is_open else None,
        is_added=False,
        actor=actor,
    )


def _record(deed: str, correction: Correction, actor: User, **details: object) -> None:
    record(
        f"correction.{deed}",
        actor=actor,
        target=correction.operator,
        region_code=correction.region_id,
        correction=str(correction.uid),
        **details,
    )
