"""The house stays easy to see: layers, foreign keys, file sizes, no signals."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

ROOT = Path(settings.ROOT)
MOST_LINES = 500


def _layers() -> list[set[str]]:
    """The rooms from the top down, as pyproject.toml has them for import-linter."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    return [{room.strip() for room in layer.split("|")} for layer in contract["layers"]]


def _height(room: str) -> int:
    layers = _layers()
    return next(len(layers) - index for index, rooms in enumerate(layers) if room in rooms)


def test_it_imports_only_downward() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_it_points_foreign_keys_only_downward() -> None:
    ours = [config for config in apps.get_app_configs() if config.name.startswith("nongma.")]
    for config in ours:
        for model in config.get_models():
            for field in model._meta.get_fields():
                if not (field.concrete and field.is_relation and field.related_model):
                    continue
                target = field.related_model._meta.app_config
                if target.name.startswith("nongma."):
                    assert _height(target.label) <= _height(config.label), f"{model.__name__}.{field.name} points up"


def test_it_imports_nothing_that_a_plain_installation_lacks() -> None:
    """What runs is installed from requirements.lock; the tests' own machine has more."""
    locked = {line.split("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line}
    homes = packages_distributions()
    sources = [*ROOT.glob("nongma/**/*.py"), *ROOT.glob("config/*.py")]
    for path in sources:
        if "tests" in path.parts or path.name == "testing.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            modules = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom) and not node.level
                else []
            )
            for module in {module.split(".")[0] for module in modules} - sys.stdlib_module_names - {"nongma", "config"}:
                names = {re.sub(r"[-_.]+", "-", home).lower() for home in homes.get(module, [])}
                assert names & locked, f"{path.relative_to(ROOT)} imports {module}, which requirements.lock lacks"


# The desk's tags are the frame that every page stands in, like its base.html. A lot's page leads to issuing what has no
# certificate yet, an amount that only the room above can tell.
LOADED_FROM_ABOVE = {("tracing", "certificates")}
FRAME = "desk"


def test_its_templates_load_tags_only_from_below() -> None:
    """What import-linter can't see."""
    homes = {path.stem: path.parts[-3] for path in ROOT.glob("nongma/*/templatetags/[!_]*.py")}
    loaded = {
        (template.relative_to(ROOT / "nongma").parts[0], homes[library])
        for template in ROOT.glob("nongma/*/templates/**/*.html")
        for libraries in re.findall(r"{% load ([^%]+) %}", template.read_text())
        for library in libraries.split()
        if homes.get(library, FRAME) != FRAME
    }
    assert {(room, home) for room, home in loaded if _height(home) > _height(room)} == LOADED_FROM_ABOVE


def test_it_names_every_room_in_the_layers() -> None:
    rooms = {path.parent.name for path in ROOT.glob("nongma/*/apps.py")}
    assert rooms <= set().union(*_layers())


def test_it_knows_no_signals() -> None:
    for path in ROOT.glob("nongma/**/*.py"):
        if "tests" in path.parts:
            continue
        names = {
            alias.name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if (node.module or "").startswith("django")
        }
        assert not names & {"receiver", "Signal", "post_save", "pre_save", "post_delete", "m2m_changed"}, path


@pytest.mark.parametrize(
    "pattern",
    [
        "nongma/**/*.py",
        "config/*.py",
        "bench/*.py",
        "scripts/*.py",
        "nongma/**/*.js",
        "nongma/**/*.css",
        "static/nongma/*.css",
    ],
)
def test_it_keeps_files_readable(pattern: str) -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in ROOT.glob(pattern)
        if "migrations" not in path.parts and (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert not long, f"split by noun: {long}"


def test_it_has_tests_for_every_room_that_writes() -> None:
    for services in [*ROOT.glob("nongma/*/services.py"), *ROOT.glob("nongma/*/services/")]:
        assert list((services.parent / "tests").glob("test_*.py")), services.parent


def test_it_gives_growing_tables_no_foreign_key_and_no_identity() -> None:
    growing = {"audit.Entry", "codes.Scan", "tracing.TraceEvent", "origins.DirtyCell"}
    for label in growing:
        model = apps.get_model(label)
        assert "UUIDField" in {field.get_internal_type() for field in model._meta.pk_fields}, label
        assert not [field for field in model._meta.get_fields() if field.concrete and field.is_relation], label
