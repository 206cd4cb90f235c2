"""Photos of licences as they are uploaded."""

from nongma.lib.photos import JPEG, MOST_PIXELS, AnyFile, read_photo

__all__ = ["JPEG", "MOST_PIXELS", "plain_photo"]

LONGEST_SIDE = 2000


def plain_photo(file: AnyFile) -> bytes:
    """The photo as a JPEG of at most 2000 pixels a side. Refuses what `read_photo` does."""
    return read_photo(file, field="licence", longest_side=LONGEST_SIDE).content
