"""The calendar and the punctuality as workbooks (导出)."""

from collections.abc import Iterator, Sequence
from typing import IO

from django.db.models import QuerySet

from nongma.lib.sheets.writing import workbook_of
from nongma.origins.due.queries import Row
from nongma.origins.models import Due

BATCH = 2_000
HEADINGS = (
    ("种养殖主体", 28),
    ("产品", 12),
    ("基地地址", 40),
    ("频次", 8),
    ("从哪天起采集", 14),
    ("采集期限", 14),
    ("采集人", 12),
    ("结果", 12),
    ("办理日期", 14),
    ("办理人", 12),
    ("说明", 30),
)
PUNCTUALITY = (("统计对象", 40), ("应采集", 10), ("按时", 10), ("逾期", 10), ("漏采", 10), ("及时率", 10))


def dues_workbook(dues: QuerySet[Due], *, mark: str) -> tuple[IO[bytes], int]:
    """The workbook of some dues, open at its beginning, marked with who exported it, and how many it has."""
    related = dues.select_related("operator", "product", "region", "collector", "met_by")
    return workbook_of("采集日历", HEADINGS, _rows(related), mark=mark)


def punctuality_workbook(rows: Sequence[Row], *, mark: str) -> tuple[IO[bytes], int]:
    """The table of punctuality, marked, and how many lines it has."""
    lines = (
        (
            row.name,
            str(row.tally.total),
            str(row.tally.on_time),
            str(row.tally.late),
            str(row.tally.missed),
            f"{row.tally.rate:.1f}%",
        )
        for row in rows
    )
    return workbook_of("采集及时率", PUNCTUALITY, lines, mark=mark)


def _rows(dues: QuerySet[Due]) -> Iterator[tuple[str, ...]]:
    for due in dues.iterator(chunk_size=BATCH):
        yield (
            due.operator.name,
            due.product.name,
            due.region.full_name,
            due.get_rhythm_display(),
            f"{due.opens_on:%Y-%m-%d}",
            f"{due.due_on:%Y-%m-%d}",
            due.collector.name,
            due.get_outcome_display(),
            f"{due.met_on:%Y-%m-%d}" if due.met_on else "",
            due.met_by.name if due.met_by else "",
            due.why,
        )
