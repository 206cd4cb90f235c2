"""Photos as they are uploaded: opened with care, turned upright, made small and written anew, without EXIF."""

import datetime
import io
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.core.files import File
from django.utils import timezone
from PIL import Image, ImageOps

from nongma.lib.refused import Misfilled

if TYPE_CHECKING:
    AnyFile = File[Any]
else:
    AnyFile = File

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 25_000_000
QUALITY = 85
JPEG = "image/jpeg"
EXIF_PART, TAKEN_AT = 0x8769, 0x9003
HASH_SIDE = 8


@dataclass(frozen=True)
class Photo:
    """A photo as it is kept, and what can be told of the one that was uploaded."""

    content: bytes
    """A JPEG; where it was taken, and with what, is gone."""
    digest: bytes
    """SHA-256 of the file as it was uploaded."""
    look: int
    """64-bit difference hash, signed: the number of bits in which two differ tells how unlike the photos look."""
    taken_at: datetime.datetime | None
    """When the camera says it was taken."""


def read_photo(file: AnyFile, *, field: str, longest_side: int, formats: Sequence[str] = ("JPEG", "PNG")) -> Photo:
    """The uploaded photo as it is kept, at most `longest_side` pixels a side.

    Refuses `file_too_large` and `file_kind` (422). A picture is looked at no further than its size says before it is
    known to be small enough.
    """
    if (file.size or 0) > MOST_BYTES:
        raise Misfilled("file_too_large", f"照片超过 {MOST_BYTES // 1024 // 1024} MB，请换一张小一点的", field=field)
    raw = file.read()
    try:
        with Image.open(io.BytesIO(raw), formats=tuple(formats)) as photo:
            if photo.width * photo.height > MOST_PIXELS:
                raise Misfilled("file_too_large", "照片太大，请换一张小一点的", field=field)
            taken_at = _taken_at(photo)
            upright = ImageOps.exif_transpose(photo).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        known = "、".join({"JPEG": "JPG", "WEBP": "WebP"}.get(name, name) for name in formats[:-1])
        last = {"WEBP": "WebP"}.get(formats[-1], formats[-1])
        raise Misfilled("file_kind", f"照片要 {known} 或 {last} 格式，而且要完整", field=field) from None
    upright.thumbnail((longest_side, longest_side))
    bare = Image.new("RGB", upright.size)
    bare.paste(upright)
    written = io.BytesIO()
    bare.save(written, "JPEG", quality=QUALITY)
    return Photo(written.getvalue(), sha256(raw).digest(), look_of(bare), taken_at)


def look_of(photo: Image.Image) -> int:
    """The difference hash of a picture: for each of 8 × 8 places whether the one to its right is brighter.

    Stays nearly the same when the picture is made smaller, saved again or brightened.
    Source: N. Krawetz, "Kind of Like That", The Hacker Factor Blog (2013).
    """
    small = photo.convert("L").resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.LANCZOS)
    light = small.tobytes()
    bits = 0
    for row in range(HASH_SIDE):
        start = row * (HASH_SIDE + 1)
        for left in range(start, start + HASH_SIDE):
            bits = bits << 1 | (light[left] < light[left + 1])
    return bits - (1 << 64) if bits >> 63 else bits


def _taken_at(photo: Image.Image) -> datetime.datetime | None:
    """What the camera wrote, which knows no time zone: taken as the platform's."""
    written = str(photo.getexif().get_ifd(EXIF_PART).get(TAKEN_AT) or "").strip("\x00 ")
    try:
        return datetime.datetime.strptime(written, "%Y:%m:%d %H:%M:%S").replace(tzinfo=timezone.get_default_timezone())
    except ValueError:
        return None
