import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from nongma.audit.labels import ACTIONS

RECORDING = {"record", "record_many", "_record"}
ROOMS = Path(settings.ROOT) / "nongma"


def recorded() -> Iterator[tuple[str, str]]:
    """Every action that the source hands to `record`, `record_many` or a `_record` of its own, with its file."""
    for path in ROOMS.rglob("*.py"):
        if "tests" in path.parts or path.name == "testing.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in RECORDING and node.args:
                for part in ast.walk(node.args[0]):
                    if isinstance(part, ast.Constant) and re.fullmatch(r"[a-z_]+\.[a-z_]+", str(part.value)):
                        yield part.value, path.name


def test_every_action_on_record_has_a_chinese_name() -> None:
    found = list(recorded())
    assert len(found) > 20
    assert [(action, file) for action, file in found if action not in ACTIONS] == []
