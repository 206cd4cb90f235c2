"""Loaded before anything else (`-p tests.environment`): tests have a data folder, server and keys of their own.

It can't wait for conftest.py: pytest-django reads the settings before that.
"""

import os
from pathlib import Path

TEST_DATA = Path(os.environ.get("NONGMA_TEST_DATA") or Path(__file__).resolve().parent.parent / "var" / "test")
TEST_DATA.mkdir(parents=True, exist_ok=True)
os.environ["NONGMA_DATA"] = str(TEST_DATA)
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
