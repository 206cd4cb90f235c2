"""Who may collect what: agencies in their area, an operator's own people for it once it is approved.

Source: 农质安（溯）函〔2023〕72号, 五(三): 国家追溯平台内已经审核注册过的企业，可以自我采集上传产地溯源信息.
"""

from django.db.models import QuerySet

from nongma.accounts.access import Action, may, scope_of
from nongma.accounts.models import User
from nongma.lib.refused import Refused
from nongma.origins.models import Origin
from nongma.registry.models import NOT_TRADING, Operator, OperatorMember


def own_operators(user: User) -> QuerySet[Operator]:
    """The operators that a person may collect for as one of its own people: the approved ones."""
    acted_for = OperatorMember.objects.operators_of(user)
    return Operator.objects.filter(pk__in=acted_for, status=Operator.Status.APPROVED).order_by("id")


def may_collect(user: User, origin: Origin) -> bool:
    """Whether the user may complete, correct or update the record."""
    if user.is_operator:
        return may(user, Action.ENTER_ORIGIN) and own_operators(user).filter(pk=origin.operator_id).exists()
    return origin.region_id in scope_of(user, Action.COLLECT_ORIGINS)


def check_may_collect(*, actor: User, operator: Operator | None, region_code: int) -> None:
    """Refuses `not_collector`, `outside_area`, `not_own_operator`, `not_approved` (自行采集 wants an approved operator)
    and `not_active` (suspended or cancelled). `operator` None: one that is not on file yet.
    """
    if not may(actor, Action.ENTER_ORIGIN):
        raise Refused("not_collector", "您的角色不能采集产地信息")
    if not actor.is_operator:
        if region_code not in scope_of(actor, Action.COLLECT_ORIGINS):
            raise Refused("outside_area", "这个地址不在您的管辖范围内", field="region")
    elif operator is None or not operator.members.open().filter(user=actor).exists():
        raise Refused("not_own_operator", "只能采集自己主体的产地信息")
    elif operator.status != Operator.Status.APPROVED:
        raise Refused("not_approved", "主体审核通过后，才能自行采集产地信息")
    if operator is not None and operator.status in NOT_TRADING:
        raise Refused("not_active", f"主体{operator.get_status_display()}，不能采集", field="operator")
