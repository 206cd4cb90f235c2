"""How far each county has come: one row, counted anew by whoever changes an agency, a person or a training there.

A row stands for the first six digits of a division code: a county with its townships and villages, or the agencies of
a city, a province or the country themselves. So a page of any area adds up a few rows. An agency counts as manned as
in `granting`: its administrator's account is open and not suspended.
"""

from collections.abc import Iterable

from django.db import connection, transaction

from nongma.accounts.models import Agency, Figures, User
from nongma.regions.models import Region
from nongma.regions.spans import WIDTHS, above

COUNTY_CODES = WIDTHS[Region.Level.COUNTY]
TOWN_CODES = WIDTHS[Region.Level.TOWN]
BATCH = 200

MAKE = """
    INSERT INTO accounts_figures
        (region_code, agencies, agencies_with_account, towns_with_agency, people, people_in_use, people_trained,
         counted_at)
    SELECT code, 0, 0, 0, 0, 0, 0, now() FROM unnest(%s::bigint[]) AS code ORDER BY code
    ON CONFLICT DO NOTHING
"""
LOCK = """
    SELECT region_code FROM accounts_figures WHERE region_code = ANY(%s) ORDER BY region_code FOR NO KEY UPDATE
"""
# Counted after the rows are locked, in a statement of its own: it sees what the one that held them has committed.
COUNT = """
    UPDATE accounts_figures SET
        agencies = agency.total, agencies_with_account = agency.manned, towns_with_agency = agency.towns,
        people = person.total, people_in_use = person.in_use, people_trained = person.trained, counted_at = now()
    FROM unnest(%(codes)s::bigint[]) AS code,
    LATERAL (
        SELECT count(*) AS total,
            count(*) FILTER (WHERE administrator.is_active AND administrator.suspended_at IS NULL) AS manned,
            count(DISTINCT agency.region_id / %(town)s) FILTER (WHERE agency.level >= %(town_level)s) AS towns
        FROM accounts_agency AS agency LEFT JOIN accounts_user AS administrator
            ON administrator.id = agency.administrator_id
        WHERE agency.region_id BETWEEN code AND code + %(county)s - 1 AND agency.suspended_at IS NULL
    ) AS agency,
    LATERAL (
        SELECT count(*) AS total, count(last_login) AS in_use, count(trained_on) AS trained
        FROM accounts_user
        WHERE place BETWEEN code AND code + %(county)s - 1 AND agency_id IS NOT NULL AND is_active
    ) AS person
    WHERE accounts_figures.region_code = code
"""


@transaction.atomic
def recount(*region_codes: int | None) -> None:
    """Count the counties that the divisions lie in anew, in the caller's transaction.

    Called once, after everything else of the change is written and locked, with every division that it touched: of an
    agency, also of those that a person closed, suspended or restored administers, or `place` of a person (None,
    nobody's, is passed over).
    """
    codes = sorted({figures_code(code) for code in region_codes if code is not None})
    for start in range(0, len(codes), BATCH):
        _count(codes[start : start + BATCH])


def recount_all() -> int:
    """Count every county in which there is an agency, a person or a row; how many they are."""
    places = set(Figures.objects.values_list("region_code", flat=True))
    places |= _codes(Agency.objects.order_by().values_list("region_id", flat=True).distinct())
    places |= _codes(User.objects.filter(agency__isnull=False).order_by().values_list("place", flat=True).distinct())
    codes = sorted(places)
    for start in range(0, len(codes), BATCH):
        with transaction.atomic():
            _count(codes[start : start + BATCH])
    return len(codes)


def figures_code(region_code: int) -> int:
    """The row that a division is counted in: that of its county; of a city, a province or the country their own."""
    return above(region_code, Region.Level.COUNTY)


def _count(codes: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(MAKE, [codes])
        cursor.execute(LOCK, [codes])
        cursor.execute(
            COUNT,
            {"codes": codes, "county": COUNTY_CODES, "town": TOWN_CODES, "town_level": int(Region.Level.TOWN)},
        )


def _codes(places: Iterable[int | None]) -> set[int]:
    return {figures_code(place) for place in places if place is not None}
