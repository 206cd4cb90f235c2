"""Reading origins: the table that stays fast on millions, and what hangs on one record."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from django.core.paginator import Page
from django.db import connection
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.shortcuts import get_object_or_404

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.lib.pages import MOST_LISTED, CappedPaginator
from nongma.lib.sorting import Sorting
from nongma.origins.filters import OriginFilter
from nongma.origins.models import Doubt, Origin, OriginQuerySet
from nongma.regions.boundaries import shape_of
from nongma.regions.models import Region
from nongma.regions.spans import ancestors_of
from nongma.regions.wording import is_filler

BATCH = 2_000
PERSONAL = ("phone", "grid_phone", "collector_phone")
CHINA = (73.4, 17.5, 135.2, 53.7)
COLUMNS = {
    "region": ("region_id", "id"),
    "status": ("state", "region_id", "id"),
    "scale": ("scale", "id"),
    "name": ("operator__name", "id"),
    "product": ("product__code", "region_id", "id"),
    "on_sale": ("on_sale_on", "id"),
    "updated": ("updated_at", "id"),
}
OPEN_DOUBTS = Subquery(
    Doubt.objects.open()
    .filter(origin=OuterRef("pk"))
    .order_by()
    .values("origin")
    .annotate(number=Count("pk"))
    .values("number")
)
"""How many doubts stand open; None where none does."""
IN_INDEX_ORDER = ("region", "status", "scale")

Bounds = tuple[float, float, float, float]


class OriginPaginator(CappedPaginator):
    """Reads the keys of a page first, mostly from an index alone, then the rows of these keys with their names.

    By region, state and scale the order is an index's. Any other order is over the first `MOST_LISTED` found, so
    that no page ever sorts more than that.
    """

    def __init__(self, found: OriginQuerySet, sorting: Sorting) -> None:
        super().__init__(found, found)
        self.sorting = sorting

    def page(self, number: int | str) -> Page[Origin]:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        stop = min(start + self.per_page, self.count)
        keys = self._keys(start, stop)
        rows = with_names(Origin.objects.all()).annotate(open_doubts=OPEN_DOUBTS).in_bulk(keys)
        return Page([rows[key] for key in keys if key in rows], number, self)

    def _keys(self, start: int, stop: int) -> list[int]:
        if self.sorting.chosen.removeprefix("-") in IN_INDEX_ORDER:
            return list(self.found.order_by(*self.sorting.fields).values_list("pk", flat=True)[start:stop])
        columns = [field.removeprefix("-") for field in self.sorting.fields]
        first = self.found.order_by("region_id", "id").values_list("pk", *columns)[:MOST_LISTED]
        sql, params = first.query.sql_with_params()
        order = ", ".join(
            f"{place} DESC" if field.startswith("-") else str(place)
            for place, field in enumerate(self.sorting.fields, start=2)
        )
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT * FROM ({sql}) AS first ORDER BY {order} OFFSET %s LIMIT %s",  # noqa: S608 (places, no names)
                [*params, start, stop - start],
            )
            return [row[0] for row in cursor.fetchall()]


def origin_page(filters: OriginFilter, user: User, sorting: Sorting, number: Any) -> Page[Origin]:
    """A page of the records that are meant and that the user may see."""
    return OriginPaginator(filters.visible_to(user), sorting).get_page(number)


def with_names(origins: QuerySet[Origin]) -> QuerySet[Origin]:
    """With operator, product and division; without the personal data, which a list has no need to decrypt."""
    related = origins.select_related("operator", "product", "region", "reviewed_by")
    return related.defer(*PERSONAL, "operator__phone", "operator__id_number")


def origin_of(uid: UUID, user: User) -> Origin:
    """The record, if the user may see it; else 404."""
    related = Origin.objects.visible_to(user).select_related(
        "operator", "base", "product", "region", "reviewed_by", "collected_by", "import_job",
        "supersedes__operator", "supersedes__product", "supersedes__region",
    )  # fmt: skip
    return get_object_or_404(related, uid=uid)


def next_waiting(origin: Origin, user: User) -> Origin | None:
    """The record that a reviewer comes to after this one, in the order of the queue."""
    area = scope_of(user, Action.REVIEW_ORIGINS).query("region_id")
    waiting = Origin.objects.filter(area, state=Origin.State.SUBMITTED)
    ordered = waiting.order_by("region_id", "id").only("uid")
    return (
        ordered.filter(region_id=origin.region_id, pk__gt=origin.pk).first()
        or ordered.filter(region_id__gt=origin.region_id).first()
        or ordered.exclude(pk=origin.pk).first()
    )


def in_batches(origins: QuerySet[Origin]) -> Iterator[tuple[list[Origin], dict[int, str]]]:
    """All records in their order, a batch at a time, each with the names of the divisions on their paths."""
    rows = origins.iterator(chunk_size=BATCH)
    while batch := list(islice(rows, BATCH)):
        yield batch, names_on_paths(origin.region_id for origin in batch)


def names_on_paths(codes: Iterable[int]) -> dict[int, str]:
    """The short names of the divisions and of all those above them, by code, without levels that don't exist."""
    wanted = {above for code in set(codes) for above in (*ancestors_of(code), code)}
    named = Region.objects.filter(pk__in=wanted).values_list("code", "name")
    return {code: name for code, name in named if not is_filler(name)}


def county_bounds(region_code: int) -> str:
    """West, south, east and north of the county of a division, as a map's element takes them; empty when unknown."""
    shape = shape_of(region_code - region_code % 10**6)
    return ",".join(f"{edge:.5f}" for edge in shape.bounds) if shape is not None else ""


def bounds_of(filters: OriginFilter, user: User) -> Bounds:
    """West, south, east and north of what a map should show at first: the place asked for, or the user's own."""
    spans = scope_of(user).spans
    code = filters.region.code if filters.region else spans[0].start if len(spans) == 1 else 0
    if not code and user.is_operator:
        return _around(Origin.objects.visible_to(user).exclude(quadkey=None)[:200])
    shape = shape_of(code - code % 10**6) if code else None
    if shape is None:
        return CHINA
    west, south, east, north = shape.bounds
    return west, south, east, north


def _around(origins: QuerySet[Origin]) -> Bounds:
    points = [(float(x or 0), float(y or 0)) for x, y in origins.values_list("longitude", "latitude")]
    if not points:
        return CHINA
    longitudes, latitudes = [x for x, _ in points], [y for _, y in points]
    return min(longitudes) - 0.02, min(latitudes) - 0.02, max(longitudes) + 0.02, max(latitudes) + 0.02
