from pathlib import Path

from django.conf import settings

from nongma.accounts.access import ALLOWED, FOR_EVERYONE, Action
from nongma.accounts.models import Role

MANUAL = Path(settings.ROOT) / "docs" / "manual" / "roles.md"


def table() -> str:
    """The table of the manual as access.py has it."""
    lines = [f"| 能做的事 | {' | '.join(Role.labels)} |", "|---" * (len(Role) + 1) + "|"]
    for action in Action:
        if action not in FOR_EVERYONE:
            marks = " | ".join("✓" if action in ALLOWED[role] else " " for role in Role)
            lines.append(f"| {action.label} | {marks} |")
    return "\n".join(lines)


def test_it_shows_in_the_manual_what_the_roles_allow() -> None:
    assert table() in MANUAL.read_text(), f"docs/manual/roles.md must have:\n{table()}"


def test_it_knows_every_role() -> None:
    assert set(ALLOWED) == set(Role)


def test_it_describes_every_role() -> None:
    text = MANUAL.read_text()
    for role in Role:
        assert f"| {role.label} | " in text
