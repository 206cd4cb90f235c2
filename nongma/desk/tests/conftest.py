"""Field keys of a test's own, for tests that change them."""

from pathlib import Path
from typing import Any

import pytest

from nongma.lib import fields, keys


@pytest.fixture
def own_keys(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own that begins with the key of all tests."""
    text = keys.secret(settings.DATA, fields.FIELD_KEY).split()[0]
    for name in (fields.FIELD_KEY, f"{fields.FIELD_KEY}_FILE", fields.OLD_KEYS, fields.DIGEST_KEY):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "keys").mkdir()
    path = tmp_path / "keys" / "field_key"
    path.write_text(text)
    settings.DATA, settings.MEDIA_ROOT = tmp_path, tmp_path
    monkeypatch.setattr(fields, "_held", None)
    return path
