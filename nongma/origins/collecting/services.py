"""Collecting origins one by one (逐条采集): a new one, an update of one on file, a new season with last time's values.

    a form ──▶ draft (model OriginDraft) ──▶ submitted, or to_locate where the point is still to be found
    a record ──update or carry over──▶ a new record, submitted; the old one is superseded at once, as by an import

Source: 农质安（溯）函〔2023〕72号, 五(一), 五(四) and 附件1.
"""

import calendar
from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.services import record, told
from nongma.catalogue.models import Product
from nongma.codes.services import subjects_changed
from nongma.lib.fields import digest_of
from nongma.lib.ids import uuid7
from nongma.lib.refused import Refused
from nongma.origins.collecting.entries import Entry, JudgedEntry, check, entry_of, judged
from nongma.origins.doubts import marks
from nongma.origins.due.services import origins_saved
from nongma.origins.importing.identity import fingerprint_of, identity_of
from nongma.origins.importing.saving import base_of, operator_of
from nongma.origins.models import AnswerCount, Due, Origin, OriginDraft, OriginPhoto
from nongma.origins.reviewing.answers import count_answers
from nongma.origins.reviewing.changes import changes_between
from nongma.origins.services.cells import mark_dirty
from nongma.origins.services.locate import OPEN_FIELDS
from nongma.origins.services.placing import TYPED, Fix, as_judged, save_once
from nongma.origins.services.rights import check_may_collect
from nongma.registry.bulk import enrol_bases, find_operators, hold_counties, key_of
from nongma.registry.models import COUNTY_WIDTH, Base, Operator
from nongma.registry.services import register_operator

State = Origin.State
CONTENT = (
    "base", "alias", "certifications", "longitude", "latitude", "contact", "phone", "scale", "unit", "on_sale_on",
    "off_sale_on", "planted_on", "methods", "trace_methods", "credit", "grid_name", "grid_phone", "collector_name",
    "collector_phone",
)  # fmt: skip
"""What an update may say otherwise."""


class AlreadyCollected(Refused):
    """The same was sent in before: `origin` is what came of it."""

    def __init__(self, origin: Origin) -> None:
        super().__init__("already_collected", "这条信息已经提交过了")
        self.origin = origin


class ChangedMeanwhile(Refused):
    """Somebody else was first; `latest` is the record as it stands now."""

    def __init__(self, message: str, latest: Origin) -> None:
        super().__init__("changed_meanwhile", message)
        self.latest = latest


@transaction.atomic
def collect_origin(
    *, entry: Entry, actor: User, fix: Fix = TYPED, uid: UUID | None = None, locate_later: bool = False
) -> Origin:
    """Put one origin on file; it waits for review, or (`locate_later`) for the visit that finds its point.

    `uid`: the draft's, which is removed and whose photos go along. Refuses what is wrong in itself (422) with the
    import's codes, what `check_may_collect` does, `base_elsewhere`, `same_place` (a current record of the same
    operator, product and season stands there), `already_collected`, and what `register_operator` does for an operator
    that is registered in passing.
    """
    _check_anew(uid, actor)
    check_may_collect(actor=actor, operator=entry.operator, region_code=entry.region.pk)
    one = judged(entry, actor)
    check(one)
    if one.one.quadkey is None and not locate_later:
        raise Refused("no_point", "请先定位；人不在地里的，点“先不定位”，以后到现场补", field="longitude")
    hold_counties({entry.region.pk // COUNTY_WIDTH})
    _check_anew(uid, actor)
    _check_new(one, actor)
    operator = _operator(one, actor)
    base = _base(one, operator)
    origin = _origin(one, operator, base, fix, actor)
    origin.uid = uid or origin.uid
    save_once(origin)
    _finish_draft(uid, actor, origin)
    record("origin.collected", actor=actor, target=origin, region_code=origin.region_id, point=origin.point)
    _follow(origin)
    return origin


@transaction.atomic
def update_origin(
    *, origin: Origin, entry: Entry, actor: User, fix: Fix | None = None, seen: str = "", uid: UUID | None = None
) -> Origin:
    """Put what has changed on file as a new record, which waits for review and supersedes the old one at once.

    Operator, product and village stay: with others it is another record. `seen`: the `version_of` that the person saw;
    `fix` None: the point is as it was found. Refuses `changed_meanwhile` (the record was updated or corrected by
    somebody else), `nothing_changed`, `no_point`, and what `collect_origin` does.
    """
    _check_anew(uid, actor)
    hold_counties({origin.region_id // COUNTY_WIDTH})
    held = _held(origin, actor)
    if seen and seen != version_of(held):
        raise ChangedMeanwhile("您打开页面以后，这条记录改过了。请核对现在的内容，再提交一次", held)
    entry = replace(entry, operator=held.operator, region=held.region, product=held.product.name)
    one = judged(entry, actor)
    check(one)
    if one.one.quadkey is None:
        raise Refused("no_point", "请先定位", field="longitude")
    return _take_over(held, one, fix, actor, action="origin.updated", uid=uid)


@transaction.atomic
def carry_over(*, origin: Origin, actor: User, season_from: date | None = None) -> Origin:
    """A crop's new season (新一茬) with last time's values: a record that waits for review and supersedes the last one.

    Dates of the season are those of the last one a year on (29 February: 28), or as many years as the first season
    takes that is not over: nobody tells of one that was left out. `season_from` is when the new one is planted, and
    what follows the planting keeps its distance from it. Refuses `not_a_crop`, `not_settled` (the last record still
    waits for its point or its correction), `not_open_yet` (without `season_from`, before the calendar asks for it),
    `changed_meanwhile`, and what `check_may_collect` does.
    """
    hold_counties({origin.region_id // COUNTY_WIDTH})
    held = _held(origin, actor)
    if not held.is_crop:
        raise Refused("not_a_crop", "畜产品、水产品不分茬，没有变化的点“确认无变化”")
    if held.state not in (State.APPROVED, State.SUBMITTED):
        raise Refused("not_settled", f"上一次的记录{held.get_state_display()}，请先办完")
    if season_from is None:
        _check_is_open(held)
    years = _years_on(held)
    again = replace(
        entry_of(held),
        planted=_text(season_from or _moved(held.planted_on, held.planted_on, None, years)),
        on_sale=_text(_moved(held.on_sale_on, held.planted_on, season_from, years)),
        off_sale=_text(_moved(held.off_sale_on, held.planted_on, season_from, years)),
    )
    one = judged(again, actor)
    check(one)
    return _take_over(held, one, None, actor, action="origin.carried_over")


def version_of(origin: Origin) -> str:
    """What tells whether the content of a record has changed since a page showed it; a decision on it is no change."""
    parts = (bytes(origin.identity).hex(), bytes(origin.fingerprint).hex(), origin.planted_on, origin.base_id)
    return digest_of("\x1f".join(map(str, parts))).hex()


def latest_of(origin: Origin) -> Origin:
    """The current record of what an older one was about."""
    latest = origin
    while following := Origin.objects.select_related("base", "product").filter(supersedes=latest).first():
        latest = following
    return latest


# Before writing


def _check_anew(uid: UUID | None, actor: User) -> None:
    """Refuse what has come in already: a page sent twice."""
    known = Origin.objects.filter(uid=uid).first() if uid else None
    if known and known.collected_by_id == actor.pk:
        raise AlreadyCollected(known)
    if known:
        raise Refused("draft_gone", "这张表不是您的，请重新打开采集页面")


def _check_new(one: JudgedEntry, actor: User) -> None:
    known = Origin.objects.current().filter(identity=identity_of(one.one)).first()
    if known and bytes(known.fingerprint) == fingerprint_of(one.one) and known.collected_by_id == actor.pk:
        raise AlreadyCollected(known)


def _held(origin: Origin, actor: User) -> Origin:
    """The record under its lock, if it is current and the actor may collect there."""
    related = Origin.objects.select_for_update(of=("self",)).select_related("operator", "product", "base", "region")
    held = related.get(pk=origin.pk)
    check_may_collect(actor=actor, operator=held.operator, region_code=held.region_id)
    if held.state == State.SUPERSEDED:
        latest = latest_of(held)
        changes = "；".join(f"{one.label} {one.before} → {one.after}" for one in changes_between(held, latest)[:4])
        at = timezone.localtime(latest.created_at)
        raise ChangedMeanwhile(
            f"{latest.collected_by.name}已于 {at:%Y-%m-%d %H:%M} 更新这条记录"
            f"（{changes or '内容没有变化'}），请核对后再提交",
            latest,
        )
    return held


# Writing


def _take_over(
    held: Origin, one: JudgedEntry, fix: Fix | None, actor: User, *, action: str, uid: UUID | None = None
) -> Origin:
    """Write the new record in the place of the old one, in one go."""
    has_moved = (one.one.longitude, one.one.latitude) != (held.longitude, held.latitude)
    if (
        not has_moved
        and fingerprint_of(one.one) == fingerprint_of(as_judged(held))
        and one.planted_on == held.planted_on
        and (one.entry.base is None or one.entry.base.pk == held.base_id)
    ):
        raise Refused("nothing_changed", "和现在的记录一样，没有要更新的内容")
    entry_base = one.entry.base or (None if has_moved else held.base)
    base = _base(JudgedEntry(replace(one.entry, base=entry_base), one.one, one.planted_on), held.operator)
    fresh = _origin(one, held.operator, base, fix or TYPED, actor)
    fresh.uid = uid or fresh.uid
    fresh.supersedes = held
    if not has_moved:
        # The point is as it was found then; where the phone was now says nothing about it.
        for name in ("located_with", "accuracy_m", "device_longitude", "device_latitude"):
            setattr(fresh, name, getattr(held, name))
    if one.one.line.scale == str(held.scale) and not one.one.line.scale_typed:
        fresh.scale_typed = held.scale_typed
    before = held.quadkey, held.region_id
    if held.state == State.RETURNED:
        count_answers(AnswerCount.Kind.CORRECT, [(actor.pk, held.region_id, held.due_on)])
    held.state = State.SUPERSEDED
    held.save(update_fields=["state", "updated_at"])
    save_once(fresh)
    _finish_draft(uid, actor, fresh)
    fields = [name for name in CONTENT if getattr(held, name) != getattr(fresh, name)]
    record(
        action,
        actor=actor,
        target=fresh,
        region_code=fresh.region_id,
        fields=fields,
        changes={
            name: [told(getattr(held, name)), told(getattr(fresh, name))] for name in fields if name in OPEN_FIELDS
        },
    )
    record("origin.superseded", actor=actor, target=held, region_code=held.region_id, by=str(fresh.uid))
    _follow(fresh, held, before)
    return fresh


def _operator(one: JudgedEntry, actor: User) -> Operator:
    """Whoever grows it: chosen, known in the county by name and phone, or registered in passing."""
    if one.entry.operator:
        return one.entry.operator
    fresh = operator_of(one.one)
    known = find_operators([key_of(fresh.region_code, fresh.name, fresh.phone)])
    for found in known.values():
        operator = Operator.objects.get(pk=found.id)
        check_may_collect(actor=actor, operator=operator, region_code=one.entry.region.pk)
        return operator
    return register_operator(
        kinds=fresh.kinds,
        name=fresh.name,
        region=one.entry.region,
        contact=fresh.contact,
        phone=fresh.phone,
        address=fresh.address,
        industries=fresh.industries,
        actor=actor,
    )


def _base(one: JudgedEntry, operator: Operator) -> Base:
    """The base: chosen (several records of one base are its plots), the one that stands at the point, or a new one."""
    chosen = one.entry.base
    if chosen is None:
        fresh = base_of(one.one, operator.pk)
        (number,) = enrol_bases([replace(fresh, name=one.entry.base_name or fresh.name)])
        return Base.objects.get(pk=number)
    base = Base.objects.select_for_update().get(pk=chosen.pk)
    if base.operator_id != operator.pk or base.region_id != one.entry.region.pk:
        raise Refused("base_elsewhere", "这个基地不在所选的村，或者不是这个主体的，请重新选择", field="base")
    if base.closed_on is not None:
        raise Refused("base_closed", "这个基地已经停用，请选别的基地", field="base")
    if base.quadkey is None and one.one.quadkey is not None:
        there = Base.objects.in_use().filter(operator=operator, region=base.region_id, quadkey=one.one.quadkey).first()
        if there:
            return there
        base.longitude, base.latitude, base.quadkey = one.one.longitude, one.one.latitude, one.one.quadkey
        base.save(update_fields=["longitude", "latitude", "quadkey"])
    return base


def _origin(one: JudgedEntry, operator: Operator, base: Base, fix: Fix, actor: User) -> Origin:
    """The record, not saved yet."""
    line = one.one.line
    origin = Origin(
        uid=uuid7(),
        operator=operator,
        base=base,
        product=Product.objects.get(pk=one.one.product_id),
        region=one.entry.region,
        alias=line.alias or "",
        certifications=line.certifications or [],
        longitude=one.one.longitude,
        latitude=one.one.latitude,
        quadkey=one.one.quadkey,
        contact=line.contact or "",
        phone=line.phone or "",
        scale=Decimal(line.scale or 0),
        scale_typed=line.scale_typed or "",
        unit=line.unit or "",
        on_sale_on=line.on_sale and date.fromisoformat(line.on_sale),
        off_sale_on=line.off_sale and date.fromisoformat(line.off_sale),
        planted_on=one.planted_on,
        methods=line.methods or [],
        trace_methods=line.traces or [],
        credit=line.credit or "",
        grid_name=line.grid_name or "",
        grid_phone=line.grid_phone or "",
        collector_name=line.collector or "",
        collector_phone=line.collector_phone or "",
        state=State.SUBMITTED if one.one.quadkey is not None else State.TO_LOCATE,
        identity=identity_of(one.one),
        fingerprint=fingerprint_of(one.one),
        collected_by=actor,
    )
    if one.one.quadkey is not None:
        fix.put(origin)
    return origin


def _finish_draft(uid: UUID | None, actor: User, origin: Origin) -> None:
    """The draft is done with; its photos are the record's now."""
    draft = OriginDraft.objects.select_for_update().filter(uid=uid, user=actor).first() if uid else None
    if draft:
        OriginPhoto.objects.filter(draft=draft).update(origin=origin, draft=None)
        draft.delete()


def _follow(origin: Origin, old: Origin | None = None, before: tuple[int | None, int] | None = None) -> None:
    """What goes with every record that is written here: the map, the public pages, the doubts, the calendar."""
    places = [(origin.quadkey, origin.region_id)] + ([before] if before else [])
    mark_dirty(places)
    bases = {origin.base.uid} | ({old.base.uid} if old else set())
    subjects_changed({*bases, origin.operator.uid})
    written = [origin.pk] + ([old.pk] if old else [])
    marks.mark(written)
    origins_saved(written)


def is_open(origin: Origin) -> bool:
    """Whether the calendar asks for the next season, or has nothing to ask."""
    waiting = _next_due(origin)
    return waiting is None or waiting.is_waiting


def _next_due(origin: Origin) -> Due | None:
    return Due.objects.open().filter(origin=origin).first()


def _check_is_open(origin: Origin) -> None:
    waiting = _next_due(origin)
    if waiting and not waiting.is_waiting:
        raise Refused("not_open_yet", f"这一茬已经采集过，新一茬 {waiting.opens_on} 起采集；提前种了的，点“更新”填日期")


def _years_on(origin: Origin) -> int:
    """How many years on the first season is that is not over."""
    last = origin.off_sale_on or origin.on_sale_on or origin.planted_on
    today = timezone.localdate()
    return max(1, today.year - last.year + (year_on(last, today.year - last.year) < today)) if last else 1


def _moved(day: date | None, planted: date | None, season_from: date | None, years: int) -> date | None:
    """A day of the last season in the new one."""
    if day is None:
        return None
    if season_from and planted:
        return season_from + (day - planted)
    return year_on(day, years)


def _text(day: date | None) -> str:
    return day.isoformat() if day else ""


def year_on(day: date, years: int = 1) -> date:
    """The same day so many years later; for 29 February the 28th, where there is none."""
    last = calendar.monthrange(day.year + years, day.month)[1]
    return date(day.year + years, day.month, min(day.day, last))
