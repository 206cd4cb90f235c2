"""What a template offers in the cells of a column: a list to choose from, and a hint (模板的下拉列表和提示)."""

from collections.abc import Sequence
from typing import Any

import xlsxwriter


def offer(
    paper: Any,
    choices: Any,
    column: int,
    label: str,
    *,
    words: Sequence[str] = (),
    hint: str = "",
    is_strict: bool = False,
    first_row: int = 1,
    lines: int,
) -> None:
    """Give so many lines of a column its list, written to the sheet `choices` (选项), and its hint.

    `is_strict`: nothing but a word of the list may be typed.
    """
    rule: dict[str, Any] = {"validate": "any"}
    if words:
        choices.write_column(0, column, words)
        letter = xlsxwriter.utility.xl_col_to_name(column)
        rule = {
            "validate": "list",
            "source": f"='选项'!${letter}$1:${letter}${len(words)}",
            "error_type": "stop" if is_strict else "information",
            "error_title": label,
            "error_message": "不在列表里，请核对",
        }
    if hint:
        rule |= {"input_title": label, "input_message": hint}
    if len(rule) > 1:
        paper.data_validation(first_row, column, lines, column, rule)
