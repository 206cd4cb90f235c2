"""Signed agreements as they are uploaded: a scan or a photo, told by its content and not by its name."""

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


def kind_of(file: AnyFile) -> str:
    """The kind of an uploaded agreement: pdf, jpg or png.

    Refuses `agreement_missing`, `file_too_large` and `file_kind` (422).
    """
    size = file.size or 0
    if not size:
        raise Misfilled("agreement_missing", "请上传签好字、盖好章的保密协议", field="agreement")
    if size > MOST_BYTES:
        most = MOST_BYTES // 1024 // 1024
        raise Misfilled("file_too_large", f"文件超过 {most} MB，请压缩后再上传", field="agreement")
    file.seek(0)
    head = file.read(LOOKED_AT)
    file.seek(max(0, size - LOOKED_AT))
    tail = file.read(LOOKED_AT)
    file.seek(0)
    for kind, (begins, ends, _) in KINDS.items():
        if head.startswith(begins) and ends in tail:
            return kind
    raise Misfilled("file_kind", "协议要 PDF、JPG 或 PNG 文件，而且要完整", field="agreement")


def content_type_of(name: str) -> str:
    """The content type of a kept agreement, by the ending that `shown_name` gave it."""
    return KINDS[PurePath(name).suffix.removeprefix(".")][2]


def shown_name(filename: str, kind: str) -> str:
    """The name under which it is shown and downloaded: the uploader's, without folders, with the true ending."""
    stem = PurePath(filename.replace("\\", "/")).stem
    tidy = "".join(one for one in stem if one.isprintable() and one not in '<>:"/|?*')[:NAME_LENGTH].strip(" .")
    return f"{tidy or '保密协议'}.{kind}"
