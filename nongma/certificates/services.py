"""Issuing and revoking certificates (承诺达标合格证).

Source: 农产品质量安全承诺达标合格证管理办法 (农业农村部令 2025 年第 4 号).
"""

import functools
import time
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.catalogue.models import Unit
from nongma.certificates.models import Basis, Certificate, CertificateTemplate
from nongma.certificates.payload import payload_of
from nongma.certificates.queries import certifiable
from nongma.codes.codec import encode
from nongma.codes.models import CodeRange
from nongma.codes.services import assign, subject_changed
from nongma.lib import signing
from nongma.lib.ids import uuid7
from nongma.lib.pipelines import insert, unanswered
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Refused
from nongma.registry.directory.marks import note_code_used
from nongma.registry.models import OperatorMember
from nongma.tracing.events import note
from nongma.tracing.models import Lot, TraceEvent
from nongma.tracing.recalls import NO_REASON, tell_owners
from nongma.tracing.services import checked_quantity, lock_own


@transaction.atomic
def issue_certificate(
    *,
    lot: Lot,
    quantity: Decimal,
    basis: Basis,
    actor: User,
    show_phone: bool = False,
    template: CertificateTemplate | None = None,
) -> Certificate:
    """Issue a signed certificate with a code of its own for part or all of a lot, in the wording in force today.

    The lot comes as `tracing.queries.with_all` reads it: names and places are signed as they stood then, and what may
    stop the issue is read again under the lot's row lock.

    Refuses `not_own_lot`, `operator_not_approved`, `lot_recalled`, `lot_frozen`, `over_balance` (more than is left
    without a certificate), `no_template`, `no_promise` and what `checked_quantity` refuses.
    """
    lock_own(lot, actor)
    quantity = checked_quantity(quantity, lot.unit)
    left = certifiable(lot)
    if quantity > left:
        raise Refused("over_balance", f"最多还能开具 {left.normalize():f} {Unit(lot.unit).label}", field="quantity")
    now = timezone.now()
    template = template or template_in_force()
    if lot.bought and not template.buyer_promise:
        raise Refused("no_promise", f"{template.code} 版合格证没有收购者的承诺，不能用于收购的批次")
    uid = uuid7()
    serial = assign(kind=CodeRange.Kind.CERTIFICATE, subject=uid).start
    payload = payload_of(
        code=encode(serial),
        lot=lot,
        quantity=quantity,
        basis=Basis(basis),
        template=template,
        issued_on=timezone.localdate(now),
        key_id=signing.current_key_id(),
    )
    signed = signing.sign(payload)
    certificate = Certificate(
        uid=uid,
        serial=serial,
        lot=lot,
        operator=lot.operator,
        region_id=lot.region_id,
        quantity=quantity,
        template=template,
        basis=basis,
        show_phone=show_phone,
        issued_by=actor,
        issued_at=now,
        payload=payload,
        signature=signed.signature,
        key_id=signed.key_id,
    )
    details = {"quantity": str(quantity), "unit": lot.unit, "basis": basis}
    with unanswered():
        settle = insert(certificate)
        note(lot, TraceEvent.Step.CERTIFIED, certificate=certificate.code, **details)
        record(
            "certificate.issued",
            actor=actor,
            target=certificate,
            region_code=lot.region_id,
            lot=lot.code,
            **details,
        )
        subject_changed(lot.uid)
    settle()
    note_code_used(lot.operator)
    return certificate


@transaction.atomic
def revoke_certificate(*, certificate: Certificate, reason: str, actor: User) -> Certificate:
    """Take a certificate back (作废). It stays on file and its code says so to whoever scans it.

    Refuses `not_own_certificate`, `revoked`, `reason_missing` and `text_too_long`.
    """
    reason = checked_reason(reason, told=NO_REASON)
    lot = Lot.objects.select_for_update(of=("self",)).select_related("operator", "base").get(pk=certificate.lot_id)
    certificate = Certificate.objects.select_for_update(of=("self",)).select_related("template").get(pk=certificate.pk)
    certificate.lot = lot
    if not OperatorMember.objects.open().filter(operator=certificate.operator_id, user=actor).exists():
        raise Refused("not_own_certificate", "只能作废本主体开具的合格证")
    if certificate.revoked_at:
        raise Refused("revoked", "该合格证已经作废")
    certificate.revoked_at, certificate.revoked_by, certificate.revoke_reason = timezone.now(), actor, reason
    certificate.save(update_fields=["revoked_at", "revoked_by", "revoke_reason"])
    note(lot, TraceEvent.Step.REVOKED, certificate=certificate.code, reason=reason)
    record("certificate.revoked", actor=actor, target=certificate, region_code=certificate.region_id, reason=reason)
    subject_changed(certificate.uid)
    title, body = "一张承诺达标合格证已作废", f"作废原因：{reason}"
    tell_owners([certificate.operator_id], title=title, body=body, url=certificate.get_absolute_url(), actor=actor)
    return certificate


def template_in_force() -> CertificateTemplate:
    """The newest wording in force today; one that was loaded just now is in use within a minute.

    Refuses `no_template` when the reference data is not loaded.
    """
    return newest_template(timezone.localdate(), int(time.monotonic()) // 60)


@functools.lru_cache(maxsize=1)
def newest_template(on: date, minute: int) -> CertificateTemplate:
    """Every certificate asks for it, and it changes once in years."""
    template = CertificateTemplate.objects.standing(on).order_by("-valid_from").first()
    if template is None:
        raise Refused("no_template", "没有现行的合格证样式，请联系平台管理员载入")
    return template
