"""The list of operators as a workbook, personal data masked."""

import itertools
from collections.abc import Iterable, Iterator
from typing import IO

from django.db.models import QuerySet
from django.utils import timezone

from nongma.lib.masking import mask_name, mask_phone
from nongma.lib.sheets.writing import workbook_of
from nongma.regions.queries import paths_of
from nongma.registry.models import Operator

BATCH = 2_000
HEADINGS = (
    ("主体码", 24),
    ("名称", 32),
    ("主体类型", 20),
    ("所属行业", 14),
    ("行政区划", 40),
    ("地址", 24),
    ("统一社会信用代码", 22),
    ("联系人", 10),
    ("手机", 14),
    ("状态", 10),
    ("登记时间", 12),
)


def operators_workbook(operators: QuerySet[Operator], *, mark: str) -> tuple[IO[bytes], int]:
    """The workbook, open at its beginning and marked with who exported it, and how many operators it has."""
    return workbook_of("主体", HEADINGS, _rows(operators.iterator(chunk_size=BATCH)), mark=mark)


def _rows(operators: Iterable[Operator]) -> Iterator[tuple[str, ...]]:
    for batch in _batched(operators):
        paths = paths_of(operator.region_id for operator in batch)
        for operator in batch:
            yield _cells(operator, paths)


def _batched(operators: Iterable[Operator]) -> Iterable[tuple[Operator, ...]]:
    rows = iter(operators)
    while batch := tuple(itertools.islice(rows, BATCH)):
        yield batch


def _cells(operator: Operator, paths: dict[int, str]) -> tuple[str, ...]:
    return (
        operator.code,
        operator.name,
        operator.kind_names,
        operator.industry_names,
        paths.get(operator.region_id, str(operator.region_id)),
        operator.shown_address,
        operator.uscc or "",
        mask_name(operator.contact),
        mask_phone(operator.phone),
        operator.get_status_display(),
        timezone.localtime(operator.created_at).strftime("%Y-%m-%d"),
    )
