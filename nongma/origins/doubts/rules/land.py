"""Points on water and in built-up areas, as far as a layer of them is loaded (点位在水面上、在城区里)."""

import functools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import shapely

from nongma.catalogue.models import Industry
from nongma.lib.distances import METRES_PER_DEGREE, told_metres
from nongma.origins.doubts.batch import Batch, Found, Kind
from nongma.origins.doubts.limits import AREA_INSIDE_METRES
from nongma.origins.models import Area, AreaLayer

WATER, URBAN = AreaLayer.Kind.WATER, AreaLayer.Kind.URBAN
KINDS = {WATER: (Kind.WATER, "水面"), URBAN: (Kind.URBAN, "城区")}


def on_water_or_in_town(batch: Batch) -> Iterator[Found]:
    """Points well inside an area of a layer. Fish lives in water, so nobody doubts it there."""
    if not batch.located:
        return
    for layer in AreaLayer.objects.all():
        kind, label = KINDS[AreaLayer.Kind(layer.kind)]
        shapes, tree = _areas(layer.pk, bytes(layer.digest))
        points = np.asarray(shapely.points(batch.longitudes, batch.latitudes), dtype=object)
        inputs, hits = tree.query(points, predicate="within")
        for place, hit in zip(inputs.tolist(), hits.tolist(), strict=True):
            row = batch.located[place]
            if layer.kind == WATER and row.industry == Industry.FISHERY:
                continue
            narrow = METRES_PER_DEGREE * float(np.cos(np.radians(row.point[1])))
            inside = float(shapely.distance(shapely.boundary(shapes[hit]), points[place])) * narrow
            if inside > AREA_INSIDE_METRES:
                text = f"点位在{label}里，离边上约 {told_metres(inside)}；按{layer.source}（{layer.dated_on}）判断"
                yield Found(row.id, kind, text[:300], row.spot)


@functools.lru_cache(4)
def _areas(layer: int, digest: bytes) -> tuple[npt.NDArray[np.object_], shapely.STRtree]:
    """The areas of a layer, read once; another file has another digest."""
    shapes = np.asarray(
        shapely.from_wkb([bytes(one) for one in Area.objects.filter(layer=layer).values_list("shape", flat=True)]),
        dtype=object,
    )
    return shapes, shapely.STRtree(shapes)
