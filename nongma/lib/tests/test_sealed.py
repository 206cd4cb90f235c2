import io
import os
import subprocess

import pytest
from django.core.files.base import ContentFile
from hypothesis import given
from hypothesis import strategies as st

from nongma.lib.fields import ID_LETTERS
from nongma.lib.sealed import MAGIC, PIECE, PREFIX_BYTES, TAG_BYTES, SealedStorage, in_memory, seal, unseal

HEAD = len(MAGIC) + ID_LETTERS + PREFIX_BYTES


def sealed(*parts: bytes) -> bytes:
    return b"".join(seal(parts))


def plain(data: bytes) -> bytes:
    return b"".join(unseal(io.BytesIO(data)))


@given(st.lists(st.integers(0, 3 * PIECE), max_size=4), st.sampled_from([0, 1]))
def test_what_is_sealed_comes_back_whatever_its_parts(sizes, extra):
    parts = [os.urandom(size + extra) for size in sizes]
    assert plain(sealed(*parts)) == b"".join(parts)


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE])
def test_the_edges_of_the_pieces(size):
    text = os.urandom(size)
    assert plain(sealed(text)) == text


def test_nothing_of_the_text_can_be_read():
    data = sealed("手机 19900001111".encode() * 100)
    assert b"19900001111" not in data
    assert data != sealed("手机 19900001111".encode() * 100)


def test_a_file_that_was_cut_changed_or_mixed_is_not_read():
    data = sealed(os.urandom(3 * PIECE))
    whole = PIECE + TAG_BYTES
    second = slice(HEAD + whole, HEAD + 2 * whole)
    first = slice(HEAD, HEAD + whole)
    broken = {
        "no head": b"",
        "not ours": b"PK\x03\x04" + data,
        "cut in a piece": data[:-1],
        "cut between pieces": data[: HEAD + whole],
        "a bit turned": data[:-1] + bytes([data[-1] ^ 1]),
        "pieces in another order": data[:HEAD] + data[second] + data[first] + data[HEAD + 2 * whole :],
        "another file's head": sealed(b"")[:HEAD] + data[HEAD:],
    }
    for name, changed in broken.items():
        with pytest.raises(ValueError, match="sealed file"):
            pytest.fail(f"{name}: {len(plain(changed))} bytes were read")


def test_the_disk_holds_the_sealed_file_and_the_storage_gives_the_plain_one(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    storage = SealedStorage(location=tmp_path)
    name = storage.save("forms/a.csv", ContentFile("手机,19900001111".encode()))
    on_disk = (tmp_path / name).read_bytes()
    assert on_disk.startswith(MAGIC)
    assert b"19900001111" not in on_disk
    with storage.open(name) as file:
        assert file.read() == "手机,19900001111".encode()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.csv"]


def test_a_program_reads_and_writes_by_paths_that_are_gone_afterwards():
    with in_memory([b"te", b"xt"]) as source, in_memory() as target:
        subprocess.run(["cp", source, target], check=True)
        assert target.read_bytes() == b"text"
    assert not source.exists()
