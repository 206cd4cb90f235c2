import pytest

from nongma.lib.phones import is_mobile, tidy
from nongma.registry.identity import id_fault, uscc_fault


@pytest.mark.parametrize("number", ["91110000600037341L", "91350100M000100Y43"])
def test_it_takes_real_credit_codes(number):
    assert uscc_fault(number) == ""


def test_it_takes_the_credit_code_of_a_village_collective():
    from stdnum.cn.uscc import calc_check_digit

    body = "N2460205MF1234567"
    assert uscc_fault(body + calc_check_digit(body)) == ""


@pytest.mark.parametrize("number", ["", "9", "91110000600037341M", "91110000600037341O", "９1110000600037341L"])
def test_it_finds_fault_with_others(number):
    assert uscc_fault(number)


def test_it_judges_an_id_number_by_checksum_and_birthday_but_not_by_area():
    assert id_fault("360426199101010071") == ""
    assert id_fault("360426199101010072")
    assert id_fault("36042618990101007X")
    assert id_fault("999999199101010071") != id_fault("36042619910101007")


def test_it_knows_mobile_numbers():
    assert all(is_mobile(number) for number in ("13800138000", "19900002449"))
    assert not any(
        is_mobile(number) for number in ("", "12345", "12800138000", "1380013800", "１3800138000", "0898-123")
    )
    assert tidy(" +86 199-0000 2449 ") == tidy("0086（199）00002449") == "19900002449"
