"""What a line of 附件1 means here: its division, its product, its place on the map, and whether they fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Industry
from nongma.catalogue.naming import ProductNames
from nongma.lib.quadkeys import quadkeys
from nongma.lib.sheets.faults import Fault
from nongma.origins.importing.lines import Line
from nongma.regions.models import Region
from nongma.regions.placing import OUTSIDE_AREA, Placer, far_points

NEEDS_VISIT = "needs-visit"
FOLLOWS_INDUSTRY = frozenset(("unit", "on_sale", "off_sale", "method"))


@dataclass(slots=True)
class JudgedLine:
    """A line with everything that is wrong with it, and what its words stand for as far as they could be followed."""

    line: Line
    faults: list[Fault]
    region_code: int = 0
    region_name: str = ""
    product_id: int = 0
    longitude: Decimal | None = None
    latitude: Decimal | None = None
    quadkey: int | None = None

    @property
    def is_rejected(self) -> bool:
        return any(fault.code != NEEDS_VISIT for fault in self.faults)


class Judge:
    """Judges lines for one person: reads the products and the person's area once, divisions as they come up."""

    def __init__(self, user: User) -> None:
        self.scope = scope_of(user, Action.COLLECT_ORIGINS)
        self._placer = Placer(self.scope.spans)
        self._products = ProductNames()

    def judge(self, lines: Sequence[Line]) -> list[JudgedLine]:
        """The lines in their order, judged; one query for all counties that come up for the first time."""
        judged = [JudgedLine(line, [Fault(*fault) for fault in line.faults]) for line in lines]
        written = [
            (line.province or "", line.city or "", line.county, line.town, line.village)
            for line in lines
            if line.county and line.town and line.village is not None
        ]
        self._placer.prepare(written)
        for one in judged:
            self._judge_place(one)
            self._judge_product(one)
        self._judge_points(judged)
        return judged

    def judge_placed(self, line: Line, region: Region) -> JudgedLine:
        """A line whose division was chosen and not written; whose area that is has been looked at."""
        one = JudgedLine(line, [Fault(*fault) for fault in line.faults], region.pk, region.full_name)
        self._judge_product(one)
        self._judge_points([one])
        return one

    def _judge_place(self, one: JudgedLine) -> None:
        line = one.line
        if line.province is None or line.city is None or line.county is None:
            return
        placed = self._placer.place((line.province, line.city, line.county, line.town or "", line.village or ""))
        told = {fault.field for fault in one.faults}
        one.faults += [
            Fault(*wrong, getattr(line, wrong.field) or "")
            for wrong in placed.faults
            if wrong.code == OUTSIDE_AREA or wrong.field not in told
        ]
        one.region_code, one.region_name = placed.code, placed.name

    def _judge_product(self, one: JudgedLine) -> None:
        line = one.line
        if line.product is None:
            return
        product = self._products.find(line.product, one.region_code)
        if product is None:
            message = self._products.unknown(line.product, one.region_code)
            one.faults.append(Fault("product", "unknown-product", message, line.product))
            return
        one.product_id = product.pk
        if line.industry is not None and product.industry != line.industry:
            one.faults = [fault for fault in one.faults if fault.field not in FOLLOWS_INDUSTRY]
            label = Industry(product.industry).label
            one.faults.append(
                Fault(
                    "industry", "product-not-of-industry", f"{product.name}属于{label}", Industry(line.industry).label
                )
            )

    def _judge_points(self, judged: Sequence[JudgedLine]) -> None:
        located = []
        for one in judged:
            if one.line.longitude is not None and one.line.latitude is not None:
                one.longitude, one.latitude = Decimal(one.line.longitude), Decimal(one.line.latitude)
                located.append(one)
            elif not one.faults:
                one.faults.append(Fault("point", NEEDS_VISIT, "没有点位经纬度，已存为待定位，请到现场采集"))
        if not located:
            return
        longitudes = np.array([one.longitude for one in located], np.float64)
        latitudes = np.array([one.latitude for one in located], np.float64)
        far = far_points([one.region_code for one in located], longitudes, latitudes)
        keys = quadkeys(longitudes, latitudes)
        for one, message, key in zip(located, far, keys.tolist(), strict=True):
            one.quadkey = key
            if message:
                one.faults.append(Fault("point", "outside-county", message, f"{one.longitude},{one.latitude}"))
