"""Photos of licences as they are uploaded: opened, turned upright, made small and written anew, without EXIF."""

import io
from typing import TYPE_CHECKING, Any

from django.core.files import File
from PIL import Image, ImageOps

from nongma.lib.refused import Misfilled

if TYPE_CHECKING:
    AnyFile = File[Any]
else:
    AnyFile = File

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 25_000_000
LONGEST_SIDE = 2000
QUALITY = 85
JPEG = "image/jpeg"


def plain_photo(file: AnyFile) -> bytes:
    """The photo as a JPEG of at most 2000 pixels a side; where it was taken, and with what, is gone.

    Refuses `file_too_large` and `file_kind` (422).
    """
    if (file.size or 0) > MOST_BYTES:
        raise Misfilled(
            "file_too_large", f"照片超过 {MOST_BYTES // 1024 // 1024} MB，请换一张小一点的", field="licence"
        )
    try:
        with Image.open(file, formats=("JPEG", "PNG")) as photo:
            if photo.width * photo.height > MOST_PIXELS:
                raise Misfilled("file_too_large", "照片太大，请换一张小一点的", field="licence")
            upright = ImageOps.exif_transpose(photo).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Misfilled("file_kind", "照片要 JPG 或 PNG 格式，而且要完整", field="licence") from None
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    bare = Image.new("RGB", upright.size)
    bare.paste(upright)
    written = io.BytesIO()
    bare.save(written, "JPEG", quality=QUALITY)
    return written.getvalue()
