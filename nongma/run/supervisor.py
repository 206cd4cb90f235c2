"""`nongma run`: one process that keeps the database, the web server and the worker alive.

The platform is loaded once, while the database starts; web and worker are forks of what is loaded. Loading it for each
of the three would double the time of a start, and the memory.
"""

import contextlib
import ctypes
import ipaddress
import multiprocessing
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import IO
from zoneinfo import ZoneInfo

from django.conf import settings

from nongma.lib import embedded
from nongma.lib.refused import Refused
from nongma.run import web, worker
from nongma.run.database import only_one, start_database
from nongma.run.setup import load, prepare

PR_SET_PDEATHSIG = 1
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
READY_SECONDS = 60
STOP_SECONDS = 15
QUICK_DEATH_SECONDS = 10
QUICK_DEATHS = 5


@dataclass
class Child:
    """A process that must run; started again when it dies."""

    name: str
    work: Callable[[], None]
    lock: IO[str]
    process: BaseProcess | None = None
    started: float = 0.0
    quick_deaths: int = 0

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = multiprocessing.get_context("fork").Process(target=self._live, args=(os.getpid(),))
        self.process.start()

    def keep(self) -> None:
        """Start the process again if it is gone; refuses `keeps_dying` when it won't stay."""
        if self.process is not None and self.process.is_alive():
            return
        if self.process is not None:
            quick = time.monotonic() - self.started < QUICK_DEATH_SECONDS
            self.quick_deaths = self.quick_deaths + 1 if quick else 0
            if self.quick_deaths >= QUICK_DEATHS:
                raise Refused("keeps_dying", f"{self.name} 反复退出（代码 {self.process.exitcode}），原因见上面的输出")
            _say(f"{self.name} 退出了（代码 {self.process.exitcode}），重新启动")
        self.start()

    def stop(self) -> None:
        if self.process is None or not self.process.is_alive():
            return
        self.process.terminate()
        self.process.join(STOP_SECONDS)
        if self.process.is_alive() and self.process.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()
            self.process.join()

    def _live(self, parent: int) -> None:
        """What the fork does: it gives back what belongs to the supervisor, then works."""
        with contextlib.suppress(Stopped):
            os.setsid()
            _die_with_parent(parent)
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            self.lock.close()
            self.work()


class Stopped(Exception):
    """Somebody asked the platform to stop."""


def supervise(*, demo: bool) -> int:
    """Set up, serve, and keep serving until told to stop. Returns the exit code.

    Refuses `already_running`, `port_in_use`, and what the database refuses.
    """
    web.sizes()
    worker.size()
    settings.DATA.mkdir(parents=True, exist_ok=True)
    for number in SIGNALS:
        signal.signal(number, _stop)
    with only_one() as lock:
        try:
            _check_port()
            _say(f"数据目录 {settings.DATA}")
            _say("启动数据库 …")
            with ThreadPoolExecutor(1) as beside:
                database = beside.submit(start_database)
                load()
                database.result()
            prepare(demo=demo, say=_say)
            _serve(lock, demo=demo)
        except Stopped:
            pass
        finally:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            if not settings.DATABASE_URL:
                embedded.stop(settings.DATA)
    _say("已停止")
    return 0


def _serve(lock: IO[str], *, demo: bool) -> None:
    children = [Child("网页服务", web.main, lock), Child("后台任务", worker.main, lock)]
    try:
        for child in children:
            child.start()
        announced = False
        deadline = time.monotonic() + READY_SECONDS
        while True:
            for child in children:
                child.keep()
            if not settings.DATABASE_URL and not embedded.is_running(settings.DATA):
                _say("数据库停了，重新启动")
                embedded.start(settings.DATA)
            if not announced and _answers():
                _announce(demo=demo)
                announced = True
            if not announced and time.monotonic() > deadline:
                raise Refused("not_ready", f"{READY_SECONDS} 秒内没有就绪，原因见上面的输出")
            time.sleep(1.0 if announced else 0.1)
    finally:
        for child in reversed(children):
            child.stop()


def _announce(*, demo: bool) -> None:
    _say(f"就绪：{settings.PUBLIC_URL}")
    if demo:
        from nongma.accounts.demo import DEMO_PASSWORD, DEMO_USERS

        print("\n  演示账号（密码都是 " + DEMO_PASSWORD + "）：")
        for user in DEMO_USERS:
            print(f"    {user.username:<10} {user.name}，{user.what}")
    print("\n  按 Ctrl-C 停止\n", flush=True)


def _answers() -> bool:
    """Whether web, database and worker are ready (`/readyz`)."""
    try:
        with urllib.request.urlopen(f"http://{_loopback()}:{settings.PORT}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _loopback() -> str:
    """Where this machine itself reaches the web server, also when it listens on every address."""
    return "127.0.0.1" if ipaddress.ip_address(settings.HOST).is_unspecified else settings.HOST


def _check_port() -> None:
    with socket.socket(socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.HOST, settings.PORT))
        except OSError as error:
            raise Refused(
                "port_in_use",
                f"{settings.HOST}:{settings.PORT} 不能使用（{error.strerror}）。"
                f"请停掉占用它的程序，或换一个端口：NONGMA_PORT={settings.PORT + 1} make run",
            ) from None


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def _die_with_parent(parent: int) -> None:
    """Children must not outlive a supervisor that was killed (Linux), were it only just now."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise Stopped


def _say(text: str) -> None:
    at = datetime.now(ZoneInfo(settings.TIME_ZONE)).isoformat(timespec="seconds")
    print(f"{at} {text}", flush=True)
