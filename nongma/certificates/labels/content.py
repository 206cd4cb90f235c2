"""What stands on a label: the form's fields in the words of its version, and the symbol that is scanned."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from nongma.catalogue.models import Unit
from nongma.certificates.models import Certificate
from nongma.certificates.payload import packed, place_of
from nongma.lib import qr
from nongma.lib.masking import mask_numbers, mask_phone


@dataclass(frozen=True)
class Label:
    """One certificate as it is printed. `bases` pairs each basis with whether it is ticked."""

    title: str
    promises: list[str]
    bases: list[tuple[str, bool]]
    facts: list[tuple[str, str]]
    code: str
    url: str
    symbol: qr.Symbol
    statement: str

    @property
    def grouped_code(self) -> str:
        """The code in groups of four, to be read out and typed."""
        return " ".join(self.code[start : start + 4] for start in range(0, len(self.code), 4))


def labels_of(certificates: Iterable[Certificate]) -> list[Label]:
    """The labels, in the order given; the certificates come from `queries.with_all`."""
    prefix = f"{settings.PUBLIC_URL}/t/"
    printer = qr.code_printer(prefix)
    return [_label(certificate, prefix, printer) for certificate in certificates]


def _label(certificate: Certificate, prefix: str, printer: qr.CodePrinter) -> Label:
    code = certificate.code
    lot, operator = certificate.lot, certificate.operator
    phone = operator.phone if certificate.show_phone else mask_phone(operator.phone)
    quantity = f"{certificate.quantity.normalize():f} {Unit(lot.unit).label}"
    return Label(
        title=certificate.template.title,
        promises=certificate.promises,
        bases=[(text, basis == certificate.basis) for basis, text in certificate.template.bases],
        facts=[
            ("产品名称", lot.product.name),
            ("数量（重量）", quantity),
            ("产地", place_of(lot)),
            ("收购者" if lot.bought else "生产者", mask_numbers(operator.name)),
            ("联系方式", phone or "—"),
            ("开具日期", certificate.issued_on.isoformat()),
        ],
        code=code,
        url=prefix + code,
        symbol=printer.symbol(code),
        statement=packed(certificate.payload, bytes(certificate.signature)),
    )
