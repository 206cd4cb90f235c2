"""Labels in bulk: one PDF of a thousand, beside the same PDF without its QR symbols."""

from functools import partial
from typing import Any

from bench.figures import figure, seconds

LABELS = 1_000
ROUNDS = 3


def measure() -> list[dict[str, Any]]:
    """Labels a second in the best of three rounds, and QR symbols a second beside the encoder's."""
    import django

    django.setup()
    import segno
    from django.conf import settings

    from nongma.certificates.labels import SIZES, Label, pdf, printing
    from nongma.lib import qr

    prefix = f"{settings.PUBLIC_URL}/t/"
    printer = qr.code_printer(prefix)

    def label(number: int) -> Label:
        code = f"{10**19 + number * 7919:020d}"
        return Label(
            title="承诺达标合格证",
            promises=["未使用禁用农药、兽药及其他化合物", "使用的常规农药、兽药残留不超标"],
            bases=[("质量安全控制符合要求", True), ("自行检测合格", False), ("委托检测合格", False)],
            facts=[
                ("产品名称", "豇豆"),
                ("数量（重量）", f"{number} 千克"),
                ("产地", "海南省三亚市崖州区崖城镇水南村委会"),
                ("生产者", f"崖州区第{number}豇豆种植专业合作社"),
                ("联系方式", f"199****{number % 10_000:04}"),
                ("开具日期", "2026-03-01"),
            ],
            code=code,
            url=prefix + code,
            symbol=printer.symbol(code),
            statement="",
        )

    def best(work: Any) -> float:
        return LABELS / min(seconds(partial(work, round_)) for round_ in range(1, ROUNDS + 1))

    size = SIZES["60x40"]
    whole = best(lambda round_: pdf([label(round_ * LABELS + number) for number in range(LABELS)], size))
    drawn, printing.qr.svg = qr.svg, lambda *_args, **_options: ""
    try:
        bare = best(lambda round_: pdf([label(-round_ * LABELS - number) for number in range(LABELS)], size))
    finally:
        printing.qr.svg = drawn
    symbols = LABELS / seconds(lambda: [qr.svg(printer.symbol(f"{number:020}")) for number in range(LABELS)])
    encoded = 100 / seconds(lambda: [segno.make_qr(f"{prefix}{number:020}", error="m") for number in range(100)])
    return [
        figure("labels in one PDF", whole, "labels/s", "the same without QR", bare),
        figure("QR symbols drawn", symbols, "a second", "segno's encoder", encoded),
    ]
