"""A printed code: made from a serial, read back without a database, not to be made up."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nongma.codes import codec

serials = st.integers(0, codec.SERIAL_LIMIT - 1)


@given(serials)
def test_it_reads_back_what_it_prints(serial: int):
    code = codec.encode(serial)
    assert re.fullmatch("[1-9][0-9]{19}", code)
    assert codec.decode(code) == serial


@given(serials, st.integers(0, codec.LENGTH - 1), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(serial: int, place: int, by: int):
    code = codec.encode(serial)
    wrong = code[:place] + str((int(code[place]) + by) % 10) + code[place + 1 :]
    assert codec.decode(wrong) is None


@given(st.text(max_size=40) | st.text("0123456789", min_size=20, max_size=20))
def test_it_takes_nothing_made_up(text: str):
    assert codec.decode(text) is None


@pytest.mark.parametrize("text", ["", "1" * 19, "1" * 21, "１" * 20, "1234567890123456789x", " " * 20, "-" + "1" * 19])
def test_it_takes_no_other_shape(text: str):
    assert not codec.has_shape(text)
    assert codec.decode(text) is None


def test_neighbouring_serials_look_unrelated():
    """Whoever holds two codes can't tell how many lie between them."""
    codes = [codec.encode(serial) for serial in range(1, 200)]
    assert len({code[1:7] for code in codes}) > 190
    assert sorted(codes) != codes


def test_it_prints_no_serial_outside_the_twelve_digits():
    for serial in (-1, codec.SERIAL_LIMIT):
        with pytest.raises(ValueError, match="outside"):
            codec.encode(serial)
    with pytest.raises(ValueError, match="outside"):
        next(codec.encode_range(5, codec.SERIAL_LIMIT + 1))


@given(st.integers(0, codec.SERIAL_LIMIT - 100), st.integers(0, 100))
def test_a_range_is_what_its_codes_are(start: int, count: int):
    text = b"".join(codec.encode_range(start, start + count, before=b"https://x/t/", after=b"\r\n"))
    expected = "".join(f"https://x/t/{codec.encode(serial)}\r\n" for serial in range(start, start + count))
    assert text.decode() == expected


def test_a_range_longer_than_a_chunk_has_no_seam():
    start, count = 7, codec.CHUNK * 2 + 3
    codes = b"".join(codec.encode_range(start, start + count)).decode().split()
    assert len(set(codes)) == count
    for place in (0, codec.CHUNK - 1, codec.CHUNK, codec.CHUNK * 2, count - 1):
        assert codes[place] == codec.encode(start + place)


@pytest.fixture
def fresh_keys(tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch):
    """An empty data folder; keys read before are forgotten, and those of the test afterwards."""
    for name in ("NONGMA_CODE_KEY", "NONGMA_CODE_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    settings.DATA = tmp_path
    codec.key_ring.cache_clear()
    codec.newest_key.cache_clear()
    yield tmp_path
    codec.key_ring.cache_clear()
    codec.newest_key.cache_clear()


def test_a_new_key_prints_and_the_old_one_still_reads(fresh_keys: Path, monkeypatch: pytest.MonkeyPatch):
    old = codec.encode(42)
    assert old[0] == "1"
    assert (fresh_keys / "keys" / "code_key").stat().st_mode & 0o077 == 0
    monkeypatch.setenv("NONGMA_CODE_KEY_2", "MDEyMzQ1Njc4OWFiY2RlZg")
    codec.key_ring.cache_clear()
    codec.newest_key.cache_clear()
    new = codec.encode(42)
    assert new[0] == "2"
    assert codec.decode(old) == codec.decode(new) == 42


def test_a_code_of_another_platform_is_false_here(fresh_keys: Path):
    theirs = codec.encode(42)
    (fresh_keys / "keys" / "code_key").unlink()
    codec.key_ring.cache_clear()
    codec.newest_key.cache_clear()
    assert codec.decode(theirs) is None


def test_sm4_prints_other_codes(fresh_keys: Path, settings):
    aes = codec.encode(42)
    settings.CODE_CIPHER = "sm4"
    codec.key_ring.cache_clear()
    codec.newest_key.cache_clear()
    sm4 = codec.encode(42)
    assert sm4 != aes
    assert codec.decode(sm4) == 42
    assert codec.decode(aes) is None
