"""Mobile phone numbers of the mainland (手机号), as the official forms ask for them."""

import re

MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
PUNCTUATION = re.compile(r"[\s\-()（）·]+")


def is_mobile(text: str) -> bool:
    """Whether the text is a mobile number and nothing else: 11 digits, 13… to 19…."""
    return MOBILE.fullmatch(text) is not None


def tidy(text: str) -> str:
    """The number without what people put around it: spaces, dashes, brackets, +86."""
    bare = PUNCTUATION.sub("", text)
    for prefix in ("+86", "0086"):
        if bare.startswith(prefix):
            return bare[len(prefix) :]
    return bare
