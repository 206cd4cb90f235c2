"""The empty sheet to hand accounts out by (账号分配表模板), with lists to choose from, an example and notes."""

import io
from typing import Any

import xlsxwriter

from nongma.accounts.handouts.sheet import DEPARTMENTS, KINDS, LABELS, PLACES, ROLES, TITLE
from nongma.accounts.models import User
from nongma.accounts.queries import region_of
from nongma.lib.sheets.offering import offer
from nongma.regions.models import Region
from nongma.regions.queries import children_of, path_of
from nongma.regions.spans import EVERYWHERE

LINES = 5_000
WIDTHS = {"town": 20, "village": 20, "code": 15, "agency": 28, "phone": 15, "email": 22, "roles": 26, "username": 18}
NEEDED = ("agency", "kind")
HINTS = {
    "code": "12 位区划代码；填了代码，省、市、县、乡镇、村可以不填",
    "agency": "机构全称；已经建好的机构，名称要一样",
    "department": "不填就是质量安全",
    "username": "可以不填，平台自动编；3 到 60 个字母、数字或 _ . @ -",
    "phone": "11 位手机号；没有填用户名的，必填",
    "roles": "可填多个，用、隔开",
}
STRICT = ("kind", "department")
NOTES = (
    "1. 一行填一个机构和一个人；只建机构、不分配人员的，姓名、用户名、手机、邮箱、角色都空着。",
    "2. 省、市、县、乡镇、村填到机构所在的那一级为止，例如县级机构填到县；也可以只填区划代码。",
    "3. 机构名称、类别、地方都一样的，就是同一个机构，不会重复建立。",
    "4. 同一个人有几个角色的，写在一行里，用、隔开，例如：平台管理员、信息采集员。",
    "5. 监管机构的平台管理员由上一级分配；监测、执法机构的由同级监管机构分配；乡镇、村的也可以由县级分配；"
    "其他人员由本机构的平台管理员分配。",
    "6. 审核员、品牌管理员只有县级以上监管机构有；检测员只有监测机构有；执法人员只有执法机构有。",
    "7. 有误的行不保存，其余照常；改好以后再传整个表格，已有的不会重复。",
    "8. 分配好以后打印密码条，当面交给本人。本人登录时要先换成自己的密码。",
)
SAMPLE = (
    {"agency": "××镇农产品质量安全监管站", "kind": "监管", "department": "质量安全", "name": "张三", "username": "",
     "phone": "19900000001", "email": "", "roles": "平台管理员、信息采集员"},
    {"agency": "××镇农产品质量安全监管站", "kind": "监管", "department": "质量安全", "name": "李四", "username": "lisi",
     "phone": "", "email": "lisi@example.cn", "roles": "信息采集员"},
    {"agency": "××检测站", "kind": "监测", "department": "质量安全", "name": "", "username": "", "phone": "",
     "email": "", "roles": ""},
)  # fmt: skip


def template_for(user: User) -> bytes:
    """The empty sheet as .xlsx; names of divisions are those of the person's area."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_urls": False}) as workbook:
        paper = workbook.add_worksheet(TITLE)
        example, notes = workbook.add_worksheet("填写示例"), workbook.add_worksheet("填写说明")
        choices = workbook.add_worksheet("选项")
        choices.hide()
        words = _choices(user)
        _head(workbook, paper)
        for column, (field, label) in enumerate(LABELS.items()):
            offered = words.get(field, [])
            hint, is_strict = HINTS.get(field, ""), field in STRICT
            offer(paper, choices, column, label, words=offered, hint=hint, is_strict=is_strict, lines=LINES)
        _head(workbook, example)
        above = {field: names[0] for field, names in words.items() if field in PLACES and len(names) == 1}
        for number, row in enumerate(SAMPLE, start=1):
            example.write_row(number, 0, [(above | row).get(field, "") for field in LABELS])
        wrap = workbook.add_format({"text_wrap": True, "valign": "top"})
        notes.set_column(0, 0, 90)
        for number, note in enumerate(NOTES):
            notes.write_string(number, 0, note, wrap)
    return buffer.getvalue()


def _head(workbook: Any, paper: Any) -> None:
    bold = workbook.add_format({"bold": True, "border": 1, "bg_color": "#E3F1E8", "align": "center"})
    typed = workbook.add_format({"num_format": "@"})
    for column, (field, label) in enumerate(LABELS.items()):
        paper.set_column(column, column, WIDTHS.get(field, 12), typed)
        paper.write_string(0, column, f"{label}*" if field in NEEDED else label, bold)
    paper.freeze_panes(1, 0)


def _choices(user: User) -> dict[str, list[str]]:
    """The words of each list; of divisions those above the person's own, and the level right below it."""
    roles = [*ROLES, "平台管理员、信息采集员", "平台管理员、审核员"]
    words = {"kind": list(KINDS), "department": list(DEPARTMENTS), "roles": roles}
    home = region_of(user)
    if home is None:
        return words
    if home.code != EVERYWHERE.start:
        words |= {PLACES[region.level - 1]: [region.name] for region in path_of(home.code)}
    below = children_of(home.code)
    if below and home.level < Region.Level.VILLAGE:
        words[PLACES[below[0].level - 1]] = list(dict.fromkeys(region.name for region in below))
    return words
