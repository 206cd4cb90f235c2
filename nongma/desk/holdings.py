"""What is held about an operator, for its owner to take along (查阅、复制个人信息).

Source: 个人信息保护法, art. 45.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import IO, Any

from django.db import models, transaction
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.labels import action_label
from nongma.audit.models import Entry
from nongma.audit.services import record
from nongma.lib.masking import mask_phone
from nongma.lib.refused import Refused
from nongma.lib.sheets.writing import mark_of, new_workbook, write_sheet
from nongma.registry.models import Operator, OperatorMember

WIDTH = 20.0
AT_ONCE = 2_000
LEFT_OUT = {"id", "serial", "quadkey"}
"""Columns that only the platform makes sense of; keyed hashes and links between rows are left out, too."""
OTHERS_PHONES = {"grid_phone", "collector_phone"}
"""Of the grid officer and the collector: told masked, they are other people's."""
HELD = {
    "members": "人员",
    "bases": "基地",
    "certifications": "认证",
    "produce": "产品和规模",
    "licence": "执照照片",
    "revisions": "变更申请",
    "intakes": "批量登记",
    "merged": "并入的主体",
    "expected_as": "应纳入名单",
    "directory_entry": "监管主体目录",
    "origins": "产地信息",
    "lots": "批次",
    "sales": "卖出",
    "purchases": "买入",
    "certificates": "合格证",
}
"""The records of an operator, by its links to them, and their sheets (a test keeps the list whole)."""


@transaction.atomic
def holdings_of(*, operator: Operator, actor: User) -> IO[bytes]:
    """A workbook with all that is held about an operator, a sheet for each kind of record; it is on record.

    Of the log it tells who did what and when. Refuses `not_own_operator` to whoever is no owner of it.
    """
    if not operator.members.filter(user=actor, role=OperatorMember.Role.OWNER).exists():
        raise Refused("not_own_operator", "只有主体的负责人可以下载")
    record("operator.holdings_taken", actor=actor, target=operator, region_code=operator.region_id)
    mark = mark_of(actor.name, "本人查阅")
    with new_workbook("全部信息", mark=mark) as (file, book):
        _write(book, "主体", Operator.objects.filter(pk=operator.pk), mark)
        for link in Operator._meta.related_objects:
            rows = link.related_model._default_manager.filter(**{link.field.name: operator})
            _write(book, HELD[str(link.get_accessor_name())], rows.order_by("pk"), mark)
        entries = Entry.objects.of(operator).order_by("id").iterator(chunk_size=AT_ONCE)
        write_sheet(book, "操作记录", [("时间", WIDTH), ("操作", WIDTH), ("操作人", WIDTH)], _log(entries), mark=mark)
    return file


def _write(book: Any, title: str, rows: "models.QuerySet[Any]", mark: str) -> None:
    fields = [field for field in rows.model._meta.concrete_fields if _is_told(field)]
    headings = [(str(field.verbose_name), WIDTH) for field in fields]
    found = rows.select_related(*(field.name for field in fields if field.is_relation))
    write_sheet(book, title, headings, _cells(fields, found.iterator(chunk_size=AT_ONCE)), mark=mark)


def _is_told(field: "models.Field[Any, Any]") -> bool:
    is_internal = field.name in LEFT_OUT or isinstance(field, models.BinaryField)
    return not is_internal


def _cells(fields: Sequence["models.Field[Any, Any]"], rows: Iterable[models.Model]) -> Iterator[list[str]]:
    for row in rows:
        yield [_text(row, field) for field in fields]


def _text(row: models.Model, field: "models.Field[Any, Any]") -> str:
    shown = getattr(row, f"get_{field.name}_display", None)
    value = shown() if shown else getattr(row, field.name)
    if value is None:
        return ""
    if field.name in OTHERS_PHONES:
        return mask_phone(value)
    if isinstance(value, list):
        labels = dict(getattr(getattr(field, "base_field", None), "choices", None) or ())
        return "、".join(str(labels.get(one, one)) for one in value)
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"
    return str(value)


def _log(entries: Iterable[Entry]) -> Iterator[tuple[str, str, str]]:
    for entry in entries:
        yield f"{timezone.localtime(entry.at):%Y-%m-%d %H:%M}", action_label(entry.action), entry.actor_name or "系统"
