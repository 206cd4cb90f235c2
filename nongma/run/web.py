"""The web server: granian serving `config.asgi`."""

import os
from importlib import import_module
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from config import environment as env

CONNECTIONS = 16


def sizes() -> tuple[int, int]:
    """How many processes, and how many database connections each of them may hold; a bad setting stops the start."""
    workers = env.number("NONGMA_WORKERS", min(os.cpu_count() or 1, 4), low=1, high=64)
    return workers, env.number("NONGMA_CONNECTIONS", CONNECTIONS, low=0, high=500)


def main() -> None:
    """Serve until told to stop. `NONGMA_WORKERS` processes, by default one a core, four at most; each
    shares at most `NONGMA_CONNECTIONS` database connections among its requests."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.conf import settings
    from django.db import connections

    workers, most = sizes()
    connections.databases["default"]["OPTIONS"] = env.database_options(settings.DATABASE_URL, most)
    # Loaded once and forked: each process that loads the platform by itself costs the start seconds.
    import_module("config.asgi")
    Granian(
        "config.asgi:application",
        address=settings.HOST,
        port=settings.PORT,
        interface=Interfaces.ASGI,
        workers=workers,
        respawn_failed_workers=True,
        log_access=False,
        log_level=LogLevels.warning,
        log_dictconfig=settings.LOGGING | {"loggers": {**settings.LOGGING["loggers"], "_granian": {}}},
        working_dir=Path(settings.ROOT),
    ).serve()


if __name__ == "__main__":
    main()
