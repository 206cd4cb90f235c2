"""People are entered by command: an administrator acts inside the own area, and the password is told once."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from nongma.accounts.access import roles_of, scope_of
from nongma.accounts.models import Agency, Membership, Role, User
from nongma.audit.models import Entry
from nongma.registry.models import OperatorMember
from nongma.testing import LIANDU, YAZHOU, client_of

STATION = "崖州站"


def run(command, *arguments, by="hainan"):
    out = StringIO()
    call_command(command, *arguments, f"--as={by}", stdout=out)
    return out.getvalue().strip()


def password_in(told):
    return told.rpartition("：")[2]


@pytest.fixture
def station(hainan):
    """A county's agency with its administrator Gao, whom the province has named."""
    run("create_agency", STATION, f"--region={YAZHOU}", "--department=livestock")
    run("create_person", "gao", "--name=高管理", *POST, "--role=administrator")
    User.objects.update(must_change_password=False)
    return Agency.objects.get(name=STATION)


def deeds_of(user):
    return list(Entry.objects.filter(actor_id=user.pk).order_by("id").values_list("action", flat=True))


POST = (f"--agency={STATION}", f"--region={YAZHOU}")


def test_an_administrator_enters_an_agency_and_its_people(station, hainan):
    told = run("create_person", "mei", "--name=梅新人", *POST, "--role=collector", by="gao")
    mei = User.objects.get(username="mei")
    assert mei.check_password(password_in(told))
    assert mei.must_change_password
    assert roles_of(mei) == {Role.COLLECTOR}
    assert YAZHOU in scope_of(mei)
    User.objects.update(must_change_password=False)
    run("appoint", "mei", *POST, "--role=reviewer", by="gao")
    assert roles_of(User.objects.get(username="mei")) == {Role.COLLECTOR, Role.REVIEWER}
    assert deeds_of(hainan) == ["agency.created", "account.created", "account.appointed"]
    assert deeds_of(User.objects.get(username="gao")) == ["account.created", "account.appointed", "account.appointed"]
    run("dismiss", "mei", *POST, "--role=reviewer", by="gao")
    assert mei.memberships.get(role=Role.REVIEWER).to_on is not None


def test_an_administrator_enters_the_people_of_an_operator(hainan, li_operator):
    told = run("create_person", "xiaoshan", "--name=李小山", f"--operator={li_operator.code}", "--staff")
    person = User.objects.get(username="xiaoshan")
    assert person.check_password(password_in(told))
    User.objects.update(must_change_password=False)
    person.refresh_from_db()
    assert client_of(person).get(li_operator.get_absolute_url()).status_code == 200
    assert person.operator_memberships.get().role == OperatorMember.Role.STAFF
    again = password_in(run("reset_password", "xiaoshan"))
    person.refresh_from_db()
    assert again != password_in(told)
    assert person.check_password(again)
    run("close_account", "xiaoshan", "--reason=不做了")
    person.refresh_from_db()
    assert not person.is_active


def test_a_person_joins_a_second_operator(hainan, li, chen_operator, li_operator, ministry):
    with pytest.raises(CommandError, match="不归您管理"):
        run("add_member", "li", f"--operator={chen_operator.code}")
    assert li.operator_memberships.count() == 1
    run("add_member", "li", f"--operator={chen_operator.code}", by="ministry")
    assert li.operator_memberships.count() == 2


@pytest.mark.parametrize(
    ("by", "arguments", "reason"),
    [
        ("zhao", (*POST, "--role=collector"), "不是平台管理员"),
        ("nobody", (*POST, "--role=collector"), "不是平台管理员"),
        ("hainan", (*POST, "--role=collector"), "由本机构的平台管理员"),
        ("gao", (*POST,), "--role"),
        ("gao", (*POST, "--role=collector", "--operator=1"), "不能和"),
        ("hainan", ("--operator=12345678901234567890",), "没有主体"),
        ("hainan", ("--agency=别处", f"--region={YAZHOU}", "--role=collector"), "没有机构"),
        ("hainan", ("--agency=莲都站", f"--region={LIANDU}", "--role=collector"), "不归您分配"),
    ],
)
def test_it_enters_nobody_where_it_may_not(station, zhao, ministry, by, arguments, reason):
    run("create_agency", "莲都站", f"--region={LIANDU}", by="ministry")
    counts = [model.objects.count() for model in (User, Membership, OperatorMember, Entry)]
    with pytest.raises(CommandError, match=reason):
        run("create_person", "mei", "--name=梅新人", *arguments, by=by)
    assert [model.objects.count() for model in (User, Membership, OperatorMember, Entry)] == counts


def test_a_demo_administrator_does_nothing_outside_the_demo(hainan, settings):
    settings.DEMO = False
    User.objects.filter(pk=hainan.pk).update(is_demo=True)
    with pytest.raises(CommandError, match="不是平台管理员"):
        run("create_agency", STATION, f"--region={YAZHOU}")
    assert not Agency.objects.filter(name=STATION).exists()


def test_it_resets_nobody_elsewhere(hainan, chen, chen_operator, sun):
    for username in ("chen", "sun"):
        with pytest.raises(CommandError, match="不归您管理"):
            run("reset_password", username)
        assert not User.objects.get(username=username).has_usable_password()
    assert not Entry.objects.exists()
