"""A file of item codes for the printer."""

import uuid
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from nongma.audit.models import Entry
from nongma.codes import files
from nongma.codes.codec import decode, encode
from nongma.codes.files import Format, write_item_codes
from nongma.codes.models import CodeRange
from nongma.codes.services import assign, find
from nongma.lib.refused import Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def lot_code() -> str:
    return encode(assign(kind=CodeRange.Kind.LOT, subject=uuid.uuid4()).start)


def _items() -> int:
    return CodeRange.objects.filter(kind=CodeRange.Kind.ITEM).count()


def test_it_writes_one_code_a_line(lot_code: str, tmp_path: Path, zhao):
    path, seen = tmp_path / "codes.txt", []
    made = write_item_codes(
        lot_code=lot_code, count=50_000, path=path, file_format=Format.TEXT, actor=zhao, progress=seen.append
    )
    codes = path.read_text().split()
    assert len(set(codes)) == 50_000
    assert decode(codes[0]) == made.start
    assert decode(codes[-1]) == made.stop - 1
    assert find(decode(codes[777])).subject == find(decode(lot_code)).subject
    assert seen == sorted(seen)
    assert seen[-1] == 50_000
    assert path.stat().st_mode & 0o077 == 0
    entry = Entry.objects.get(action="items.coded")
    assert (entry.actor_id, entry.details) == (zhao.pk, {"count": 50_000, "lot": lot_code, "format": "txt"})


def test_it_writes_what_a_qr_carries(lot_code: str, tmp_path: Path, settings):
    settings.PUBLIC_URL = "https://nm.example.cn"
    call_command("make_codes", count=3, subject=lot_code, out=tmp_path / "a", format="url", verbosity=0)
    lines = (tmp_path / "a").read_text().splitlines()
    assert len(lines) == 3
    assert all(line.startswith("https://nm.example.cn/t/") and decode(line[-20:]) for line in lines)
    call_command("make_codes", count=3, subject=lot_code, out=tmp_path / "b.csv", format="csv", verbosity=0)
    table = (tmp_path / "b.csv").read_bytes().decode("utf-8-sig").split("\r\n")
    assert table[0] == "网址"
    assert len(table) == 5


def test_the_command_says_what_it_did(lot_code: str, tmp_path: Path, capsys):
    call_command("make_codes", count=10, subject=lot_code, out=tmp_path / "codes.txt")
    assert "10 个码" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"count": 0}, "count_range"),
        ({"count": files.MOST_CODES + 1}, "count_range"),
        ({"lot_code": "1" * 20}, "lot_unknown"),
        ({"path": Path("/proc/nothing/codes.txt")}, "file_unwritable"),
    ],
)
def test_it_refuses_and_leaves_nothing_behind(lot_code: str, tmp_path: Path, change: dict, code: str):
    values = {"lot_code": lot_code, "count": 5, "path": tmp_path / "codes.txt", "file_format": Format.TEXT} | change
    with pytest.raises(Refused) as refusal:
        write_item_codes(**values, actor=None)
    assert refusal.value.code == code
    assert _items() == 0
    assert not Entry.objects.exists()
    assert list(tmp_path.iterdir()) == []


def test_it_gives_item_codes_to_lots_only(tmp_path: Path):
    operator = encode(assign(kind=CodeRange.Kind.OPERATOR, subject=uuid.uuid4()).start)
    with pytest.raises(Refused, match="批次码"):
        write_item_codes(lot_code=operator, count=5, path=tmp_path / "codes.txt", file_format=Format.TEXT, actor=None)
    assert _items() == 0


def test_it_never_overwrites_a_file(lot_code: str, tmp_path: Path):
    path = tmp_path / "codes.txt"
    path.write_text("先前的码")
    with pytest.raises(CommandError, match="已经存在"):
        call_command("make_codes", count=5, subject=lot_code, out=path)
    assert path.read_text() == "先前的码"
    assert _items() == 0


def test_a_full_disk_takes_no_range(lot_code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*args, **kwargs):
        yield b"1" * 21
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "encode_range", full)
    with pytest.raises(Refused, match="No space left"):
        write_item_codes(lot_code=lot_code, count=5, path=tmp_path / "codes.txt", file_format=Format.TEXT, actor=None)
    assert _items() == 0
    assert list(tmp_path.iterdir()) == []
