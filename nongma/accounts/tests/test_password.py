import pytest
from django.urls import reverse

from nongma.accounts.models import Membership, Role, User
from nongma.accounts.services import change_password, create_user
from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.testing import YAZHOU, client_of, make_official

OLD, NEW = "seven-green-hills", "eight-green-hills"


@pytest.fixture
def mei(db: None) -> User:
    """Mei, who has a password and a post in 崖州区."""
    agency = make_official("other", "别人", Role.COLLECTOR, YAZHOU).agency
    mei = create_user(username="mei", name="梅登录", password=OLD, actor=None, agency=agency)
    Membership.objects.create(user=mei, agency=agency, role=Role.COLLECTOR, from_on="2020-01-01")
    return mei


def fill(client, old: str = OLD, new: str = NEW, again: str = NEW):
    return client.post(reverse("accounts:password"), {"old": old, "new": new, "again": again})


def test_it_changes_the_password_and_ends_other_sessions(mei: User) -> None:
    here, elsewhere = client_of(mei), client_of(mei)
    assert fill(here).url == reverse("accounts:account")
    assert here.get(reverse("accounts:account")).status_code == 200
    assert elsewhere.get(reverse("accounts:account")).status_code == 302
    mei.refresh_from_db()
    assert mei.check_password(NEW)
    assert Entry.objects.get(action="account.password_changed").region_code == YAZHOU


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"old": "wrong"}, "old"),
        ({"again": "something else"}, "again"),
        ({"new": "short1", "again": "short1"}, "new"),
        ({"new": "1234567890123", "again": "1234567890123"}, "new"),
        ({"new": "password123", "again": "password123"}, "new"),
    ],
)
def test_it_refuses(mei: User, values: dict[str, str], field: str) -> None:
    response = fill(client_of(mei), **values)
    assert field in response.context["form"].errors
    mei.refresh_from_db()
    assert mei.check_password(OLD)
    assert not Entry.objects.filter(action="account.password_changed").exists()


def test_an_administrator_of_the_place_resets_it(mei: User, hainan: User) -> None:
    change_password(user=mei, new=NEW, actor=hainan)
    mei.refresh_from_db()
    assert mei.check_password(NEW)


def test_nobody_else_resets_it(mei: User, zhao: User, sun: User) -> None:
    for actor in (zhao, sun):
        with pytest.raises(Refused, match="不归您管理"):
            change_password(user=mei, new=NEW, actor=actor)
    mei.refresh_from_db()
    assert mei.check_password(OLD)
