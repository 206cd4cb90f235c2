"""Telling an operator's people what was decided about it (提醒)."""

from nongma.accounts.models import User
from nongma.notices.models import Notice
from nongma.notices.services import notify
from nongma.registry.inputs import INPUTS
from nongma.registry.models import Claim, Operator, Revision

LONGEST = 400


def tell_decided(*, operator: Operator, actor: User) -> None:
    """What a reviewer decided on the registration, with the reason."""
    is_returned = operator.status == Operator.Status.RETURNED
    faults = [f"{INPUTS[name]}：{text}" for name, text in operator.review_faults.items()]
    body = "；".join(filter(None, [operator.review_note, *faults]))
    _tell(
        operator,
        "您登记的主体被退回，请改正后重新提交" if is_returned else "您登记的主体已通过审核",
        f"退回原因：{body}" if is_returned else operator.name,
        actor,
        *filter(None, [operator.created_by_id]),
    )


def tell_revision_decided(*, revision: Revision, operator: Operator, actor: User) -> None:
    """What a reviewer decided on a change, to the operator's people and whoever asked for it."""
    is_returned = revision.state == Revision.State.RETURNED
    title = "主体变更申请没有通过" if is_returned else "主体变更申请已通过，现在生效"
    body = f"原因：{revision.note}" if is_returned else operator.name
    _tell(operator, title, body, actor, revision.asked_by_id)


def tell_standing(*, operator: Operator, actor: User) -> None:
    """That the operator was suspended, cancelled or restored."""
    body = f"原因：{operator.stopped_for}" if operator.stopped_for else operator.name
    _tell(operator, f"您的主体现在是：{operator.get_status_display()}", body, actor)


def tell_merged(*, operator: Operator, actor: User) -> None:
    """That a record that was on file twice is one now, to the people of both."""
    _tell(operator, "重复登记的主体已并成一个", f"以后用“{operator.name}”", actor)


def tell_member(*, operator: Operator, user: User, title: str, actor: User) -> None:
    """That a person may act for the operator now, or may not any more."""
    notify(
        users=[user.pk],
        kind=Notice.Kind.DECISION,
        title=title,
        body=operator.name,
        url=operator.get_absolute_url(),
        actor=actor,
    )


def tell_claim_decided(*, claim: Claim, actor: User) -> None:
    """What the county found out about a claim, to who claimed."""
    is_returned = claim.state == Claim.State.RETURNED
    target = claim.fresh if is_returned and claim.fresh else claim.operator
    notify(
        users=[claim.user_id],
        kind=Notice.Kind.DECISION,
        title="县里核实：不是同一个主体，按新登记审核" if is_returned else "县里核实：已有的登记现在归您",
        body=f"原因：{claim.note}" if is_returned else claim.operator.name,
        url=target.get_absolute_url(),
        actor=actor,
    )


def tell_claim_closed(*, claim: Claim, actor: User) -> None:
    """That nobody will decide on a claim, as what was claimed takes part no more; the own registration goes on."""
    target = claim.fresh or claim.operator
    notify(
        users=[claim.user_id],
        kind=Notice.Kind.DECISION,
        title="您申请认领的主体已停用或注销，按新登记审核",
        body=claim.note,
        url=target.get_absolute_url(),
        actor=actor,
    )


def _tell(operator: Operator, title: str, body: str, actor: User, *others: int) -> None:
    people = {*operator.members.open().values_list("user_id", flat=True), *others}
    notify(
        users=people,
        kind=Notice.Kind.DECISION,
        title=title,
        body=body[:LONGEST],
        url=operator.get_absolute_url(),
        actor=actor,
    )
