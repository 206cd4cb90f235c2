"""Setting labels with Typst: hundreds in one go, since starting a document costs more than a label does."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nongma.certificates.labels.content import Label
from nongma.certificates.labels.layout import Size, fitted_text
from nongma.lib import qr
from nongma.lib.refused import Refused
from nongma.lib.typesetting import typeset

SOURCE = (Path(__file__).parent / "label.typ").read_bytes()
MOST_LABELS = 2_000
SCAN = "扫码查真伪"
OFFLINE = "离线验签"


def pdf(labels: Sequence[Label], size: Size, *, copies: int = 1, sheet: bool = False, signed: bool = False) -> bytes:
    """The labels as a PDF, each `copies` times: one a page for a roll, or many on A4 sheets to be cut.

    `signed` adds the symbol that carries the signed text, on the size that has room for it. Refuses `no_labels`,
    `too_many_labels`, `no_room` (`signed` on a small label).
    """
    if not labels:
        raise Refused("no_labels", "请先选择要打印的合格证")
    if len(labels) * copies > MOST_LABELS:
        raise Refused("too_many_labels", f"一次最多打印 {MOST_LABELS} 张，请分批打印", field="copies")
    wanted = [label for label in labels for _ in range(copies)]
    return typeset(SOURCE, _data(wanted, size, sheet=sheet, signed=signed), "pdf", pdf_tags=False)


def svg(label: Label, size: Size, *, signed: bool = False) -> bytes:
    """The label as an SVG image, text as outlines, so that it looks the same everywhere."""
    return typeset(SOURCE, _data([label], size, signed=signed), "svg")


def png(label: Label, size: Size, *, dots_per_inch: int) -> bytes:
    """The label as pixels for a printer, without the symbol, which the printer draws itself."""
    return typeset(SOURCE, _data([label], size, symbol=False), "png", ppi=dots_per_inch)


def _data(
    labels: Sequence[Label], size: Size, *, sheet: bool = False, signed: bool = False, symbol: bool = True
) -> dict[str, Any]:
    if signed and size.name != "100x70":
        raise Refused("no_room", "离线验签码只能印在 100×70 毫米的标签上", field="size")
    return {
        "size": {
            "width": size.width,
            "height": size.height,
            "margin": size.margin,
            "title": size.title,
            "qr": size.qr,
            "gap": size.gap,
            "facts": size.facts_width(1 + signed),
        },
        "sheet": size.per_sheet if sheet else None,
        "labels": [_one(label, size, signed, symbol) for label in labels],
    }


def _one(label: Label, size: Size, signed: bool, symbol: bool) -> dict[str, Any]:
    symbols = [(SCAN, qr.svg(label.symbol) if symbol else "")]
    if signed:
        symbols.insert(0, (OFFLINE, qr.svg(qr.symbol(label.statement), quiet_zone=2)))
    return {
        "title": label.title,
        "promises": [(promise[:1], promise[1:]) for promise in label.promises],
        "bases": label.bases,
        "facts": label.facts,
        "code": label.grouped_code,
        "symbols": symbols,
        "text": fitted_text(
            size,
            wide=[
                "我承诺对销售的食用农产品：" + "".join(f"口{promise} " for promise in label.promises),
                "承诺依据：" + "".join(f"口{basis} " for basis, _ in label.bases),
            ],
            narrow=[*(f"{name}：{value}" for name, value in label.facts), label.grouped_code],
            symbols=len(symbols),
        ),
    }
