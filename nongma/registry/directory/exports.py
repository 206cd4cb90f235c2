"""The directory as a workbook (导出目录): contacts are masked."""

from collections.abc import Iterator
from typing import IO

from django.db.models import QuerySet

from nongma.lib.sheets.writing import workbook_of
from nongma.registry.directory.fields import labels_of
from nongma.registry.models import DirectoryEntry

BATCH = 2_000
HEADINGS = (
    ("名称", 32),
    ("主体码", 24),
    ("行政区划", 40),
    ("为什么在目录里", 40),
    ("联系人", 10),
    ("手机", 14),
    ("登记情况", 12),
    ("缺的项目", 30),
    ("信息更新", 14),
    ("不准确", 10),
    ("用码", 18),
)


def directory_workbook(entries: QuerySet[DirectoryEntry], *, mark: str) -> tuple[IO[bytes], int]:
    """The workbook, open at its beginning, marked with who exported it, and how many entries it has."""
    return workbook_of("监管主体目录", HEADINGS, _rows(entries.select_related("region", "operator")), mark=mark)


def _rows(entries: QuerySet[DirectoryEntry]) -> Iterator[tuple[str, ...]]:
    for entry in entries.iterator(chunk_size=BATCH):
        operator = entry.operator
        yield (
            entry.name,
            operator.code if operator else "",
            entry.region.full_name,
            entry.why,
            operator.masked_contact if operator else "",
            operator.masked_phone if operator else "",
            operator.get_status_display() if operator else "缺失",
            labels_of(entry.lacks),
            "待更新" if entry.is_stale else (f"{entry.stale_on:%Y-%m-%d} 前" if entry.stale_on else ""),
            "不准确" if entry.is_wrong else "",
            entry.get_uncoded_display() if entry.uncoded else "在用",
        )
