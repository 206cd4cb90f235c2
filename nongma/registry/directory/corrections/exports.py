"""Notices to put a record right as a workbook (导出督促整改通知)."""

from collections.abc import Iterator
from typing import IO

from django.db.models import QuerySet
from django.utils import timezone

from nongma.lib.sheets.writing import workbook_of
from nongma.registry.directory.fields import labels_of
from nongma.registry.models import Correction

BATCH = 2_000
HEADINGS = (
    ("主体", 32),
    ("主体码", 24),
    ("行政区划", 40),
    ("事由", 16),
    ("涉及的项目", 30),
    ("问题", 40),
    ("整改期限", 12),
    ("状态", 10),
    ("发出时间", 12),
    ("整改情况", 40),
    ("意见", 30),
    ("办结时间", 12),
)


def corrections_workbook(notices: QuerySet[Correction], *, mark: str) -> tuple[IO[bytes], int]:
    """The workbook, open at its beginning, marked with who exported it, and how many notices it has."""
    return workbook_of("督促整改", HEADINGS, _rows(notices.select_related("region", "operator")), mark=mark)


def _rows(notices: QuerySet[Correction]) -> Iterator[tuple[str, ...]]:
    for one in notices.iterator(chunk_size=BATCH):
        yield (
            one.operator.name,
            one.operator.code,
            one.region.full_name,
            one.get_matter_display(),
            labels_of(one.fields),
            one.finding,
            f"{one.due_on:%Y-%m-%d}",
            one.get_state_display(),
            f"{timezone.localtime(one.sent_at):%Y-%m-%d}",
            one.answer,
            one.note,
            f"{timezone.localtime(one.settled_at):%Y-%m-%d}" if one.settled_at else "",
        )
