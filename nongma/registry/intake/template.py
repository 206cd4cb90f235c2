"""The empty sheet of a load (主体批量登记表模板), with lists to choose from, an example to delete and instructions."""

import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Industry, Product, Unit
from nongma.lib.sheets.offering import offer
from nongma.regions.queries import children_of, path_of
from nongma.regions.spans import EVERYWHERE
from nongma.registry.intake.judging import PLACES
from nongma.registry.intake.sheet import EXAMPLE, LABELS, NEEDED, TITLE
from nongma.registry.models import OperatorKind

LINES = 5_000
WIDTHS = {"kinds": 18, "name": 28, "uscc": 22, "id_number": 22, "phone": 15, "town": 18, "village": 18, "address": 26}
HINTS = {
    "kinds": "从列表中选；有几种的，用、隔开，如：家庭农场、收购单位",
    "uscc": "18 位；有营业执照的必填",
    "id_number": "18 位；没有营业执照的农户、经纪人填。这一列是文本，不要改成数字",
    "phone": "11 位手机号；本人认领时收验证码",
    "products": "产品名称；有几种的，用、隔开，规模填第一种的",
    "scale": "第一种产品的规模，只填数字",
    "unit": "种植、水产填亩；畜禽填头、只；蜜蜂填箱（群）",
    "longitude": "小数点后 6 位，如 109.098267；没有就空着",
    "latitude": "小数点后 6 位，如 18.376267；没有就空着",
}
STRICT = ("unit",)
NOTES = (
    "1. 一行填一个主体。带 * 的必填；统一社会信用代码、身份证号、手机至少填一个。",
    "2. 第 2 行是示例，填写前请删掉；留着的，那一行不会登记。",
    "3. 主体类型、行业、主要产品可以有几个，用、隔开。",
    "4. 省、市、县可以空着，就是您所在的地方；乡镇、村写全称，从列表里选。",
    "5. 已经登记的主体，内容一样的不重复登记；不一样的只告诉您哪里不一样，不会改动。请在主体页面变更。",
    "6. 上传以后先核对，看过结果、按了“确认登记”才登记。有误的行不登记，其余照常；改好以后再传整个表格，不会重复。",
    "7. 登记的主体都有主体码，状态是“待认领”，由本人用手机认领；审核员已经核实的，可以直接通过。",
    "8. 身份证号、手机加密保存，页面上只显示一部分。",
)
SAMPLE = {
    "kinds": "家庭农场、收购单位", "name": f"{EXAMPLE}：××家庭农场（填写前删掉这一行）", "uscc": "91350100M000100Y43",
    "contact": "张三", "phone": "19900000001", "address": "××路 1 号", "industries": "种植业", "products": "豇豆、韭菜",
    "scale": "12.5", "unit": "亩", "remark": "",
}  # fmt: skip


def template_for(user: User) -> bytes:
    """The empty sheet as .xlsx; names of divisions are those of the person's area."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_urls": False}) as workbook:
        paper, notes = workbook.add_worksheet(TITLE), workbook.add_worksheet("填写说明")
        choices = workbook.add_worksheet("选项")
        choices.hide()
        _write_head(workbook, paper)
        words = _choices(user)
        for column, (field, label) in enumerate(LABELS.items()):
            offered, hint = words.get(field, ()), HINTS.get(field, "")
            offer(paper, choices, column, label, words=offered, hint=hint, is_strict=field in STRICT, lines=LINES)
        above = {field: names[0] for field, names in words.items() if field in PLACES and len(names) == 1}
        grey = workbook.add_format({"font_color": "#808080", "italic": True, "num_format": "@"})
        paper.write_row(1, 0, [(above | SAMPLE).get(field, "") for field in LABELS], grey)
        wrap = workbook.add_format({"text_wrap": True, "valign": "top"})
        notes.set_column(0, 0, 90)
        for number, text in enumerate(NOTES):
            notes.write_string(number, 0, text, wrap)
    return buffer.getvalue()


def _write_head(workbook: Any, paper: Any) -> None:
    bold = workbook.add_format({"bold": True, "border": 1, "bg_color": "#E3F1E8", "align": "center"})
    typed = workbook.add_format({"num_format": "@"})
    for column, (field, label) in enumerate(LABELS.items()):
        paper.set_column(column, column, WIDTHS.get(field, 12), None if field == "scale" else typed)
        paper.write_string(0, column, f"{label}*" if field in NEEDED else label, bold)
    paper.freeze_panes(1, 2)


def _choices(user: User) -> dict[str, Sequence[str]]:
    """The words of each list; of divisions those above the person's own, and the level right below it."""
    units = (Unit.MU, Unit.HEAD, Unit.BIRD, Unit.HIVE)
    words: dict[str, Sequence[str]] = {
        "kinds": [kind.label for kind in OperatorKind],
        "industries": [industry.label for industry in Industry],
        "products": [product.name for product in Product.objects.national().order_by("-is_key", "code")],
        "unit": [unit.label for unit in units],
    }
    spans = scope_of(user, Action.LOAD_OPERATORS).spans
    if len(spans) != 1 or spans[0] == EVERYWHERE:
        return words
    home = spans[0].start
    words |= {PLACES[region.level - 1]: [region.name] for region in path_of(home)}
    below = children_of(home)
    if below:
        words[PLACES[below[0].level - 1]] = list(dict.fromkeys(region.name for region in below))
    return words
