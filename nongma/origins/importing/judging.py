"""What a line of 附件1 means here: its division, its product, its place on the map, and whether they fit."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Industry, Product
from nongma.lib.quadkeys import quadkeys
from nongma.origins.importing.lines import Fault, Line
from nongma.regions.boundaries import TOLERANCE_METRES, outside_counties
from nongma.regions.names import Gazetteer
from nongma.regions.spans import Span, above, span_of

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
        self._gazetteer = Gazetteer()
        self._spans: Sequence[Span] = scope_of(user, Action.COLLECT_ORIGINS).spans
        self._products: dict[str, Product] = {}
        products = list(Product.objects.order_by("code"))
        for product in products:
            for alias in product.aliases:
                self._products.setdefault(alias, product)
        self._products |= {product.name: product for product in products}
        self._names = [product.name for product in products]

    def judge(self, lines: Sequence[Line]) -> list[JudgedLine]:
        """The lines in their order, judged; one query for all counties that come up for the first time."""
        judged = [JudgedLine(line, [Fault(*fault) for fault in line.faults]) for line in lines]
        written = [
            (line.province or "", line.city or "", line.county, line.town, line.village)
            for line in lines
            if line.county and line.town and line.village is not None
        ]
        self._gazetteer.prepare(written)
        for one in judged:
            self._judge_place(one)
            self._judge_product(one)
        self._judge_points(judged)
        return judged

    def _judge_place(self, one: JudgedLine) -> None:
        line = one.line
        if line.province is None or line.city is None or line.county is None:
            return
        found = self._gazetteer.resolve(line.province, line.city, line.county, line.town or "", line.village or "")
        if found.fault and not any(fault.field == found.field for fault in one.faults):
            one.faults.append(Fault(found.field, found.fault, found.message, getattr(line, found.field) or ""))
        if found.code and not found.fault:
            one.region_code, one.region_name = found.code, found.full_name
        elif county := self._gazetteer.county(line.province, line.city, line.county):
            # The town is at fault; the county is known, so that the area and the point can still be judged.
            one.region_code, one.region_name = county.code, county.full_name
        else:
            return
        if not any(one.region_code in span for span in self._spans):
            self._judge_area(one)

    def _judge_area(self, one: JudgedLine) -> None:
        """The division lies outside every area of the person; a county with a wrong town may still hold the area."""
        county = span_of(above(one.region_code, 3))
        overlaps = any(county.covers(span) for span in self._spans)
        if overlaps and one.region_code == county.start:
            return
        field = "town" if overlaps else "county"
        message = f"{one.region_name}不在您的管辖范围内，不能导入"
        one.faults.append(Fault(field, "outside-area", message, getattr(one.line, field) or ""))

    def _judge_product(self, one: JudgedLine) -> None:
        line = one.line
        if line.product is None:
            return
        product = self._products.get(line.product) or self._products.get("".join(line.product.split()))
        if product is None:
            near = difflib.get_close_matches(line.product, self._names, 2, 0.5)
            hint = f"，是不是{'、'.join(f'“{name}”' for name in near)}？" if near else "，请填 NY/T 3177 的产品名称"
            one.faults.append(Fault("product", "unknown-product", f"没有“{line.product}”这种产品{hint}", line.product))
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
        outside = outside_counties([one.region_code for one in located], longitudes, latitudes)
        keys = quadkeys(longitudes, latitudes)
        for one, metres, key in zip(located, outside.tolist(), keys.tolist(), strict=True):
            one.quadkey = key
            if metres > TOLERANCE_METRES:
                one.faults.append(
                    Fault(
                        "point",
                        "outside-county",
                        f"点位不在所填的县（市、区）内，差 {metres / 1000:,.1f} 公里，请核对地址或重新定位",
                        f"{one.longitude},{one.latitude}",
                    )
                )
