import asyncio
from datetime import timedelta

import pytest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.labels import ACTIONS, action_label
from nongma.audit.middleware import client_address, keep_address
from nongma.audit.models import Entry, Unsealed
from nongma.audit.queries import history_of
from nongma.audit.services import record, record_many
from nongma.regions.spans import EVERYWHERE, span_of
from nongma.testing import HAINAN, LIANDU, YAZHOU


def test_it_tells_who_did_what_on_what_and_when(zhao: User, li: User) -> None:
    entry = record("account.created", actor=zhao, target=li, region_code=YAZHOU, username="li")
    entry.refresh_from_db()
    assert (entry.actor_id, entry.actor_name) == (zhao.pk, "赵审核")
    assert (entry.target_kind, entry.target_id, entry.region_code) == ("user", str(li.uid), YAZHOU)
    assert entry.details == {"username": "li"}
    assert timezone.now() - entry.at < timedelta(minutes=1)
    assert Unsealed.objects.filter(pk=entry.pk).exists()


def test_it_is_undone_with_what_it_tells_of(zhao: User, li: User) -> None:
    with transaction.atomic():
        record("account.created", actor=zhao, target=li)
        transaction.set_rollback(True)
    assert not Entry.objects.exists()
    assert not Unsealed.objects.exists()


def test_it_writes_thousands_in_few_statements(zhao: User, django_assert_max_num_queries) -> None:
    targets = (("origin", f"{number}", YAZHOU, {"row": number}) for number in range(2500))
    with django_assert_max_num_queries(10):
        assert record_many("origin.imported", actor=zhao, targets=targets) == 2500
    assert Entry.objects.filter(action="origin.imported", actor_id=zhao.pk).count() == 2500
    assert Unsealed.objects.count() == 2500


def test_it_writes_nothing_for_no_targets(zhao: User) -> None:
    assert record_many("origin.imported", actor=zhao, targets=[]) == 0
    assert not Entry.objects.exists()


@pytest.mark.parametrize(("address", "kept"), [("10.1.2.3", "10.1.2.3"), ("2001:db8::1", "2001:db8::1"), ("", None)])
def test_it_keeps_where_the_request_came_from(li: User, address: str, kept: str | None) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        record("account.signed_in", actor=li, target=li)
        return HttpResponse()

    keep_address(view)(RequestFactory().get("/", REMOTE_ADDR=address))
    assert Entry.objects.get().address == kept
    outside = record("account.signed_in", actor=li, target=li)
    assert outside.address is None


def test_it_keeps_the_address_of_an_async_request_too() -> None:
    async def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(client_address.get())

    request = RequestFactory().get("/", REMOTE_ADDR="10.1.2.3")
    assert asyncio.run(keep_address(view)(request)).content == b"10.1.2.3"
    assert client_address.get() is None


def test_it_shows_the_history_of_one_record_newest_first(zhao: User, li: User, chen: User) -> None:
    first = record("account.created", actor=zhao, target=li)
    record("account.created", actor=zhao, target=chen)
    last = record("account.password_changed", actor=li, target=li)
    assert [entry.pk for entry in history_of(li)] == [last.pk, first.pk]


def test_it_shows_an_administrator_the_own_area_only(zhao: User, li: User) -> None:
    inside = record("account.created", actor=zhao, target=li, region_code=YAZHOU)
    outside = record("account.created", actor=zhao, target=li, region_code=LIANDU)
    nowhere = record("account.created", actor=zhao, target=li)
    assert list(Entry.objects.within([span_of(HAINAN)])) == [inside]
    assert set(Entry.objects.within([EVERYWHERE])) == {inside, outside, nowhere}
    assert not Entry.objects.within([]).exists()


def test_it_finds_entries_by_the_time_in_their_keys(zhao: User, li: User) -> None:
    entry = record("account.created", actor=zhao, target=li)
    hour = timedelta(hours=1)
    assert Entry.objects.between(entry.at - hour, entry.at + hour).get() == entry
    assert not Entry.objects.between(entry.at - 2 * hour, entry.at - hour).exists()


def test_it_names_actions_in_the_words_of_the_trade() -> None:
    assert action_label("certificate.issued") == "开具合格证"
    assert action_label("something.unheard_of") == "something.unheard_of"
    assert all("." in action for action in ACTIONS)
