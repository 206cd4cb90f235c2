"""The list of operators without a code in use, to walk along with on paper (走访名单)."""

import io
import itertools
from pathlib import Path
from typing import IO, Any

from django.db.models import QuerySet

from nongma.accounts.exporting import check_amount
from nongma.lib.typesetting import typeset
from nongma.regions.queries import paths_of
from nongma.registry.models import DirectoryEntry

THINGS = "走访名单"
MOST_VISITED = 1_000
"""Of one list: set in 3 seconds while a person waits, and more than an officer walks in a season."""
SOURCE = (Path(__file__).parent / "visits.typ").read_bytes()


def visits_document(entries: QuerySet[DirectoryEntry], *, mark: str) -> tuple[IO[bytes], int]:
    """The list as PDF, township by township, marked on every page with who took it out, and how many it lists.

    Contacts and phones are masked. Refuses `too_many_rows` past `MOST_VISITED`, and `nothing_found`.
    """
    found = entries.exclude(uncoded="")
    check_amount(found, "未赋码主体", MOST_VISITED)
    rows = list(found.select_related("region", "operator").order_by("region_id", "id"))
    grouped = [(town, list(ones)) for town, ones in itertools.groupby(rows, key=_town)]
    paths = paths_of(town for town, _ in grouped)
    towns = [{"name": paths.get(town, ""), "rows": [_told(one) for one in ones]} for town, ones in grouped]
    return io.BytesIO(typeset(SOURCE, {"towns": towns, "mark": mark}, pdf_tags=False)), len(rows)


def _town(entry: DirectoryEntry) -> int:
    return entry.region_id // 1000 * 1000


def _told(entry: DirectoryEntry) -> dict[str, Any]:
    operator = entry.operator
    return {
        "name": entry.name,
        "code": operator.code if operator else "",
        "village": entry.region.name if entry.region_id % 1000 else "",
        "contact": operator.masked_contact if operator else "",
        "phone": operator.masked_phone if operator else "",
        "why": entry.get_uncoded_display(),
    }
