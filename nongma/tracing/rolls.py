"""Declaring labels of a lot void: a roll that was lost or misprinted (作废码段)."""

from nongma.accounts.models import User
from nongma.codes.codec import decode
from nongma.codes.models import CodeRange
from nongma.codes.services import find, void_range
from nongma.lib.refused import Refused
from nongma.tracing.models import Lot


def void_roll(*, code: str, reason: str, actor: User) -> CodeRange:
    """Void the whole range that an item code is of, for an authority that may stop its lot. There is no way back.

    Refuses `code_unknown`, `outside_area` and what `void_range` refuses.
    """
    serial = decode(code)
    codes = find(serial) if serial is not None else None
    if codes is None:
        raise Refused("code_unknown", "没有这个码，请核对 20 位数字", field="code")
    if codes.kind != CodeRange.Kind.ITEM:
        return void_range(code_range=codes, reason=reason, actor=actor)
    lot = Lot.objects.watched_by(actor).filter(uid=codes.subject).first()
    if lot is None:
        raise Refused("outside_area", "这个码的批次不在您的辖区内", field="code")
    return void_range(code_range=codes, reason=reason, actor=actor, region_code=lot.region_id)
