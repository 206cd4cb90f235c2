"""Files of item codes for printing (喷码、贴标): all of a range, or none."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.db import transaction

from nongma.audit.services import Actor, record
from nongma.codes.codec import LENGTH, decode, encode_range
from nongma.codes.models import CodeRange
from nongma.codes.services import assign, find
from nongma.lib.refused import Refused

MOST_CODES = 1_000_000_000


class Format(StrEnum):
    """How each line of the file is written."""

    TEXT = "txt"
    URL = "url"
    TABLE = "csv"


@dataclass(frozen=True)
class _Line:
    head: bytes
    before: bytes
    after: bytes

    @property
    def length(self) -> int:
        return len(self.before) + LENGTH + len(self.after)


def _nothing(done: int) -> None:
    pass


def write_item_codes(
    *,
    lot_code: str,
    count: int,
    path: Path,
    file_format: Format,
    actor: Actor | None,
    progress: Callable[[int], None] = _nothing,
) -> CodeRange:
    """Give a lot `count` item codes (单品码) and write them to a file, one a line.

    The file appears under its name only once the range is on file, so that no printed code is unknown. `progress` is
    called with the number of codes written so far.
    Refuses `count_range`, `lot_unknown`, `file_exists`, `file_unwritable`, `codes_exhausted`.
    """
    if not 1 <= count <= MOST_CODES:
        raise Refused("count_range", f"数量要在 1 到 {MOST_CODES} 之间", field="count")
    if path.exists():
        raise Refused("file_exists", f"{path} 已经存在；码文件不能覆盖，请换一个文件名", field="path")
    lot = _lot_range(lot_code)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with transaction.atomic():
            codes = assign(kind=CodeRange.Kind.ITEM, subject=lot.subject, count=count)
            record("items.coded", actor=actor, target=codes, count=count, lot=lot_code, format=file_format)
            _write(draft, codes, _line_of(file_format), progress)
        draft.rename(path)
    except OSError as error:
        raise Refused("file_unwritable", f"写不了 {path}：{error.strerror}", field="path") from error
    finally:
        draft.unlink(missing_ok=True)
    return codes


def _lot_range(code: str) -> CodeRange:
    serial = decode(code)
    codes = find(serial) if serial is not None else None
    if codes is None or codes.kind != CodeRange.Kind.LOT or codes.state != CodeRange.State.ACTIVE:
        raise Refused("lot_unknown", "没有这个批次码", field="lot")
    return codes


def _line_of(file_format: Format) -> _Line:
    url = f"{settings.PUBLIC_URL}/t/".encode()
    if file_format is Format.URL:
        return _Line(b"", url, b"\n")
    if file_format is Format.TABLE:
        # No column of bare codes: a spreadsheet rounds a number of 20 digits.
        return _Line("网址\r\n".encode("utf-8-sig"), url, b"\r\n")
    return _Line(b"", b"", b"\n")


def _write(draft: Path, codes: CodeRange, line: _Line, progress: Callable[[int], None]) -> None:
    """Write and sync the whole file, readable by its owner alone: whoever has it can label anything."""
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(line.head)
        done = 0
        for chunk in _chunks(codes, line):
            file.write(chunk)
            done += len(chunk) // line.length
            progress(done)
        file.flush()
        os.fsync(file.fileno())


def _chunks(codes: CodeRange, line: _Line) -> Iterator[bytes]:
    return encode_range(codes.start, codes.stop, before=line.before, after=line.after)
