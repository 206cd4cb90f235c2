"""A setting, command or endpoint that is undocumented does not exist."""

import re
from pathlib import Path

from django.conf import settings

from nongma import cli

ROOT = Path(settings.ROOT)
OPERATE = ROOT / "docs" / "operate.md"


def test_it_documents_every_setting() -> None:
    pattern = re.compile(r'"((?:NONGMA_[A-Z0-9_]+)|DATABASE_URL)"')
    ours = [path for room in ("nongma", "config", "bench") for path in (ROOT / room).glob("**/*.py")]
    sources = [path for path in ours if "tests" not in path.parts] + [ROOT / "tests" / "environment.py"]
    used = {name for path in sources for name in pattern.findall(path.read_text())}
    documented = set(re.findall(r"`((?:NONGMA_[A-Z0-9_]+)|DATABASE_URL)`", OPERATE.read_text()))
    assert used - documented == set(), "missing from docs/operate.md"
    assert {name for name in documented - used if not name.endswith("_FILE")} == set(), "no longer read anywhere"


def test_it_documents_every_command() -> None:
    text = OPERATE.read_text()
    for command in cli.COMMANDS:
        assert f"`nongma {command}" in text, command


def test_it_documents_every_endpoint() -> None:
    from config.api import api

    text = (ROOT / "docs" / "manual" / "api.md").read_text()
    for path in api.get_openapi_schema()["paths"]:
        assert path.removeprefix("/api/v1") in text, path


def test_it_speaks_of_no_place_but_its_own() -> None:
    """Lock files carry hashes, not addresses."""
    for lock in ROOT.glob("requirements*.lock"):
        assert "://" not in lock.read_text()
        assert "--hash=sha256:" in lock.read_text()


def test_it_has_a_page_for_every_decision() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_it_links_only_to_files_that_are_there() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text()):
            if "://" in target or target.startswith(("mailto:", "/")):
                continue
            assert (page.parent / target).exists(), f"{page.name} → {target}"
