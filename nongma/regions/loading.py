"""Loading of the shipped divisions: one COPY into a temporary table, then one merge."""

import csv
import gzip
import hashlib
import io
import itertools
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from nongma.regions.models import RegionLoad
from nongma.regions.spans import WIDTHS, level_of
from nongma.regions.wording import is_filler

# A change of this number loads the same files again: raise it when the rows made from them change.
REVISION = 2

COLUMNS = ("code", "level", "name", "full_name", "pinyin", "initials", "longitude", "latitude")
_LISTED = ", ".join(COLUMNS)
_CHANGED = ", ".join(f"region.{name}" for name in COLUMNS[1:])
_INCOMING = ", ".join(f"excluded.{name}" for name in COLUMNS[1:])
_SET = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])

Row = tuple[int, int, str, str, str, str, str | None, str | None]


def load(folder: Path | None = None) -> str:
    """Bring the divisions up to the newest file of the folder and to `changes.csv`; returns what was done (Chinese).

    The file's name carries its cut-off date. A division that it no longer holds is closed on that date, never
    deleted. `changes.csv` (old,new,on) says which code stands for a closed one, or for a code and all below it.
    """
    folder = folder or settings.REFERENCE / "divisions"
    divisions = max(folder.glob("divisions-*.csv.gz"))
    cut_off = date.fromisoformat(divisions.name.removeprefix("divisions-").removesuffix(".csv.gz"))
    changes = folder / "changes.csv"
    digest = _digest(divisions, changes)
    known = RegionLoad.objects.filter(pk=digest).first()
    if known is not None:
        return f"{known.rows} 个区划，截至 {cut_off}，已是最新"
    with transaction.atomic(), connection.cursor() as cursor:
        # Two loads at once would only wait for each other's rows: the second starts when the first is done.
        cursor.execute("LOCK TABLE regions_region IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("SELECT EXISTS (SELECT FROM regions_region)")
        first = not cursor.fetchone()[0]
        rows = _fill(cursor, divisions) if first else _merge(cursor, divisions, cut_off)
        _apply(cursor, changes)
        RegionLoad.objects.create(digest=digest, rows=rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE regions_region")
    return f"{rows} 个区划，截至 {cut_off}"


def rows_of(file: Path) -> Iterator[Row]:
    """The divisions of a shipped file in the order of `COLUMNS`, each with the full name made from those above it."""
    above: dict[int, str] = {}
    with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
        lines = csv.reader(text)
        next(lines)
        for number, name, sound, longitude, latitude in lines:
            code = int(number)
            level = level_of(code) if code % WIDTHS[4] == 0 else 5
            path = above.get(code - code % WIDTHS[level - 1], "") if level > 1 else ""
            full_name = path + name
            if level < 5:
                full_name = above[code] = path if is_filler(name) else full_name
            syllables = sound.split()
            yield (
                code,
                level,
                name,
                full_name,
                "".join(syllables),
                "".join([syllable[0] for syllable in syllables]),
                longitude or None,
                latitude or None,
            )


def copy_rows(cursor: Any, table: str, rows: Iterator[Row]) -> int:
    """COPY the rows into a table in blocks of text; returns how many there were."""
    count = 0
    with cursor.copy(f"COPY {table} ({_LISTED}) FROM STDIN (FORMAT csv, FORCE_NOT_NULL (pinyin, initials))") as copy:
        while block := list(itertools.islice(rows, 20_000)):
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(block)
            copy.write(text.getvalue())
            count += len(block)
    return count


def _fill(cursor: Any, file: Path) -> int:
    """The first load: the search indexes are built once over all rows, which takes half the time."""
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
        " AND tablename = 'regions_region' AND indexdef NOT LIKE 'CREATE UNIQUE%'"
    )
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    count = copy_rows(cursor, "regions_region", rows_of(file))
    for _, definition in indexes:
        cursor.execute(definition)
    return count


def _merge(cursor: Any, file: Path, cut_off: date) -> int:
    """A later load: new codes begin on the cut-off date, missing ones end on it, the rest is brought up to the file."""
    cursor.execute("CREATE TEMPORARY TABLE regions_incoming (LIKE regions_region) ON COMMIT DROP")
    count = copy_rows(cursor, "regions_incoming", rows_of(file))
    cursor.execute("ALTER TABLE regions_incoming ADD PRIMARY KEY (code)")
    cursor.execute("ANALYZE regions_incoming")
    cursor.execute(
        f"INSERT INTO regions_region AS region ({_LISTED}, valid_from) SELECT {_LISTED}, %s FROM regions_incoming"  # noqa: S608 (our own)
        f" ON CONFLICT (code) DO UPDATE SET {_SET}, valid_to = NULL, replaced_by = NULL"
        f" WHERE ({_CHANGED}, region.valid_to) IS DISTINCT FROM ({_INCOMING}, NULL)",
        [cut_off],
    )
    cursor.execute(
        "UPDATE regions_region AS region SET valid_to = %s WHERE valid_to IS NULL"
        " AND NOT EXISTS (SELECT FROM regions_incoming AS incoming WHERE incoming.code = region.code)",
        [cut_off],
    )
    return count


def _apply(cursor: Any, changes: Path) -> None:
    """Point closed codes, and those below them, at the codes that stand for them now."""
    if not changes.exists():
        return
    with changes.open(encoding="utf-8", newline="") as text:
        lines = [(int(row["old"]), int(row["new"]), date.fromisoformat(row["on"])) for row in csv.DictReader(text)]
    for old, new, on in sorted(lines, key=lambda line: line[2]):
        width = WIDTHS[level_of(old)]
        cursor.execute(
            "UPDATE regions_region AS region SET valid_to = %(on)s, replaced_by = COALESCE("
            "(SELECT code FROM regions_region AS now WHERE now.code = %(new)s + region.code - %(old)s), %(new)s)"
            " WHERE region.code BETWEEN %(old)s AND %(last)s",
            {"on": on, "new": new, "old": old, "last": old + width - 1},
        )
        # What this code stood for is now stood for by what it became.
        cursor.execute(
            "UPDATE regions_region AS region SET replaced_by = closed.replaced_by FROM regions_region AS closed"
            " WHERE region.replaced_by BETWEEN %s AND %s AND closed.code = region.replaced_by",
            [old, old + width - 1],
        )


def _digest(*files: Path) -> str:
    digest = hashlib.sha256(str(REVISION).encode())
    for file in files:
        if file.exists():
            digest.update(file.read_bytes())
    return digest.hexdigest()
