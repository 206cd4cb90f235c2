"""The database that a command needs: ours is started, another's is asked whether it is there."""

import contextlib
import fcntl
from collections.abc import Iterator
from typing import IO, Any

import psycopg
from django.conf import settings

from nongma.lib import embedded
from nongma.lib.refused import Refused

OLDEST, NEWEST = 15, 18
LOCK = "run.lock"


def start_database() -> bool:
    """Start the embedded server, or check the one that DATABASE_URL names; True if a server was started.

    Refuses `database_start`, `database_unreachable`, `database_version`.
    """
    started = False if settings.DATABASE_URL else embedded.start(settings.DATA)
    check_database()
    return started


def connection_options() -> dict[str, Any]:
    """What libpq needs to reach the database, by libpq's own names."""
    database: dict[str, Any] = settings.DATABASES["default"]
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    given = {option: database[name] for option, name in names.items() if database.get(name)}
    options = {name: value for name, value in database.get("OPTIONS", {}).items() if name != "pool"}
    return {**given, **options}


def check_database() -> None:
    """One connection: is it there, does it let us in, is its version one that we know."""
    options = connection_options()
    try:
        with psycopg.connect(**options, connect_timeout=5) as connection:
            version = connection.info.server_version // 10000
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1]
        raise Refused(
            "database_unreachable",
            f"连不上数据库（{options.get('host', '本机')}/{options['dbname']}）：{reason}\n"
            "        请检查 DATABASE_URL；去掉它则使用内嵌数据库。",
        ) from None
    if not OLDEST <= version <= NEWEST:
        raise Refused("database_version", f"数据库是 PostgreSQL {version}，需要 {OLDEST} 到 {NEWEST}")


@contextlib.contextmanager
def ready_database() -> Iterator[None]:
    """A database for one command. A server that it started is stopped after it, unless a platform runs by then."""
    started = start_database()
    try:
        yield
    finally:
        if started and not is_supervised():
            embedded.stop(settings.DATA)


@contextlib.contextmanager
def only_one() -> Iterator[IO[str]]:
    """Be the one platform of this data folder. Refuses `already_running`."""
    with (settings.DATA / LOCK).open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(
                "already_running",
                f"数据目录 {settings.DATA} 已有一个平台在运行；另开一个请设置 NONGMA_DATA 和 NONGMA_PORT",
            ) from None
        yield handle


def is_supervised() -> bool:
    """Whether a platform runs on this data folder."""
    try:
        with only_one():
            return False
    except Refused:
        return True
