"""Make data/demo/dadan-visits.xlsx: what the collector of 大蛋村 in the demo county has on hand.

    python scripts/build_demo_form.py

The official form 附件1 with nine made-up growers and phone numbers of the test block 1990000…: six lines without a
point, which have to be located in the field, and three with one, which the demo's reviewer returns.
"""

from pathlib import Path

import xlsxwriter

OUTPUT = Path(__file__).resolve().parent.parent / "data" / "demo" / "dadan-visits.xlsx"
HEADINGS = [
    "序号",
    "种养殖主体名称*",
    "主体类型*",
    "所属行业*",
    "产品名称*",
    "别名",
    "产品认证类型",
    "省",
    "市",
    "县",
    "乡（镇）",
    "点位经纬度*",
    "种养殖主体联系人*",
    "种养殖主体联系方式（手机）*",
    "种养规模*",
    "种养规模单位",
    "上市时间*",
    "下市时间*",
    "生产方式*",
    "追溯方式*",
    "信用等级",
    "网格员姓名*",
    "网格员联系方式（手机）*",
    "信息采集员姓名*",
    "信息采集员联系方式（手机）*",
]
WHERE = ("海南省", "三亚市", "崖州区", "崖州区直辖村级区划大蛋村委会")
GRID = ("韦海芳", "19900008101", "林秀兰", "19900008102")
# Name, product, point, area in mu, on and off sale, method.
GROWERS = (
    ("黎文强", "豇豆", "", 6.5, "2026-01", "2026-05", "露地"),
    ("符春梅", "豇豆", "", 12, "2026-02", "2026-06", "露地"),
    ("吉国安", "辣椒", "", 8.2, "2026-01", "2026-04", "露地"),
    ("麦玉珍", "苦瓜", "", 4.8, "2026-02", "2026-05", "设施"),
    ("董亚福", "黄瓜", "", 3.6, "2026-01", "2026-04", "设施"),
    ("羊海生", "豇豆", "", 15.3, "2026-03", "2026-07", "露地"),
    ("容秋菊", "豇豆", "109.201256,18.361478", 9.4, "2026-01", "2026-05", "露地"),
    ("蒲志明", "辣椒", "109.196843,18.357912", 120, "2026-01", "2026-04", "露地"),
    ("邢丽花", "茄子", "109.203317,18.356204", 5.5, "2026-02", "2026-06", "设施"),
)


def main() -> None:
    """Write the form."""
    with xlsxwriter.Workbook(OUTPUT) as book:
        sheet = book.add_worksheet("采集表")
        sheet.write_row(0, 0, ["重点农产品产地溯源信息采集表"])
        sheet.write_row(1, 0, HEADINGS)
        for number, (name, product, point, area, first, last, method) in enumerate(GROWERS, 1):
            person = (name, "农户", "种植业", product, "", "", *WHERE, point, name, f"199000082{number:02}")
            grown = (area, "亩", first, last, method, "承诺达标合格证", "B", *GRID)
            sheet.write_row(number + 1, 0, (number, *person, *grown))


if __name__ == "__main__":
    main()
