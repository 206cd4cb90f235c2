"""Secret keys: from the environment, from a file that the environment names, or made once in the data folder."""

import base64
import binascii
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
    return _made_once(data / "keys" / name.removeprefix("NONGMA_").lower())


def key_bytes(data: Path, name: str, length: int) -> bytes:
    """A secret key of `length` bytes, written as URL-safe base64; made as in `secret` when absent."""
    value = secret(data, name)
    try:
        raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (binascii.Error, ValueError):
        raise SystemExit(f"{name}: 不是 base64 文本") from None
    if len(raw) < length:
        raise SystemExit(f"{name}: 密钥太短，要 {length} 字节（base64 写法）")
    return raw[:length]


def _made_once(path: Path) -> str:
    """Read the key file, making it first when it is missing; two processes at once get the same key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        value = base64.urlsafe_b64encode(secrets.token_bytes(48)).decode().rstrip("=")
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
