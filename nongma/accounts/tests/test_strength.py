import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from nongma.accounts.models import User
from nongma.accounts.services.passwords import check_strength
from nongma.lib.refused import Refused
from nongma.testing import YAZHOU


@pytest.fixture
def mei(db: None) -> User:
    """Mei, who works in 崖州区."""
    return User(username="meihua", name="梅登录", place=YAZHOU)


@pytest.mark.parametrize(
    "password",
    [
        "seven-green-hills",
        "七座青山一条河两岸稻花",
        "qx7 vb2 mm9 zt",
        "8305917264",
        "onlysmallletters",
        "yazhou-seven-green-hills",
        "a b" + "c d" * 40,
    ],
)
def test_it_takes_any_composition(mei: User, password: str) -> None:
    validate_password(password, mei)


@pytest.mark.parametrize(
    "password",
    [
        "short-pwd",
        "password123",
        "Password2026!",
        "!!!iloveyou!!!",
        "1234567890",
        "9876543210",
        "abcdefghijkl",
        "aaaaaaaaaaaa",
        "1212121212",
        "nongma-2026",
        "Nongma@2026#",
        "农码农码农码2026",
        "meihua-2026!",
        "yazhouqu-2026",
        "Sanya2026Nongma",
        "海南三亚崖州2026",
    ],
)
def test_it_refuses_what_is_guessed_first(mei: User, password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password, mei)


def test_it_says_why(mei: User) -> None:
    for password, reason in (("Password2026!", "太常见"), ("aaaaaaaaaaaa", "重复"), ("nongma-2026", "平台名")):
        with pytest.raises(ValidationError, match=reason):
            validate_password(password, mei)


def test_it_names_each_reason_once_and_apart(mei: User) -> None:
    with pytest.raises(Refused) as refusal:
        check_strength("12345", mei)
    assert refusal.value.message.startswith("密码至少要 10 位；这个密码")
    mei.username = "meihua-collects"
    with pytest.raises(Refused) as refusal:
        check_strength("meihua-collects", mei)
    assert refusal.value.message == (
        "这个密码和用户名太像；这个密码太容易猜：除了平台名、用户名、地名和前后的数字，至少还要有 6 个字"
    )
