"""Mobile phone numbers of the mainland (手机号), as the official forms ask for them."""

import re
import unicodedata

MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
PUNCTUATION = re.compile(r"[\s\-()（）·]+")


def is_mobile(text: str) -> bool:
    """Whether the text is a mobile number and nothing else: 11 digits, 13… to 19…."""
    return MOBILE.fullmatch(text) is not None


def tidy(text: str) -> str:
    """The number without what people put around it: spaces, dashes, brackets, +86, wide digits."""
    bare = PUNCTUATION.sub("", unicodedata.normalize("NFKC", text))
    for prefix in ("+86", "0086"):
        if bare.startswith(prefix):
            return bare[len(prefix) :]
    return bare


LANDLINE = re.compile(r"(?P<area>010|02\d|0[3-9]\d{2})-?(?P<number>[2-8]\d{6,7})(-(?P<extension>\d{1,6}))?", re.ASCII)


def landline(text: str) -> str | None:
    """A fixed telephone as it is written: 0898-88381234, with an extension 0898-88381234-12; None for anything else.

    The area code is part of it: who reads it may sit in another province.
    """
    bare = re.sub(r"[()（）—－]", "-", text.strip()).strip("-")
    found = LANDLINE.fullmatch(re.sub(r"[\s\-转]+", "-", bare))
    if not found:
        return None
    extension = f"-{found['extension']}" if found["extension"] else ""
    return f"{found['area']}-{found['number']}{extension}"
