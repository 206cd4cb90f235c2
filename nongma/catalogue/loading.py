"""Loading the reference data of this room: products (产品) and banned and restricted substances (禁限用清单).

The files in `data/products` and `data/bans` are the record; loading them again changes only what changed in them.
A row that has gone from a file stays on file here: what was once in force must be found for the days it was.
"""

import csv
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.db import transaction

from nongma.catalogue.models import Ban, Product, Substance

PRODUCT_FIELDS = (
    "name",
    "aliases",
    "english_name",
    "industry",
    "scale_units",
    "trade_units",
    "nyt3177_code",
    "is_key",
    "threshold",
    "threshold_unit",
    "threshold_note",
    "growing_days",
    "growing_source",
    "source",
)


@transaction.atomic
def load() -> str:
    """Load products and bans; returns a line that says what was loaded."""
    folder: Path = settings.REFERENCE
    products = _load_products(folder / "products" / "products.csv")
    bans = _load_bans(sorted((folder / "bans").glob("*.csv")))
    return f"产品 {products} 种，禁限用规定 {bans} 条"


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        yield from csv.DictReader(handle)


def _load_products(path: Path) -> int:
    rows = list(_rows(path))
    Product.objects.bulk_create(
        [
            Product(
                code=row["code"],
                name=row["name"],
                aliases=row["aliases"].split(),
                english_name=row["english_name"],
                industry=row["industry"],
                scale_units=row["scale_units"].split(),
                trade_units=row["trade_units"].split(),
                nyt3177_code=row["nyt3177_code"] or None,
                is_key=row["is_key"] == "true",
                threshold=Decimal(row["threshold"]) if row["threshold"] else None,
                threshold_unit=row["threshold_unit"],
                threshold_note=row["threshold_note"],
                growing_days=int(row["growing_days"]) if row["growing_days"] else None,
                growing_source=row["growing_source"],
                source=row["source"],
                verified=row["verified"] == "true",
            )
            for row in rows
        ],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=[*PRODUCT_FIELDS, "verified"],
    )
    by_code = {product.code: product for product in Product.objects.national().only("id", "code", "parent_id")}
    moved = []
    for row in rows:
        product = by_code[row["code"]]
        parent = by_code[row["parent"]] if row["parent"] else None
        if product.parent_id != (parent.pk if parent else None):
            product.parent = parent
            moved.append(product)
    Product.objects.bulk_update(moved, ["parent"])
    return len(rows)


def _load_bans(paths: list[Path]) -> int:
    rows = [row for path in paths for row in _rows(path)]
    named = {row["substance"]: row for row in reversed(rows)}
    Substance.objects.bulk_create(
        [
            Substance(name=name, english_name=row["english_name"], aliases=row["aliases"].split())
            for name, row in sorted(named.items())
        ],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["english_name", "aliases"],
    )
    ids = dict(Substance.objects.values_list("name", "id"))
    Ban.objects.bulk_create(
        [
            Ban(
                substance_id=ids[row["substance"]],
                kind=row["kind"],
                degree=row["degree"],
                scope=row["scope"],
                notice=row["notice"],
                clause=row["clause"],
                valid_from=date.fromisoformat(row["valid_from"]),
                valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
                verified=row["verified"] == "true",
            )
            for row in rows
        ],
        update_conflicts=True,
        unique_fields=["substance", "kind", "degree", "notice", "valid_from"],
        update_fields=["scope", "clause", "valid_to", "verified"],
    )
    return len(rows)
