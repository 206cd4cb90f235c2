from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import authenticated, idempotent, requires_api
from nongma.accounts.models import User
from nongma.catalogue.models import Unit
from nongma.certificates import queries
from nongma.certificates.forms import LabelForm
from nongma.certificates.label_files import file_response, label_file
from nongma.certificates.models import Basis, Certificate
from nongma.certificates.payload import packed, place_of
from nongma.certificates.services import issue_certificate, revoke_certificate
from nongma.lib.paging import Page, Paging, paged
from nongma.lib.signing import encode_bytes
from nongma.tracing.api import Code, NamedCode, Quantity, ReasonIn, RegionCode, input_fault, written_span
from nongma.tracing.models import Lot
from nongma.tracing.queries import with_all as lots_with_all

router = Router(tags=["承诺达标合格证"])


class CertificateOut(Schema):
    """A certificate, what was signed and what it is worth today."""

    code: str
    url: str = Field(description="二维码的内容")
    lot: str = Field(description="批次码")
    product: str
    quantity: Decimal
    unit: Unit
    operator: NamedCode
    place: str = Field(description="产地")
    basis: Basis
    basis_text: str = Field(description="承诺依据在该版合格证上的写法")
    promises: list[str]
    template: str = Field(description="合格证样式的版本")
    template_verified: bool = Field(description="该样式的文字有没有对照依据核对过")
    state: Certificate.State
    issued_on: date
    issued_at: datetime
    revoked_at: datetime | None
    revoke_reason: str
    payload: str = Field(description="签名的内容：键排序、无空格的 JSON，按 UTF-8 签名")
    signature: str = Field(description="Ed25519 签名，base64url；公钥见 /.well-known/nongma-keys.json")
    key_id: str
    qr_text: str = Field(description="离线验签码的文字")

    @staticmethod
    def resolve_lot(certificate: Certificate) -> str:
        return certificate.lot.code

    @staticmethod
    def resolve_product(certificate: Certificate) -> str:
        return certificate.lot.product.name

    @staticmethod
    def resolve_unit(certificate: Certificate) -> str:
        return certificate.lot.unit

    @staticmethod
    def resolve_place(certificate: Certificate) -> str:
        return place_of(certificate.lot)

    @staticmethod
    def resolve_template(certificate: Certificate) -> str:
        return certificate.template.code

    @staticmethod
    def resolve_template_verified(certificate: Certificate) -> bool:
        return certificate.template.verified

    @staticmethod
    def resolve_signature(certificate: Certificate) -> str:
        return encode_bytes(bytes(certificate.signature))

    @staticmethod
    def resolve_qr_text(certificate: Certificate) -> str:
        return packed(certificate.payload, bytes(certificate.signature))


class CertificateIn(Schema):
    """A certificate to issue."""

    lot: Code
    quantity: Quantity
    basis: Basis
    show_phone: bool = Field(False, description="标签上印完整手机号")


class CertificateFilter(Schema):
    """Which certificates are meant."""

    lot: Code | None = None
    state: Certificate.State | None = None
    region: RegionCode = ""


class LabelOptions(Schema):
    """How a label is printed."""

    size: Literal["60x40", "70x50", "100x70"] = "70x50"
    copies: int = Field(1, ge=1, le=500)
    sheet: Literal["roll", "a4"] = Field("roll", description="只对 PDF 有效")
    signed: bool = Field(False, description="加印离线验签码，只有 100x70 放得下")


@router.post(
    "/certificates",
    auth=authenticated,
    response={201: CertificateOut},
    summary="开具合格证",
    operation_id="issue_certificate",
)
@requires_api(Action.ISSUE_CERTIFICATE)
@idempotent
def issue(request: SignedInRequest, given: CertificateIn) -> Any:
    """为一个批次的全部或一部分开具合格证。"""
    lot = lots_with_all(Lot.objects.editable_by(request.user).coded(given.lot)).first()
    if lot is None:
        raise input_fault("lot", "lot_unknown", "没有这个批次")
    made = issue_certificate(
        lot=lot, quantity=given.quantity, basis=given.basis, show_phone=given.show_phone, actor=request.user
    )
    return Status(201, made)


@router.get(
    "/certificates",
    auth=authenticated,
    response=Page[CertificateOut],
    summary="合格证列表",
    operation_id="certificates",
)
@requires_api(Action.VIEW_CERTIFICATES)
def certificates(request: SignedInRequest, wanted: Query[CertificateFilter], paging: Query[Paging]) -> Any:
    """看得到的合格证，新的在前。"""
    found = Certificate.objects.visible_to(request.user).in_state(wanted.state)
    if wanted.lot:
        found = found.filter(lot__in=Lot.objects.coded(wanted.lot))
    found = found.within(written_span(wanted.region))
    return paged(queries.with_all(found).order_by("-id"), paging)


@router.get(
    "/certificates/{code}",
    auth=authenticated,
    response=CertificateOut,
    summary="一张合格证",
    operation_id="certificate",
)
@requires_api(Action.VIEW_CERTIFICATES)
def certificate(request: SignedInRequest, code: str) -> Any:
    """一张合格证、它的签名和现在的状态。"""
    return _visible(code, request.user)


@router.post(
    "/certificates/{code}/revoke",
    auth=authenticated,
    response=CertificateOut,
    summary="作废合格证",
    operation_id="revoke_certificate",
)
@requires_api(Action.ISSUE_CERTIFICATE)
@idempotent
def revoke(request: SignedInRequest, code: str, given: ReasonIn) -> Any:
    """作废本主体开具的一张合格证。不能恢复。"""
    found = get_object_or_404(Certificate.objects.editable_by(request.user).coded(code))
    revoke_certificate(certificate=found, reason=given.reason, actor=request.user)
    return _visible(code, request.user)


@router.get("/certificates/{code}/label.pdf", auth=authenticated, summary="标签 PDF", operation_id="label_pdf")
@requires_api(Action.VIEW_CERTIFICATES)
def label_pdf(request: SignedInRequest, code: str, wanted: Query[LabelOptions]) -> HttpResponse:
    """标签，每页一张，或 A4 纸上排满。"""
    return _label(request, code, "pdf", wanted)


@router.get("/certificates/{code}/label.svg", auth=authenticated, summary="标签 SVG", operation_id="label_svg")
@requires_api(Action.VIEW_CERTIFICATES)
def label_svg(request: SignedInRequest, code: str, wanted: Query[LabelOptions]) -> HttpResponse:
    """标签图，文字已转成轮廓。"""
    return _label(request, code, "svg", wanted)


@router.get("/certificates/{code}/label.zpl", auth=authenticated, summary="标签 ZPL", operation_id="label_zpl")
@requires_api(Action.VIEW_CERTIFICATES)
def label_zpl(request: SignedInRequest, code: str, wanted: Query[LabelOptions]) -> HttpResponse:
    """直接发给 203 点标签打印机的指令。"""
    return _label(request, code, "zpl", wanted)


def _label(request: HttpRequest, code: str, form: str, wanted: LabelOptions) -> HttpResponse:
    assert isinstance(request.user, User)
    found = _visible(code, request.user)
    content, kind = label_file(found, form, LabelForm(wanted.dict()))
    return file_response(content, kind, f"{code}.{form}")


def _visible(code: str, user: User) -> Certificate:
    return get_object_or_404(queries.with_all(Certificate.objects.visible_to(user).coded(code)))
