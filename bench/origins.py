"""Millions of origins on file, for the benches that need them: scattered over all counties, written by COPY.

Counties differ in weight as they do in life (a few hundred to tens of thousands of records), points lie in towns around
the county's centre, regions are real villages. Indexes and foreign keys are set aside while the rows go in.
"""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

OPERATORS = 100_000
BATCH = 500_000
SEED = 20260322
SURNAMES = "赵钱孙李周吴郑王冯陈卫蒋沈韩杨朱秦许何吕"
GIVEN = "军秀海燕国明英华文丽建玉春波兰志芳强娟斌"

DRAFT = """
CREATE TEMPORARY TABLE bench_draft (n bigint, region bigint, longitude numeric(9,6), latitude numeric(9,6),
    quadkey bigint, product bigint, state varchar(12), scale numeric(14,2), first date, last date)
"""
INSERT = """
INSERT INTO origins_origin (
    uid, operator_id, base_id, product_id, region_id, alias, certifications, longitude, latitude, quadkey, contact,
    phone, scale, unit, on_sale_on, off_sale_on, methods, trace_methods, credit, grid_name, grid_phone, collector_name,
    collector_phone, state, identity, fingerprint, collected_by_id, reviewed_at, return_reason, created_at, updated_at)
SELECT
    gen_random_uuid(), pair.operator_id, pair.base_id, d.product, d.region, '', '{}', d.longitude, d.latitude,
    d.quadkey, '基准', %(phone)s, d.scale, 'mu', d.first, d.last, '{open_field}', '{certificate}', '', '基准',
    %(phone)s, '基准', %(phone)s, d.state, decode(md5('bench' || d.n), 'hex'), decode(md5(d.n::text), 'hex'),
    %(user)s, NULL, CASE d.state WHEN 'returned' THEN '基准' ELSE '' END, now(), now()
FROM bench_draft d JOIN bench_pairs pair ON pair.number = d.n %% (SELECT count(*) FROM bench_pairs)
"""


def fill_origins(count: int) -> Any:
    """Have `count` origins on file, the map counted; the person of the ministry who looks at them."""
    from django.db import connection

    from nongma.origins.models import Origin
    from nongma.origins.services.cells import rebuild_cells

    user = watcher_of_all()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_origins (count bigint)")
        cursor.execute("SELECT 1 FROM bench_origins WHERE count = %s", [count])
        if cursor.fetchone():
            return user
        cursor.execute("TRUNCATE origins_origin, bench_origins CASCADE")
        _pairs(cursor, user)
        started = time.monotonic()
        with bare(Origin):
            for done in _scatter(cursor, count, user):
                print(f"  {done:,} origins, {time.monotonic() - started:.0f} s", flush=True)
        print(f"  indexes, {time.monotonic() - started:.0f} s", flush=True)
        cursor.execute("VACUUM (ANALYZE) origins_origin")
        cells = rebuild_cells()
        cursor.execute("VACUUM (ANALYZE) origins_origincell")
        cursor.execute("INSERT INTO bench_origins VALUES (%s)", [count])
        print(f"  {cells:,} map cells, {time.monotonic() - started:.0f} s", flush=True)
    return user


def watcher_of_all() -> Any:
    """A reviewer of the whole country, made when absent."""
    from datetime import date

    from nongma.accounts.models import Agency, Membership, Role, User
    from nongma.regions.models import Region

    user, made = User.objects.update_or_create(username="bench-ministry", defaults={"name": "基准", "has_totp": True})
    if made:
        country, _ = Region.objects.get_or_create(code=0, defaults={"level": 0, "name": "全国", "full_name": "全国"})
        agency = Agency.objects.create(name="基准机构", region=country, level=0, kind=Agency.Kind.SUPERVISION)
        Membership.objects.create(user=user, agency=agency, role=Role.REVIEWER, from_on=date(2020, 1, 1))
    return user


def _pairs(cursor: Any, user: Any) -> None:
    """Operators with a base each, as `bench_pairs`."""
    from nongma.codes.services import take
    from nongma.registry.models import Base, Operator

    cursor.execute(
        "CREATE TABLE IF NOT EXISTS bench_pairs (number bigint PRIMARY KEY, operator_id bigint, base_id bigint)"
    )
    cursor.execute("SELECT count(*) FROM bench_pairs")
    if cursor.fetchone()[0]:
        return
    dice = np.random.default_rng(SEED)
    first = take(2 * OPERATORS)
    names = [
        "".join(SURNAMES[part[0]] + GIVEN[part[1]] + GIVEN[part[2]]) for part in dice.integers(0, 20, (OPERATORS, 3))
    ]
    for start in range(0, OPERATORS, 10_000):
        operators = Operator.objects.bulk_create(
            Operator(
                serial=first + number,
                kinds=[Operator.Kind.HOUSEHOLD],
                name=names[number],
                region_id=460205000000,
                industries=["planting"],
                contact="基准",
                status=Operator.Status.APPROVED,
                created_by=user,
            )
            for number in range(start, start + 10_000)
        )
        bases = Base.objects.bulk_create(
            Base(
                serial=first + OPERATORS + start + index,
                operator=operator,
                name="基准基地",
                region_id=460205000000,
            )
            for index, operator in enumerate(operators)
        )
        cursor.executemany(
            "INSERT INTO bench_pairs VALUES (%s, %s, %s)",
            [(start + index, base.operator_id, base.pk) for index, base in enumerate(bases)],
        )


@contextmanager
def bare(model: Any) -> Iterator[None]:
    """The table without its indexes and foreign keys, which are made again at the end."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = %s::regclass AND NOT indisprimary"
            " AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)",
            [model._meta.db_table],
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")
            for _, definition in indexes:
                cursor.execute(definition)


def _scatter(cursor: Any, count: int, user: Any) -> Iterator[int]:
    from nongma.catalogue.models import Product
    from nongma.lib.fields import encrypt
    from nongma.lib.quadkeys import quadkeys
    from nongma.regions.models import Region

    dice = np.random.default_rng(SEED)
    centres = list(
        Region.objects.filter(level=3)
        .exclude(longitude=None)
        .order_by("code")
        .values_list("code", "longitude", "latitude")
    )
    villages = np.array(
        Region.objects.filter(level=5, valid_to=None).order_by("code").values_list("code", flat=True), np.int64
    )
    codes = np.array([code for code, _, _ in centres], np.int64)
    starts, stops = np.searchsorted(villages, codes), np.searchsorted(villages, codes + 10**6)
    peopled = stops > starts
    codes, starts, stops = codes[peopled], starts[peopled], stops[peopled]
    places = np.array([(float(x), float(y)) for _, x, y in centres])[peopled]
    weights = dice.lognormal(0, 1.2, len(codes))
    weights /= weights.sum()
    keys = np.array(Product.objects.filter(is_key=True).order_by("code").values_list("pk", flat=True))
    others = np.array(Product.objects.filter(is_key=False).order_by("code").values_list("pk", flat=True))
    states = np.array(["approved", "submitted", "returned", "to_locate"])
    months = np.arange(np.datetime64("2026-01"), np.datetime64("2027-01"))
    phone = encrypt("19900000000")
    cursor.execute(DRAFT)
    for done in range(0, count, BATCH):
        size = min(BATCH, count - done)
        at = dice.choice(len(codes), size, p=weights)
        region = villages[dice.integers(starts[at], stops[at])]
        # A village keeps to its own corner of the county, so that points cluster as they do on a real map.
        corner = np.stack([(region * 2654435761 % 1009) / 1009 - 0.5, (region * 40503 % 997) / 997 - 0.5], axis=1)
        point = places[at] + corner * 0.5 + dice.normal(0, 0.01, (size, 2))
        point[:, 1] = np.clip(point[:, 1], 3.5, 53.5)
        product = np.where(dice.random(size) < 0.8, dice.choice(keys, size), dice.choice(others, size))
        state = states[dice.choice(4, size, p=[0.8, 0.15, 0.03, 0.02])]
        scale = np.clip(np.round(dice.lognormal(2, 1.3, size), 2), 0.01, 9_999_999)
        scale = np.where(dice.random(size) < 0.5, np.maximum(1, np.round(scale)), scale)
        first = months[dice.integers(0, 12, size)]
        last = (first + dice.integers(1, 6, size)).astype("datetime64[D]") - np.timedelta64(1, "D")
        quadkey = quadkeys(point[:, 0], point[:, 1])
        columns = zip(
            range(done, done + size),
            region.tolist(),
            point.round(6).tolist(),
            quadkey.tolist(),
            product.tolist(),
            state.tolist(),
            scale.tolist(),
            first.astype("datetime64[D]").astype(str).tolist(),
            last.astype(str).tolist(),
            strict=True,
        )
        text = io.StringIO()
        for n, village, (x, y), key, one, condition, amount, begin, end in columns:
            where = "\\N\t\\N\t\\N" if condition == "to_locate" else f"{x}\t{y}\t{key}"
            text.write(f"{n}\t{village}\t{where}\t{one}\t{condition}\t{amount}\t{begin}\t{end}\n")
        cursor.execute("TRUNCATE bench_draft")
        with cursor.copy("COPY bench_draft FROM STDIN") as copy:
            copy.write(text.getvalue())
        cursor.execute(INSERT, {"phone": phone, "user": user.pk})
        yield done + size
    cursor.execute("DROP TABLE bench_draft")
