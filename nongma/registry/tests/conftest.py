"""What tests of operators loaded from a sheet share."""

import io
from typing import Any

import pytest
import xlsxwriter

from nongma.regions.models import Region
from nongma.registry.intake.sheet import LABELS
from nongma.testing import YAZHOU_VILLAGE


@pytest.fixture
def village(db: None) -> tuple[str, str]:
    found = Region.objects.get(pk=YAZHOU_VILLAGE)
    return Region.objects.get(pk=YAZHOU_VILLAGE // 1000 * 1000).name, found.name


@pytest.fixture
def sheet(village: tuple[str, str]) -> Any:
    """A workbook of rows; a row's town and village are those of Li's field unless it says otherwise."""

    def make(*rows: dict[str, Any], headings: dict[str, str] | None = None) -> bytes:
        names = headings or LABELS
        file = io.BytesIO()
        with xlsxwriter.Workbook(file) as workbook:
            paper = workbook.add_worksheet()
            paper.write_row(0, 0, list(names.values()))
            for number, row in enumerate(rows, start=1):
                whole = {"town": village[0]} | row | {"village": row.get("village", village[1])}
                whole["village"] = whole["village"].format(village=village[1])
                for column, field in enumerate(names):
                    if whole.get(field, "") != "":
                        paper.write(number, column, whole[field])
        return file.getvalue()

    return make
