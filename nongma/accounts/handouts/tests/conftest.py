from collections.abc import Callable, Sequence
from io import BytesIO

import pytest
import xlsxwriter
from django.core.files.base import ContentFile

from nongma.accounts.handouts.services import run_handout, submit_handout
from nongma.accounts.handouts.sheet import LABELS
from nongma.accounts.models import Handout, Role, User
from nongma.testing import YAZHOU, make_official

HandOut = Callable[..., Handout]
YAZHOU_PLACE = {"province": "海南省", "city": "三亚市", "county": "崖州区"}


@pytest.fixture
def gao(hainan: User) -> User:
    """Gao, the administrator of 崖州区."""
    return make_official("gao", "高管理", Role.ADMINISTRATOR, YAZHOU)


def station(number: int = 1, **cells: str) -> dict[str, str]:
    """A line: a collector at a village station of 崖州区."""
    return {
        **YAZHOU_PLACE,
        "town": "崖州区直辖村级区划",
        "village": "大蛋村",
        "agency": "大蛋村监管站",
        "kind": "监管",
        "name": f"周{number:04}",
        "phone": f"139{number:08}",
        "roles": "信息采集员",
    } | cells


def workbook(rows: Sequence[dict[str, str]], fields: Sequence[str] = tuple(LABELS)) -> bytes:
    """A sheet with such lines, the first in row 2."""
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"strings_to_formulas": False}) as book:
        paper = book.add_worksheet("账号分配表")
        paper.write_row(0, 0, [LABELS[field] for field in fields])
        for number, row in enumerate(rows, start=1):
            for column, field in enumerate(fields):
                paper.write_string(number, column, row.get(field, ""))
    return buffer.getvalue()


@pytest.fixture
def hand_out() -> HandOut:
    """Upload lines, or a file, and run the hand-out to its end."""

    def run(actor: User, rows: Sequence[dict[str, str]] | bytes, filename: str = "账号.xlsx") -> Handout:
        content = rows if isinstance(rows, bytes) else workbook(rows)
        handout = submit_handout(file=ContentFile(content, name=filename), filename=filename, actor=actor)
        run_handout(handout.uid)
        handout.refresh_from_db()
        return handout

    return run


def counts(handout: Handout) -> tuple[int, int, int, int]:
    """New accounts, other changes, unchanged and rejected lines."""
    return handout.created, handout.changed, handout.unchanged, handout.rejected


def faults(handout: Handout) -> list[tuple[int, str, str]]:
    """Row, field and code of every fault."""
    rows = handout.rows.order_by("row").values_list("row", "faults")
    return [(row, fault["field"], fault["code"]) for row, found in rows for fault in found]
