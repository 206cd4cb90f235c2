"""Putting operators on file and correcting what is on file (主体登记)."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.audit.services import record, told
from nongma.codes.models import CodeRange
from nongma.codes.services import assign, subject_changed
from nongma.lib.ids import uuid7
from nongma.lib.once import once
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.registry.directory.marks import touch
from nongma.registry.models import Operator, OperatorMember, Revision
from nongma.registry.services.checks import (
    Point,
    check_area,
    check_may_change,
    check_unregistered,
    checked,
    inputs_of,
    plain,
)
from nongma.registry.services.tries import tries_counted

Status = Operator.Status
KEY_INPUTS = ("name", "uscc", "id_number", "kinds", "region")
"""What an approved operator is known by: it changes by review only (名称、证件号、类型、所在地)."""
OPEN_FIELDS = {"kinds", "industries", "region", "uscc"}
"""What the audit log tells in full when it changes; of the rest, which tells of a person, only that it did."""


@tries_counted
@transaction.atomic
def register_operator(
    *,
    kinds: Sequence[str],
    name: str,
    region: Region,
    actor: User,
    uscc: str | None = None,
    id_number: str = "",
    phone: str = "",
    contact: str = "",
    address: str = "",
    point: Point | None = None,
    industries: Sequence[str] = (),
) -> Operator:
    """Put an operator on file with its 主体码: approved at once when a reviewer registers it, else waiting for one.

    A person who registers for themselves becomes its 负责人. Agencies register inside their own area only. Refuses
    `outside_area`, `already_registered` (to an operator's person some times a day only: `limit_reached`),
    `member_already`, and what is wrong with an input: `kind_missing`,
    `text_missing`, `text_too_long`, `region_too_wide`, `uscc_invalid`, `id_invalid`, `phone_invalid`, `point_invalid`.
    """
    for_self = actor.is_operator
    if for_self:
        # Two registrations at once by one person wait for each other.
        User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if for_self and OperatorMember.objects.open().filter(user=actor).exists():
        raise Refused("member_already", "您已经是一个主体的人员，不能再登记主体")
    if not for_self:
        check_area(region.pk, actor)
    values = checked(
        kinds=kinds,
        name=name,
        region=region,
        uscc=uscc,
        id_number=id_number,
        phone=phone,
        contact=contact,
        address=address,
        point=point,
        industries=industries,
    )
    check_unregistered(values)
    decided = not for_self and region.pk in scope_of(actor, Action.REVIEW_OPERATORS)
    review: dict[str, Any] = {"reviewed_by": actor, "reviewed_at": timezone.now()} if decided else {}
    uid = uuid7()
    codes = assign(kind=CodeRange.Kind.OPERATOR, subject=uid)
    with once("already_registered", "这个主体刚刚由别人登记了"):
        operator = Operator.objects.create(
            uid=uid,
            serial=codes.start,
            status=Status.APPROVED if decided else Status.SUBMITTED,
            created_by=actor,
            due_on=None if decided else review_due(),
            **values,
            **review,
        )
    if for_self:
        OperatorMember.objects.create(operator=operator, user=actor, role=OperatorMember.Role.OWNER)
    record("operator.registered", actor=actor, target=operator, region_code=region.pk, status=operator.status)
    touch(operator.pk)
    return operator


@tries_counted
@transaction.atomic
def change_operator(*, operator: Operator, actor: User, **changes: Any) -> Operator:
    """Correct what is on file of an operator; takes the inputs of `register_operator`, those left out stay.

    The operator's own people send a returned operator to review again by this. Of an approved one (and by its owner of
    an imported one) what it is known by (`KEY_INPUTS`) waits for a reviewer as a `Revision`, together with what
    waits already, unless a reviewer of the place makes the change; everything else holds at once. Refuses
    `outside_area`, `not_own_operator`, `not_active` (suspended or cancelled) and what `register_operator` does.
    """
    operator = Operator.objects.select_for_update().get(pk=operator.pk)
    own = actor.is_operator
    check_may_change(operator, actor)
    held = inputs_of(operator)
    inputs = held | changes
    if not own:
        check_area(inputs["region"].pk, actor)
    values = checked(**inputs)
    if _needs_review(operator, actor, inputs["region"]):
        wanted = {name: _stored(name, values[name]) for name in KEY_INPUTS if values[name] != held[name]}
        if wanted:
            check_unregistered(values, apart_from=operator)
            _ask(operator, held, wanted, actor)
            values = checked(**inputs | {name: held[name] for name in wanted})
    before = {field: getattr(operator, field) for field in values}
    changed = sorted(field for field, value in values.items() if plain(before[field]) != plain(value))
    if not changed and not (own and operator.status == Status.RETURNED):
        return operator
    # Who registered it for somebody sends it in again by correcting it, as its owner does.
    if operator.status == Status.RETURNED:
        operator.status, operator.due_on, operator.review_faults = Status.SUBMITTED, review_due(), {}
    put(operator, values, before, actor)
    return operator


@transaction.atomic
def confirm_operator(*, operator: Operator, actor: User) -> Operator:
    """Confirm that what is on file still holds (确认没有变化), by an owner or an agency of the area.

    Refuses `not_own_operator`, `outside_area`, `not_active`.
    """
    operator = Operator.objects.select_for_update().get(pk=operator.pk)
    check_may_change(operator, actor)
    record("operator.confirmed", actor=actor, target=operator, region_code=operator.region_id)
    touch(operator.pk)
    return operator


def put(operator: Operator, values: dict[str, Any], before: dict[str, Any], actor: User, **details: Any) -> None:
    """Save checked columns of a locked operator, on record. Refuses `already_registered`."""
    check_unregistered(values, apart_from=operator)
    changed = sorted(field for field, value in values.items() if plain(before[field]) != plain(value))
    for field, value in values.items():
        setattr(operator, field, value)
    with once("already_registered", "这个主体刚刚由别人登记了"):
        operator.save()
    if "region" in changed:
        # What waits for somebody of the place goes along.
        for waiting in (operator.revisions.waiting(), operator.claims.waiting(), operator.corrections.open()):
            waiting.update(region=operator.region)
    named = [field for field in changed if field not in {"phone_index", "id_index"}]
    record(
        "operator.changed",
        actor=actor,
        target=operator,
        region_code=operator.region_id,
        fields=named,
        changes={field: [told(before[field]), told(values[field])] for field in named if field in OPEN_FIELDS},
        **details,
    )
    touch(operator.pk)
    subject_changed(operator.uid)


def review_due() -> date:
    """The day by which a reviewer has to decide on what is sent in today (审核期限)."""
    return timezone.localdate() + timedelta(days=settings.REVIEW_DAYS)


def _needs_review(operator: Operator, actor: User, region: Region) -> bool:
    if operator.status == Status.IMPORTED:
        return actor.is_operator
    scope = scope_of(actor, Action.REVIEW_OPERATORS)
    return operator.status == Status.APPROVED and not (operator.region_id in scope and region.pk in scope)


def _stored(name: str, value: Any) -> Any:
    return value.pk if name == "region" else value


def _ask(operator: Operator, held: dict[str, Any], wanted: dict[str, Any], actor: User) -> None:
    """Put a change before the reviewers, together with what waits already and is not asked for otherwise.

    What waited is closed, so that nobody decides on what they have not read.
    """
    earlier = operator.revisions.waiting().first()
    after = (earlier.after if earlier else {}) | wanted
    if earlier:
        earlier.state, earlier.decided_at = Revision.State.WITHDRAWN, timezone.now()
        earlier.save(update_fields=["state", "decided_at"])
    before = {name: _stored(name, held[name]) for name in after}
    Revision.objects.create(
        operator=operator,
        region_id=operator.region_id,
        fields=list(after),
        before_json=json.dumps(before, ensure_ascii=False),
        after_json=json.dumps(after, ensure_ascii=False),
        asked_by=actor,
        due_on=review_due(),
    )
    record("operator.change_asked", actor=actor, target=operator, region_code=operator.region_id, fields=list(after))
