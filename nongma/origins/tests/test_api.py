from typing import Any

import pytest

from nongma.accounts.models import User
from nongma.origins import api
from nongma.origins.models import Origin, ReviewJob
from nongma.origins.services.review import run_review_job
from nongma.testing import api_of, make_origin

JSON = "application/json"


def test_it_lists_with_the_filters_of_the_table(zhao: User, sun: User, li_origin: Origin) -> None:
    found = api_of(zhao).get("/api/v1/origins", {"product": "豇豆", "on_sale": "2026-05", "page_size": 10}).json()
    assert (found["total"], found["page"], found["page_size"]) == (1, 1, 10)
    item = found["items"][0]
    assert item["id"] == str(li_origin.uid)
    assert item["region"]["code"] == "460205198004"
    assert item["phone"] == "199****5935"
    assert (item["longitude"], item["latitude"]) == ("109.158151", "18.435040")
    assert (item["on_sale"], item["off_sale"]) == ("2026-04-01", "2026-08-31")
    assert api_of(zhao).get("/api/v1/origins", {"status": "approved"}).json()["total"] == 0
    assert api_of(sun).get("/api/v1/origins").json()["total"] == 0


def test_it_says_which_condition_is_wrong(zhao: User) -> None:
    answer = api_of(zhao).get("/api/v1/origins", {"on_sale": "May"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "on_sale"


def test_it_approves_once(zhao: User, sun: User, wang: User, li_origin: Origin) -> None:
    address = f"/api/v1/origins/{li_origin.uid}/approve"
    assert api_of(sun).post(address).status_code == 404
    assert api_of(wang).post(address).status_code == 403
    assert api_of(zhao).post(address).json()["state"] == "approved"
    again = api_of(zhao).post(address)
    assert again.status_code == 409
    assert again.json()["code"] == "already_decided"
    assert zhao.name in again.json()["detail"]


def test_it_returns_with_a_reason(zhao: User, li_origin: Origin) -> None:
    address = f"/api/v1/origins/{li_origin.uid}/return"
    empty = api_of(zhao).post(address, {"reason": " "}, content_type=JSON)
    assert (empty.status_code, empty.json()["code"]) == (422, "reason_missing")
    assert api_of(zhao).post(address, {}, content_type=JSON).status_code == 422
    done = api_of(zhao).post(address, {"reason": "规模不对"}, content_type=JSON).json()
    assert (done["state"], done["return_reason"], done["reviewed_by"]) == ("returned", "规模不对", zhao.name)


def test_it_locates(wang: User, li_origin: Origin) -> None:
    draft = make_origin(
        li_origin.base,
        li_origin.product,
        collected_by=wang,
        state="to_locate",
        longitude=None,
        latitude=None,
        quadkey=None,
    )
    address = f"/api/v1/origins/{draft.uid}/locate"
    far = api_of(wang).post(address, {"longitude": "119.874341", "latitude": "28.203296"}, content_type=JSON)
    assert (far.status_code, far.json()["code"]) == (409, "outside-county")
    done = api_of(wang).post(address, {"longitude": 109.16, "latitude": "18.430001"}, content_type=JSON)
    assert done.status_code == 422
    done = api_of(wang).post(address, {"longitude": "109.160000", "latitude": "18.430001"}, content_type=JSON)
    assert (done.json()["state"], done.json()["longitude"]) == ("submitted", "109.160000")


@pytest.mark.parametrize("by_filter", [True, False])
def test_it_decides_many(zhao: User, wang: User, li_origin: Origin, by_filter: bool) -> None:
    others = [make_origin(li_origin.base, li_origin.product, collected_by=wang) for _ in range(3)]
    api_of(zhao).post(f"/api/v1/origins/{li_origin.uid}/approve")
    uids = [str(origin.uid) for origin in (li_origin, *others)]
    body = {"verdict": "approve", **({"filter": {"product": "豇豆"}} if by_filter else {"ids": uids})}
    done = api_of(zhao).post("/api/v1/origins/decide", body, content_type=JSON)
    assert done.json() == {"decided": 3, "passed_over": 1}


def test_it_asks_for_one_way_to_choose(zhao: User, li_origin: Origin) -> None:
    for body in ({"verdict": "approve"}, {"verdict": "approve", "ids": [], "filter": {}}):
        assert api_of(zhao).post("/api/v1/origins/decide", body, content_type=JSON).status_code == 422
    li_origin.refresh_from_db()
    assert li_origin.state == "submitted"


@pytest.fixture
def three(wang: User, li_origin: Origin, monkeypatch: pytest.MonkeyPatch) -> list[Origin]:
    """One more than are decided while a program waits."""
    monkeypatch.setattr(api, "AT_ONCE", 2)
    return [li_origin, *(make_origin(li_origin.base, li_origin.product, collected_by=wang) for _ in range(2))]


def waiting() -> int:
    return Origin.objects.filter(state="submitted").count()


def test_the_worker_decides_on_a_long_filter(zhao: User, sun: User, three: list[Origin]) -> None:
    body: dict[str, Any] = {"verdict": "return", "reason": "规模不对", "filter": {"product": "豇豆"}}
    answer = api_of(zhao).post("/api/v1/origins/decide", body, content_type=JSON)
    job = ReviewJob.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {"id": str(job.uid), "progress": f"/api/v1/origins/decisions/{job.uid}"}
    assert answer["Location"] == answer.json()["progress"]
    assert waiting() == 3
    before = api_of(zhao).get(answer["Location"]).json()
    assert (before["status"], before["total"], before["decided"]) == ("queued", 3, 0)
    assert api_of(sun).get(answer["Location"]).status_code == 404
    run_review_job(job.pk)
    after = api_of(zhao).get(answer["Location"]).json()
    assert (after["status"], after["decided"], after["message"]) == ("done", 3, "")
    assert set(Origin.objects.values_list("state", "return_reason")) == {("returned", "规模不对")}


def test_a_long_filter_needs_a_reason_too(zhao: User, three: list[Origin]) -> None:
    body: dict[str, Any] = {"verdict": "return", "filter": {}}
    answer = api_of(zhao).post("/api/v1/origins/decide", body, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "reason_missing")
    assert not ReviewJob.objects.exists()
    assert waiting() == 3


def test_a_long_filter_sent_twice_is_one_decision(zhao: User, three: list[Origin]) -> None:
    client = api_of(zhao)
    body: dict[str, Any] = {"verdict": "approve", "filter": {}}
    first, again = (
        client.post("/api/v1/origins/decide", body, content_type=JSON, headers={"Idempotency-Key": "one"})
        for _ in range(2)
    )
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again["Location"] == first["Location"]
    assert ReviewJob.objects.count() == 1
