"""The records that are looked at together, as the rules see them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from django.db import connection

from nongma.lib.distances import Degrees
from nongma.origins.models import Doubt
from nongma.regions.spans import WIDTHS

Kind = Doubt.Kind
COUNTY_WIDTH, TOWN_WIDTH = WIDTHS[3], WIDTHS[4]


class Found(NamedTuple):
    """A doubt that a rule raises. `figure` is what it rests on: with the same one, what was settled stays settled."""

    origin: int
    kind: Doubt.Kind
    text: str
    figure: str
    other: int | None = None


class Row(NamedTuple):
    """What rules ask of a record."""

    id: int
    operator: int
    base: int
    product: int
    region: int
    longitude: Decimal | None
    latitude: Decimal | None
    quadkey: int | None
    scale: Decimal
    unit: str
    on_sale_on: date | None
    off_sale_on: date | None
    planted_on: date | None
    accuracy_m: Decimal | None
    device_longitude: Decimal | None
    device_latitude: Decimal | None
    collector: int
    created_at: datetime
    job: int | None
    job_row: int | None
    before: int | None
    state: str
    product_name: str
    industry: str
    phone_index: bytes | None

    @property
    def town(self) -> int:
        return self.region - self.region % TOWN_WIDTH

    @property
    def county(self) -> int:
        return self.region - self.region % COUNTY_WIDTH

    @property
    def point(self) -> Degrees:
        return float(self.longitude or 0), float(self.latitude or 0)

    @property
    def spot(self) -> str:
        """The point as it was written: what a doubt about the point rests on."""
        return f"{self.longitude},{self.latitude}"

    @property
    def device(self) -> Degrees | None:
        if self.device_longitude is None or self.device_latitude is None:
            return None
        return float(self.device_longitude), float(self.device_latitude)


READ = """
    SELECT o.id, o.operator_id, o.base_id, o.product_id, o.region_id, o.longitude, o.latitude, o.quadkey, o.scale,
        o.unit, o.on_sale_on, o.off_sale_on, o.planted_on, o.accuracy_m, o.device_longitude, o.device_latitude,
        o.collected_by_id, o.created_at, o.import_job_id, o.import_row, o.supersedes_id, o.state, p.name, p.industry,
        w.phone_index
    FROM unnest(%s::bigint[]) AS wanted(id)
    JOIN origins_origin AS o USING (id)
    JOIN catalogue_product AS p ON p.id = o.product_id
    JOIN registry_operator AS w ON w.id = o.operator_id
    WHERE o.state <> 'superseded'
    ORDER BY o.id
"""


@dataclass(frozen=True)
class Batch:
    """Current records, by their ids."""

    rows: list[Row]

    @cached_property
    def located(self) -> list[Row]:
        """Those with a point."""
        return [row for row in self.rows if row.quadkey is not None]

    @cached_property
    def quadkeys(self) -> npt.NDArray[np.int64]:
        return np.array([row.quadkey for row in self.located], np.int64)

    @cached_property
    def longitudes(self) -> npt.NDArray[np.float64]:
        return np.array([row.longitude for row in self.located], np.float64)

    @cached_property
    def latitudes(self) -> npt.NDArray[np.float64]:
        return np.array([row.latitude for row in self.located], np.float64)


def read_batch(ids: list[int]) -> Batch:
    """The current ones of the records; those that a later one has taken the place of are left out."""
    with connection.cursor() as cursor:
        cursor.execute(READ, [ids])
        return Batch(
            [Row._make((*values, bytes(phone) if phone is not None else None)) for *values, phone in cursor.fetchall()]
        )
