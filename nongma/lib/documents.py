"""Papers as they are uploaded (agreements, certificates): a scan or a photo, told by its content, not by its name."""

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from django.core.files import File

from nongma.lib.refused import Misfilled

if TYPE_CHECKING:
    AnyFile = File[Any]
else:
    AnyFile = File

MOST_BYTES = 10 * 1024 * 1024
NAME_LENGTH = 100
LOOKED_AT = 1024
# What a file of the kind begins with, and what stands near its end.
KINDS = {
    "pdf": (b"%PDF-", b"%%EOF", "application/pdf"),
    "jpg": (b"\xff\xd8\xff", b"\xff\xd9", "image/jpeg"),
    "png": (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82", "image/png"),
}


def kind_of(file: AnyFile, *, called: str, field: str) -> str:
    """The kind of an uploaded paper, by its content: pdf, jpg or png.

    `called` is the paper's name in a refusal (协议), `field` the input that brought it. Refuses `file_too_large` and
    `file_kind` (422), the latter for an empty file, too.
    """
    size = file.size or 0
    if size > MOST_BYTES:
        most = MOST_BYTES // 1024 // 1024
        raise Misfilled("file_too_large", f"文件超过 {most} MB，请压缩后再上传", field=field)
    file.seek(0)
    head = file.read(LOOKED_AT)
    file.seek(max(0, size - LOOKED_AT))
    tail = file.read(LOOKED_AT)
    file.seek(0)
    for kind, (begins, ends, _) in KINDS.items():
        if head.startswith(begins) and ends in tail:
            return kind
    raise Misfilled("file_kind", f"{called}要 PDF、JPG 或 PNG 文件，而且要完整", field=field)


def content_type_of(name: str) -> str:
    """The content type of a kept paper, by the ending that its kind gave it."""
    return KINDS[PurePath(name).suffix.removeprefix(".")][2]


def shown_name(filename: str, kind: str, *, otherwise: str) -> str:
    """The name under which it is shown and downloaded: the uploader's, without folders, with the true ending."""
    stem = PurePath(filename.replace("\\", "/")).stem
    tidy = "".join(one for one in stem if one.isprintable() and one not in '<>:"/|?*')[:NAME_LENGTH].strip(" .")
    return f"{tidy or otherwise}.{kind}"
