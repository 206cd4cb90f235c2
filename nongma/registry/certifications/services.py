"""Registering what an operator is certified for, confirming it, and taking it back (认证)."""

from collections.abc import Collection
from datetime import date
from typing import IO, Any

from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import Action
from nongma.accounts.models import User
from nongma.accounts.third_parties.documents import AnyFile, kind_of
from nongma.audit.services import record
from nongma.catalogue.models import Product
from nongma.codes.services import subject_changed
from nongma.lib.refused import Misfilled, Refused
from nongma.lib.uploads import digest_of
from nongma.notices.services import withdraw
from nongma.registry.certifications.reminders import STAGES, about
from nongma.registry.models import NOT_TRADING, Certification, Operator, OperatorMember
from nongma.registry.services.checks import check_area

MOST_HELD = 100
TEXTS = {"name": ("认证名称", 60), "number": ("证书编号", 60), "issuer": ("发证机构", 100)}


@transaction.atomic
def add_certification(
    *,
    operator: Operator,
    kind: str,
    number: str,
    products: Collection[Product],
    from_on: date,
    to_on: date | None,
    actor: User,
    name: str = "",
    issuer: str = "",
    file: AnyFile | None = None,
) -> Certification:
    """Enter a certification that an operator holds; what an agency's reviewer enters is confirmed.

    Refuses `outside_area`, `not_own_operator`, `operator_stopped`, `already_registered`, `too_many`, and (422)
    `text_missing`, `text_too_long`, `product_missing`, `period_invalid` and `file_invalid`.
    """
    operator = _locked(operator, actor)
    if operator.certifications.count() >= MOST_HELD:
        raise Refused("too_many", f"一个主体最多登记 {MOST_HELD} 项认证")
    certification = Certification(operator=operator, created_by=actor, created_on=timezone.localdate())
    _fill(certification, kind, name, number, issuer, products, from_on, to_on)
    _check_new(certification)
    _confirm(certification, actor)
    _keep(certification, products, file)
    _written("operator.certification_added", certification, actor)
    return certification


@transaction.atomic
def change_certification(
    *,
    certification: Certification,
    kind: str,
    number: str,
    products: Collection[Product],
    from_on: date,
    to_on: date | None,
    actor: User,
    name: str = "",
    issuer: str = "",
    file: AnyFile | None = None,
) -> Certification:
    """Correct or renew a certification; without a file the one on record stays. What was confirmed no longer is.

    Refuses what `add_certification` refuses, and `already_withdrawn`.
    """
    certification = _locked_certification(certification, actor)
    _fill(certification, kind, name, number, issuer, products, from_on, to_on)
    _check_new(certification)
    _confirm(certification, actor)
    _keep(certification, products, file)
    _settle(certification)
    _written("operator.certification_changed", certification, actor)
    return certification


@transaction.atomic
def withdraw_certification(*, certification: Certification, reason: str, actor: User) -> Certification:
    """Take a certification back: at once no shopper sees it; the record stays.

    Refuses `outside_area`, `not_own_operator`, `operator_stopped`, `already_withdrawn`, and `reason_missing` or
    `text_too_long` (422).
    """
    certification = _locked_certification(certification, actor)
    reason = " ".join(reason.split())
    if not reason:
        raise Misfilled("reason_missing", "请写明撤销原因", field="reason")
    if len(reason) > 200:
        raise Misfilled("text_too_long", "撤销原因最多 200 个字", field="reason")
    certification.withdrawn_on, certification.withdrawn_for = timezone.localdate(), reason
    certification.save(update_fields=["withdrawn_on", "withdrawn_for"])
    _settle(certification)
    _written("operator.certification_withdrawn", certification, actor, reason=reason)
    return certification


@transaction.atomic
def confirm_certification(*, certification: Certification, actor: User) -> Certification:
    """Note that a reviewer has compared a certification with its paper (核验).

    Refuses `outside_area`, `operator_stopped`, `already_withdrawn` and `already_confirmed`.
    """
    check_area(certification.operator.region_id, actor, Action.REVIEW_OPERATORS)
    certification = _locked_certification(certification, actor)
    if certification.confirmed_on:
        raise Refused("already_confirmed", "这项认证已经核验过")
    _confirm(certification, actor)
    certification.save(update_fields=["confirmed_by", "confirmed_on"])
    _written("operator.certification_confirmed", certification, actor)
    return certification


@transaction.atomic
def open_file(*, certification: Certification, actor: User) -> IO[Any]:
    """The certificate's file to read; the look is on record. Refuses `outside_area` and `file_unreadable`."""
    if not Certification.objects.visible_to(actor).filter(pk=certification.pk).exists():
        raise Refused("outside_area", "不在您的管辖范围内")
    try:
        file = certification.file.open()
    except (OSError, ValueError):
        raise Refused("file_unreadable", "证书文件读不出来，请联系运维人员") from None
    operator = certification.operator
    record(
        "operator.certification_file_read",
        actor=actor,
        target=operator,
        region_code=operator.region_id,
        number=certification.number,
    )
    return file


def _locked(operator: Operator, actor: User) -> Operator:
    """The operator, held against other changes, if the person may register for it."""
    operator = Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
    if actor.is_operator:
        if not operator.members.filter(user=actor, role=OperatorMember.Role.OWNER).exists():
            raise Refused("not_own_operator", "只有主体负责人能登记本主体的认证")
    else:
        check_area(operator.region_id, actor)
    if operator.status in NOT_TRADING:
        raise Refused("operator_stopped", f"主体{operator.get_status_display()}，不能登记认证")
    return operator


def _locked_certification(certification: Certification, actor: User) -> Certification:
    operator = _locked(certification.operator, actor)
    certification = Certification.objects.select_for_update().get(pk=certification.pk)
    certification.operator = operator
    if certification.withdrawn_on:
        raise Refused("already_withdrawn", "这项认证已经撤销")
    return certification


def _fill(
    certification: Certification,
    kind: str,
    name: str,
    number: str,
    issuer: str,
    products: Collection[Product],
    from_on: date,
    to_on: date | None,
) -> None:
    kinds = Certification.Kind
    certification.kind = kinds(kind)
    certification.name = _text("name", name if kind == kinds.OTHER else "", required=kind == kinds.OTHER)
    certification.number = _text("number", number, required=True)
    certification.issuer = _text("issuer", issuer)
    if not products:
        raise Misfilled("product_missing", "请至少选一个认证产品", field="products")
    if to_on is None and kind != kinds.GEOGRAPHICAL:
        raise Misfilled("period_invalid", "请填有效期止；只有农产品地理标志可以没有", field="to_on")
    if to_on and to_on < from_on:
        raise Misfilled("period_invalid", "有效期止不能早于有效期起", field="to_on")
    certification.from_on, certification.to_on = from_on, to_on


def _text(field: str, value: str, *, required: bool = False) -> str:
    label, longest = TEXTS[field]
    value = " ".join(value.split())
    if required and not value:
        raise Misfilled("text_missing", f"请填写{label}", field=field)
    if len(value) > longest:
        raise Misfilled("text_too_long", f"{label}最多 {longest} 个字", field=field)
    return value


def _check_new(certification: Certification) -> None:
    others = Certification.objects.exclude(pk=certification.pk)
    same = {"operator": certification.operator, "kind": certification.kind, "number": certification.number}
    if others.filter(**same).exists():
        raise Refused("already_registered", "这个编号的认证已经登记过", field="number")


def _confirm(certification: Certification, actor: User) -> None:
    """Confirmed when a reviewer of the place wrote it; a change by anybody else has to be confirmed again."""
    is_reviewer = not actor.is_operator and _reviews(certification.operator.region_id, actor)
    certification.confirmed_by = actor if is_reviewer else None
    certification.confirmed_on = timezone.localdate() if is_reviewer else None


def _reviews(region: int, actor: User) -> bool:
    try:
        check_area(region, actor, Action.REVIEW_OPERATORS)
    except Refused:
        return False
    return True


def _keep(certification: Certification, products: Collection[Product], file: AnyFile | None) -> None:
    """Save it; a new file goes to the disk first and away again when the record does not follow."""
    before = certification.file.name if file else ""
    if file:
        try:
            kind = kind_of(file)
        except Refused:
            raise Misfilled(
                "file_invalid", "证书要 10 MB 以内的 PDF、JPG 或 PNG 文件，而且要完整", field="file"
            ) from None
        certification.file_digest = digest_of(file)
        certification.file.save(f"{certification.uid}.{kind}", file, save=False)
    try:
        with transaction.atomic():
            certification.save()
            certification.products.set(products)
    except BaseException:
        if file:
            certification.file.delete(save=False)
        raise
    if before:
        storage = certification.file.storage
        transaction.on_commit(lambda: storage.delete(before))


def _settle(certification: Certification) -> None:
    """Take back what people were told of its end and have not read."""
    for stage in STAGES:
        withdraw(about=about(certification, stage))


def _written(action: str, certification: Certification, actor: User, **details: Any) -> None:
    operator = certification.operator
    told = {"certification": certification.shown_kind, "number": certification.number} | details
    record(action, actor=actor, target=operator, region_code=operator.region_id, **told)
    subject_changed(operator.uid)
