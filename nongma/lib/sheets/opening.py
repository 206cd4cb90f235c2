"""What an uploaded file is, judged by its first bytes and not by its name."""

import enum
import io
import zipfile
from pathlib import Path

from nongma.lib.refused import Refused

INFLATED_BYTES = 800 * 1024 * 1024
ENTRIES = 5_000
DIRECTORY_BYTES = ENTRIES * 256
"""A workbook's table of contents takes some 100 bytes an entry."""
SNIFFED_BYTES = 256 * 1024
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
OTHER_KINDS = {
    b"%PDF": "PDF 文件",
    b"\x89PNG": "图片",
    b"\xff\xd8\xff": "图片",
    b"GIF8": "图片",
    b"Rar!": "压缩包",
    b"7z\xbc\xaf": "压缩包",
    b"\x1f\x8b": "压缩包",
    b"MZ": "程序文件",
    b"\x7fELF": "程序文件",
}


class Format(enum.StrEnum):
    """A kind of sheet that can be read."""

    XLSX = "xlsx"
    XLS = "xls"
    CSV = "csv"


def format_of(path: Path) -> Format:
    """The format of the file, by its content.

    Refuses `empty_file`, `not_a_spreadsheet`, `password_protected`, `corrupt_file` and `too_large_inside`. Reads only
    the beginning of the file and a workbook's table of contents.
    """
    with path.open("rb") as handle:
        start = handle.read(SNIFFED_BYTES)
    if not start.strip(b"\0 \t\r\n"):
        raise Refused("empty_file", "文件是空的，请选择填好的采集表", field="file")
    if start.startswith(b"PK"):
        _check_archive(path)
        return Format.XLSX
    if start.startswith(COMPOUND):
        if ENCRYPTED in start or _holds(path, ENCRYPTED):
            raise Refused("password_protected", "文件有密码，读不了。请在表格软件里取消密码后再上传", field="file")
        return Format.XLS
    for magic, name in OTHER_KINDS.items():
        if start.startswith(magic):
            raise _not_a_sheet(f"这是{name}，不是表格")
    head = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if head.startswith((b"<!doctype", b"<html", b"<?xml", b"<table", b"{")):
        raise _not_a_sheet("这是网页或其他文本，不是表格")
    encoding_of(start)
    return Format.CSV


def encoding_of(start: bytes) -> str:
    """The text encoding of a CSV file, from its first bytes: UTF-8 (BOM or not), UTF-16 with BOM, or GB18030."""
    if start.startswith(UTF16_MARKS):
        return "utf-16"
    if b"\0" not in start:
        for encoding in ("utf-8-sig", "gb18030"):
            if _decodes(start, encoding):
                return encoding
    raise _not_a_sheet("文件内容不是表格")


def _decodes(start: bytes, encoding: str) -> bool:
    """Whether the bytes are text in the encoding; a character cut off at the end does not count."""
    for cut in range(4):
        try:
            start[: len(start) - cut].decode(encoding)
        except UnicodeDecodeError as error:
            if error.start < len(start) - 8:
                return False
        else:
            return True
    return False


def _holds(path: Path, needle: bytes) -> bool:
    """Whether the file contains the bytes, read piece by piece."""
    kept = b""
    with path.open("rb") as handle:
        while piece := handle.read(SNIFFED_BYTES):
            if needle in kept + piece:
                return True
            kept = piece[-len(needle) :]
    return False


class _BoundedFile(io.FileIO):
    """A file that refuses to hand out a table of contents that no workbook has.

    The reader of archives takes the table in one piece, as long as the end of the file says, and makes an object of
    each entry. So the length is what counts; the number of entries, which stands beside it, may be a lie.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > DIRECTORY_BYTES:
            raise _too_large_inside()
        return super().read(size) or b""


def _check_archive(path: Path) -> None:
    """Look at a workbook's table of contents before anything is inflated."""
    try:
        with _BoundedFile(path) as handle, zipfile.ZipFile(handle) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise corrupt() from None
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refused("password_protected", "文件有密码，读不了。请取消密码后再上传", field="file")
    if len(entries) > ENTRIES or sum(entry.file_size for entry in entries) > INFLATED_BYTES:
        raise _too_large_inside()
    names = {entry.filename for entry in entries}
    if not any(name.startswith("xl/workbook") for name in names):
        raise _not_a_sheet("这是压缩包或其他文档，不是表格")


def corrupt() -> Refused:
    """The refusal of a file whose content is damaged."""
    return Refused("corrupt_file", "文件已损坏，打不开。请在表格软件里打开、另存为 .xlsx 后再上传", field="file")


def _too_large_inside() -> Refused:
    return Refused("too_large_inside", "文件展开后太大，不是正常的采集表，没有读取", field="file")


def _not_a_sheet(what: str) -> Refused:
    return Refused("not_a_spreadsheet", f"{what}。请上传 .xlsx、.xls 或 .csv 的采集表", field="file")
