"""A second start of the demo platform, from the command to the first `/readyz` 200, beside loading the platform."""

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from bench.figures import figure, seconds

ROUNDS = 3
MOST_SECONDS = 300


def measure() -> list[dict[str, Any]]:
    """Seconds, medians; the first start, which sets everything up, is not counted."""
    from nongma.lib import embedded

    with tempfile.TemporaryDirectory(prefix="nongma-start-") as folder:
        data = Path(folder) / "var"
        environment = {**os.environ, "NONGMA_DATA": str(data), "NONGMA_PORT": str(_free_port())}
        try:
            _started(environment)
            starts = [_started(environment) for _ in range(ROUNDS)]
            load = [sys.executable, "-c", "from nongma.run.setup import load; load()"]
            loads = [seconds(lambda: subprocess.run(load, env=environment, check=True)) for _ in range(ROUNDS)]
        finally:
            embedded.remove(data)
    return [figure("second start", statistics.median(starts), "s", "loading the platform", statistics.median(loads))]


def _started(environment: dict[str, str]) -> float:
    """Start, wait until it is ready, stop; how long the first part took."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "nongma", "run", "--demo"]
    platform = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _is_ready(environment["NONGMA_PORT"]):
            if platform.poll() is not None or time.perf_counter() - begun > MOST_SECONDS:
                raise RuntimeError(f"the platform did not start: {platform.returncode}")
            time.sleep(0.02)
        return time.perf_counter() - begun
    finally:
        platform.send_signal(signal.SIGTERM)
        platform.wait(60)


def _is_ready(port: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
