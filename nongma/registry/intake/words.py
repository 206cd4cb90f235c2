"""The words by which sheets speak of operators, and the codes that they stand for.

Codes are those of `OperatorKind`, `Industry` and `Unit`; a test holds them equal. Knows no database, so that it can be
read by bounded readers.
"""

KINDS = {
    "农产品生产企业": "enterprise",
    "生产企业": "enterprise",
    "企业": "enterprise",
    "农民专业合作社": "cooperative",
    "专业合作社": "cooperative",
    "合作社": "cooperative",
    "家庭农场": "family_farm",
    "农户": "household",
    "农村经纪人": "broker",
    "收购单位": "purchaser",
    "收购商": "purchaser",
    "批发市场": "wholesale_market",
    "零售市场/商超": "retailer",
    "零售市场商超": "retailer",
    "零售市场": "retailer",
    "商超": "retailer",
    "超市": "retailer",
    "农贸市场": "retailer",
    "加工": "processor",
    "加工企业": "processor",
    "仓储物流": "logistics",
    "仓储": "logistics",
    "物流": "logistics",
    "电商平台": "e_commerce",
    "电商": "e_commerce",
    "农资经营": "input_dealer",
    "农资店": "input_dealer",
}
GROWERS = frozenset(("enterprise", "cooperative", "family_farm", "household", "broker"))
"""The kinds that 附件1 knows."""
INDUSTRIES = {
    "种植业": "planting",
    "种植": "planting",
    "畜牧业": "livestock",
    "畜牧": "livestock",
    "渔业": "fishery",
    "水产业": "fishery",
}
UNITS = {"亩": "mu", "头": "head", "只": "bird", "羽": "bird", "箱": "hive", "群": "hive", "箱群": "hive"}
DIFFERS, DOUBLED = "differs", "doubled"
DOUBTS = frozenset((DIFFERS, DOUBLED))
"""Codes of what is no mistake of a cell: on file otherwise, or in the sheet before."""
