"""Reading who is missed."""

from collections.abc import Iterator
from typing import IO, Any

from django.core.paginator import Page
from django.db.models import Count, F, QuerySet
from django.db.models.functions import Mod

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.lib.pages import page_of
from nongma.lib.sheets.writing import workbook_of
from nongma.lib.sorting import Sorting
from nongma.origins.missed.forms import MissedFilterForm
from nongma.origins.models import Missed, MissedCheck
from nongma.regions.models import Region
from nongma.regions.spans import WIDTHS

COLUMNS = {
    "region": ("region_id", "id"),
    "name": ("operator__name", "id"),
    "product": ("product__code", "id"),
    "scale": ("scale", "id"),
    "found": ("found_on", "id"),
}
HEADINGS = (
    ("主体", 32), ("主体码", 24), ("行政区划", 40), ("产品", 12), ("登记的规模", 14), ("规模标准", 14), ("联系人", 10),
    ("手机", 14), ("发现日期", 12), ("免采原因", 30),
)  # fmt: skip
BATCH = 2_000
MOST_TOWNS = 60


def found_by(form: MissedFilterForm, user: User) -> QuerySet[Missed]:
    """What the filter finds in the person's area; of a form with faults, all."""
    chosen = form.cleaned_data if form.is_valid() else {}
    found = Missed.objects.visible_to(user)
    found = found.exclude(waived_at=None) if chosen.get("waived") else found.open()
    if region := chosen.get("region"):
        found = found.filter(region_id__gte=region.span.start, region_id__lte=region.span.stop)
    if product := chosen.get("product"):
        found = found.filter(product=product)
    return found


def missed_page(found: QuerySet[Missed], sorting: Sorting, number: Any) -> Page[Missed]:
    """A page of those missed."""
    related = ("operator", "product", "region", "rule", "waived_by")
    return page_of(found, sorting.fields, number, natural=COLUMNS["region"], related=related)


def by_town(found: QuerySet[Missed]) -> list[dict[str, Any]]:
    """How many are missed in each township, those with the most first."""
    town = F("region_id") - Mod(F("region_id"), WIDTHS[4])
    rows = list(found.order_by().annotate(town=town).values_list("town").annotate(Count("pk")))
    rows = sorted(rows, key=lambda row: (-row[1], row[0]))[:MOST_TOWNS]
    names = dict(Region.objects.filter(pk__in=[code for code, _ in rows]).values_list("pk", "full_name"))
    return [{"code": f"{code:012}", "name": names.get(code, ""), "count": count} for code, count in rows]


def is_county_or_below(user: User) -> bool:
    """Whether the person's area is so narrow that figures by township are read while the page waits."""
    spans = scope_of(user).spans
    return bool(spans) and all(span.stop - span.start < WIDTHS[3] for span in spans)


def last_check(user: User) -> MissedCheck | None:
    """The oldest check of the counties that the person sees: what the list may be behind."""
    spans = scope_of(user).spans
    counties = [(span.start - span.start % WIDTHS[3], span.stop) for span in spans]
    checks = MissedCheck.objects.none()
    for start, stop in counties:
        checks = checks | MissedCheck.objects.filter(county_id__gte=start, county_id__lte=stop)
    return checks.order_by("checked_at").first()


def missed_workbook(found: QuerySet[Missed], *, mark: str) -> tuple[IO[bytes], int]:
    """Those missed as a workbook; contacts are masked."""
    rows = found.select_related("operator", "product", "region", "rule").order_by("region_id", "id")
    return workbook_of("漏采主体", HEADINGS, _rows(rows), mark=mark)


def _rows(found: QuerySet[Missed]) -> Iterator[tuple[str, ...]]:
    for one in found.iterator(chunk_size=BATCH):
        yield (
            one.operator.name,
            one.operator.code,
            one.region.full_name,
            one.product.name,
            f"{one.scale.normalize():f} {one.get_unit_display()}",
            f"{one.rule.threshold or 0:f} {one.rule.get_unit_display()}",
            one.operator.masked_contact,
            one.operator.masked_phone,
            one.found_on.isoformat(),
            one.waived_for,
        )
