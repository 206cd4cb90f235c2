"""Taking serials and finding what a code stands for."""

import itertools
import uuid

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError, OperationalError
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from nongma.audit.models import Entry
from nongma.codes.models import CodeRange
from nongma.codes.services import assign, find, take, void_range
from nongma.lib.refused import Refused
from nongma.testing import at_once

LIMIT = 999_999_999_999


def _locks() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return cursor.fetchone()[0]


@pytest.fixture
def counter(db):
    """The counter, put back afterwards: it stands outside transactions."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM codes_serial")
        (before,) = cursor.fetchone()

        def put(value: int) -> None:
            cursor.execute("SELECT setval('codes_serial', %s)", [value])

        yield put
        put(max(before, 1))


@pytest.mark.django_db
def test_each_take_begins_where_the_last_ended():
    first = take(1)
    assert take(1000) == first + 1
    assert take(1) == first + 1001
    assert _locks() == 0


@pytest.mark.django_db
def test_what_is_taken_in_a_rolled_back_transaction_is_not_given_again():
    with transaction.atomic():
        lost = take(10)
        transaction.set_rollback(True)
    assert take(1) == lost + 10


def test_it_refuses_when_the_serials_run_out(counter):
    counter(LIMIT - 5)
    with pytest.raises(Refused, match="不足 6 个") as refusal:
        take(6)
    assert refusal.value.code == "codes_exhausted"
    assert _locks() == 0
    assert take(5) == LIMIT - 4
    with pytest.raises(Refused):
        take(1)
    assert not CodeRange.objects.exists()


@pytest.mark.django_db
def test_it_takes_no_fewer_than_one():
    with pytest.raises(ValueError, match="take 0"):
        take(0)


@pytest.mark.django_db(transaction=True)
def test_many_takers_at_once_never_overlap():
    def work() -> list[tuple[int, int]]:
        return [(take(size), size) for size in [1, 7, 1, 1000, 3] * 20]

    taken = sorted(itertools.chain.from_iterable(at_once(*[work] * 6)))
    assert len(taken) == 600
    assert all(first + size <= following for (first, size), (following, _) in itertools.pairwise(taken))


@pytest.mark.django_db(transaction=True)
def test_a_taker_never_waits_for_anothers_commit():
    with transaction.atomic():
        first = take(5)
        assert at_once(lambda: take(1)) == [first + 5]


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_take_leaves_no_lock():
    """Another session holds the lock; the one that waits is cancelled, then takes when it is free."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(7165064744911531)")
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '100ms'")
        with pytest.raises(OperationalError, match="statement timeout"):
            take(1)
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(7165064744911531)")
        assert take(1) > 0
        assert _locks() == 0
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
        other.close()


@pytest.mark.django_db
def test_a_range_of_a_million_is_one_row(django_assert_num_queries):
    subject = uuid.uuid4()
    with django_assert_num_queries(1):
        codes = assign(kind=CodeRange.Kind.ITEM, subject=subject, count=1_000_000)
    assert codes.stop - codes.start == 1_000_000
    assert CodeRange.objects.filter(subject=subject).count() == 1


@pytest.mark.django_db
def test_overlapping_ranges_are_refused_by_the_database():
    codes = assign(kind=CodeRange.Kind.LOT, subject=uuid.uuid4(), count=10)
    for start, stop in ((codes.start + 3, codes.start + 4), (codes.stop - 1, codes.stop + 5)):
        with pytest.raises(IntegrityError), transaction.atomic():
            CodeRange.objects.create(start=start, stop=stop, kind=CodeRange.Kind.LOT, subject=uuid.uuid4())


@pytest.mark.django_db
@examples(max_examples=25, deadline=None)
@given(
    pieces=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 20)), min_size=1, max_size=12),
    probes=st.lists(st.integers(0, 400), max_size=20),
)
def test_a_serial_is_found_in_its_range_alone(pieces: list[tuple[int, int]], probes: list[int]):
    with transaction.atomic():
        owner: dict[int, int] = {}
        end = 0
        for gap, length in pieces:
            start = end + gap
            end = start + length
            made = CodeRange.objects.create(start=start, stop=end, kind=CodeRange.Kind.ITEM, subject=uuid.uuid4())
            owner |= dict.fromkeys(range(start, end), made.pk)
        for serial in {*probes, 0, end, end - 1}:
            found = find(serial)
            assert (found.pk if found else None) == owner.get(serial)
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_finding_is_one_probe_of_an_index(django_assert_num_queries):
    codes = assign(kind=CodeRange.Kind.LOT, subject=uuid.uuid4())
    with django_assert_num_queries(1):
        assert find(codes.start) == codes
    plan = CodeRange.objects.filter(start__lte=codes.start).order_by("-start")[:1].explain()
    assert "Index" in plan
    assert "Sort" not in plan


@pytest.mark.django_db
def test_a_lost_roll_of_labels_is_declared_void(zhao):
    codes = assign(kind=CodeRange.Kind.ITEM, subject=uuid.uuid4(), count=100)
    void_range(code_range=codes, reason="标签卷遗失", actor=zhao)
    assert find(codes.start).state == CodeRange.State.VOID
    entry = Entry.objects.get(action="code_range.voided")
    assert (entry.actor_id, entry.details["reason"]) == (zhao.pk, "标签卷遗失")


@pytest.mark.django_db
def test_it_refuses_to_void_twice_or_without_a_reason(zhao):
    codes = assign(kind=CodeRange.Kind.ITEM, subject=uuid.uuid4())
    with pytest.raises(Refused) as refusal:
        void_range(code_range=codes, reason=" ", actor=zhao)
    assert refusal.value.field == "reason"
    assert find(codes.start).state == CodeRange.State.ACTIVE
    void_range(code_range=codes, reason="印错", actor=zhao)
    with pytest.raises(Refused) as refusal:
        void_range(code_range=codes, reason="印错", actor=zhao)
    assert refusal.value.code == "range_void"
    assert Entry.objects.filter(action="code_range.voided").count() == 1


@pytest.mark.django_db
def test_it_voids_item_codes_only():
    codes = assign(kind=CodeRange.Kind.LOT, subject=uuid.uuid4())
    with pytest.raises(Refused) as refusal:
        void_range(code_range=codes, reason="印错", actor=None)
    assert refusal.value.code == "not_items"
    assert find(codes.start).state == CodeRange.State.ACTIVE
    assert not Entry.objects.exists()
