"""A shopper's scan beside a constant page of the same server, with millions of lots on file.

NONGMA_BENCH_LOTS says how many (10,000,000). A few of them get real certificates: those are the warm and, in part, the
cold pages. The client is wrk where it is installed, else one of ours, which is slower than the server and so hides
part of the difference; the figures say which.
"""

import asyncio
import itertools
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import figure

ROOT = Path(__file__).resolve().parent.parent
LOTS = int(os.environ.get("NONGMA_BENCH_LOTS", "10000000"))
CERTIFIED = 200
COLD = 20_000
FALSE = 20_000
CONNECTIONS = 16
SECONDS = 5
ROUNDS = 2
READY_SECONDS = 60

SERVE = (
    "import sys; from granian import Granian; from granian.constants import Interfaces; "
    "Granian(sys.argv[1], port=int(sys.argv[2]), interface=Interfaces.ASGI, workers=1, log_access=False).serve()"
)
REQUESTS = """
local paths = {}
for line in io.lines(os.getenv("BENCH_PATHS")) do paths[#paths + 1] = line end
local at = 0
request = function()
    at = at % #paths + 1
    return wrk.format("GET", paths[at])
end
"""


@dataclass(frozen=True)
class Load:
    """What a server bore: answers a second, and the slowest of a hundred in milliseconds."""

    rate: float
    p99: float


def measure() -> list[dict[str, Any]]:
    """Warm, cold and false codes; each rate as a share of the constant page's."""
    import django

    django.setup()
    from bench.lots import fill_lots
    from nongma.codes.codec import decode, encode

    first = fill_lots(LOTS)
    chance = random.Random(7)
    certified = [f"/t/{code}" for code in _certified(CERTIFIED)]
    cold = [f"/t/{encode(first + place)}" for place in chance.sample(range(LOTS), min(COLD, LOTS))]
    made_up = (f"1{chance.randrange(10**19):019}" for _ in itertools.count())
    false = [f"/t/{code}" for code in itertools.islice((c for c in made_up if decode(c) is None), FALSE)]

    loads: dict[str, list[Load]] = {"constant": [], "warm": [], "false": []}
    with serving("config.asgi:application") as real:
        os.environ["BENCH_PAGE"] = f"http://127.0.0.1:{real}{certified[0]}"
        with serving("bench.constant:application") as bare:
            for _ in range(ROUNDS):
                loads["constant"].append(_load(bare, certified))
                loads["warm"].append(_load(real, certified))
                loads["false"].append(_load(real, false))
            unseen = _load(real, cold)
    constant, warm, wrong = (_middle(loads[name]) for name in ("constant", "warm", "false"))
    client = "wrk" if shutil.which("wrk") else "our client"
    beside = f"constant page, {client}"
    lots = f"{LOTS:,} lots"
    return [
        figure(f"scan of a warm page, {lots}", warm.rate, "answers/s", beside, constant.rate),
        figure(f"p99 of it, {CONNECTIONS} connections", warm.p99, "ms", beside, constant.p99),
        figure("false code", wrong.rate, "answers/s", beside, constant.rate),
        figure(f"scan of a cold page, {lots}", unseen.rate, "answers/s", beside, constant.rate),
        figure("p99 of it", unseen.p99, "ms", beside, constant.p99),
    ]


def _certified(count: int) -> list[str]:
    """The codes of so many real certificates, issued now if they are not on file."""
    from bench.lots import certify

    return certify(count)


@contextmanager
def serving(application: str) -> Iterator[int]:
    """One worker of granian on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, application, str(port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _load(port: int, paths: list[str]) -> Load:
    """Ask for the paths in turn over 16 connections, once to warm up and once to measure."""
    with tempfile.TemporaryDirectory(prefix="nongma-bench-") as folder:
        if not shutil.which("wrk"):
            asyncio.run(_ask(port, paths, 1))
            return asyncio.run(_ask(port, paths, SECONDS))
        script, listed = Path(folder) / "requests.lua", Path(folder) / "paths.txt"
        script.write_text(REQUESTS)
        listed.write_text("\n".join(paths) + "\n")
        _wrk(port, script, listed, 1)
        return _wrk(port, script, listed, SECONDS)


def _wrk(port: int, script: Path, listed: Path, seconds: int) -> Load:
    done = subprocess.run(
        [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            "--latency",
            "-s",
            str(script),
            f"http://127.0.0.1:{port}/",
        ],
        env=os.environ | {"BENCH_PATHS": str(listed)},
        capture_output=True,
        text=True,
        check=True,
    )
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    slowest = re.search(r"99%\s+([\d.]+)(us|ms|s)", done.stdout)
    if rate is None or slowest is None or "Socket errors" in done.stdout:
        raise RuntimeError(done.stdout + done.stderr)
    return Load(float(rate[1]), float(slowest[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[slowest[2]])


async def _ask(port: int, paths: list[str], seconds: float) -> Load:
    """Our own client: 16 connections kept open, one request at a time on each."""
    taken: list[float] = []
    turn = itertools.cycle(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode() for path in paths)
    until = time.perf_counter() + seconds

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (started := time.perf_counter()) < until:
            writer.write(next(turn))
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
            taken.append(time.perf_counter() - started)
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    taken.sort()
    return Load(len(taken) / seconds, taken[int(len(taken) * 0.99)] * 1000)


def _middle(loads: list[Load]) -> Load:
    """The mean of some runs: other work on the machine disturbs each a little."""
    return Load(sum(load.rate for load in loads) / len(loads), sum(load.p99 for load in loads) / len(loads))
