import pytest

from nongma.lib.masking import mask_address, mask_id, mask_name, mask_phone


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("19900002449", "199****2449"),
        ("0898-88202449", "0898-****2449"),
        ("+8619900002449", "+86****2449"),
        ("8820244", "882****0244"),
        ("120", "***"),
        ("", ""),
    ],
)
def test_it_hides_the_middle_of_a_phone_number(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


@pytest.mark.parametrize(("name", "shown"), [("孙德胜", "孙**"), ("李四", "李**"), ("欧阳修文", "欧**"), ("", "")])
def test_it_shows_a_name_by_its_first_character(name: str, shown: str) -> None:
    assert mask_name(name) == shown


def test_it_hides_birthday_and_district_of_an_identity_number() -> None:
    assert mask_id("460205198001011234") == "460***********1234"
    assert mask_id("12345") == "*****"
    assert mask_id("") == ""


def test_it_shows_an_address_by_its_first_two_characters() -> None:
    assert mask_address("中和村 8 号") == "中和****"
    assert mask_address("") == ""
