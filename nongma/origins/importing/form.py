"""Where the columns of 附件1 (重点农产品产地溯源信息采集表) are in a sheet: found by words, not by place."""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from nongma.lib.sheets.cleaning import heading, is_blank, is_remark
from nongma.lib.sheets.reading import Cell

FIELD_LABELS = {
    "name": "种养殖主体名称",
    "kind": "主体类型",
    "industry": "所属行业",
    "product": "产品名称",
    "alias": "别名",
    "certification": "产品认证类型",
    "province": "省",
    "city": "市",
    "county": "县",
    "town": "乡（镇）",
    "village": "村",
    "point": "点位经纬度",
    "contact": "种养殖主体联系人",
    "phone": "种养殖主体联系方式",
    "scale": "种养规模",
    "unit": "种养规模单位",
    "on_sale": "上市时间",
    "off_sale": "下市时间",
    "method": "生产方式",
    "trace": "追溯方式",
    "credit": "信用等级",
    "grid_name": "网格员姓名",
    "grid_phone": "网格员联系方式",
    "collector": "信息采集员姓名",
    "collector_phone": "信息采集员联系方式",
}
NEEDED = (
    "name", "kind", "industry", "product", "county", "town", "contact", "phone", "scale", "unit", "trace",
    "grid_name", "grid_phone", "collector", "collector_phone",
)  # fmt: skip
RECOGNISED = 8
FEW_CELLS = 4
TELLING = ("kind", "county")

_WORDS: tuple[tuple[str, str], ...] = (
    ("grid_phone", r"(网格员|监管员|协管员).*(联系|电话|手机).*"),
    ("collector_phone", r"(信息)?采集(人|员).*(联系|电话|手机).*"),
    ("grid_name", r"(网格员|监管员|协管员).*"),
    ("collector", r"(信息)?采集(人|员).*"),
    ("unit", r"(规模|面积|数量|计量)?单位"),
    ("scale", r"规模|种植面积|存栏量"),
    ("phone", r"(主体|负责人|联系人|生产者)?(联系方式|联系电话|手机号?码?|电话).*"),
    ("contact", r"(主体)?(联系人|负责人)"),
    ("kind", r"主体(类型|类别|性质)"),
    ("name", r"(生产)?主体(名称)?|生产者(名称)?|名称"),
    ("industry", r"(所属)?行业"),
    ("certification", r"(产品)?认证(类型|类别|情况)?"),
    ("product", r"产品(名称|品种)?|品种(名称)?"),
    ("alias", r"别名|俗名"),
    ("longitude", r"经度"),
    ("latitude", r"纬度"),
    ("point", r"(点位)?经纬度|坐标|点位"),
    ("on_sale", r"上市(时间|日期|月份)"),
    ("off_sale", r"下市(时间|日期|月份)"),
    ("method", r"(生产|种植|栽培)方式"),
    ("trace", r"追溯方式"),
    ("credit", r"信用(等级|级别)?"),
    ("serial", r"序号|编号"),
    ("address", r"(详细)?地址|产地"),
    ("province", r"省份?|省市?区|省自治区直辖市"),
    ("city", r"市|地市|市州|地级市"),
    ("county", r"县|区县|县区|县市区|县市"),
    ("town", r"乡镇?|镇|乡镇街道|街道"),
    ("village", r"村|行政村|村社区|村居|村级"),
)
_PATTERNS = tuple(
    (field, re.compile(f"(种养殖|种养|农产品|基地|所在|种植|养殖)*(?:{words})(姓名|名称)?")) for field, words in _WORDS
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column holds which field, the last row of the header, and the words of the header by field."""

    columns: dict[str, int]
    header_row: int
    titles: dict[str, str]

    @property
    def lacks(self) -> list[str]:
        """The labels of needed columns that the sheet does not have."""
        return [FIELD_LABELS[field] for field in NEEDED if field not in self.columns]

    def is_line(self, cells: list[Cell]) -> bool:
        """Whether a row is a line of the form: no remark, no total, no repeated header, more than a number."""
        serial = self.columns.get("serial", -1)
        filled = [column for column, cell in enumerate(cells) if cell is not None and not is_blank(cell)]
        if len(filled) <= FEW_CELLS:
            if not filled or filled == [serial]:
                return False
            first = cells[filled[0]]
            if is_remark(first):
                return False
        return not any(
            column < len(cells) and cells[column] == self.titles[field]
            for field, column in self.columns.items()
            if field in TELLING
        )


def find_layout(rows: Iterable[tuple[int, list[Cell]]]) -> Layout | None:
    """The best header among the first rows of a sheet; None when it has none."""
    seen = list(rows)
    best: Layout | None = None
    for (number, upper), (below, lower) in itertools.zip_longest(seen, seen[1:], fillvalue=(0, [])):
        labels = _labels(upper)
        found = {field: column for column, field in reversed(labels.items()) if field != "address"}
        last = number
        titles = {field: str(upper[column]) for field, column in found.items()}
        under = {field: column for column, field in reversed(_labels(lower).items())}
        places = {"province", "city", "county", "town", "village"} & set(under)
        if len(places) >= 2 and len(under) < RECOGNISED and "county" not in found:
            split = {field: under[field] for field in {*places, *({"longitude", "latitude"} & set(under))}}
            found |= split
            titles |= {field: str(lower[column]) for field, column in split.items()}
            last = below
        if len(found) >= RECOGNISED and (best is None or len(found) > len(best.columns)):
            best = Layout(found, last, titles)
    return best


def _labels(cells: list[Cell]) -> dict[int, str]:
    """Column → the field that its header cell names."""
    return {
        column: field
        for column, cell in enumerate(cells)
        if isinstance(cell, str) and (field := _field_of(cell)) is not None
    }


def _field_of(header: str) -> str | None:
    plain = heading(header)
    if not plain or len(plain) > 20:
        return None
    for field, pattern in _PATTERNS:
        if pattern.fullmatch(plain):
            return field
    return None
