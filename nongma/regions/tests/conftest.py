from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

FORMS = Path(__file__).resolve().parents[2] / "origins" / "tests" / "files"
HEADER_ROWS = 3

Rows = dict[int, list[Any]]


@pytest.fixture(scope="session")
def form() -> Callable[[str], Rows]:
    """The rows of an official form by their number in the sheet, without its title, heads and remark."""

    def read(name: str) -> Rows:
        sheet = CalamineWorkbook.from_path(str(FORMS / f"{name}.xlsx")).get_sheet_by_index(0)
        rows = sheet.to_python(skip_empty_area=False)[HEADER_ROWS:]
        return {number: row for number, row in enumerate(rows, HEADER_ROWS + 1) if isinstance(row[0], float)}

    return read
