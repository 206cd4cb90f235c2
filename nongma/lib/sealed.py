"""Uploaded files at rest: AES-256-GCM in pieces, each with its place in the file and a mark on the last (STREAM).

Neither end holds a whole file in memory, and a file that was cut, mixed or changed is not read. Source: V. T. Hoang,
R. Reyhanitabar, P. Rogaway, D. Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance" (2015).
"""

import contextlib
import functools
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage

from nongma.lib.fields import ID_LETTERS, ring

if TYPE_CHECKING:
    AnyFile = File[Any]
else:
    AnyFile = File

OLDEST_MAGIC, MAGIC = b"NMF1", b"NMF2"
PIECE = 64 * 1024
PREFIX_BYTES, TAG_BYTES = 7, 16
IN_MEMORY = 2 * 1024 * 1024


def seal(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The sealed file of a plain one, both in parts of any size."""
    held, prefix = ring(), os.urandom(PREFIX_BYTES)
    cipher = _cipher(held.keys[0])
    yield MAGIC + held.newest.encode() + prefix
    number, waiting = 0, bytearray()
    for part in parts:
        waiting += part
        while len(waiting) > PIECE:
            yield cipher.encrypt(_nonce(prefix, number, last=False), bytes(waiting[:PIECE]), MAGIC)
            del waiting[:PIECE]
            number += 1
    yield cipher.encrypt(_nonce(prefix, number, last=True), bytes(waiting), MAGIC)


def unseal(file: IO[bytes]) -> Iterator[bytes]:
    """The plain file in parts. Raises ValueError when it was cut, changed, or sealed with another key."""
    magic, cipher = _opened(file)
    prefix = file.read(PREFIX_BYTES)
    if len(prefix) != PREFIX_BYTES:
        raise ValueError("not a sealed file")
    number, piece = 0, file.read(PIECE + TAG_BYTES)
    while True:
        following = file.read(PIECE + TAG_BYTES)
        try:
            yield cipher.decrypt(_nonce(prefix, number, last=not following), piece, magic)
        except InvalidTag:
            raise ValueError("a sealed file that was cut or changed, or another key") from None
        if not following:
            return
        number, piece = number + 1, following


def key_of(file: IO[bytes]) -> str:
    """The name of the key that a file is sealed with; nothing for a file that is not sealed."""
    magic = file.read(len(MAGIC))
    if magic == OLDEST_MAGIC:
        return ring().ids[-1]
    return file.read(ID_LETTERS).decode(errors="replace") if magic == MAGIC else ""


def reseal(path: Path) -> None:
    """Seal a file with the newest key; it is replaced whole, and stays away when it was deleted meanwhile."""
    draft = path.with_name(f".{path.name}.sealing")
    with path.open("rb") as file, open(draft, "wb", opener=_for_owner) as sealed:
        sealed.writelines(seal(unseal(file)))
        sealed.flush()
        os.fsync(sealed.fileno())
    seen = path.stat() if path.exists() else None
    if seen is None:
        draft.unlink()
        return
    os.utime(draft, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    draft.replace(path)
    _flush(path.parent)


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _opened(file: IO[bytes]) -> tuple[bytes, AESGCM]:
    """The mark of a sealed file, and what opens it."""
    start = file.tell()
    name = key_of(file)
    held = ring() if name in ring().ciphers else ring(anew=True)
    if name not in held.ciphers:
        raise ValueError("not a sealed file, or another key")
    end = file.tell()
    file.seek(start)
    magic = file.read(len(MAGIC))
    file.seek(end)
    return magic, _cipher(held.keys[held.ids.index(name)])


@contextlib.contextmanager
def in_memory(parts: Iterable[bytes] = ()) -> Iterator[Path]:
    """A path under which a program that we start reads a content, or writes one, as long as the block lasts.

    The content is in memory only: no crash leaves it on the disk.
    """
    descriptor = os.memfd_create("nongma", os.MFD_CLOEXEC)
    with open(descriptor, "w+b") as file:
        file.writelines(parts)
        file.flush()
        yield Path(f"/proc/{os.getpid()}/fd/{descriptor}")


class SealedStorage(FileSystemStorage):
    """Files on the disk, sealed with a key that is derived from the field key."""

    def save(self, name: str | None, content: IO[Any], max_length: int | None = None) -> str:
        plain = content if isinstance(content, File) else File(content, name)
        saved = super().save(name, _Sealed(plain), max_length)
        for path in (Path(self.path(saved)), Path(self.path(saved)).parent):
            _flush(path)
        return saved

    def _open(self, name: str, mode: str = "rb") -> AnyFile:
        plain: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(settings.MEDIA_ROOT))  # noqa: SIM115 (the caller closes it)
        with open(self.path(name), "rb") as sealed:
            for part in unseal(sealed):
                plain.write(part)
        plain.seek(0)
        return File(plain, name)


class _Sealed(AnyFile):
    """A file whose parts are sealed on the way to the disk."""

    def __init__(self, plain: AnyFile) -> None:
        super().__init__(None, plain.name)
        self.plain = plain

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        return seal(self.plain.chunks(chunk_size))


def _flush(path: Path) -> None:
    """See that what was written outlives the power: the import's record, which names the file, will."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@functools.cache
def _cipher(field_key: bytes) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, salt=None, info=b"nongma files").derive(field_key))


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])
