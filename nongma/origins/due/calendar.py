"""Keeping the calendar true (采集日历): the open due of each current origin, reckoned by the database, a chunk at once.

When the next record is due (`_WINDOWS`):

* livestock and fishery: in the month after the one in which the last was made or confirmed, until its last day;
* crops: a year after this 茬 was planted, for the division's `planting_days`. Where no planting date was recorded it is
  the day on sale less the product's growing days, or that day itself where these are not known. Who was planted on
  29 February is due on the 28th;
* never in the past: what comes late into the calendar begins with the first window that ends today or later.

A record that takes another's place closes the open due when it is a later month's or a later 茬's, else it takes the
due over: it told something new of what was recorded already. A later 茬 means planted more than half a year after the
one before; it is in time when it is recorded within `planting_days` of its own planting, however the season moved.

A due whose deadline has passed keeps its dates whatever changes afterwards.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from nongma.lib.copying import array
from nongma.origins.due.terms import USUAL

CHUNK = 5_000
HALF_A_YEAR = 183

# The other records that the scale of these is added up with: the sum decides (policy 五(四)).
_BESIDE = """
    SELECT beside.id
    FROM (SELECT DISTINCT operator_id, product_id FROM origins_origin WHERE id = ANY(%s)) AS pair
    CROSS JOIN LATERAL (
        SELECT id FROM origins_origin
        WHERE operator_id = pair.operator_id AND product_id = pair.product_id AND state <> 'superseded'
        OFFSET 0
    ) AS beside
"""

_BRING = """
    WITH RECURSIVE current AS MATERIALIZED (
        SELECT o.id, o.supersedes_id, o.operator_id, o.base_id, o.product_id, o.region_id, o.collected_by_id,
            o.scale, o.unit, o.region_id - o.region_id %% 1000000 AS county, p.code AS product,
            p.industry = 'planting' AS is_crop,
            greatest((o.created_at AT TIME ZONE %(zone)s)::date, o.confirmed_on) AS recorded_on,
            coalesce(o.planted_on, o.on_sale_on - p.growing_days) AS planted_on, o.on_sale_on,
            CASE WHEN b.closed_on IS NOT NULL THEN 'base_closed'
                WHEN w.status IN ('suspended', 'cancelled') THEN 'operator_stopped' ELSE '' END AS stopped,
            least(b.closed_on, %(today)s::date) AS stopped_on
        FROM unnest(%(ids)s::bigint[]) AS asked(id)
        JOIN origins_origin o ON o.id = asked.id
        JOIN catalogue_product p ON p.id = o.product_id
        JOIN registry_base b ON b.id = o.base_id
        JOIN registry_operator w ON w.id = o.operator_id
        WHERE o.state <> 'superseded'
    ), places AS MATERIALIZED (
        SELECT county, product, ARRAY[county, county - county %% 100000000, county - county %% 10000000000, 0] AS chain
        FROM (SELECT DISTINCT county, product FROM current) AS each
    ), rules AS MATERIALIZED (
        SELECT place.county, place.product, coalesce(terms.planting_days, %(usual)s) AS days, rule.counts,
            rule.threshold,
            CASE WHEN rule.unit IN ('head', 'bird') THEN ARRAY['head', 'bird'] ELSE ARRAY[rule.unit::text] END AS units
        FROM places AS place
        LEFT JOIN LATERAL (
            SELECT planting_days FROM origins_collectionterms WHERE region_id = ANY(place.chain)
            ORDER BY region_id DESC LIMIT 1
        ) AS terms ON true
        LEFT JOIN LATERAL (
            SELECT counts, threshold, unit FROM registry_scalerule
            WHERE region_id = ANY(place.chain) AND basis = 'product' AND subject = place.product
                AND valid_from <= %(today)s AND (valid_to IS NULL OR valid_to >= %(today)s)
            ORDER BY region_id DESC LIMIT 1
        ) AS rule ON true
    ), judged AS (
        SELECT c.*, r.days, coalesce(c.planted_on, c.on_sale_on, c.recorded_on) AS season_on,
            %(today)s::date - r.days AS planted_since,
            CASE WHEN c.stopped <> '' THEN c.stopped
                WHEN NOT r.counts THEN 'below_scale'
                WHEN c.scale < r.threshold AND c.unit = ANY(r.units) AND (
                    SELECT sum(s.scale) FROM origins_origin s
                    WHERE s.operator_id = c.operator_id AND s.product_id = c.product_id AND s.state <> 'superseded'
                        AND s.unit = ANY(r.units)
                ) < r.threshold THEN 'below_scale'
                ELSE '' END AS cause
        FROM current c JOIN rules r USING (county, product)
    ), dated AS (
        SELECT j.*, extract(year FROM planted_since)::int - extract(year FROM season_on)::int AS years FROM judged j
    ), begun AS (
        SELECT d.*,
            CASE WHEN is_crop THEN (season_on + interval '1 year')::date
                ELSE (date_trunc('month', recorded_on) + interval '1 month')::date END AS next_on,
            CASE WHEN is_crop THEN (season_on + make_interval(years => greatest(1,
                    years + ((season_on + make_interval(years => years))::date < planted_since)::int)))::date
                ELSE greatest(date_trunc('month', recorded_on) + interval '1 month',
                    date_trunc('month', %(today)s::date))::date END AS opens_on
        FROM dated d
    ), windows AS MATERIALIZED (
        SELECT b.*,
            CASE WHEN is_crop THEN opens_on + days ELSE (opens_on + interval '1 month')::date - 1 END AS due_on
        FROM begun b
    ), behind AS (
        SELECT id, id AS before FROM current
        UNION ALL
        SELECT behind.id, o.supersedes_id FROM behind
        JOIN origins_origin o ON o.id = behind.before AND o.id = ANY(%(written)s::bigint[])
        WHERE o.supersedes_id IS NOT NULL
    ), held AS MATERIALIZED (
        SELECT d.id AS due_id, w.*,
            d.due_on >= %(today)s AND (d.opens_on > %(today)s OR d.opens_on <> w.opens_on) AS is_moved,
            d.origin_id <> w.id
                AND w.next_on > d.opens_on + CASE WHEN w.is_crop THEN %(half_a_year)s ELSE 0 END AS is_later
        FROM behind
        JOIN origins_due d ON d.origin_id = behind.before AND d.outcome = ''
        JOIN windows w ON w.id = behind.id
    ), closed AS (
        UPDATE origins_due d SET outcome = 'collected', met_on = h.recorded_on, met_by_id = h.collected_by_id,
            due_on = CASE WHEN h.is_crop THEN greatest(d.due_on, h.planted_on + h.days) ELSE d.due_on END
        FROM held h WHERE d.id = h.due_id AND d.outcome = '' AND h.is_later
    ), lapsed AS (
        UPDATE origins_due d SET outcome = 'lapsed', cause = h.cause, met_on = h.stopped_on
        FROM held h WHERE d.id = h.due_id AND d.outcome = '' AND NOT h.is_later AND h.cause <> ''
    ), taken_over AS (
        UPDATE origins_due d SET origin_id = h.id, operator_id = h.operator_id, base_id = h.base_id,
            product_id = h.product_id, region_id = h.region_id, collector_id = h.collected_by_id,
            opens_on = CASE WHEN h.is_moved THEN h.opens_on ELSE d.opens_on END,
            due_on = CASE WHEN h.is_moved THEN h.due_on ELSE d.due_on END
        FROM held h
        WHERE d.id = h.due_id AND d.outcome = '' AND NOT h.is_later AND h.cause = '' AND (h.is_moved
            OR (d.origin_id, d.operator_id, d.base_id, d.product_id, d.region_id, d.collector_id)
            IS DISTINCT FROM (h.id, h.operator_id, h.base_id, h.product_id, h.region_id, h.collected_by_id))
    )
    INSERT INTO origins_due (
        origin_id, operator_id, base_id, product_id, region_id, collector_id, rhythm, opens_on, due_on
    )
    SELECT w.id, w.operator_id, w.base_id, w.product_id, w.region_id, w.collected_by_id,
        CASE WHEN is_crop THEN 'season' ELSE 'monthly' END, w.opens_on, w.due_on
    FROM windows w
    WHERE w.cause = ''
        AND NOT EXISTS (SELECT 1 FROM held h WHERE h.id = w.id AND NOT h.is_later)
        AND NOT EXISTS (SELECT 1 FROM origins_due e WHERE e.origin_id = w.id AND e.outcome = 'ended')
    ON CONFLICT DO NOTHING
"""


def bring_up_to_date(ids: Sequence[int], *, today: date | None = None, with_others: bool = True) -> int:
    """Make the dues of these origins true, in the current transaction; how many were opened.

    `ids` are origins that were written, changed or superseded; one that took the place of another of the same call is
    known by it. `with_others`: also those whose scale is added up with theirs.
    """
    if not ids:
        return 0
    opened = 0
    with connection.cursor() as cursor:
        wanted, written = set(ids), sorted(set(ids))
        if with_others:
            cursor.execute(_BESIDE, [array(wanted)])
            wanted |= {number for (number,) in cursor.fetchall()}
        # In one order, so that two who write side by side wait for each other instead of blocking each other.
        ordered = sorted(wanted)
        for start in range(0, len(ordered), CHUNK):
            parameters: dict[str, Any] = {
                "ids": array(ordered[start : start + CHUNK]),
                "written": array(written),
                "today": today or timezone.localdate(),
                "zone": settings.TIME_ZONE,
                "usual": USUAL.planting_days,
                "half_a_year": HALF_A_YEAR,
            }
            cursor.execute(_BRING, parameters)
            opened += cursor.rowcount
    return opened
