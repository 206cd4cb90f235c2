from nongma.registry.models import Base, Operator
from nongma.testing import LIANDU, YAZHOU, api_of, make_operator

URL = "/api/v1/operators"
NEW = {
    "kinds": ["family_farm"],
    "name": "崖州区春晖家庭农场",
    "region": 460205198004,
    "contact": "孙军华",
    "phone": "19900002449",
    "industries": ["planting"],
    "longitude": "109.158151",
    "latitude": 18.43504,
}


def post(client, url, data, **headers):
    return client.post(url, data, content_type="application/json", headers=headers)


def test_it_registers_an_operator_once_for_a_key(zhao):
    client = api_of(zhao)
    first = post(client, URL, NEW, **{"Idempotency-Key": "a1"})
    again = post(client, URL, NEW, **{"Idempotency-Key": "a1"})
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    body = first.json()
    assert (body["status"], body["phone"], body["contact"]) == ("approved", "199****2449", "孙**")
    assert body["region"] == {"code": "460205198004", "path": "海南省三亚市崖州区中和社区居委会"}
    assert Operator.objects.get().code == body["code"]
    assert client.get(f"{URL}/{body['code']}").json() == body


def test_it_says_what_is_wrong(zhao):
    client = api_of(zhao)
    for changes, field in (
        ({"phone": "1"}, "phone"),
        ({"uscc": "1"}, "uscc"),
        ({"id_number": "1"}, "id_number"),
        ({"kinds": ["个体户户"]}, "kinds"),
        ({"kinds": []}, "kinds"),
        ({"region": "x"}, "region"),
        ({"latitude": None}, "latitude"),
        ({"longitude": None}, "latitude"),
    ):
        answer = post(client, URL, NEW | changes)
        assert answer.status_code == 422, changes
        assert answer.json()["errors"][0]["field"] == field
    refused = post(client, URL, NEW | {"region": 999})
    assert (refused.status_code, refused.json()["code"]) == (409, "region_unknown")
    elsewhere = post(client, URL, NEW | {"region": LIANDU})
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (409, "outside_area")
    assert not Operator.objects.exists()


def test_it_lists_operators_of_the_area(zhao, li_operator, chen_operator):
    client = api_of(zhao)
    answer = client.get(URL).json()
    assert [item["code"] for item in answer["items"]] == [li_operator.code]
    assert answer["total"] == 1
    assert client.get(URL, {"kind": "cooperative"}).json()["total"] == 0
    assert client.get(URL, {"region": "460205", "q": "大山", "status": "approved"}).json()["total"] == 1
    assert client.get(f"{URL}/{chen_operator.code}").status_code == 404


def test_two_reviews_the_second_is_told(zhao):
    operator = make_operator(status="submitted")
    client = api_of(zhao)
    returned = post(client, f"{URL}/{operator.code}/return", {"reason": "不全"})
    assert (returned.status_code, returned.json()["status"]) == (200, "returned")
    approved = post(client, f"{URL}/{operator.code}/approve", {})
    assert (approved.status_code, approved.json()["code"]) == (409, "already_decided")


def test_a_collector_does_not_review(wang):
    operator = make_operator(status="submitted")
    assert post(api_of(wang), f"{URL}/{operator.code}/approve", {}).status_code == 403
    operator.refresh_from_db()
    assert operator.status == "submitted"


def test_it_registers_and_lists_bases(li, li_operator, chen):
    url = f"{URL}/{li_operator.code}/bases"
    base = {"name": "东头地", "region": YAZHOU, "longitude": "109.158151", "latitude": "18.435040", "area_mu": "3.5"}
    answer = post(api_of(li), url, base)
    assert answer.status_code == 201
    assert answer.json()["code"] == Base.objects.get().code
    assert api_of(li).get(url).json()["items"] == [answer.json()]
    assert post(api_of(li), url, base).json()["code"] == "already_registered"
    assert post(api_of(chen), url, base).status_code == 404
    assert Base.objects.count() == 1
