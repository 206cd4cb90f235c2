"""What a person types about one origin, judged as a row of 附件1 is: the import's rules, in another dress.

Words stand in it as in a sheet's cells (露地、设施; 种植业; 亩). What the platform knows already may be left out: the
name, type, contact and phone of an operator on file, the grid officer whom the village's last record names, the
collector who is signed in.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Industry
from nongma.catalogue.naming import ProductNames
from nongma.lib.refused import Misfilled
from nongma.lib.sheets.cleaning import BadValue
from nongma.lib.sheets.faults import Fault
from nongma.origins.importing import cells
from nongma.origins.importing.judging import NEEDS_VISIT, Judge, JudgedLine
from nongma.origins.importing.lines import FIELDS, line_of
from nongma.origins.models import Origin
from nongma.origins.services.placing import as_judged, kind_of
from nongma.regions.models import Region
from nongma.regions.queries import path_of
from nongma.registry.models import Base, Operator, OperatorKind

PLACES = {1: "province", 2: "city", 3: "county", 4: "town", 5: "village"}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An origin as it was typed; `region` is the village, `operator` and `base` those on file, if they are."""

    region: Region
    product: str
    scale: str
    unit: str
    trace: str
    operator: Operator | None = None
    base: Base | None = None
    base_name: str = ""
    name: str = ""
    kind: str = ""
    contact: str = ""
    phone: str = ""
    alias: str = ""
    certification: str = ""
    longitude: str = ""
    latitude: str = ""
    on_sale: str = ""
    off_sale: str = ""
    planted: str = ""
    method: str = ""
    credit: str = ""
    grid_name: str = ""
    grid_phone: str = ""
    collector: str = ""
    collector_phone: str = ""


@dataclass(frozen=True)
class JudgedEntry:
    """An entry with what its words stand for, and when it was planted."""

    entry: Entry
    one: JudgedLine
    planted_on: datetime.date | None

    @property
    def faults(self) -> list[Fault]:
        """What is wrong with it, besides that it has no point yet."""
        return [fault for fault in self.one.faults if fault.code != NEEDS_VISIT]


def judged(entry: Entry, actor: User) -> JudgedEntry:
    """The entry judged; all that is wrong with it is told (`faults`), by the fields of `FIELDS` and `planted`."""
    known = filled(entry, actor)
    product = ProductNames().find(entry.product, entry.region.pk)
    industry = Industry(product.industry).label if product else ""
    places = {PLACES[region.level]: region.name for region in path_of(entry.region.pk)}
    values: dict[str, Any] = {
        **dict.fromkeys(("county", "town", "village"), entry.region.name),
        **places,
        **{name: getattr(known, name) for name in FIELDS if hasattr(known, name)},
        "industry": industry,
    }
    line = line_of(0, [values.get(name) for name in FIELDS])
    if product is None:
        # What no product follows from is asked for once the product is known.
        line = line._replace(faults=[fault for fault in line.faults if fault[0] not in {"industry", "unit"}])
    one = Judge(actor).judge_placed(line, entry.region)
    if entry.region.level != Region.Level.VILLAGE:
        one.faults.append(Fault("village", "missing", "请选到村（社区）"))
    elif not actor.is_operator and entry.region.pk not in scope_of(actor, Action.COLLECT_ORIGINS):
        one.faults.append(Fault("village", "outside-area", f"{entry.region.full_name}不在您的管辖范围内"))
    planted_on = _planted(entry, one) if product and product.industry == Industry.PLANTING else None
    return JudgedEntry(entry, one, planted_on)


def check(one: JudgedEntry) -> None:
    """Refuse an entry with a fault, by the first of them (422)."""
    for fault in one.faults:
        raise Misfilled(fault.code, fault.message, field=fault.field)


def filled(entry: Entry, actor: User) -> Entry:
    """The entry with what the platform knows in the place of what was left out."""
    told: dict[str, str] = {}
    if entry.operator:
        told |= {
            "name": entry.operator.name,
            "kind": OperatorKind(kind_of(entry.operator)).label,
            "contact": entry.contact or entry.operator.contact,
            "phone": entry.phone or entry.operator.phone,
        }
    if not (entry.grid_name and entry.grid_phone) and (last := last_of_village(entry.region, actor)):
        told |= {
            "grid_name": entry.grid_name or last.grid_name,
            "grid_phone": entry.grid_phone or (last.grid_phone if not entry.grid_name else ""),
        }
    told |= {
        "collector": entry.collector or actor.name,
        "collector_phone": entry.collector_phone or ("" if entry.collector else actor.phone),
    }
    return Entry(**vars(entry) | told)


def last_of_village(region: Region, user: User) -> Origin | None:
    """The newest record of a village that the user may see: its grid officer is the next one's, too."""
    return Origin.objects.visible_to(user).current().filter(region_id=region.pk).order_by("-id").first()


def entry_of(origin: Origin) -> Entry:
    """What would have to be typed for a record that is on file, with the personal data in full."""
    words = cells_of(origin)
    return Entry(region=origin.region, operator=origin.operator, base=origin.base, **words)


def cells_of(origin: Origin) -> dict[str, str]:
    """A record's values as the words of a form."""
    line = as_judged(origin).line
    return {
        "product": origin.product.name,
        "alias": origin.alias,
        "certification": words(Origin.Certification, origin.certifications),
        "longitude": str(origin.longitude) if origin.quadkey is not None else "",
        "latitude": str(origin.latitude) if origin.quadkey is not None else "",
        "contact": origin.contact,
        "phone": origin.phone,
        "scale": str(origin.scale),
        "unit": cells.UNIT_LABELS.get(origin.unit, origin.get_unit_display()),
        "on_sale": line.on_sale or "",
        "off_sale": line.off_sale or "",
        "planted": origin.planted_on.isoformat() if origin.planted_on else "",
        "method": words(Origin.Method, origin.methods),
        "trace": words(Origin.TraceMethod, origin.trace_methods),
        "credit": origin.credit,
        "grid_name": origin.grid_name,
        "grid_phone": origin.grid_phone,
        "collector": origin.collector_name,
        "collector_phone": origin.collector_phone,
    }


def words(choices: type[models.TextChoices], codes: Iterable[str]) -> str:
    """Choices as a cell has them: 露地、设施."""
    return "、".join(str(choices(code).label) for code in codes)


def _planted(entry: Entry, one: JudgedLine) -> datetime.date | None:
    """移栽定植时间; not after the season is over."""
    if not entry.planted.strip():
        return None
    try:
        found = cells.day(entry.planted, "移栽定植时间")
    except BadValue as bad:
        one.faults.append(Fault("planted", bad.code, bad.message))
        return None
    if one.line.off_sale and found.isoformat() > one.line.off_sale:
        one.faults.append(Fault("planted", "planted-after-off", "移栽定植时间比下市时间晚，请核对"))
    return found
