"""Photos that another record has, too (照片重复)."""

from collections.abc import Iterator

from django.db import connection

from nongma.lib.copying import array
from nongma.origins.doubts.batch import Batch, Found, Kind
from nongma.origins.doubts.limits import LOOK_FEWEST_BITS

BITS = 64
PHOTOS = "SELECT origin_id, digest, look FROM origins_originphoto WHERE origin_id = ANY(%s) ORDER BY id"
# By the indexes of photos; several records of one base (its products, its earlier versions) may share one.
SAME_FILE = """
    SELECT asked.origin, asked.digest, other.id
    FROM unnest(%s::bigint[], %s::bytea[], %s::bigint[]) AS asked(origin, digest, base)
    CROSS JOIN LATERAL (
        SELECT o.id FROM origins_originphoto AS p JOIN origins_origin AS o ON o.id = p.origin_id
        WHERE p.digest = asked.digest AND o.base_id <> asked.base LIMIT 1
    ) AS other
"""
SAME_LOOK = """
    SELECT asked.origin, asked.digest, other.id
    FROM unnest(%s::bigint[], %s::bytea[], %s::bigint[], %s::bigint[]) AS asked(origin, digest, base, look)
    CROSS JOIN LATERAL (
        SELECT o.id FROM origins_originphoto AS p JOIN origins_origin AS o ON o.id = p.origin_id
        WHERE p.look = asked.look AND o.base_id <> asked.base LIMIT 1
    ) AS other
"""


def used_again(batch: Batch) -> Iterator[Found]:
    """The same file as another base's, or one that looks the same to within a bit of its difference hash."""
    bases = {row.id: row.base for row in batch.rows}
    with connection.cursor() as cursor:
        cursor.execute(PHOTOS, [list(bases)])
        photos = [(origin, bytes(digest), look) for origin, digest, look in cursor.fetchall()]
        if not photos:
            return
        files = zip(*((origin, digest, bases[origin]) for origin, digest, _ in photos), strict=True)
        cursor.execute(SAME_FILE, [array(part) for part in files])
        same = cursor.fetchall()
        looks = [
            (origin, digest, bases[origin], near)
            for origin, digest, look in photos
            if LOOK_FEWEST_BITS <= (look % (1 << BITS)).bit_count() <= BITS - LOOK_FEWEST_BITS
            for near in _beside(look)
        ]
        alike = []
        if looks:
            cursor.execute(SAME_LOOK, [array(part) for part in zip(*looks, strict=True)])
            alike = cursor.fetchall()
    told: set[int] = set()
    for found, text in (
        (same, "现场照片和另一处基地的照片是同一个文件"),
        (alike, "现场照片和另一处基地的照片几乎一样（64 位外观摘要最多差 1 位）"),
    ):
        for origin, digest, other in found:
            if origin not in told:
                told.add(origin)
                yield Found(origin, Kind.PHOTO, text, bytes(digest).hex()[:32], other)


def _beside(look: int) -> Iterator[int]:
    """The hash and those that differ from it by one bit, as the database keeps them: signed."""
    yield look
    for bit in range(BITS):
        changed = (look ^ 1 << bit) % (1 << BITS)
        yield changed - (1 << BITS) if changed >> BITS - 1 else changed
