"""Entering agencies, and cutting a whole agency off."""

from collections.abc import Iterable

from django.db import models, transaction
from django.utils import timezone

from nongma.accounts.granting import level_over, parent_for
from nongma.accounts.models import Agency, Department, User
from nongma.accounts.rollout.figures import recount
from nongma.accounts.services.turns import wait_for_turn
from nongma.audit.services import record
from nongma.lib.once import once
from nongma.lib.refused import Misfilled, Refused
from nongma.regions.models import Region

NAME_LENGTH, REASON_LENGTH = 100, 200
SUSPENSION = ["suspended_at", "suspended_for", "suspended_level"]


@transaction.atomic
def create_agency(
    *,
    name: str,
    region: Region,
    kind: Agency.Kind,
    actor: User | None,
    department: Department = Department.QUALITY_SAFETY,
) -> Agency:
    """Enter an agency on the region tree; the 监管 agency that hands out its account is found by the rules.

    A new 监管 agency takes over those below it that had to report further up. Refuses `outside_area` (a 监管 agency is
    entered from above, a 监测 or 执法 agency also by the 监管 agency of its level), `agency_exists`, and `name_length`
    (422). `actor` None: the platform itself, at set-up.
    """
    wait_for_turn()
    name = checked_name(name)
    agency = Agency(name=name, region=region, level=region.level, kind=kind, department=department)
    agency.parent = parent_for(region, kind)
    if actor:
        check_may_create(actor, agency)
    _check_free(agency)
    with once(*_exists(agency), field="name"):
        agency.save()
    take_over([agency])
    record("agency.created", actor=actor, target=agency, region_code=region.code, name=name, kind=kind)
    recount(region.code)
    return agency


@transaction.atomic
def change_agency(*, agency: Agency, name: str, department: Department, actor: User) -> Agency:
    """Correct an agency's name or department; place and kind stay, they decide who sees what.

    Refuses `outside_area`, `agency_exists`, and `name_length` (422).
    """
    wait_for_turn()
    agency = Agency.objects.select_for_update(no_key=True).get(pk=agency.pk)
    _check_from_above(actor, agency)
    agency.name, agency.department = checked_name(name), department
    _check_free(agency)
    with once(*_exists(agency), field="name"):
        agency.save(update_fields=["name", "department"])
    record("agency.changed", actor=actor, target=agency, region_code=agency.region_id, name=agency.name)
    return agency


@transaction.atomic
def suspend_agency(*, agency: Agency, reason: str, actor: User) -> Agency:
    """Cut all people of an agency off, from their next request on; posts and history stay.

    Refuses `outside_area` (also the own agency), `already_suspended`, and `reason_missing` (422).
    """
    wait_for_turn()
    agency = Agency.objects.select_for_update(no_key=True).get(pk=agency.pk)
    level = _check_from_above(actor, agency, own=False)
    if agency.suspended_at:
        raise Refused("already_suspended", f"{agency}已经停用")
    agency.suspended_at, agency.suspended_for, agency.suspended_level = timezone.now(), reason_of(reason), level
    agency.save(update_fields=SUSPENSION)
    record("agency.suspended", actor=actor, target=agency, region_code=agency.region_id, reason=agency.suspended_for)
    recount(agency.region_id)
    return agency


@transaction.atomic
def restore_agency(*, agency: Agency, actor: User) -> Agency:
    """Let an agency's people work again; their sessions and tokens of before stay ended.

    Refuses `outside_area`, `not_suspended`, and `suspended_above` (a higher level cut it off).
    """
    wait_for_turn()
    agency = Agency.objects.select_for_update(no_key=True).get(pk=agency.pk)
    level = _check_from_above(actor, agency, own=False)
    if not agency.suspended_at:
        raise Refused("not_suspended", f"{agency}没有停用")
    check_rank(agency.suspended_level, level)
    agency.suspended_at, agency.suspended_for, agency.suspended_level = None, "", None
    agency.save(update_fields=SUSPENSION)
    User.objects.filter(agency=agency).update(epoch=models.F("epoch") + 1)
    record("agency.restored", actor=actor, target=agency, region_code=agency.region_id)
    recount(agency.region_id)
    return agency


def reason_of(text: str) -> str:
    """The reason as it is kept. Raises `reason_missing`."""
    reason = text.strip()
    if not reason or len(reason) > REASON_LENGTH:
        raise Misfilled("reason_missing", f"请写明原因，最多 {REASON_LENGTH} 字", field="reason")
    return reason


def check_rank(suspended: int | None, level: int | None) -> None:
    """Whoever lifts a suspension stands no lower than who ordered it. Raises `suspended_above`."""
    if suspended is not None and (level is None or level > suspended):
        raise Refused("suspended_above", f"这是{Region.Level(suspended).label}级停用的，要由同级或上级恢复")


def _check_from_above(actor: User, agency: Agency, *, own: bool = True) -> int | None:
    """The level from which the actor may decide about an agency. Raises `outside_area`.

    The topmost agency, which nobody is above, decides about itself where `own` allows it.
    """
    level = level_over(actor, agency)
    at_the_top = own and agency.parent_id is None and any(one.pk == agency.pk for one in actor.administers)
    if level is None and not at_the_top:
        raise Refused("outside_area", "这个机构由上级机构管理")
    return level


def _check_free(agency: Agency) -> None:
    same = Agency.objects.filter(region=agency.region_id, kind=agency.kind, name=agency.name).exclude(pk=agency.pk)
    if same.exists():
        raise Refused(*_exists(agency), field="name")


def _exists(agency: Agency) -> tuple[str, str]:
    return "agency_exists", f"{agency.region} 已经有“{agency.name}”"


def check_may_create(actor: User, agency: Agency) -> None:
    """Whether the person may enter an agency whose parent is known. Raises `outside_area`."""
    if not any(one.pk == agency.parent_id or one.oversees(agency) for one in actor.administers):
        raise Refused("outside_area", "这个地方的机构不归您建立", field="region")


def take_over(agencies: Iterable[Agency]) -> None:
    """The agencies below that had to turn to somebody further up turn to the new 监管 ones, the nearest of them."""
    new = [one for one in agencies if one.kind == Agency.Kind.SUPERVISION]
    query = models.Q(pk__in=())
    for agency in new:
        start, stop = agency.span
        beside = models.Q(region=agency.region_id) & ~models.Q(kind=Agency.Kind.SUPERVISION)
        below = models.Q(region_id__gt=start, region_id__lte=stop) | beside
        query |= below & (models.Q(parent__level__lt=agency.level) | models.Q(parent=None))
    found = Agency.objects.filter(query).select_related("parent").order_by("pk") if new else ()
    followers: dict[int, list[int]] = {}
    for one in found:
        nearest = max((agency for agency in new if is_taken_over(one, agency)), key=lambda agency: agency.level)
        followers.setdefault(nearest.pk, []).append(one.pk)
    for parent, pks in followers.items():
        Agency.objects.filter(pk__in=pks).update(parent=parent)


def is_taken_over(agency: Agency, by: Agency) -> bool:
    """Whether an agency that turned to somebody further up, or to nobody, turns to a new 监管 agency."""
    if agency.region_id == by.region_id:
        is_below = agency.kind != Agency.Kind.SUPERVISION
    else:
        is_below = by.span.covers(agency.span)
    return is_below and agency is not by and (agency.parent is None or agency.parent.level < by.level)


def checked_name(text: str) -> str:
    """An agency's name as it is kept. Raises `name_length`."""
    name = " ".join(text.split())
    if not 2 <= len(name) <= NAME_LENGTH:
        raise Misfilled("name_length", f"机构名称要 2 到 {NAME_LENGTH} 字", field="name")
    return name
