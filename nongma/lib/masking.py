"""Personal data as most people may see it: enough to recognise one's own, too little to reach a stranger."""


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
