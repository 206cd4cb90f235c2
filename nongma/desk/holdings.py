"""What is held about an operator, for its owner to take along (查阅、复制个人信息).

Source: 个人信息保护法, art. 45.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, NamedTuple

from django.db import models, transaction
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.labels import action_label
from nongma.audit.models import Entry
from nongma.audit.services import record
from nongma.certificates.models import Certificate
from nongma.lib.masking import mask_name, mask_phone
from nongma.lib.refused import Refused
from nongma.lib.sheets.writing import mark_of, new_workbook, write_sheet
from nongma.regions.models import Region
from nongma.registry.inputs import INPUTS
from nongma.registry.models import Base, Certification, Operator, Plot, Revision
from nongma.registry.names import public_name
from nongma.registry.review.queries import changes_in_full
from nongma.tracing.models import Lot

WIDTH = 20.0
AT_ONCE = 2_000
LEFT_OUT = {"id", "serial", "quadkey", "payload", "key_id", "import_job", "import_row"}
"""Columns that only the platform makes sense of; keyed hashes and signatures are left out, too."""
IN_WORDS = {"fields", "before_json", "after_json"}
"""Columns that `MORE` tells in words."""
OTHERS_NAMES = {"grid_name", "collector_name"}
OTHERS_PHONES = {"grid_phone", "collector_phone"}
"""Of the grid officer and the collector: told masked, they are other people's."""
HELD = {
    "members": "人员",
    "bases": "基地",
    "certifications": "认证",
    "produce": "产品和规模",
    "licences": "执照照片",
    "revisions": "变更申请",
    "intakes": "批量登记",
    "merged": "并入的主体",
    "expected_as": "应纳入名单",
    "directory_entry": "监管主体目录",
    "corrections": "督促整改",
    "origins": "产地信息",
    "lots": "批次",
    "sales": "卖出",
    "purchases": "买入",
    "certificates": "合格证",
    "claims": "认领",
    "invitations": "人员邀请",
}
"""The records of an operator, by its links to them, and their sheets (a test keeps the list whole)."""


@dataclass(frozen=True)
class Whole:
    """What the cells are told with: whose they are, who its own people are, and its changes in words."""

    operator: Operator
    own: Collection[int]
    changes: dict[int, str]


class Column(NamedTuple):
    """A column of a sheet: its heading, and what it tells of a row."""

    heading: str
    told: Callable[[Any], str]


@transaction.atomic
def holdings_of(*, operator: Operator, actor: User) -> IO[bytes]:
    """A workbook with all that is held about an operator, a sheet for each kind of record; it is on record.

    Of the log it tells who did what and when. Others than its own people are told by the first character of the name
    and their agency. Refuses `not_own_operator` to whoever is no owner of it.
    """
    if not operator.members.owners().filter(user=actor).exists():
        raise Refused("not_own_operator", "只有主体的负责人可以下载")
    record("operator.holdings_taken", actor=actor, target=operator, region_code=operator.region_id)
    mark = mark_of(actor.name, "本人查阅")
    whole = Whole(operator, set(operator.members.values_list("user_id", flat=True)), _changes(operator))
    with new_workbook("全部信息", mark=mark) as (file, book):
        _write(book, "主体", Operator.objects.filter(pk=operator.pk), whole, mark)
        for link in Operator._meta.related_objects:
            rows = link.related_model._default_manager.filter(**{link.field.name: operator})
            _write(book, HELD[str(link.get_accessor_name())], rows.order_by("pk"), whole, mark, besides=link.field.name)
        _write(book, "地块", Plot.objects.filter(base__operator=operator).order_by("base", "pk"), whole, mark)
        write_sheet(book, "操作记录", [("时间", WIDTH), ("操作", WIDTH), ("操作人", WIDTH)], _log(whole), mark=mark)
    return file


def _write(book: Any, title: str, rows: "models.QuerySet[Any]", whole: Whole, mark: str, *, besides: str = "") -> None:
    model = rows.model
    fields = [field for field in model._meta.concrete_fields if _is_told(field) and field.name != besides]
    columns = [Column(heading, told) for heading, told in MORE.get(model, ())]
    columns += [Column(str(field.verbose_name), _teller(field, whole)) for field in fields]
    if model is Revision:
        columns.append(Column("改动的内容", lambda revision: whole.changes[revision.pk]))
    found = rows.select_related(*(path for field in fields if field.is_relation for path in _paths(field)))
    found = found.prefetch_related(*(field.name for field in model._meta.many_to_many))
    headings = [(column.heading, WIDTH) for column in columns]
    write_sheet(book, title, headings, _cells(columns, found.iterator(chunk_size=AT_ONCE)), mark=mark)


def _is_told(field: "models.Field[Any, Any]") -> bool:
    return field.name not in LEFT_OUT | IN_WORDS and not isinstance(field, models.BinaryField)


def _paths(field: "models.Field[Any, Any]") -> list[str]:
    """What a relation's words are made of, read along."""
    return [field.name, f"{field.name}__agency"] if field.related_model is User else [field.name]


def _cells(columns: Sequence[Column], rows: Iterable[models.Model]) -> Iterator[list[str]]:
    for row in rows:
        yield [column.told(row) for column in columns]


def _teller(field: "models.Field[Any, Any]", whole: Whole) -> Callable[[Any], str]:
    """What tells of one field, in words."""
    if field.is_relation:
        return lambda row: _related(getattr(row, field.name), whole)
    return lambda row: _plain(row, field)


def _related(record: Any, whole: Whole) -> str:
    match record:
        case None:
            return ""
        case User():
            return _person(record, whole)
        case Operator():
            return record.name if record == whole.operator else public_name(record)
        case Region():
            return record.full_name
        case Lot() | Certificate():
            return record.code
        case _:
            return str(getattr(record, "name", "") or getattr(record, "title", "") or getattr(record, "uid", ""))


def _person(user: User, whole: Whole) -> str:
    """A person of the operator by name; anybody else masked, with the agency that answers for it."""
    if user.pk in whole.own:
        return user.name
    return mask_name(user.name) + (f"（{user.agency}）" if user.agency else "")


def _plain(row: models.Model, field: "models.Field[Any, Any]") -> str:
    shown = getattr(row, f"get_{field.name}_display", None)
    value = shown() if shown else getattr(row, field.name)
    if value is None or value == "":
        return ""
    if field.name in OTHERS_PHONES:
        return mask_phone(value)
    if field.name in OTHERS_NAMES:
        return mask_name(value)
    match value:
        case bool():
            return "是" if value else "否"
        case datetime():
            return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"
        case list():
            labels = dict(getattr(getattr(field, "base_field", None), "choices", None) or ())
            return "、".join(str(labels.get(one, one)) for one in value)
        case dict() if field.name == "outline":
            return json.dumps(value, separators=(",", ":"))
        case dict():
            return "；".join(f"{INPUTS.get(name, name)}：{told}" for name, told in value.items())
        case models.fields.files.FieldFile():
            return "有" if value else ""
    return str(value)


def _changes(operator: Operator) -> dict[int, str]:
    """What each change that was asked for is about, field by field."""
    return {
        key: "；".join(f"{one.label}：{one.before or '空'} → {one.after or '空'}" for one in differences)
        for key, differences in changes_in_full(operator.revisions.all()).items()
    }


def _log(whole: Whole) -> Iterator[tuple[str, str, str]]:
    entries = Entry.objects.of(whole.operator)
    actors = User.objects.select_related("agency").in_bulk(
        {key for key in entries.order_by().values_list("actor_id", flat=True).distinct() if key}
    )
    names = {key: _person(user, whole) for key, user in actors.items()}
    for entry in entries.order_by("id").iterator(chunk_size=AT_ONCE):
        who = names.get(entry.actor_id or 0) or mask_name(entry.actor_name) or "系统"
        yield f"{timezone.localtime(entry.at):%Y-%m-%d %H:%M}", action_label(entry.action) + _produce_of(entry), who


def _produce_of(entry: Entry) -> str:
    """What was declared before and after: no record but the log holds what stood before."""
    told = entry.details
    return f"：{told['produce_before']} → {told['produce_after']}" if "produce_after" in told else ""


MORE: dict[type[models.Model], list[tuple[str, Callable[[Any], str]]]] = {
    Operator: [("主体码", lambda operator: operator.code)],
    Base: [("基地码", lambda base: base.code)],
    Lot: [("批次码", lambda lot: lot.code), ("状态", lambda lot: str(lot.state.label))],
    Certificate: [
        ("合格证码", lambda certificate: certificate.code),
        ("状态", lambda certificate: str(certificate.state.label)),
    ],
    Certification: [("认证产品", lambda held: "、".join(product.name for product in held.products.all()))],
}
"""What a record tells beside its columns."""
