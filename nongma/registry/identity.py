"""Numbers that say who an operator is: 统一社会信用代码 and 身份证号."""

from datetime import date

from stdnum.cn import ric

from nongma.lib.uscc import fault as uscc_fault
from nongma.lib.uscc import tidy

__all__ = ["id_fault", "tidy", "uscc_fault"]

ID_LENGTH = 18
EARLIEST_BIRTH = date(1900, 1, 1)


def id_fault(number: str) -> str:
    """What is wrong with a 身份证号, in Chinese; empty when nothing is.

    The area is not judged: `ric.validate` fails on areas that were real when the card was made.
    """
    if len(number) != ID_LENGTH:
        return f"身份证号要 {ID_LENGTH} 位，现在是 {len(number)} 位"
    if not (number[:-1].isascii() and number[:-1].isdecimal() and (number[-1].isdecimal() or number[-1] == "X")):
        return "身份证号只能是数字，最后一位可以是 X"
    if number[-1] != ric.calc_check_digit(number):
        return "身份证号的校验位不对，请检查有没有输错"
    try:
        born_on = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return "身份证号里的出生日期不对"
    if born_on < EARLIEST_BIRTH:
        return "身份证号里的出生日期不对"
    return ""
