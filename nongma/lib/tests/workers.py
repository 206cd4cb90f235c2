"""Workers that a test starts and kills."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.db import connection

PATIENCE = 240
SILENT = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"
"""What the killed workers' silence comes to within a minute. The notices' test of a killed worker waits it out."""


def own_environment() -> dict[str, str]:
    """What a worker needs to work on this process's own database."""
    database = connection.settings_dict
    address = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}"
    return {**os.environ, "DATABASE_URL": address, "NONGMA_DATA": str(settings.DATA)}


@contextlib.contextmanager
def worker(env: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker as the platform runs it, killed at the end if it still lives."""
    process = subprocess.Popen([sys.executable, "manage.py", "procrastinate", "worker"], cwd=settings.ROOT, env=env)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def let_a_minute_pass() -> None:
    """Let the next worker see at once that those before it are gone, instead of after 30 seconds."""
    with connection.cursor() as cursor:
        cursor.execute(SILENT)


def wait_for(check: Callable[[], Any]) -> Any:
    """The first true answer, asked for several times a second."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if found := check():
            return found
        time.sleep(0.05)
    raise AssertionError("waited too long")
