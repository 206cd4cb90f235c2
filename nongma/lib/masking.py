"""Personal data as most people may see it: enough to recognise one's own, too little to reach a stranger."""

import re

PLAIN_DIGITS = str.maketrans("０１２３４５６７８９－＋Ｘｘ　", "0123456789-+Xx ")
NUMBERS = re.compile(
    r"""
    (?<![0-9])
    (?:
        (?:(?:\+|00)?86[ -]?)? (?P<phone>1[3-9][0-9](?:[ -]?[0-9]){8})
        | (?P<id>[1-9][0-9]{5} [ -]?  # division
            (?:18|19|20)[0-9]{2} [ -]? (?:0[1-9]|1[0-2]) [ -]? (?:0[1-9]|[12][0-9]|3[01])  # day of birth
            [ -]? [0-9]{3}[0-9Xx])
    )
    (?![0-9])
    """,
    re.VERBOSE,
)


def mask_phone(phone: str) -> str:
    """A phone number with its middle hidden: 199****2449; 0898-****2449 for a number with an area code."""
    if not phone:
        return ""
    if len(phone) < 7:
        return "*" * len(phone)
    head = 5 if "-" in phone[:5] else 3
    return f"{phone[:head]}****{phone[-4:]}" if len(phone) >= head + 4 else f"{phone[:2]}****"


def mask_name(name: str) -> str:
    """A person's name with only its first character: 孙**."""
    return f"{name[0]}**" if name else ""


def mask_address(address: str) -> str:
    """A street address with only its first two characters: 中和****."""
    return f"{address[:2]}****" if address else ""


def mask_id(number: str) -> str:
    """An identity number with only its first three and last four characters: 460***********1234."""
    if not number:
        return ""
    if len(number) < 12:
        return "*" * len(number)
    return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}"


def mask_email(address: str) -> str:
    """A mail address with only its first character and its domain: s***@example.cn."""
    name, at, domain = address.partition("@")
    return f"{name[:1]}***{at}{domain}" if address else ""


def mask_numbers(text: str) -> str:
    """A text that people typed with the middle of each mobile and identity number in it hidden: 李大山 199****2449.

    As they are written: in one piece or in groups, in wide digits, with +86. Where a name, a reason or the like goes
    before everybody, this is where what somebody put there by mistake stays behind.
    """
    shown = list(text)
    for found in NUMBERS.finditer(text.translate(PLAIN_DIGITS)):
        start, stop = found.span(found.lastgroup or 0)
        places = [place for place in range(start, stop) if text[place].isalnum()]
        for place in places[3:-4]:
            shown[place] = "*"
    return "".join(shown)
