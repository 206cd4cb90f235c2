"""Registering operators and bases, deciding on them, and looking at personal data: every write of this room."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import Action, scope_of
from nongma.accounts.granting import has_area
from nongma.accounts.models import User
from nongma.accounts.queries import place_of, places_of
from nongma.accounts.services import place_operator_person
from nongma.audit.services import record, told
from nongma.catalogue.models import Industry
from nongma.codes.models import CodeRange
from nongma.codes.services import assign, subject_changed
from nongma.lib import phones
from nongma.lib.fields import blind_index
from nongma.lib.ids import uuid7
from nongma.lib.once import once
from nongma.lib.quadkeys import quadkey
from nongma.lib.refused import Misfilled, Refused
from nongma.regions.boundaries import inside_county
from nongma.regions.models import Region
from nongma.registry import identity
from nongma.registry.models import COUNTY_WIDTH, Base, Operator, OperatorKind, OperatorMember
from nongma.registry.queries import OperatorFilter

Point = tuple[Decimal, Decimal]
Status = Operator.Status
POINT_PLACES = Decimal("0.000001")
CHINA = (Decimal("73"), Decimal("3"), Decimal("136"), Decimal("54"))
MOST_EXPORTED = 50_000
OWN_FIELDS = {"contact", "phone", "phone_index", "address"}
OPEN_FIELDS = {"kinds", "industries", "region", "uscc"}
"""What the audit log tells in full when it changes; of the rest, which tells of a person, only that it did."""
TEXTS = {"name": ("名称", 100), "contact": ("联系人", 60), "address": ("地址", 200)}


class Decision(StrEnum):
    """What a reviewer decides on an operator (审核)."""

    APPROVE = "approve"
    RETURN = "return"


@dataclass(frozen=True)
class Contact:
    """An operator's personal data in full; ID number and addresses masked unless `is_whole`."""

    contact: str
    phone: str
    id_number: str
    address: str
    is_whole: bool


@transaction.atomic
def register_operator(
    *,
    kinds: Sequence[str],
    name: str,
    region: Region,
    actor: User,
    uscc: str | None = None,
    id_number: str = "",
    phone: str = "",
    contact: str = "",
    address: str = "",
    point: Point | None = None,
    industries: Sequence[str] = (),
) -> Operator:
    """Put an operator on file with its 主体码: approved at once when a reviewer registers it, else waiting for one.

    A person who registers for themselves becomes its 负责人. Agencies register inside their own area only. Refuses
    `outside_area`, `already_registered`, `member_already`, and what is wrong with an input: `kind_missing`,
    `text_missing`, `text_too_long`, `region_too_wide`, `uscc_invalid`, `id_invalid`, `phone_invalid`, `point_invalid`.
    """
    for_self = actor.is_operator
    if for_self:
        # Two registrations at once by one person wait for each other.
        User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if for_self and OperatorMember.objects.filter(user=actor).exists():
        raise Refused("member_already", "您已经是一个主体的人员，不能再登记主体")
    if not for_self:
        _check_area(region.pk, actor)
    values = _checked(
        kinds=kinds,
        name=name,
        region=region,
        uscc=uscc,
        id_number=id_number,
        phone=phone,
        contact=contact,
        address=address,
        point=point,
        industries=industries,
    )
    _check_unregistered(values)
    decided = not for_self and region.pk in scope_of(actor, Action.REVIEW_OPERATORS)
    review: dict[str, Any] = {"reviewed_by": actor, "reviewed_at": timezone.now()} if decided else {}
    uid = uuid7()
    codes = assign(kind=CodeRange.Kind.OPERATOR, subject=uid)
    with once("already_registered", "这个主体刚刚由别人登记了"):
        operator = Operator.objects.create(
            uid=uid,
            serial=codes.start,
            status=Status.APPROVED if decided else Status.SUBMITTED,
            created_by=actor,
            **values,
            **review,
        )
    if for_self:
        OperatorMember.objects.create(operator=operator, user=actor, role=OperatorMember.Role.OWNER)
    record("operator.registered", actor=actor, target=operator, region_code=region.pk, status=operator.status)
    return operator


@transaction.atomic
def change_operator(*, operator: Operator, actor: User, **changes: Any) -> Operator:
    """Correct what is on file of an operator; takes the inputs of `register_operator`, those left out stay.

    The operator's own people send a returned operator to review again by this; of an approved one they change contact,
    phone and address only (`approved_fixed`). Agencies change what lies in their area (`outside_area`).
    """
    operator = Operator.objects.select_for_update().get(pk=operator.pk)
    own = actor.is_operator
    if own and not operator.members.filter(user=actor, role=OperatorMember.Role.OWNER).exists():
        raise Refused("not_own_operator", "只有主体的负责人可以修改")
    if not own:
        _check_area(operator.region_id, actor)
    inputs = _inputs_of(operator) | changes
    if not own:
        _check_area(inputs["region"].pk, actor)
    values = _checked(**inputs)
    before = {field: getattr(operator, field) for field in values}
    changed = sorted(field for field, value in values.items() if _plain(before[field]) != _plain(value))
    if own and operator.status not in (Status.SUBMITTED, Status.RETURNED) and not OWN_FIELDS.issuperset(changed):
        raise Refused("approved_fixed", "审核通过后只能改联系人、手机和地址，其他信息请联系县级管理部门修改")
    if not changed and operator.status != Status.RETURNED:
        return operator
    _check_unregistered(values, apart_from=operator)
    for field, value in values.items():
        setattr(operator, field, value)
    if own and operator.status == Status.RETURNED:
        operator.status = Status.SUBMITTED
    with once("already_registered", "这个主体刚刚由别人登记了"):
        operator.save()
    named = [field for field in changed if field not in {"phone_index", "id_index"}]
    record(
        "operator.changed",
        actor=actor,
        target=operator,
        region_code=operator.region_id,
        fields=named,
        changes={field: [told(before[field]), told(values[field])] for field in named if field in OPEN_FIELDS},
    )
    subject_changed(operator.uid)
    return operator


@transaction.atomic
def review_operator(*, operator: Operator, decision: Decision, actor: User, reason: str = "") -> Operator:
    """Approve an operator or return it with a reason (主体审核).

    Refuses `already_decided` to the second of two reviewers, `outside_area`, `reason_missing`, `text_too_long`.
    An imported operator (待认领) may be approved as it is; only a submitted one can be returned.
    """
    operator = Operator.objects.select_for_update().get(pk=operator.pk)
    _check_area(operator.region_id, actor, Action.REVIEW_OPERATORS)
    open_for = {Status.SUBMITTED, Status.IMPORTED} if decision is Decision.APPROVE else {Status.SUBMITTED}
    if operator.status not in open_for:
        by = f"，审核人：{operator.reviewed_by}" if operator.reviewed_by else ""
        raise Refused("already_decided", f"该主体现在是“{operator.get_status_display()}”{by}，不用再审核")
    reason = reason.strip()
    if decision is Decision.RETURN and not reason:
        raise Misfilled("reason_missing", "请写明退回原因，主体照着改", field="reason")
    if len(reason) > 200:
        raise Misfilled("text_too_long", "原因最多 200 个字", field="reason")
    operator.status = Status.APPROVED if decision is Decision.APPROVE else Status.RETURNED
    operator.reviewed_by = actor
    operator.reviewed_at = timezone.now()
    operator.review_note = reason
    operator.save(update_fields=["status", "reviewed_by", "reviewed_at", "review_note"])
    details = {"reason": reason} if reason else {}
    done = "approved" if decision is Decision.APPROVE else "returned"
    record(f"operator.{done}", actor=actor, target=operator, region_code=operator.region_id, **details)
    subject_changed(operator.uid)
    return operator


@transaction.atomic
def add_base(
    *,
    operator: Operator,
    name: str,
    region: Region,
    actor: User,
    point: Point | None = None,
    area_mu: Decimal | None = None,
    address: str = "",
) -> Base:
    """Put a base of an operator on file with its 基地码.

    Refuses `outside_area`, `not_own_operator`, `outside_county`, `already_registered` (a base of this operator is
    there), `area_invalid` and what is wrong with a text, region or point.
    """
    Operator.objects.select_for_update().get(pk=operator.pk)
    _check_may_change(operator, region, actor)
    name, address = _text("name", name, required=True), _text("address", address)
    _check_region(region)
    if area_mu is not None and not 0 < area_mu < Decimal("1e10"):
        raise Misfilled("area_invalid", "面积要大于 0", field="area_mu")
    place = _place(point)
    if point and not inside_county(region.pk, float(point[0]), float(point[1])):
        raise Refused("outside_county", "这个位置不在所选的县（区）里，请检查经纬度", field="point")
    key = quadkey(float(point[0]), float(point[1])) if point else None
    same = operator.bases.filter(region=region, quadkey=key)
    if (same if point else same.filter(name=name)).exists():
        raise Refused("already_registered", "该主体在这里已经登记了基地", field="point" if point else "name")
    uid = uuid7()
    codes = assign(kind=CodeRange.Kind.BASE, subject=uid)
    base = Base.objects.create(
        uid=uid,
        serial=codes.start,
        operator=operator,
        name=name,
        region=region,
        address=address,
        area_mu=area_mu,
        quadkey=key,
        **place,
    )
    record("base.registered", actor=actor, target=base, region_code=region.pk, operator=str(operator.uid))
    return base


@transaction.atomic
def reveal_contact(*, operator: Operator, actor: User) -> Contact:
    """Show how to reach an operator in full; the look is audited (查看联系方式).

    ID number and addresses come along where a post allows those too: who collects needs to call, no more. Refuses
    `not_allowed` where none of the actor's posts allows it.
    """
    if operator.region_id not in scope_of(actor, Action.REVEAL_PERSONAL):
        raise Refused("not_allowed", "您在这个地方的职务不能看完整的联系方式")
    record("operator.revealed", actor=actor, target=operator, region_code=operator.region_id)
    is_whole = operator.region_id in scope_of(actor, Action.REVEAL_IDENTITY)
    return Contact(
        operator.contact,
        operator.phone,
        operator.id_number if is_whole else operator.masked_id_number,
        operator.address if is_whole else operator.shown_address,
        is_whole,
    )


@transaction.atomic
def export_operators(*, wanted: OperatorFilter, actor: User) -> Iterator[Operator]:
    """The operators meant by a filter as far as the actor may see them, for a workbook; the export is audited.

    Refuses `too_many_rows` past `MOST_EXPORTED`, `nothing_found`.
    """
    found = wanted.apply(Operator.objects.visible_to(actor)).order_by("region_id", "id")
    count = found.order_by()[: MOST_EXPORTED + 1].count()
    if count > MOST_EXPORTED:
        raise Refused("too_many_rows", f"一次最多导出 {MOST_EXPORTED:,} 条，请先缩小范围")
    if not count:
        raise Refused("nothing_found", "没有符合条件的主体可以导出")
    record(
        "operator.exported",
        actor=actor,
        target=actor,
        region_code=place_of(actor),
        rows=count,
        kind=wanted.kind,
        status=wanted.status,
        region=wanted.region.start,
    )
    return found.iterator(chunk_size=2_000)


@transaction.atomic
def add_member(
    *, operator: Operator, user: User, actor: User | None, role: OperatorMember.Role = OperatorMember.Role.STAFF
) -> OperatorMember:
    """Let a person act for an operator (主体人员); whoever does already keeps the role. `actor` None: the platform.

    Refuses `outside_area`, `operator_role` (who holds a post acts for no operator) and `inactive`.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if actor and not has_area(actor, operator.region_id):
        raise Refused("outside_area", "这个地方的账号不归您管理")
    if not user.is_active:
        raise Refused("inactive", "这个账号已停用", field="user")
    if user.agency_id or (not user.is_operator and places_of(user)):
        raise Refused("operator_role", "机构人员不能是主体人员", field="user")
    member, added = OperatorMember.objects.get_or_create(operator=operator, user=user, defaults={"role": role})
    if added:
        if not user.is_operator:
            user.is_operator = True
            user.save(update_fields=["is_operator"])
        place_operator_person(user, operator.region_id)
        record("operator.member_added", actor=actor, target=operator, region_code=operator.region_id, role=role.value)
    return member


def _check_area(code: int, actor: User, action: Action = Action.REGISTER_OPERATOR) -> None:
    if code not in scope_of(actor, action):
        raise Refused("outside_area", "不在您的管辖范围内", field="region")


def _check_may_change(operator: Operator, region: Region, actor: User) -> None:
    if actor.is_operator:
        if not operator.members.filter(user=actor, role=OperatorMember.Role.OWNER).exists():
            raise Refused("not_own_operator", "只能登记本主体的基地")
        return
    _check_area(operator.region_id, actor)
    _check_area(region.pk, actor)


def _checked(
    *,
    kinds: Sequence[str],
    name: str,
    region: Region,
    uscc: str | None,
    id_number: str,
    phone: str,
    contact: str,
    address: str,
    point: Point | None,
    industries: Sequence[str],
) -> dict[str, Any]:
    """The columns of an operator from what a person typed, or a refusal that names the input."""
    if not kinds:
        raise Misfilled("kind_missing", "请至少选一种主体类型", field="kinds")
    _check_region(region)
    uscc = identity.tidy(uscc or "")
    if uscc and (fault := identity.uscc_fault(uscc)):
        raise Misfilled("uscc_invalid", fault, field="uscc")
    id_number = identity.tidy(id_number)
    if id_number and (fault := identity.id_fault(id_number)):
        raise Misfilled("id_invalid", fault, field="id_number")
    phone = phones.tidy(phone)
    if phone and not phones.is_mobile(phone):
        raise Misfilled("phone_invalid", "手机号要 11 位数字，以 13–19 开头", field="phone")
    return {
        "kinds": _distinct(OperatorKind(kind).value for kind in kinds),
        "name": _text("name", name, required=True),
        "region": region,
        "uscc": uscc or None,
        "id_number": id_number,
        "id_index": blind_index(id_number) if id_number else None,
        "contact": _text("contact", contact),
        "phone": phone,
        "phone_index": blind_index(phone) if phone else None,
        "address": _text("address", address),
        "industries": _distinct(Industry(industry).value for industry in industries),
        **_place(point),
    }


def _inputs_of(operator: Operator) -> dict[str, Any]:
    longitude, latitude = operator.longitude, operator.latitude
    return {
        "kinds": operator.kinds,
        "name": operator.name,
        "region": operator.region,
        "uscc": operator.uscc,
        "id_number": operator.id_number,
        "phone": operator.phone,
        "contact": operator.contact,
        "address": operator.address,
        "point": (longitude, latitude) if longitude is not None and latitude is not None else None,
        "industries": operator.industries,
    }


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _text(field: str, value: str, *, required: bool = False) -> str:
    label, longest = TEXTS[field]
    value = " ".join(value.split())
    if required and not value:
        raise Misfilled("text_missing", f"请填写{label}", field=field)
    if len(value) > longest:
        raise Misfilled("text_too_long", f"{label}最多 {longest} 个字", field=field)
    return value


def _check_region(region: Region) -> None:
    if region.level < Region.Level.COUNTY:
        raise Misfilled("region_too_wide", "行政区划至少要选到县（区）", field="region")


def _place(point: Point | None) -> dict[str, Decimal | None]:
    if point is None:
        return {"longitude": None, "latitude": None}
    west, south, east, north = CHINA
    if not (all(part.is_finite() for part in point) and west <= point[0] <= east and south <= point[1] <= north):
        raise Misfilled("point_invalid", "经纬度不在中国境内，请检查有没有填反", field="point")
    return {"longitude": point[0].quantize(POINT_PLACES), "latitude": point[1].quantize(POINT_PLACES)}


def _check_unregistered(values: dict[str, Any], apart_from: Operator | None = None) -> None:
    """Refuse what is on file: by 统一社会信用代码, by 身份证号, or by name and phone in the same county."""
    others = Operator.objects.exclude(pk=apart_from.pk) if apart_from else Operator.objects.all()
    if values["uscc"] and others.filter(uscc=values["uscc"]).exists():
        raise Refused("already_registered", "这个统一社会信用代码已经登记过主体", field="uscc")
    if values["id_index"] and others.filter(id_index=values["id_index"]).exists():
        raise Refused("already_registered", "这个身份证号已经登记过主体", field="id_number")
    if values["phone_index"]:
        county = values["region"].pk // COUNTY_WIDTH * COUNTY_WIDTH
        same = others.filter(phone_index=values["phone_index"], name=values["name"])
        if same.filter(region_id__gte=county, region_id__lt=county + COUNTY_WIDTH).exists():
            raise Refused("already_registered", "本县已经有同名、同手机号的主体", field="name")
