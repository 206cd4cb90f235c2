"""`nongma run` and its neighbours on a data folder of their own: start, stop, kill, a port in use, a bad address."""

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from nongma.lib import embedded

ROOT = Path(settings.ROOT)
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("servers")]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Platform:
    """A platform in its own process, on its own port and data folder."""

    def __init__(self, data: Path, port: int, **environment: str) -> None:
        self.data, self.port = data, port
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "CI"}},
            "NONGMA_DATA": str(data),
            "NONGMA_PORT": str(port),
            "NONGMA_WORKERS": "1",
            # Written out, as an operator may: a pool that a fork shared with the supervisor would mix up answers.
            "NONGMA_CONNECTIONS": "4",
            **environment,
        }
        self.log = data.parent / f"{data.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "nongma", "run", *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "nongma", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=3) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return int(error.code)
        except OSError:
            return 0

    def wait(self, path: str, status: int, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while (last := self.status(path)) != status:
            alive = self.process is not None and self.process.poll() is None
            assert alive or status == 0, self.log.read_text()
            assert time.monotonic() < deadline, f"{path}: {last}\n{self.log.read_text()[-3000:]}"
            time.sleep(0.2)

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def children(self) -> list[int]:
        assert self.process is not None
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(number) for number in found.split()]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    data = tmp_path_factory.mktemp("platform") / "var"
    platform = Platform(data, _free_port())
    platform.start()
    platform.wait("/readyz", 200)
    yield platform
    if platform.process is not None and platform.process.poll() is None:
        platform.stop()
    embedded.remove(data)
    shutil.rmtree(data, ignore_errors=True)


def test_it_answers_when_ready(platform: Platform) -> None:
    assert platform.status("/healthz") == 200
    assert platform.status("/readyz") == 200
    assert platform.status("/signin") == 200


def test_no_process_shares_a_connection_with_the_supervisor(platform: Platform) -> None:
    """Each server process has one client process: no descriptor of a socket is open in two of ours."""
    assert platform.process is not None
    holders = [_sockets(pid) for pid in (platform.process.pid, *platform.children())]
    for one, other in itertools.combinations(holders, 2):
        assert not one & other


def test_it_refuses_a_second_platform_on_the_same_data(platform: Platform) -> None:
    second = platform.command("run")
    assert second.returncode == 1
    assert "已有一个平台在运行" in second.stderr
    assert "Traceback" not in second.stderr
    assert platform.status("/readyz") == 200


def test_it_refuses_a_port_in_use(platform: Platform, tmp_path: Path) -> None:
    other = Platform(tmp_path / "var", platform.port).command("run")
    assert other.returncode == 1
    assert "NONGMA_PORT" in other.stderr
    assert "Traceback" not in other.stderr
    assert not embedded.is_running(tmp_path / "var")


def test_it_refuses_a_database_that_is_not_there(tmp_path: Path) -> None:
    nowhere = f"postgresql://nobody:secret-word@127.0.0.1:{_free_port()}/nothing"
    refused = Platform(tmp_path / "var", _free_port(), DATABASE_URL=nowhere).command("run")
    assert refused.returncode == 1
    assert "连不上数据库" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "secret-word" not in refused.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://x/y"),
        ("NONGMA_PORT", "eighty"),
        ("NONGMA_HOST", "here"),
        ("NONGMA_UPLOAD_MB", "-1"),
        ("NONGMA_CONNECTIONS", "many"),
        ("NONGMA_TASKS", "0"),
    ],
)
def test_it_names_the_setting_that_is_wrong(tmp_path: Path, name: str, value: str) -> None:
    refused = Platform(tmp_path / "var", _free_port(), **{name: value}).command("run")
    assert refused.returncode == 1
    assert name in refused.stderr
    assert "Traceback" not in refused.stderr


def test_it_starts_a_killed_child_again(platform: Platform) -> None:
    children = platform.children()
    assert len(children) == 2
    for child in children:
        os.killpg(child, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while set(platform.children()) & set(children) or len(platform.children()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    platform.wait("/readyz", 200)


def test_it_starts_a_killed_database_again(platform: Platform) -> None:
    postmaster = _postmaster(platform)
    os.kill(postmaster, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while not embedded.is_running(platform.data) or _postmaster(platform) == postmaster:
        assert time.monotonic() < deadline, platform.log.read_text()[-3000:]
        time.sleep(0.2)
    platform.wait("/readyz", 200)


def test_a_command_leaves_the_database_to_a_platform_that_runs_by_then(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = tmp_path_factory.mktemp("command") / "var"
    data.mkdir()
    script = (
        "import sys\n"
        "from nongma.run.database import only_one, ready_database\n"
        "with ready_database():\n"
        "    keeper = only_one() if sys.argv[1] == 'platform' else None\n"
        "    if keeper: keeper.__enter__()\n"
    )
    environment = {**os.environ, "NONGMA_DATA": str(data), "DJANGO_SETTINGS_MODULE": "config.settings"}
    try:
        for who, runs in (("nobody", False), ("platform", True)):
            subprocess.run([sys.executable, "-c", script, who], cwd=ROOT, env=environment, check=True, timeout=120)
            assert embedded.is_running(data) is runs
    finally:
        embedded.remove(data)


def test_it_backs_up_and_restores(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    saved = platform.command("backup", str(file))
    assert saved.returncode == 0, saved.stderr
    assert file.stat().st_mode & 0o077 == 0
    again = platform.command("backup", str(file))
    assert again.returncode == 1
    assert "已经存在" in again.stderr
    with _connection(platform) as connection:
        connection.execute("UPDATE regions_region SET name = 'X' WHERE code = 460205000000")
        connection.execute(
            "INSERT INTO accounts_user (uid, username, name, password, phone, email, suspended_for, has_totp, epoch,"
            " must_change_password, is_active, is_operator, is_demo, created_at) VALUES (gen_random_uuid(), 'later',"
            " 'later', '!', '', '', '', false, 0, false, true, false, false, now())"
        )
    refused = platform.command("restore", str(file))
    assert refused.returncode == 1
    assert "--replace" in refused.stderr
    with _connection(platform) as connection:
        assert connection.execute("SELECT name FROM regions_region WHERE code = 460205000000").fetchone() == ("X",)
    assert platform.command("restore", str(tmp_path / "nothing.tar"), "--replace").returncode == 1
    platform.stop()
    restored = platform.command("restore", str(file), "--replace")
    assert restored.returncode == 0, restored.stderr
    platform.start()
    platform.wait("/readyz", 200)
    with _connection(platform) as connection:
        assert connection.execute("SELECT name FROM regions_region WHERE code = 460205000000").fetchone() == ("崖州区",)
        assert connection.execute("SELECT 1 FROM accounts_user WHERE username = 'later'").fetchone() is None


def test_it_goes_on_after_the_supervisor_was_killed(platform: Platform) -> None:
    children = platform.children()
    assert platform.process is not None
    platform.process.kill()
    platform.process.wait()
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{child}/cwd").exists() for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    platform.start()
    platform.wait("/readyz", 200)


def test_it_stops_everything_when_told(platform: Platform) -> None:
    assert platform.stop(signal.SIGINT) == 0
    assert platform.status("/healthz") == 0
    assert not embedded.is_running(platform.data)


def test_it_makes_a_half_made_cluster_anew(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = tmp_path_factory.mktemp("half") / "var"
    cluster = embedded.home(data) / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("18\n")
    try:
        assert embedded.start(data)
        assert embedded.is_running(data)
        assert not embedded.start(data)
    finally:
        embedded.remove(data)
    assert not embedded.is_running(data)


def _postmaster(platform: Platform) -> int:
    return int((embedded.home(platform.data) / "postgres" / "postmaster.pid").read_text().split()[0])


def _sockets(pid: int) -> set[str]:
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            target = os.readlink(descriptor)
            if target.startswith("socket:"):
                found.add(target)
    return found


def _connection(platform: Platform) -> psycopg.Connection[tuple[object, ...]]:
    address = embedded.address(platform.data)
    return psycopg.connect(host=address["HOST"], user=address["USER"], dbname=address["NAME"])
