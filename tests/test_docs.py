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


def test_it_names_only_tests_that_there_are() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    named = re.findall(r"`(test_\w+)::(test_\w+)`", text)
    assert len(named) > 40
    for module, name in named:
        files = [*ROOT.glob(f"nongma/**/{module}.py"), *ROOT.glob(f"tests/**/{module}.py")]
        assert any(f"def {name}(" in path.read_text() for path in files), f"{module}::{name}"


def test_it_says_of_every_requirement_how_it_stands() -> None:
    """Chapters V6 to V8 of ASVS 5.0.0, levels 1 and 2."""
    text = (ROOT / "docs" / "security.md").read_text()
    rows = dict(re.findall(r"^\| (\d\.\d\.\d\S*) \|[^|]*\| ([^|]*) \|", text, re.MULTILINE))
    assert set(rows.values()) == {"met", "in part", "not met", "n/a"}
    sections = {"6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5}
    sections |= {"7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2}
    for section, count in sections.items():
        assert [f"{section}.{number}" in rows for number in range(1, count + 1)] == [True] * count, section
    assert {"8.1.1", "8.1.2", "8.2.1", "8.2.2", "8.2.3", "8.3.1", "8.4.1"} <= set(rows)


def test_it_names_the_words_that_passwords_are_checked_for() -> None:
    from nongma.accounts.strength import LEAST_BESIDE, WORDS

    text = (ROOT / "docs" / "security.md").read_text()
    assert f"The words: {', '.join(WORDS)};" in text
    assert f"least {LEAST_BESIDE} characters" in text
    assert f"after {settings.GUESSES_AN_HOUR} wrong passwords" in text
    assert f"after {settings.GUESSES_PER_ADDRESS} wrong passwords" in text
