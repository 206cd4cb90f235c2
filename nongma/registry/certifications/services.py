"""Registering what an operator is certified for, confirming it, and taking it back (认证)."""

from collections.abc import Collection
from datetime import date
from typing import IO, Any

from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.catalogue.models import Product
from nongma.codes.services import subject_changed
from nongma.lib.documents import AnyFile, kind_of
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Misfilled, Refused
from nongma.lib.texts import checked_text
from nongma.lib.uploads import digest_of
from nongma.notices.services import withdraw
from nongma.registry.certifications.reminders import STAGES, about
from nongma.registry.directory.marks import touch
from nongma.registry.models import Certification, Operator
from nongma.registry.services.checks import check_area, check_may_change

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

    Refuses `outside_area`, `not_own_operator`, `not_active`, `already_registered`, `too_many`, and (422)
    `text_missing`, `text_too_long`, `product_missing`, `period_invalid`, and what
    `documents.kind_of` refuses.
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

    Refuses `outside_area`, `not_own_operator`, `not_active`, `already_withdrawn`, and `reason_missing` or
    `text_too_long` (422).
    """
    certification = _locked_certification(certification, actor)
    reason = checked_reason(reason, told="请写明撤销原因")
    certification.withdrawn_on, certification.withdrawn_for = timezone.localdate(), reason
    certification.save(update_fields=["withdrawn_on", "withdrawn_for"])
    _settle(certification)
    _written("operator.certification_withdrawn", certification, actor, reason=reason)
    return certification


@transaction.atomic
def confirm_certification(*, certification: Certification, actor: User) -> Certification:
    """Note that a reviewer has compared a certification with its paper (核验).

    Refuses `outside_area`, `not_active`, `already_withdrawn` and `already_confirmed`.
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
    check_may_change(operator, actor)
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
    certification.name = _text("name", name if kind == kinds.OTHER else "", is_needed=kind == kinds.OTHER)
    certification.number = _text("number", number, is_needed=True)
    certification.issuer = _text("issuer", issuer)
    if not products:
        raise Misfilled("product_missing", "请至少选一个认证产品", field="products")
    if to_on is None and kind != kinds.GEOGRAPHICAL:
        raise Misfilled("period_invalid", "请填有效期止；只有农产品地理标志可以没有", field="to_on")
    if to_on and to_on < from_on:
        raise Misfilled("period_invalid", "有效期止不能早于有效期起", field="to_on")
    certification.from_on, certification.to_on = from_on, to_on


def _text(field: str, value: str, *, is_needed: bool = False) -> str:
    label, longest = TEXTS[field]
    return checked_text(value, label=label, longest=longest, field=field, is_needed=is_needed)


def _check_new(certification: Certification) -> None:
    others = Certification.objects.exclude(pk=certification.pk)
    same = {"operator": certification.operator, "kind": certification.kind, "number": certification.number}
    if others.filter(**same).exists():
        raise Refused("already_registered", "这个编号的认证已经登记过", field="number")


def _confirm(certification: Certification, actor: User) -> None:
    """Confirmed when a reviewer of the place wrote it; a change by anybody else has to be confirmed again."""
    is_reviewer = certification.operator.region_id in scope_of(actor, Action.REVIEW_OPERATORS)
    certification.confirmed_by = actor if is_reviewer else None
    certification.confirmed_on = timezone.localdate() if is_reviewer else None


def _keep(certification: Certification, products: Collection[Product], file: AnyFile | None) -> None:
    """Save it; a new file goes to the disk first and away again when the record does not follow."""
    before = certification.file.name if file else ""
    if file:
        kind = kind_of(file, called="证书", field="file")
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
    touch(operator.pk)
    subject_changed(operator.uid)
