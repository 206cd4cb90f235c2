"""One cell cleaned: what people type, as the text or the fixed words that are meant, or the reason why it can't be.

Works on plain values and knows no database, so that it runs in a bounded reader.
"""

import functools
import re
import unicodedata

from nongma.lib.masking import mask_phone
from nongma.lib.phones import MOBILE
from nongma.lib.sheets.reading import BadCell, Cell

SHOWN = 60
NOTHING = frozenset(("无", "没有", "暂无", "-", "—", "/", "\\", "--", "——", "空"))

_UNTIDY = re.compile(r"[^\u0021-\u007e\u00b7\u2014\u3001-\u30ff\u3400-\u9fff\uff08\uff09\uff0c\uff1a\uff1b]")
_INVISIBLE = re.compile(r"[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])")
_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]|【[^】]*】")
_REMARK = re.compile(r"^(备\s*注|注[:：\d]|说\s*明|填表|填报|制表|审核人|审核意见|合\s*计|总\s*计|小\s*计|联系电话)")
_SPLIT = re.compile(r"[、,，;；/\|\s\+＋&和及]+")


class BadValue(Exception):
    """A cell that can't be taken: a stable code and what the person reads."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def text(value: Cell, most: int = 0) -> str:
    """A cell as text: full-width letters and digits made narrow, stray blanks and line breaks gone."""
    if value is None:
        return ""
    if not isinstance(value, str):
        if isinstance(value, BadCell):
            raise BadValue("formula-without-value", f"{value.reason}，请改成直接填写的内容")
        value = _as_typed(value)
    tidied = _tidy(value) if _UNTIDY.search(value) else value
    if most and len(tidied) > most:
        raise BadValue("too-long", f"不能超过 {most} 个字，现在有 {len(tidied)} 个")
    return tidied


def _as_typed(value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


@functools.lru_cache(maxsize=65536)
def _tidy(value: str) -> str:
    value = _INVISIBLE.sub("", value)
    value = "".join(unicodedata.normalize("NFKC", sign) if _is_wide(sign) else sign for sign in value)
    value = " ".join(value.split())
    return _BETWEEN_HAN.sub("", value)


def _is_wide(sign: str) -> bool:
    """Full-width letters, digits and signs of ASCII, but not the brackets and commas that Chinese text uses."""
    return ("\uff01" <= sign <= "\uff5e" and sign not in "（），：；！？") or sign == "\u3000"


def narrow(value: str) -> str:
    """Text for reading numbers and codes out of it: every compatibility form made plain."""
    return unicodedata.normalize("NFKC", value)


def compact(value: Cell) -> str:
    """Text without any blank, for comparing with fixed words."""
    return "".join(text(value).split())


def required(value: Cell, what: str, most: int = 0) -> str:
    """Text that may not be missing."""
    found = text(value, most)
    if not found or found in NOTHING:
        raise BadValue("missing", f"没有填{what}")
    return found


def choice(value: Cell, choices: dict[str, str], what: str) -> str:
    """One of the fixed words, as its code."""
    if isinstance(value, str) and value in choices:
        return choices[value]
    found = required(value, what)
    code = choices.get("".join(found.split()))
    if code is None:
        raise BadValue("not-a-choice", f"{what}不能填“{shortened(found)}”，只能填：{_allowed(choices)}")
    return code


def several(value: Cell, choices: dict[str, str], what: str) -> list[str]:
    """Some of the fixed words, as their codes in the order of the form; nothing when the cell is empty."""
    if isinstance(value, str) and value in choices:
        return [choices[value]]
    found = text(value)
    if not found or found in NOTHING:
        return []
    return list(_several(found, tuple(choices.items()), what))


@functools.lru_cache(maxsize=4096)
def _several(found: str, items: tuple[tuple[str, str], ...], what: str) -> tuple[str, ...]:
    choices = dict(items)
    words = [word.strip("。.；;") for word in _SPLIT.split(found)]
    unknown = [word for word in words if word and word not in choices]
    if unknown:
        raise BadValue("not-a-choice", f"{what}不能填“{shortened(unknown[0])}”，只能填：{_allowed(choices)}")
    chosen = {choices[word] for word in words if word}
    return tuple(code for code in dict.fromkeys(choices.values()) if code in chosen)


def _allowed(choices: dict[str, str]) -> str:
    first: dict[str, str] = {}
    for word, code in choices.items():
        first.setdefault(code, word)
    return "、".join(first.values())


def shortened(found: str) -> str:
    """A word as a sentence may quote it."""
    return found if len(found) <= 20 else f"{found[:20]}…"


def mobile(value: Cell, what: str) -> str:
    """A mainland mobile number of 11 digits."""
    if isinstance(value, str) and MOBILE.fullmatch(value):
        return value
    digits = re.sub(r"[\s\-－—()（）]", "", narrow(required(value, what)))
    digits = re.sub(r"^(\+?86|0086)(?=1\d{10}$)", "", digits)
    if not MOBILE.fullmatch(digits):
        raise BadValue("not-a-mobile", f"{what}要填 11 位手机号")
    return digits


def shown(value: Cell, *, is_phone: bool = False) -> str:
    """A cell as it was read, short enough to stand in a table; a phone number masked."""
    if isinstance(value, BadCell):
        return value.reason
    try:
        found = text(value)
    except BadValue:
        return ""
    if is_phone:
        return mask_phone(found[:20]) if len(found) >= 10 else found
    return found if len(found) <= SHOWN else f"{found[:SHOWN]}…"


def is_blank(value: Cell) -> bool:
    """Whether nobody has typed anything."""
    return value is None or (isinstance(value, str) and not value.strip())


def is_remark(value: Cell) -> bool:
    """Whether a cell begins a row that stands around a form's lines: a remark, who filled it in, a total."""
    return isinstance(value, str) and _REMARK.match(value.strip()) is not None


def heading(header: str) -> str:
    """The words of a column's heading, without remarks in brackets, marks and blanks."""
    plain = re.sub(r"[\s*★☆#]", "", unicodedata.normalize("NFKC", header))
    plain = re.split(r"[::]", _BRACKETS.sub("", plain))[0]
    return re.sub(r"[、/,.]", "", plain)
