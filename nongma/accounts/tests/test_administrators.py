"""平台管理员 of 监测 and 执法 agencies look after accounts; the rest of the area is not theirs."""

import pytest

from nongma.accounts.access import Action, may, scope_of
from nongma.accounts.models import Agency, Role
from nongma.testing import YAZHOU, client_of, make_official

NOT_THEIRS = (
    Action.COLLECT_ORIGINS,
    Action.REVIEW_ORIGINS,
    Action.EXPORT_ORIGINS,
    Action.EXPORT_OPERATORS,
    Action.REGISTER_OPERATOR,
    Action.RECALL_LOTS,
    Action.VIEW_AUDIT,
    Action.EXPORT_AUDIT,
)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "sees"),
    [
        (Agency.Kind.MONITORING, {Action.VIEW_OPERATORS, Action.VIEW_LOTS}),
        (Agency.Kind.ENFORCEMENT, {Action.VIEW_ORIGINS, Action.VIEW_CERTIFICATES}),
    ],
)
def test_they_do_no_other_agencys_work(kind: Agency.Kind, sees: set[Action]) -> None:
    head = make_official("head", "站长", Role.ADMINISTRATOR, YAZHOU, kind=kind)
    assert may(head, Action.MANAGE_ACCOUNTS)
    assert all(may(head, action) for action in sees)
    assert [action for action in NOT_THEIRS if may(head, action)] == []
    assert not scope_of(head, Action.VIEW_AUDIT).spans
    assert client_of(head).get("/audit/").status_code == 403
    assert client_of(head).get("/accounts/agencies").status_code == 200
