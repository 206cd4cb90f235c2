"""The progress page as a workbook that prints on A4."""

from typing import IO

import xlsxwriter
from django.utils import timezone

from nongma.accounts.rollout.queries import Line, Progress
from nongma.lib.sheets.writing import new_workbook, print_mark

HEADINGS = (
    ("地区", 24),
    ("机构", 8),
    ("已分配账号的机构", 12),
    ("账号分配率（%）", 10),
    ("人员账号", 10),
    ("已登录", 10),
    ("登录率（%）", 10),
    ("已培训", 10),
    ("培训率（%）", 10),
    ("没有机构的县", 10),
    ("没有机构的乡镇", 10),
    ("账号分配期限", 12),
    ("账号分配进度", 12),
    ("培训期限", 12),
    ("培训进度", 12),
)


def progress_workbook(progress: Progress, *, mark: str) -> tuple[IO[bytes], int]:
    """The workbook, marked with who exported it: the divisions, then the area in sum; and how many divisions."""
    with new_workbook("推广进度", mark=mark) as (file, book):
        _write(book, progress, mark)
    return file, len(progress.lines)


def _write(book: xlsxwriter.Workbook, progress: Progress, mark: str) -> None:
    sheet = book.add_worksheet("推广进度")
    title = book.add_format({"bold": True, "font_size": 14})
    bold = book.add_format({"bold": True, "bg_color": "#e6f3ec", "border": 1, "text_wrap": True, "align": "center"})
    cell = book.add_format({"border": 1})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
    print_mark(sheet, mark)
    place = progress.region.full_name or progress.region.name
    sheet.write_string(0, 0, f"{place}推广进度", title)
    sheet.write_string(1, 0, f"统计时间：{timezone.localtime():%Y-%m-%d %H:%M}")
    for column, (heading, width) in enumerate(HEADINGS):
        sheet.set_column(column, column, width)
        sheet.write_string(2, column, heading, bold)
    sheet.freeze_panes(3, 1)
    for row, line in enumerate([*progress.lines, progress.total], start=3):
        for column, value in enumerate(_cells(line, "合计" if line is progress.total else line.label)):
            if isinstance(value, int):
                sheet.write_number(row, column, value, cell)
            else:
                sheet.write_string(row, column, value, cell)


def _cells(line: Line, label: str) -> tuple[str | int, ...]:
    return (
        label,
        line.agencies,
        line.agencies_with_account,
        _share(line.account_share),
        line.people,
        line.people_in_use,
        _share(line.use_share),
        line.people_trained,
        _share(line.trained_share),
        line.counties_missing,
        line.towns_missing,
        str(line.accounts_due_on or "—"),
        line.accounts_due.label,
        str(line.training_due_on or "—"),
        line.training_due.label,
    )


def _share(percent: int | None) -> str | int:
    return "—" if percent is None else percent
