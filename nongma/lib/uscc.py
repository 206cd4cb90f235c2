"""统一社会信用代码, the number of an organisation."""

from stdnum.cn import uscc

LENGTH = 18
ALPHABET = frozenset("0123456789ABCDEFGHJKLMNPQRTUWXY")


def tidy(number: str) -> str:
    """The number without spaces and dashes, in capitals."""
    return uscc.compact(number)


def fault(number: str) -> str:
    """What is wrong with a 统一社会信用代码, in Chinese; empty when nothing is.

    The checksum is stdnum's. Its `validate` wants a digit in front and so refuses village collectives (N2…).
    """
    if len(number) != LENGTH:
        return f"统一社会信用代码要 {LENGTH} 位，现在是 {len(number)} 位"
    if not ALPHABET.issuperset(number):
        return "统一社会信用代码里有不允许的字符（没有 I、O、Z、S、V）"
    if number[-1] != uscc.calc_check_digit(number):
        return "统一社会信用代码的校验位不对，请检查有没有输错"
    return ""
