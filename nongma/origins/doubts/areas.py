"""Loading a layer of waters or built-up areas from plain GeoJSON (面状数据)."""

import hashlib
import json
from datetime import date
from pathlib import Path

import shapely
from django.db import transaction
from django.utils import timezone
from shapely.errors import ShapelyError
from shapely.geometry import shape

from nongma.lib.refused import Refused
from nongma.origins.models import Area, AreaLayer

MOST_AREAS = 200_000
"""All lakes of a province as maps of 1:50,000 draw them are fewer."""


@transaction.atomic
def load_areas(*, file: Path, kind: AreaLayer.Kind, source: str, licence: str, dated_on: date) -> AreaLayer:
    """Put a layer in the place of the one of its kind. WGS84/CGCS2000 degrees, polygons only.

    Refuses `not_geojson`, `no_polygons`, `too_many_areas`, `source_missing`. Records are looked at with it as they
    change; those on file stay as they were judged.
    """
    if not source.strip() or not licence.strip():
        raise Refused("source_missing", "请写明数据来源（--source）和许可（--licence）")
    content = file.read_bytes()
    try:
        features = json.loads(content)["features"]
        named = [
            (str((one.get("properties") or {}).get("name") or "")[:100], shape(one["geometry"])) for one in features
        ]
    except (ValueError, KeyError, TypeError, AttributeError, ShapelyError) as error:
        raise Refused("not_geojson", f"{file.name} 不是能读的 GeoJSON（FeatureCollection）") from error
    areas = [(name, shapely.make_valid(one)) for name, one in named if one.geom_type in {"Polygon", "MultiPolygon"}]
    if not areas:
        raise Refused("no_polygons", f"{file.name} 里没有多边形")
    if len(areas) > MOST_AREAS:
        raise Refused("too_many_areas", f"最多 {MOST_AREAS:,} 个面，这里有 {len(areas):,} 个")
    AreaLayer.objects.filter(kind=kind).delete()
    layer = AreaLayer.objects.create(
        kind=kind,
        source=source.strip()[:200],
        licence=licence.strip()[:100],
        dated_on=dated_on,
        digest=hashlib.sha256(content).digest(),
        loaded_at=timezone.now(),
    )
    Area.objects.bulk_create(
        (Area(layer=layer, name=name, shape=shapely.to_wkb(one)) for name, one in areas), batch_size=1_000
    )
    return layer
