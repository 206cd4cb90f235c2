"""Our own form for 附件1: the official columns and one for the village, with lists to choose from (导入模板)."""

import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.origins.importing import cells
from nongma.origins.importing.form import FIELD_LABELS
from nongma.regions.models import Region
from nongma.regions.queries import path_of

LINES = 5_000
MOST_CHOICES = 4_000
OPTIONAL = frozenset(("alias", "certification", "credit"))
WIDE = {
    "name": 26,
    "town": 20,
    "village": 24,
    "point": 24,
    "trace": 24,
    "phone": 15,
    "grid_phone": 15,
    "collector_phone": 15,
}
HINTS = {
    "kind": "从列表中选一个",
    "industry": "从列表中选一个",
    "product": "填产品名称，列表里是常用的",
    "certification": "绿色、有机、地标、其他；可填多个，用、隔开；没有就空着",
    "point": "经度,纬度，小数点后 6 位，如 109.098267,18.376267；没有就空着，以后到现场采集",
    "phone": "11 位手机号",
    "scale": "只填数字",
    "unit": "种植、水产填亩；畜产填头、只",
    "on_sale": "种植产品填，写成 2026-04；畜产品、水产品不填",
    "off_sale": "种植产品填，写成 2026-08；畜产品、水产品不填",
    "method": "种植产品填：露地、设施；可填多个，用、隔开",
    "trace": "承诺达标合格证、追溯码、耳标、动物检疫合格证、包装标识、其他；可填多个，用、隔开",
    "credit": "没有开展信用评价的不填",
    "grid_phone": "11 位手机号",
    "collector_phone": "11 位手机号",
}
NOTES = (
    "1. 带 * 的必填。一行填一个主体的一个产品；同一主体有几个基地的，分几行填。",
    "2. 有下拉列表的格子，点一下右边的箭头来选；可多选的格子，用、隔开。",
    "3. 点位经纬度可以先空着，这一行会存为“待定位”，等采集员到现场用手机补上。",
    "4. 种植产品一年多茬的，每一茬填一行；畜产品、水产品按月更新。",
    "5. 内容有变化的，改好以后再上传整个表格：没变的不会重复，变了的会更新。",
    "6. 依据：农质安（溯）函〔2023〕72号附件1《重点农产品产地溯源信息采集表》。",
)


def template_for(user: User) -> bytes:
    """The empty template as .xlsx, its lists cut to the area of the person."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as workbook:
        paper = workbook.add_worksheet("采集表")
        _write_notes(workbook)
        choices = workbook.add_worksheet("选项")
        choices.hide()
        _write_form(workbook, paper, _write_choices(choices, _choices(user)))
    return buffer.getvalue()


def _write_form(workbook: Any, paper: Any, ranges: dict[str, str]) -> None:
    title = workbook.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"})
    head = workbook.add_format(
        {"bold": True, "text_wrap": True, "align": "center", "valign": "vcenter", "border": 1, "bg_color": "#E3F1E8"}
    )
    typed = workbook.add_format({"num_format": "@"})
    fields = list(FIELD_LABELS)
    paper.merge_range(0, 0, 0, len(fields), "重点农产品产地溯源信息采集表", title)
    paper.set_row(0, 30)
    paper.set_row(1, 48)
    paper.write(1, 0, "序号", head)
    for column, field in enumerate(fields, start=1):
        paper.write(1, column, FIELD_LABELS[field] + ("" if field in OPTIONAL else "*"), head)
        paper.set_column(column, column, WIDE.get(field, 13), None if field == "scale" else typed)
        rule = _rule(field, ranges)
        if rule:
            paper.data_validation(2, column, 1 + LINES, column, rule)
    paper.freeze_panes(2, 2)


def _rule(field: str, ranges: dict[str, str]) -> dict[str, Any] | None:
    hint = {"input_title": FIELD_LABELS[field], "input_message": HINTS[field]} if field in HINTS else {}
    if field in ranges:
        strict = field in ("kind", "industry", "unit")
        return {
            "validate": "list", "source": ranges[field], "error_type": "stop" if strict else "information",
            "error_title": FIELD_LABELS[field], "error_message": "不在列表里，请核对", **hint,
        }  # fmt: skip
    if field == "scale":
        return {
            "validate": "decimal", "criteria": ">", "value": 0,
            "error_title": "种养规模", "error_message": "要填大于 0 的数字", **hint,
        }  # fmt: skip
    return {"validate": "any", **hint} if hint else None


def _choices(user: User) -> dict[str, Sequence[str]]:
    """The words of each list."""
    choices: dict[str, Sequence[str]] = {
        "kind": _first_words(cells.KINDS),
        "industry": _first_words(cells.INDUSTRIES),
        "certification": _first_words(cells.CERTIFICATIONS),
        "method": [*_first_words(cells.METHODS), "露地、设施"],
        "trace": [*_first_words(cells.TRACE_METHODS), "承诺达标合格证、追溯码"],
        "unit": list(cells.UNIT_LABELS.values()),
    }
    spans = scope_of(user, Action.COLLECT_ORIGINS).spans
    products = Product.objects.offered_within(spans).order_by("-is_key", "code").values_list("name", flat=True)
    choices["product"] = list(dict.fromkeys(products))
    if len(spans) != 1:
        return choices
    home = spans[0]
    for region in path_of(home.start):
        name = {1: "province", 2: "city", 3: "county", 4: "town", 5: "village"}.get(region.level)
        if name:
            choices[name] = [region.name]
    for level, name in ((1, "province"), (2, "city"), (3, "county"), (4, "town"), (5, "village")):
        if name not in choices:
            below = Region.objects.current().within(home).filter(level=level).order_by("code")
            names = list(dict.fromkeys(below.values_list("name", flat=True)[: MOST_CHOICES + 1]))
            if 0 < len(names) <= MOST_CHOICES:
                choices[name] = names
    return choices


def _write_choices(paper: Any, choices: dict[str, Sequence[str]]) -> dict[str, str]:
    """Write the lists to the hidden sheet; answers the cells of each."""
    ranges = {}
    for column, (field, words) in enumerate(choices.items()):
        paper.write_column(0, column, words)
        letter = xlsxwriter.utility.xl_col_to_name(column)
        ranges[field] = f"='选项'!${letter}$1:${letter}${len(words)}"
    return ranges


def _write_notes(workbook: Any) -> None:
    paper = workbook.add_worksheet("填写说明")
    wrap = workbook.add_format({"text_wrap": True, "valign": "top"})
    paper.set_column(0, 0, 90)
    for row, note in enumerate(NOTES):
        paper.write(row, 0, note, wrap)


def _first_words(choices: dict[str, str]) -> list[str]:
    first: dict[str, str] = {}
    for word, code in choices.items():
        first.setdefault(code, word)
    return list(first.values())
