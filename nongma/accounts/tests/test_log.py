from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from nongma.accounts.log.views import SHOWN
from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.audit.services import record, record_many
from nongma.testing import LIANDU, YAZHOU, client_of

LOG = "/audit/"
EXPORT = "/audit/export"


def shown(user: User, **query: Any) -> list[Entry]:
    entries: list[Entry] = client_of(user).get(LOG, query).context["slice"].entries
    return entries


def test_it_shows_the_own_area_newest_first(hainan: User, ministry: User, zhao: User, li: User) -> None:
    first = record("account.created", actor=zhao, target=li, region_code=YAZHOU)
    last = record("account.appointed", actor=zhao, target=li, region_code=YAZHOU)
    outside = record("account.created", actor=zhao, target=li, region_code=LIANDU)
    nowhere = record("account.created", actor=None, target=li)
    assert shown(hainan) == [last, first]
    assert shown(ministry) == [nowhere, outside, last, first]


@pytest.mark.parametrize("page", [LOG, EXPORT])
def test_it_is_for_administrators(zhao: User, li: User, page: str) -> None:
    assert client_of(zhao).get(page).status_code == 403
    assert client_of(li).get(page).status_code == 403


def test_it_is_filtered(ministry: User, zhao: User, li: User, chen: User) -> None:
    one = record("account.created", actor=zhao, target=li, region_code=YAZHOU)
    other = record("account.failed", actor=None, target=chen)
    assert shown(ministry, username="zhao") == [one]
    assert shown(ministry, person=zhao.pk) == [one]
    assert shown(ministry, username="nobody") == []
    assert shown(ministry, action="account.failed") == [other]
    assert shown(ministry, kind="user", target=chen.pk) == [other]
    assert shown(ministry, kind="lot") == []
    yesterday = timezone.localdate() - timedelta(days=1)
    assert shown(ministry, from_on=yesterday, to_on=yesterday) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from_on": "2026-02-01", "to_on": "2026-01-01"}, "to_on"),
        ({"from_on": "2020-01-01", "to_on": "2026-01-01"}, "from_on"),
        ({"from_on": "yesterday"}, "from_on"),
        ({"action": "nonsense"}, "action"),
    ],
)
def test_it_says_what_is_wrong_with_a_search(ministry: User, query: dict[str, str], field: str) -> None:
    response = client_of(ministry).get(LOG, query)
    assert field in response.context["form"].errors
    assert response.context["slice"].entries == []
    assert client_of(ministry).get(EXPORT, query).status_code == 400


def test_it_goes_back_page_by_page(ministry: User, li: User) -> None:
    record_many("origin.imported", actor=li, targets=[("origin", str(n), None, {}) for n in range(SHOWN * 2 + 1)])
    client, seen, before = client_of(ministry), [], ""
    for _ in range(3):
        found = client.get(LOG, {"before": before}).context["slice"]
        seen += [entry.pk for entry in found.entries]
        before = found.before
    assert before is None
    assert seen == list(Entry.objects.order_by("-id").values_list("pk", flat=True))
    assert client.get(LOG, {"before": "nonsense"}).status_code == 200


def test_it_reads_as_a_sentence(ministry: User, zhao: User, li: User) -> None:
    record("account.appointed", actor=zhao, target=li, region_code=YAZHOU, agency="崖州站", reason="调入")
    page = client_of(ministry).get(LOG).content.decode()
    for text in ("任职", "赵审核", "账号", "机构 崖州站，原因 调入"):
        assert text in page


def test_it_says_when_there_is_nothing(ministry: User) -> None:
    assert "这段时间没有记录" in client_of(ministry).get(LOG).content.decode()


def test_it_is_exported_for_spreadsheets(ministry: User, hainan: User, li: User) -> None:
    record("account.created", actor=li, target=li, region_code=YAZHOU, note="=1+1")
    Entry.objects.update(actor_name="=cmd()")
    answer = client_of(hainan).get(EXPORT)
    text = answer.content.decode()
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert text.startswith("\ufeff时间,操作人,")
    assert "'=cmd()" in text
    assert len(text.strip().splitlines()) == 2
