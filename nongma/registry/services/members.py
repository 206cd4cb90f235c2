"""The people of an operator (主体人员)."""

from django.db import transaction

from nongma.accounts.granting import has_area
from nongma.accounts.models import User
from nongma.accounts.queries import places_of
from nongma.accounts.services import place_operator_person
from nongma.audit.services import record
from nongma.lib.refused import Refused
from nongma.registry.models import NOT_TRADING, Operator, OperatorMember


@transaction.atomic
def add_member(
    *, operator: Operator, user: User, actor: User | None, role: OperatorMember.Role = OperatorMember.Role.STAFF
) -> OperatorMember:
    """Let a person act for an operator (主体人员); whoever does already keeps the role. `actor` None: the platform.

    Refuses `outside_area`, `operator_role` (who holds a post acts for no operator), `inactive` and `not_active` (the
    operator is suspended or cancelled).
    """
    operator = Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if actor and not has_area(actor, operator.region_id):
        raise Refused("outside_area", "这个地方的账号不归您管理")
    if operator.status in NOT_TRADING:
        raise Refused("not_active", f"主体{operator.get_status_display()}，不能增加人员")
    if not user.is_active:
        raise Refused("inactive", "这个账号已停用", field="user")
    if user.agency_id or (not user.is_operator and places_of(user)):
        raise Refused("operator_role", "机构人员不能是主体人员", field="user")
    member, added = OperatorMember.objects.get_or_create(operator=operator, user=user, defaults={"role": role})
    if added:
        if not user.is_operator:
            user.is_operator = True
            user.save(update_fields=["is_operator"])
        place_operator_person(user, operator.region_id)
        record("operator.member_added", actor=actor, target=operator, region_code=operator.region_id, role=role.value)
    return member
