"""Warm pages: kept while nothing changes, gone at once when something does, never kept unheard."""

import asyncio
import time
from uuid import RFC_4122, UUID

import pytest
from django.db import connection
from django.utils import timezone

from nongma.certificates.models import Certificate
from nongma.codes.models import Scan
from nongma.codes.services import subject_changed
from nongma.public import cache as caching
from nongma.public import resolver as resolving
from nongma.public.cache import Kept, PageCache
from nongma.public.negotiation import wish_of
from nongma.public.tests.asgi import eventually

LI, CHEN = UUID(int=1), UUID(int=2)


def kept(*subjects: UUID, size: int = 10, seconds: float = 60.0) -> Kept:
    body = {"body": b"x" * size}
    return Kept({}, body, 1, None, "lot", "valid", frozenset(subjects), time.monotonic() + seconds)


@pytest.fixture
def cache() -> PageCache:
    cache = PageCache()
    cache.listening = True
    return cache


def _put(cache: PageCache, key: str, page: Kept) -> None:
    with cache.watch() as watch:
        cache.put(key, page, watch)


def test_it_forgets_every_page_of_a_subject(cache: PageCache):
    _put(cache, "a", kept(LI))
    _put(cache, "b", kept(LI, CHEN))
    _put(cache, "c", kept(CHEN))
    cache.forget(LI)
    assert (cache.get("a"), cache.get("b")) == (None, None)
    assert cache.get("c")
    assert LI not in cache._keys


def test_it_keeps_no_page_that_changed_while_it_was_made(cache: PageCache):
    with cache.watch() as watch:
        cache.forget(LI)
        cache.put("a", kept(LI), watch)
        cache.put("b", kept(CHEN), watch)
    assert cache.get("a") is None
    assert cache.get("b")
    with cache.watch() as watch:
        cache.clear()
        cache.put("c", kept(CHEN), watch)
    assert cache.get("c") is None


def test_it_keeps_nothing_while_deaf(cache: PageCache):
    cache.listening = False
    _put(cache, "a", kept(LI))
    assert cache.get("a") is None


def test_it_lets_go_after_a_while(cache: PageCache):
    _put(cache, "a", kept(LI, seconds=-1))
    assert cache.get("a") is None
    assert cache._bytes == 0


def test_it_is_bounded(cache: PageCache, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(caching, "MOST_BYTES", 100)
    for number in range(50):
        _put(cache, str(number), kept(UUID(int=number), size=30))
    assert cache.get("49")
    assert cache.get("0") is None
    assert len(cache._kept) == len(cache._keys) == 3
    _put(cache, "49", kept(UUID(int=49), size=20))
    assert cache._bytes == 80


@pytest.mark.django_db(transaction=True)
def test_a_warm_page_asks_the_database_nothing(shopper, resolver, certificate: Certificate, monkeypatch):
    asked = []
    read = resolving.read_subject

    async def counted(*args):
        asked.append(args)
        return await read(*args)

    def warm() -> bool:
        shopper.get(f"/t/{certificate.code}")
        return resolver.cache.get(certificate.code + "zh") is not None

    eventually(warm)
    monkeypatch.setattr(resolving, "read_subject", counted)
    for _ in range(5):
        assert shopper.get(f"/t/{certificate.code}").status == 200
    assert asked == []
    subject_changed(certificate.lot.operator.uid)
    eventually(lambda: not resolver.cache.get(certificate.code + "zh"))
    shopper.get(f"/t/{certificate.code}")
    assert len(asked) == 1


@pytest.mark.django_db(transaction=True)
def test_many_at_once_ask_once(shopper, resolver, certificate: Certificate, monkeypatch):
    asked = []
    read = resolving.read_subject

    async def slow(*args):
        asked.append(args)
        await asyncio.sleep(0.1)
        return await read(*args)

    monkeypatch.setattr(resolving, "read_subject", slow)

    async def crowd() -> None:
        args = certificate.code, certificate.serial, wish_of(b"", b"", "")
        await asyncio.gather(*(resolver._made(*args) for _ in range(20)))

    resolver.running.do(crowd())
    assert len(asked) == 1


@pytest.mark.django_db(transaction=True)
def test_it_turns_off_when_it_can_no_longer_hear(shopper, resolver, certificate: Certificate, caplog):
    def warm() -> bool:
        shopper.get(f"/t/{certificate.code}")
        return resolver.cache.get(certificate.code + "zh") is not None

    eventually(warm)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
    eventually(lambda: not resolver.cache.get(certificate.code + "zh"))
    assert "页面缓存暂停" in caplog.text
    assert shopper.get(f"/t/{certificate.code}").status == 200
    eventually(lambda: resolver.cache.listening)


@pytest.mark.django_db(transaction=True)
def test_looks_are_written_in_batches(shopper, resolver, certificate: Certificate):
    path = f"/t/{certificate.code}"
    for _ in range(30):
        shopper.get(path)
    shopper.get(path, method="HEAD")
    shopper.get(f"/t/{'1' * 20}")
    resolver.running.do(resolver.scans.flush())
    scans = list(Scan.objects.filter(serial=certificate.serial))
    assert len(scans) == 30
    assert Scan.objects.count() == 30
    assert {(scan.kind, scan.answer) for scan in scans} == {("certificate", "valid")}
    assert len({scan.id for scan in scans}) == 30
    assert {(scan.id.version, scan.id.variant) for scan in scans} == {(7, RFC_4122)}
    assert all(abs((timezone.now() - scan.at).total_seconds()) < 60 for scan in scans)
    subject_changed(certificate.uid)
    eventually(lambda: not resolver.cache.get(certificate.code + "zh"))
    assert "已被查询 30 次" in shopper.get(path).text
    assert shopper.data(path).json["scans"]["count"] == 30


@pytest.mark.django_db(transaction=True)
def test_looks_wait_for_a_lost_database_within_a_bound(shopper, resolver, monkeypatch, caplog):
    from psycopg import OperationalError

    from nongma.public import scans

    def lost(*args):
        raise OperationalError("gone")

    monkeypatch.setattr(scans, "MOST_WAITING", 3)
    with monkeypatch.context() as patch:
        patch.setattr(resolver.pool, "connection", lost)
        for serial in range(5):
            resolver.scans.note(serial, "lot", "valid")
        resolver.running.do(resolver.scans.flush())
    assert resolver.scans.dropped == 2
    resolver.running.do(resolver.scans.flush())
    assert Scan.objects.count() == 3
