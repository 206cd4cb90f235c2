"""From an empty database to one that works: migrations, reference data, the demo county."""

import time
from collections.abc import Callable
from importlib import import_module

import django
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

Say = Callable[[str], None]


def load() -> None:
    """Load the whole platform, so that a fork of this process has it at once. Needs no database."""
    django.setup()
    import_module("config.asgi")


def prepare(*, demo: bool, say: Say) -> None:
    """Bring the database up to date. Every step can be killed and run again.

    No connection stays open: a fork must not share one.
    """
    django.setup()
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        _step(say, f"建立数据表（{len(plan)} 项）", lambda: call_command("migrate", verbosity=0, interactive=False))
    _step(say, "检查参考数据", lambda: call_command("load_reference", stdout=_Lines(say)))
    if demo:
        from nongma.desk.demo import load_demo

        _step(say, "检查演示县", lambda: load_demo(say))
    connection.close()


def _step(say: Say, title: str, work: Callable[[], object]) -> None:
    started = time.monotonic()
    say(f"{title} …")
    work()
    say(f"{title}：完成，{time.monotonic() - started:.1f} 秒")


class _Lines:
    """A text stream that hands whole lines on, so that commands' own output joins the progress."""

    def __init__(self, say: Say) -> None:
        self.say = say

    def write(self, text: str) -> int:
        for line in text.splitlines():
            if line.strip():
                self.say(f"  {line}")
        return len(text)

    def flush(self) -> None:
        pass
