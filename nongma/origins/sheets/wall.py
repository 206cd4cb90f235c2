"""Wall sheets (挂图作战): a township on A3, its origins by number on the map, and their list."""

import io
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import shapely
from django.utils import timezone

from nongma.accounts.exporting import check_amount
from nongma.accounts.models import User
from nongma.catalogue.models import Unit
from nongma.lib.distances import METRES_PER_DEGREE
from nongma.lib.masking import mask_name
from nongma.lib.refused import Misfilled, Refused
from nongma.lib.typesetting import typeset
from nongma.origins.filters import OriginFilter
from nongma.origins.models import Origin
from nongma.origins.queries import names_on_paths
from nongma.regions.boundaries import shape_of
from nongma.regions.models import Region
from nongma.regions.spans import WIDTHS
from nongma.registry.names import public_name

SOURCE = (Path(__file__).parent / "wall.typ").read_bytes()
MOST = 1_000
"""Records of a sheet: more can't be told apart on A3."""
MOST_NUMBERED = 300
MOST_NAMED = 40
COLOURS = ("#1b7a4b", "#d9480f", "#1864ab", "#9c36b5", "#e8a400", "#0b7285", "#c2255c", "#5c940d", "#495057")
"""Of the products by how many records there are; the last one stands for all others."""
WIDTH, HEIGHT = 255, 238
"""Millimetres of the map, as in wall.typ."""
LETTER, LINE = 3.0, 4.0
"""Millimetres that a letter of a village's name is wide, and its line high."""
MARGIN = 0.06
LEAST_DEGREES = 0.01
SMALLEST, LARGEST = 0.9, 2.6
"""Radius of a dot in millimetres."""
Box = tuple[float, float, float, float]


def wall_sheet(*, filters: OriginFilter, actor: User, mark: str) -> tuple[IO[bytes], int]:
    """The sheet as PDF, and how many records are on it; those without a point are in the list alone.

    Names of people are masked: it hangs on a wall. Refuses `region_missing` (no place, or one above the county),
    `too_many_rows` past `MOST`, and `nothing_found`.
    """
    region = filters.region
    if region is None or region.level < Region.Level.COUNTY:
        raise Misfilled("region_missing", "请先选一个县或乡镇，再做挂图", field="region")
    found = filters.visible_to(actor)
    check_amount(found, "产地信息", MOST)
    related = found.select_related("operator", "product").defer("operator__phone", "operator__id_number")
    origins = list(related.order_by("region_id", "id"))
    located = [one for one in origins if one.quadkey is not None]
    if not located:
        raise Refused("nothing_found", "筛选出的记录都还没有点位，没有做挂图")
    page = typeset(SOURCE, _sheet(region, filters, origins, located, mark), pdf_tags=False)
    return io.BytesIO(page), len(origins)


def _sheet(
    region: Region, filters: OriginFilter, origins: Sequence[Origin], located: Sequence[Origin], mark: str
) -> dict[str, Any]:
    frame = _Frame([(float(one.longitude or 0), float(one.latitude or 0)) for one in located])
    names = names_on_paths(one.region_id for one in origins)
    products = [name for name, _ in Counter(one.product.name for one in origins).most_common()]
    colour = {name: min(place, len(COLOURS) - 1) for place, name in enumerate(products)}
    largest = max(one.scale for one in located)
    villages: dict[str, list[Origin]] = defaultdict(list)
    for one in origins:
        villages[names.get(one.region_id, "没有写村")].append(one)
    numbers = {one.pk: number for number, one in enumerate(origins, start=1)}
    return {
        "title": f"{region.full_name}重点农产品产地分布图",
        "subtitle": f"{len(origins)} 处，{timezone.localdate():%Y-%m-%d}；{filters.describe()}",
        "mark": mark,
        "note": _note(origins, located),
        "colours": COLOURS,
        "numbered": len(located) <= MOST_NUMBERED,
        "borders": _borders(region, frame),
        "meridians": frame.lines(0),
        "parallels": frame.lines(1),
        "scale": frame.scale(),
        "villages": _labels(villages, frame),
        "places": [
            {"name": name, "count": len(those)}
            for name, those in sorted(villages.items(), key=lambda item: -len(item[1]))[:MOST_NAMED]
        ],
        "legend": [_legend(name, colour[name], origins) for name in products],
        "origins": [
            {
                "number": numbers[one.pk],
                "at": frame.at(float(one.longitude or 0), float(one.latitude or 0))
                if one.quadkey is not None
                else None,
                "size": round(SMALLEST + (LARGEST - SMALLEST) * math.sqrt(one.scale / largest), 2),
                "colour": colour[one.product.name],
                "operator": public_name(one.operator),
                "product": one.product.name,
                "village": names.get(one.region_id, ""),
                "scale": f"{one.scale.normalize():f} {one.get_unit_display()}",
                "season": f"{one.on_sale_on:%Y-%m} 至 {one.off_sale_on:%Y-%m}" if one.on_sale_on else "",
                "methods": one.method_names,
                "grid": mask_name(one.grid_name),
                "state": one.get_state_display(),
                "point": one.point or "待定位",
            }
            for one in origins
        ],
    }


def _note(origins: Sequence[Origin], located: Sequence[Origin]) -> str:
    told = []
    if len(located) > MOST_NUMBERED:
        told.append(f"超过 {MOST_NUMBERED} 处，图上没有写编号；选一个乡镇再做，就有编号。")
    if len(located) < len(origins):
        told.append("没有点位的只在名单里。")
    return "".join(told)


def _labels(villages: dict[str, list[Origin]], frame: "_Frame") -> list[dict[str, Any]]:
    """The villages' names amid their origins, the largest first; one that would cover another's is left out."""
    placed: list[tuple[float, float, float]] = []
    labels = []
    for name, those in sorted(villages.items(), key=lambda item: -len(item[1])):
        located = [one for one in those if one.quadkey is not None]
        if not located:
            continue
        at = frame.middle(located)
        x, y, half = at[0] * WIDTH, at[1] * HEIGHT, len(name) * LETTER / 2
        if any(abs(x - ox) < half + other and abs(y - oy) < LINE for ox, oy, other in placed):
            continue
        placed.append((x, y, half))
        labels.append({"name": name, "at": at})
    return labels


def _legend(name: str, colour: int, origins: Sequence[Origin]) -> dict[str, Any]:
    those = [one for one in origins if one.product.name == name]
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in those:
        sums[one.unit] += one.scale
    scale = "、".join(f"{total.normalize():f} {Unit(unit).label}" for unit, total in sums.items())
    return {"name": name, "colour": colour, "count": len(those), "scale": scale}


def _borders(region: Region, frame: "_Frame") -> list[dict[str, Any]]:
    """The county's outline as far as it shows; townships have no border on file."""
    shape = shape_of(region.code - region.code % WIDTHS[3])
    if shape is None:
        return []
    seen = shapely.clip_by_rect(shape, *frame.wide)
    return [
        {"own": True, "points": [frame.at(x, y) for x, y in part.exterior.coords]}
        for part in shapely.get_parts(seen)
        if isinstance(part, shapely.Polygon)
    ]


class _Frame:
    """The part of the earth that the map shows, and where on it a place lies, each from 0 to 1 from the upper left."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        longitudes, latitudes = [x for x, _ in points], [y for _, y in points]
        x, y = (min(longitudes) + max(longitudes)) / 2, (min(latitudes) + max(latitudes)) / 2
        self.squeeze = math.cos(math.radians(y))
        wide = max(max(longitudes) - min(longitudes), LEAST_DEGREES) * self.squeeze / WIDTH
        high = max(max(latitudes) - min(latitudes), LEAST_DEGREES) / HEIGHT
        step = max(wide, high) * (1 + 2 * MARGIN)  # degrees of latitude in a millimetre
        self.west, self.east = x - step * WIDTH / 2 / self.squeeze, x + step * WIDTH / 2 / self.squeeze
        self.south, self.north = y - step * HEIGHT / 2, y + step * HEIGHT / 2

    @property
    def wide(self) -> Box:
        """The frame with a rim, so that a border that is cut off shows no edge."""
        rim = self.north - self.south
        return self.west - rim, self.south - rim, self.east + rim, self.north + rim

    def at(self, longitude: float, latitude: float) -> tuple[float, float]:
        return (
            round((longitude - self.west) / (self.east - self.west), 5),
            round((self.north - latitude) / (self.north - self.south), 5),
        )

    def middle(self, origins: Sequence[Origin]) -> tuple[float, float]:
        return self.at(
            sum(float(one.longitude or 0) for one in origins) / len(origins),
            sum(float(one.latitude or 0) for one in origins) / len(origins),
        )

    def lines(self, axis: int) -> list[dict[str, Any]]:
        """The meridians (0) or parallels (1) at round degrees, four or so of them."""
        low, high = ((self.west, self.east), (self.south, self.north))[axis]
        step = _round((high - low) / 4)
        places = max(0, math.ceil(-math.log10(step)))
        degrees = [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
        return [
            {
                "at": self.at(degree, self.south)[0] if axis == 0 else self.at(self.west, degree)[1],
                "label": f"{degree:.{places}f}°{'EN'[axis]}",
            }
            for degree in degrees
        ]

    def scale(self) -> dict[str, Any]:
        """A round length of about a fifth of the map."""
        metres = (self.north - self.south) * METRES_PER_DEGREE / HEIGHT * WIDTH
        length = _round(metres / 5)
        told = f"{length / 1000:g} 公里" if length >= 1000 else f"{length:g} 米"
        return {"share": length / metres, "label": told}


def _round(value: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is no larger."""
    power = 10.0 ** math.floor(math.log10(value))
    return max(digit * power for digit in (1, 2, 5) if digit * power <= value)
