"""Sheets that people upload: what two uploads have in common, how the file is called, how big it may be."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.core.files import File

from nongma.lib.refused import Refused

SHEETS = (".xlsx", ".xls", ".csv")


class FileTooLarge(Refused):
    """The file is bigger than an upload may be; the API answers 413."""


def check_size(file: "File[bytes]") -> int:
    """The size in bytes. Refuses `empty_file` and `file_too_large`."""
    size = file.size or 0
    if size == 0:
        raise Refused("empty_file", "文件是空的，请选择填好的表格", field="file")
    if size > settings.UPLOAD_BYTES:
        most = settings.UPLOAD_BYTES // (1024 * 1024)
        raise FileTooLarge("file_too_large", f"文件超过 {most} MB，请分成几个文件上传", field="file")
    return size


def digest_of(file: "File[bytes]") -> bytes:
    """SHA-256 of the content."""
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    file.seek(0)
    return digest.digest()


def shown_name(filename: str, otherwise: str) -> str:
    """The file's own name without folders and signs that don't print, as people see it again."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    name = "".join(sign for sign in name if sign.isprintable()).strip()
    return name[-200:] or otherwise


def suffix_of(filename: str) -> str:
    """The ending under which a sheet is kept; empty for any other."""
    suffix = Path(filename).suffix.lower()
    return suffix if suffix in SHEETS else ""
