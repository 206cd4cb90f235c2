"""Build data/areas/water.geojson from the shape file of Natural Earth's lakes (ne_10m_lakes.shp).

    python scripts/build_areas.py ne_10m_lakes.shp

Keeps the lakes and reservoirs that touch a county's polygon, each vertex as the source has it, to five decimals (1 m).
The file format: ESRI Shapefile Technical Description, 1998, type 5 (polygon).
"""

import json
import os
import struct
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import shapely

DECIMALS = 5
POLYGON = 5


def read_polygons(content: bytes) -> Iterator[Any]:
    """The polygons of a shape file; rings that run clockwise are outer ones."""
    place = 100
    while place < len(content):
        (words,) = struct.unpack_from(">i", content, place + 4)
        place += 8
        (kind,) = struct.unpack_from("<i", content, place)
        if kind == POLYGON:
            parts, count = struct.unpack_from("<2i", content, place + 36)
            starts = [*struct.unpack_from(f"<{parts}i", content, place + 44), count]
            corners = np.frombuffer(content, "<f8", 2 * count, place + 44 + 4 * parts).reshape(-1, 2)
            rings = [shapely.linearrings(corners[one:end]) for one, end in pairwise(starts)]
            outer = [shapely.Polygon(ring) for ring in rings if not shapely.is_ccw(ring)]
            holes = [shapely.Polygon(ring) for ring in rings if shapely.is_ccw(ring)]
            yield shapely.difference(shapely.union_all(outer), shapely.union_all(holes))
        place += 2 * words


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from nongma.regions.boundaries import county_at, shape_of

    country = shapely.union_all([shape_of(code * 10**10) for code in range(11, 66) if shape_of(code * 10**10)])
    shapely.prepare(country)
    features = []
    for lake in read_polygons(Path(sys.argv[1]).read_bytes()):
        if lake.is_empty or not shapely.intersects(country, lake):
            continue
        rounded = shapely.set_precision(lake, 10**-DECIMALS)
        geometry = json.loads(shapely.to_geojson(shapely.orient_polygons(rounded)))
        middle = rounded.representative_point()
        county = county_at(middle.x, middle.y) or 0
        features.append({"type": "Feature", "properties": {"county": county}, "geometry": geometry})
    features.sort(key=lambda feature: feature["properties"]["county"])
    collection = {"type": "FeatureCollection", "features": features}
    target = Path(__file__).resolve().parent.parent / "data" / "areas" / "water.geojson"
    target.write_text(json.dumps(collection, separators=(",", ":")) + "\n")
    print(f"{len(features)} areas, {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
