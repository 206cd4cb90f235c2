from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from nongma.accounts.access import Action, holds, scope_of
from nongma.accounts.models import Agency, User
from nongma.testing import HAINAN

pytestmark = pytest.mark.django_db


def create(*arguments: str) -> str:
    out = StringIO()
    call_command("create_administrator", *arguments, stdout=out)
    return out.getvalue()


def test_it_makes_the_first_administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NONGMA_ADMINISTRATOR_PASSWORD", "seven-green-hills")
    assert "海南省" in create("first", "--name", "首位", f"--region={HAINAN}")
    user = User.objects.get(username="first")
    assert holds(user, Action.MANAGE_ACCOUNTS)
    assert scope_of(user).spans[0].start == HAINAN
    with pytest.raises(CommandError, match="请办理交接"):
        create("second", "--name", "第二位", f"--region={HAINAN}")
    assert list(User.objects.all()) == [user]
    assert Agency.objects.get().administrator == user


def test_it_asks_for_the_password_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NONGMA_ADMINISTRATOR_PASSWORD", raising=False)
    answers = iter(["seven-green-hills", "seven-green-hill"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    with pytest.raises(CommandError, match="不一样"):
        create("first", "--name", "首位")
    assert not User.objects.exists()
    assert not Agency.objects.exists()


@pytest.mark.parametrize(("arguments", "reason"), [(("--region=1",), "没有行政区划"), ((), "密码")])
def test_it_says_why_not(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], reason: str) -> None:
    monkeypatch.setenv("NONGMA_ADMINISTRATOR_PASSWORD", "12345678901")
    with pytest.raises(CommandError, match=reason):
        create("first", "--name", "首位", *arguments)
    assert not User.objects.exists()
    assert not Agency.objects.exists()
