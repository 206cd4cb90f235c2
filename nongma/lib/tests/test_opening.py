import struct
from pathlib import Path

import pytest

from nongma.lib.refused import Refused
from nongma.lib.sheets import opening
from nongma.lib.sheets.opening import Format, format_of


def archive(path: Path, entries: int, told: int | None = None) -> Path:
    """An archive of empty files, the first of them a workbook's, whose end tells of `told` entries."""
    names = [b"xl/workbook.xml", *(b"%06d" % number for number in range(1, entries))]
    directory = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0) + name
        for name in names
    )
    counts = [min(entries if told is None else told, 0xFFFF)] * 2
    local = b"PK\x03\x04" + bytes(26)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, *counts, len(directory), len(local), 0)
    path.write_bytes(local + directory + end)
    return path


def test_a_table_of_contents_that_a_workbook_may_have_is_read(tmp_path: Path) -> None:
    assert format_of(archive(tmp_path / "a.xlsx", opening.ENTRIES)) is Format.XLSX


@pytest.mark.parametrize("told", [None, 1])
def test_a_huge_table_of_contents_is_refused_unread(
    tmp_path: Path, told: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive(tmp_path / "a.xlsx", 350_000, told)
    assert path.stat().st_size < 20 * 1024 * 1024
    made = []
    monkeypatch.setattr("zipfile.ZipInfo.__init__", lambda *_: made.append(1))
    with pytest.raises(Refused) as refusal:
        format_of(path)
    assert refusal.value.code == "too_large_inside"
    assert not made


def test_one_entry_too_many_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        format_of(archive(tmp_path / "a.xlsx", opening.ENTRIES + 1))
    assert refusal.value.code == "too_large_inside"
