"""The list of agencies as a workbook."""

from typing import IO

from django.db.models import QuerySet
from django.utils import timezone

from nongma.accounts.models import Agency
from nongma.lib.sheets.writing import workbook_of

HEADINGS = (("行政区划", 34), ("区划代码", 15), ("层级", 8), ("类别", 8), ("部门", 14), ("机构名称", 36),
            ("平台管理员", 12), ("用户名", 18), ("上级机构", 34), ("状态", 10), ("建立日期", 12))  # fmt: skip


def agencies_workbook(agencies: QuerySet[Agency], *, mark: str) -> tuple[IO[bytes], int]:
    """The workbook, open at its beginning, marked with who exported it, and how many agencies it has."""
    rows = agencies.select_related("region", "administrator", "parent").iterator(chunk_size=2_000)
    return workbook_of("机构", HEADINGS, map(_cells, rows), mark=mark)


def _cells(agency: Agency) -> list[str]:
    person = agency.administrator
    return [
        agency.region.full_name or agency.region.name,
        agency.region.code_text,
        agency.get_level_display(),
        agency.get_kind_display(),
        agency.get_department_display(),
        agency.name,
        person.name if person else "",
        person.username if person else "",
        agency.parent.name if agency.parent else "",
        "已停用" if agency.is_suspended else "在用",
        f"{timezone.localtime(agency.created_at):%Y-%m-%d}",
    ]
