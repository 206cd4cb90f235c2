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

from nongma.lib import keys

if TYPE_CHECKING:
    AnyFile = File[Any]
else:
    AnyFile = File

MAGIC = b"NMF1"
PIECE = 64 * 1024
PREFIX_BYTES, TAG_BYTES = 7, 16
IN_MEMORY = 2 * 1024 * 1024


def seal(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The sealed file of a plain one, both in parts of any size."""
    prefix = os.urandom(PREFIX_BYTES)
    yield MAGIC + prefix
    number, waiting = 0, bytearray()
    for part in parts:
        waiting += part
        while len(waiting) > PIECE:
            yield _cipher().encrypt(_nonce(prefix, number, last=False), bytes(waiting[:PIECE]), MAGIC)
            del waiting[:PIECE]
            number += 1
    yield _cipher().encrypt(_nonce(prefix, number, last=True), bytes(waiting), MAGIC)


def unseal(file: IO[bytes]) -> Iterator[bytes]:
    """The plain file in parts. Raises ValueError when it was cut, changed, or sealed with another key."""
    head = file.read(len(MAGIC) + PREFIX_BYTES)
    prefix = head.removeprefix(MAGIC)
    if len(prefix) != PREFIX_BYTES or not head.startswith(MAGIC):
        raise ValueError("not a sealed file")
    number, piece = 0, file.read(PIECE + TAG_BYTES)
    while True:
        following = file.read(PIECE + TAG_BYTES)
        try:
            yield _cipher().decrypt(_nonce(prefix, number, last=not following), piece, MAGIC)
        except InvalidTag:
            raise ValueError("a sealed file that was cut or changed, or another key") from None
        if not following:
            return
        number, piece = number + 1, following


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
def _cipher() -> AESGCM:
    field_key = keys.key_bytes(settings.DATA, "NONGMA_FIELD_KEY", 32)
    return AESGCM(HKDF(hashes.SHA256(), 32, salt=None, info=b"nongma files").derive(field_key))


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])
