"""A process of its own for files that strangers made: it may take so much memory and time, and no more.

The child is a Python module with a `main(arguments)` that writes JSON lines to its standard output, begun by
`enter_bounds` and closed by `finish`. Whatever the file does to it, the caller gets a sentence.
"""

import contextlib
import json
import os
import queue
import resource
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nongma.lib.refused import Refused

ROOT = Path(__file__).resolve().parents[3]
LINES_AHEAD = 64
LINES_TOGETHER = 200


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a child may use: address space, processor seconds, and seconds of silence before it is given up."""

    memory_bytes: int = 1536 * 1024 * 1024
    processor_seconds: int = 120
    silent_seconds: int = 180


class ReaderDied(Exception):
    """The child ended in the middle of its answer; trying again may help."""


@contextlib.contextmanager
def lines_from(module: str, *arguments: str, bounds: Bounds) -> Generator[Iterator[Any]]:
    """Run the module in a bounded child and give what it says, line by line, at most some lines ahead of the reader.

    Refuses what the child refuses, and `too_large_inside` when it broke a bound before its first word. Raises
    `ReaderDied` when it ends later without having finished. Leaving the block ends the child.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", module, str(bounds.memory_bytes), str(bounds.processor_seconds), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"},
        start_new_session=True,
    )
    try:
        yield _answers(child, bounds)
    finally:
        child.kill()
        child.wait()
        if child.stdout:
            child.stdout.close()


def _answers(child: "subprocess.Popen[bytes]", bounds: Bounds) -> Iterator[Any]:
    heard: queue.Queue[list[bytes]] = queue.Queue(maxsize=LINES_AHEAD)
    stopped = threading.Event()
    threading.Thread(target=_listen, args=(child, heard, stopped), daemon=True).start()
    begun = False
    try:
        while True:
            try:
                batch = heard.get(timeout=bounds.silent_seconds)
            except queue.Empty:
                break
            if not batch:
                break
            for line in batch:
                answer = json.loads(line)
                if isinstance(answer, dict) and "refused" in answer:
                    raise Refused(answer["refused"], answer["message"], field="file")
                if isinstance(answer, dict) and answer.get("finished"):
                    return
                begun = True
                yield answer
    finally:
        stopped.set()
    if begun:
        raise ReaderDied(f"exit status {child.poll()}")
    raise Refused("too_large_inside", "文件内容太大或不正常，读取时超过了限制", field="file")


def _listen(child: "subprocess.Popen[bytes]", heard: "queue.Queue[list[bytes]]", stopped: threading.Event) -> None:
    """Pass on what the child says, some lines together; an empty list says that it has ended."""
    batch: list[bytes] = []
    with contextlib.suppress(ValueError, OSError):
        for line in child.stdout or ():
            batch.append(line)
            if len(batch) == LINES_TOGETHER or line.startswith(b"{"):
                if not _put(heard, batch, stopped):
                    return
                batch = []
    if batch:
        _put(heard, batch, stopped)
    _put(heard, [], stopped)


def _put(heard: "queue.Queue[list[bytes]]", batch: list[bytes], stopped: threading.Event) -> bool:
    while not stopped.is_set():
        with contextlib.suppress(queue.Full):
            heard.put(batch, timeout=0.5)
            return True
    return False


def run_bounded(answer: Callable[[list[str]], Iterator[Any]]) -> None:
    """The child's side: take the bounds from the command line, then write what `answer` yields as JSON lines."""
    memory, seconds, *arguments = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    out = open(1, "w", encoding="utf-8", buffering=1 << 18, closefd=False)  # noqa: SIM115 (lives as long as the child)
    try:
        for line in answer(arguments):
            out.write(encode(line))
            out.write("\n")
            if isinstance(line, dict):
                out.flush()
        out.write('{"finished":true}\n')
    except Refused as refusal:
        out.write(encode({"refused": refusal.code, "message": refusal.message}))
        out.write("\n")
    except MemoryError:
        os._exit(1)
    except BaseException:
        # Rust code that panics raises what is no Exception.
        traceback.print_exc()
        out.write(encode({"refused": "unreadable", "message": "读取表格时出错，请在表格软件里另存为 .xlsx 后再上传"}))
        out.write("\n")
    out.flush()
