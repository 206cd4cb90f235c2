"""Item codes to a file: FF1, the printed form and the disk.

The limit is what can't be left out: the same number of bare AES blocks (ten rounds a code) and the same bytes written.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from bench.figures import figure, seconds

CODES = 4_000_000
READ = 50_000
ROUNDS = 10
BLOCK_BYTES = 16
BATCH = 16_384


def measure() -> list[dict[str, Any]]:
    """Codes a second on one core, and what one code costs where it is read."""
    import django

    django.setup()
    from nongma.codes.codec import LENGTH, decode, encode_range

    with tempfile.TemporaryDirectory(prefix="nongma-bench-") as folder:
        path = Path(folder) / "codes.txt"
        written = seconds(lambda: _write(path, encode_range(1, CODES + 1)))
        if path.stat().st_size != CODES * (LENGTH + 1):
            raise RuntimeError("the file is not whole")
        bare = seconds(lambda: _write(path, _bare(CODES, LENGTH + 1)))
    codes = b"".join(encode_range(1, READ + 1)).decode().split()
    read = seconds(lambda: [decode(code) for code in codes])
    blocks = seconds(lambda: _single_blocks(len(codes) * ROUNDS))
    return [
        figure("item codes to a file", CODES / written, "codes/s", "bare AES and the file", CODES / bare),
        figure("codes read, one by one", len(codes) / read, "codes/s", "bare AES, one by one", len(codes) / blocks),
    ]


def _write(path: Path, chunks: Any) -> None:
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _bare(codes: int, width: int) -> Any:
    """As many AES blocks as the codes need, and lines of nothing."""
    cipher = _cipher()
    plain = bytearray(BATCH * BLOCK_BYTES)
    out = bytearray(BATCH * BLOCK_BYTES + BLOCK_BYTES - 1)
    for start in range(0, codes, BATCH):
        count = min(BATCH, codes - start)
        for _ in range(ROUNDS):
            cipher.update_into(memoryview(plain)[: count * BLOCK_BYTES], out)
        yield bytes(count * width)


def _single_blocks(blocks: int) -> None:
    update, block = _cipher().update, bytes(BLOCK_BYTES)
    for _ in range(blocks):
        update(block)


def _cipher() -> Any:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    return Cipher(algorithms.AES(bytes(16)), modes.ECB()).encryptor()
