"""Bases and plots as GeoJSON, for a map program."""

from collections.abc import Iterable
from typing import Any

from nongma.registry.models import Base, Plot


def bases_geojson(bases: Iterable[Base], mark: str) -> dict[str, Any]:
    """A collection with a feature for each base and each of its plots (`base.plots` prefetched); WGS84, no address.

    `mark` tells who took it out, when and what for.
    """
    features = []
    for base in bases:
        features.append(_feature(base, base.outline or _point(base), {"kind": "base", **_facts(base)}))
        for plot in base.plots.all():
            product = plot.product.name if plot.product else ""
            told = {"kind": "plot", "base": base.code, "name": plot.name, "product": product}
            features.append(_feature(plot, plot.outline, told))
    return {"type": "FeatureCollection", "mark": mark, "features": features}


def _feature(land: Base | Plot, geometry: Any, told: dict[str, Any]) -> dict[str, Any]:
    areas = {
        "area_mu": None if land.area_mu is None else float(land.area_mu),
        "outline_mu": None if land.outline_mu is None else float(land.outline_mu),
    }
    return {"type": "Feature", "id": str(land.uid), "geometry": geometry, "properties": told | areas}


def _facts(base: Base) -> dict[str, Any]:
    return {
        "code": base.code,
        "operator": base.operator.code,
        "name": base.name,
        "region": f"{base.region_id:012d}",
        "place": base.region.full_name,
        "varieties": base.varieties,
    }


def _point(base: Base) -> dict[str, Any] | None:
    if base.longitude is None or base.latitude is None:
        return None
    return {"type": "Point", "coordinates": [float(base.longitude), float(base.latitude)]}
