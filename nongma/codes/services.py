"""Issuing codes: one counter, one row a range."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction

from nongma.audit.services import Actor, record
from nongma.codes.models import CodeRange
from nongma.lib.ids import uuid7
from nongma.lib.refused import Refused

CHANGED_CHANNEL = "nongma_subject"

COLUMNS = [field.attname for field in CodeRange._meta.concrete_fields]

# One statement for what every harvest and certificate does.
ASSIGN = f"""
    WITH taken AS MATERIALIZED (SELECT codes_take(%s) AS first)
    INSERT INTO codes_coderange (uid, start, stop, kind, subject, state, created_at)
    SELECT %s, first, first + %s, %s, %s, '{CodeRange.State.ACTIVE}', now() FROM taken WHERE first IS NOT NULL
    RETURNING {", ".join(COLUMNS)}
"""  # noqa: S608 (names of columns, nothing from outside)


def take(count: int = 1) -> int:
    """The first of `count` serials in a row that nobody else has or will get.

    Serials taken in a transaction that is rolled back stay unused. Refuses `codes_exhausted` when fewer are left.
    """
    if count < 1:
        raise ValueError(f"can't take {count} serials")
    with connection.cursor() as cursor:
        cursor.execute("SELECT codes_take(%s)", [count])
        (first,) = cursor.fetchone()
    if first is None:
        raise _exhausted(count)
    return int(first)


def assign(*, kind: CodeRange.Kind, subject: UUID, count: int = 1) -> CodeRange:
    """Take serials and let them stand for a subject (赋码). Refuses `codes_exhausted`."""
    if count < 1:
        raise ValueError(f"can't assign {count} serials")
    with connection.cursor() as cursor:
        cursor.execute(ASSIGN, [count, uuid7(), count, kind, subject])
        row = cursor.fetchone()
    if row is None:
        raise _exhausted(count)
    return CodeRange.from_db(connection.alias, COLUMNS, row)


@transaction.atomic
def void_range(*, code_range: CodeRange, reason: str, actor: Actor | None, region_code: int | None = None) -> CodeRange:
    """Declare a range of item codes void (作废), as when a roll of labels is lost: a scan of any of them then says so.

    `region_code` is where the lot lies, for the audit log. Refuses `not_items` for any other kind, `range_void` when it
    is void already, `reason_missing` without a reason.
    """
    code_range = CodeRange.objects.select_for_update().get(pk=code_range.pk)
    if code_range.kind != CodeRange.Kind.ITEM:
        raise Refused(
            "not_items", f"只有单品码整段作废，这是{code_range.get_kind_display()}；批次可以召回，合格证可以作废"
        )
    if code_range.state == CodeRange.State.VOID:
        raise Refused("range_void", "该码段已经作废")
    if not reason.strip():
        raise Refused("reason_missing", "请写明作废原因", field="reason")
    code_range.state = CodeRange.State.VOID
    code_range.save(update_fields=["state"])
    record("code_range.voided", actor=actor, target=code_range, region_code=region_code, reason=reason.strip())
    subject_changed(code_range.subject)
    return code_range


def _exhausted(count: int) -> Refused:
    return Refused("codes_exhausted", f"剩余的码号不足 {count} 个")


def find(serial: int) -> CodeRange | None:
    """The range that a serial lies in: one probe of the index on `start`, since ranges never overlap."""
    nearest = CodeRange.objects.filter(start__lte=serial).order_by("-start").first()
    return nearest if nearest and serial < nearest.stop else None


def subject_changed(uid: UUID) -> None:
    """Tell every web process, at commit, that what it shows of a subject is out of date.

    To be called by whatever changes what a shopper sees: a recall, a revocation, a freeze, a new certificate of a lot.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANGED_CHANNEL, str(uid)])


def subjects_changed(uids: Iterable[UUID]) -> None:
    """`subject_changed` for many, in one statement: a recall reaches every lot that the recalled one went into."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, uid) FROM unnest(%s::text[]) AS uid", [CHANGED_CHANNEL, [*map(str, uids)]])
