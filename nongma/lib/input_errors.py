"""What pydantic and the forms find wrong with an input, in Chinese."""

import re
from collections.abc import Mapping
from typing import Any

MESSAGES = {
    "missing": "必填",
    "json_invalid": "不是有效的 JSON",
    "none_required": "这里应留空",
    "bool_parsing": "要填 true 或 false",
    "bool_type": "要填 true 或 false",
    "int_parsing": "要填整数",
    "int_parsing_size": "数字太大",
    "int_from_float": "要填整数，不能带小数",
    "int_type": "要填整数",
    "float_parsing": "要填数字",
    "float_type": "要填数字",
    "finite_number": "要填有限的数字",
    "decimal_parsing": "要填数字",
    "decimal_type": "要填数字",
    "decimal_max_digits": "最多 {max_digits} 位数字",
    "decimal_max_places": "最多 {decimal_places} 位小数",
    "decimal_whole_digits": "小数点前最多 {whole_digits} 位",
    "greater_than": "要大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "要小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "multiple_of": "要是 {multiple_of} 的倍数",
    "string_type": "要填文字",
    "string_unicode": "含有不允许的字符",
    "string_too_short": "至少 {min_length} 个字",
    "string_too_long": "最多 {max_length} 个字",
    "string_pattern_mismatch": "格式不对",
    "enum": "只能是 {expected}",
    "literal_error": "只能是 {expected}",
    "date_type": "要填日期，如 2026-03-01",
    "date_parsing": "要填日期，如 2026-03-01",
    "date_from_datetime_parsing": "要填日期，如 2026-03-01",
    "date_from_datetime_inexact": "要填日期，如 2026-03-01，不带时间",
    "date_past": "要早于今天",
    "date_future": "要晚于今天",
    "datetime_type": "要填时间，如 2026-03-01T08:00:00+08:00",
    "datetime_parsing": "要填时间，如 2026-03-01T08:00:00+08:00",
    "datetime_from_date_parsing": "要填时间，如 2026-03-01T08:00:00+08:00",
    "timezone_aware": "时间要带时区",
    "uuid_type": "编号格式不对",
    "uuid_parsing": "编号格式不对",
    "uuid_version": "编号格式不对",
    "list_type": "要填一个列表",
    "too_short": "至少 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "dict_type": "要填一个对象",
    "model_type": "要填一个对象",
    "model_attributes_type": "要填一个对象",
    "extra_forbidden": "没有这一项",
    "url_parsing": "网址格式不对",
    "url_type": "要填网址",
    "string_not_ascii": "只能填英文字母、数字和符号",
    "bytes_type": "要填文字",
    "bytes_too_short": "内容太短",
    "bytes_too_long": "内容太长",
    "time_type": "要填时刻，如 08:00",
    "time_parsing": "要填时刻，如 08:00",
    "datetime_object_invalid": "要填时间，如 2026-03-01T08:00:00+08:00",
    "timezone_naive": "时间不要带时区",
    "set_type": "要填一个列表",
    "tuple_type": "要填一个列表",
    "iterable_type": "要填一个列表",
    "mapping_type": "要填一个对象",
    "union_tag_invalid": "不是允许的一种",
    "union_tag_not_found": "没有写明是哪一种",
    "none_not_allowed": "不能留空",
    "characters": "含有不允许的字符",
}


# Codes of Django's validators whose own Chinese reads like a translation.
FORM_MESSAGES = {
    "max_digits": "最多 {max} 位数字",
    "max_decimal_places": "最多 {max} 位小数",
    "max_whole_digits": "小数点前最多 {max} 位",
    "min_value": "不能小于 {limit_value}",
    "max_value": "不能大于 {limit_value}",
    "min_length": "至少 {limit_value} 个字",
    "max_length": "最多 {limit_value} 个字",
    "null_characters_not_allowed": "含有不允许的字符",
}

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_QUOTED = re.compile(r"'([^']*)'")


def message_of(error: Mapping[str, Any]) -> str:
    """The Chinese sentence for one of pydantic's errors (its `type`, `ctx` and `msg`).

    A `ValueError` that a schema raises itself is already written for people: its own text is shown.
    """
    context = dict(error.get("ctx") or {})
    if error["type"] in {"value_error", "assertion_error"}:
        own = str(context.get("error", ""))
        return own if _CHINESE.search(own) else "填写有误"
    if "expected" in context:
        # pydantic lists the choices in English: 'back', 'forward' or 'both'.
        context["expected"] = "、".join(_QUOTED.findall(str(context["expected"]))) or context["expected"]
    return MESSAGES.get(error["type"], "填写有误").format(**context)


def form_message(code: str, parameters: Mapping[str, Any] | None) -> str:
    """The sentence for a fault that Django's fields and validators find; empty where their own is as good."""
    template = FORM_MESSAGES.get(code, "")
    try:
        return template.format(**(parameters or {}))
    except KeyError:
        return ""
