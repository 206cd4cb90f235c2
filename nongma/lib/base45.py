"""Base45 (RFC 9285): bytes in the 45 characters that a QR symbol packs tightest."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
VALUES = {character: value for value, character in enumerate(ALPHABET)}


def encode(data: bytes) -> str:
    """Two bytes become three characters, a last single byte two."""
    parts = []
    for start in range(0, len(data), 2):
        pair = data[start : start + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, rest = divmod(number, 45)
            parts.append(ALPHABET[rest])
    return "".join(parts)


def decode(text: str) -> bytes:
    """The bytes again; raises ValueError on any text that `encode` can't have made."""
    if len(text) % 3 == 1:
        raise ValueError("not Base45: a character is left over")
    data = bytearray()
    for start in range(0, len(text), 3):
        group = text[start : start + 3]
        try:
            number = sum(VALUES[character] * 45**place for place, character in enumerate(group))
        except KeyError as error:
            raise ValueError(f"not Base45: {error.args[0]!r}") from None
        length = len(group) - 1
        if number >= 256**length:
            raise ValueError("not Base45: a group is too large")
        data += number.to_bytes(length, "big")
    return bytes(data)
