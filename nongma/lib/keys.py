"""Secret keys: from the environment, from a file that the environment names, or made once in the data folder."""

import base64
import binascii
import functools
import os
import secrets
from pathlib import Path


def secret(data: Path, name: str) -> str:
    """A secret text: `<name>`, the content of `<name>_FILE`, or `keys/<name>` in the data folder, made when absent."""
    value = os.environ.get(name)
    if value:
        return value
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SystemExit(f"{name}_FILE={path}: 读不到这个文件（{error.strerror}）") from None
    return _made_once(file_of(data, name))


def key_bytes(data: Path, name: str, length: int) -> bytes:
    """A secret key of `length` bytes, written as URL-safe base64; made as in `secret` when absent."""
    return raw_key(secret(data, name), name, length)


def raw_key(value: str, name: str, length: int) -> bytes:
    """The first `length` bytes of a key's text; `name` is what a refusal names."""
    try:
        raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (binascii.Error, ValueError):
        raise SystemExit(f"{name}: 不是 base64 文本") from None
    if len(raw) < length:
        raise SystemExit(f"{name}: 密钥太短，要 {length} 字节（base64 写法）")
    return raw[:length]


def ring(data: Path, name: str, old: str, length: int) -> tuple[bytes, ...]:
    """The keys called `name`, newest first: its lines in the data folder; or what is given, then `<old>` by commas."""
    written = [secret(data, name), *given(data, old).split(",")] if is_given(name) else secret(data, name).splitlines()
    texts = [text.strip() for text in written if text.strip()]
    return tuple(dict.fromkeys(raw_key(text, name, length) for text in texts))


def stamp(data: Path, name: str) -> object:
    """Something that changes when the file of a key does; costs one look at the folder."""
    if is_given(name):
        return None
    try:
        seen = os.stat(file_of(data, name))
    except FileNotFoundError:
        return ()
    return seen.st_ino, seen.st_mtime_ns, seen.st_size


def is_given(name: str) -> bool:
    """Whether the key is given by the environment, or by a file that it names."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def given(data: Path, name: str) -> str:
    """The text of a key that is there, nothing otherwise: unlike `secret` it makes none."""
    return secret(data, name) if is_given(name) or file_of(data, name).exists() else ""


@functools.cache  # asked at each value that is hidden, and paths are slow to build
def file_of(data: Path, name: str) -> Path:
    """Where a key lies that is not given."""
    return data / "keys" / name.removeprefix("NONGMA_").lower()


def new_key() -> str:
    """A new key as text: 48 random bytes."""
    return base64.urlsafe_b64encode(secrets.token_bytes(48)).decode().rstrip("=")


def write_lines(path: Path, lines: list[str]) -> None:
    """Put keys in place of those in a file: whole or not at all, and on the disk when this returns."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write("\n".join(lines) + "\n")
        handle.flush()
        os.fsync(handle.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _made_once(path: Path) -> str:
    """Read the key file, making it first when it is missing; two processes at once get the same key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        value = new_key()
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(value)
            handle.flush()
            os.fsync(handle.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8").strip()
