"""What the region picker, maps and outside programs ask for."""

import gzip
import json

import pytest
from django.test import Client

from nongma.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client: Client) -> Client:
    user = User(username="zhou", name="周")
    user.set_unusable_password()
    user.save()
    client.force_login(user)
    return client


def test_the_picker_finds_by_initials_inside_an_area(signed_in: Client) -> None:
    items = signed_in.get("/regions/search", {"q": "yzq", "within": "46"}).json()["items"]
    assert items[0] == {"code": "460205000000", "name": "崖州区", "full_name": "海南省三亚市崖州区", "level": 3}


def test_the_picker_goes_down_level_by_level(signed_in: Client) -> None:
    provinces = signed_in.get("/regions/children").json()["items"]
    assert len(provinces) == 34
    inside = signed_in.get("/regions/children", {"of": "460200000000"}).json()["items"]
    assert [item["name"] for item in inside] == ["海棠区", "吉阳区", "天涯区", "崖州区"]


@pytest.mark.parametrize(
    "path", ["search?within=x", "search?level=9", "search?level=x", "children?of=4", "children?of=-1"]
)
def test_a_question_that_makes_no_sense_is_refused(signed_in: Client, path: str) -> None:
    assert signed_in.get(f"/regions/{path}").status_code == 400


@pytest.mark.parametrize("path", ["/regions/search?q=崖州", "/regions/children"])
def test_nobody_asks_without_signing_in(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert "next=" in response["Location"]


def test_boundaries_are_public_packed_and_kept_by_the_browser(client: Client) -> None:
    response = client.get("/regions/boundaries/counties-46.geojson", headers={"Accept-Encoding": "gzip, br"})
    assert response["Content-Encoding"] == "gzip"
    assert response["Cache-Control"] == "public, max-age=604800"
    assert "Accept-Encoding" in response["Vary"]
    names = {feature["properties"]["name"] for feature in json.loads(gzip.decompress(response.content))["features"]}
    assert "崖州区" in names
    again = client.get("/regions/boundaries/counties-46.geojson", headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_boundaries_come_unpacked_to_a_program_without_gzip(client: Client) -> None:
    response = client.get("/regions/boundaries/provinces.geojson")
    assert "Content-Encoding" not in response
    assert len(response.json()["features"]) == 34


@pytest.mark.parametrize("name", ["counties-99", "README", "counties"])
def test_there_are_no_other_boundaries(client: Client, name: str) -> None:
    assert client.get(f"/regions/boundaries/{name}.geojson").status_code == 404


def test_the_api_lists_pages_and_finds(signed_in: Client) -> None:
    page = signed_in.get("/api/v1/regions", {"within": "460205", "level": 5, "page_size": 10}).json()
    assert (len(page["items"]), page["page"], page["page_size"]) == (10, 1, 10)
    assert page["total"] > 30
    assert page["items"][0]["code"].startswith("460205198")
    found = signed_in.get("/api/v1/regions", {"q": "yazhou", "within": "46"}).json()
    assert found["items"][0]["code"] == "460205000000"
    assert found["total"] == len(found["items"])


def test_the_api_gives_a_division_with_its_path(signed_in: Client) -> None:
    region = signed_in.get("/api/v1/regions/460205198204").json()
    assert region["full_name"] == "海南省三亚市崖州区水南村委会"
    assert [place["name"] for place in region["path"]] == ["海南省", "三亚市", "崖州区", "水南村委会"]
    assert region["path"][0] == {"code": "460000000000", "name": "海南省", "level": 1}
    assert region["valid_to"] is None


@pytest.mark.parametrize(("path", "status"), [("999999", 404), ("46020", 404), ("abc", 422), ("4", 422)])
def test_the_api_knows_no_such_division(signed_in: Client, path: str, status: int) -> None:
    response = signed_in.get(f"/api/v1/regions/{path}")
    assert response.status_code == status
    assert response["Content-Type"].startswith("application/problem+json")


def test_the_api_asks_who_is_asking(client: Client) -> None:
    assert client.get("/api/v1/regions").status_code == 401


def test_a_place_to_search_in_that_is_no_code_is_a_wrong_input(signed_in: Client) -> None:
    answer = signed_in.get("/api/v1/regions", {"within": "46020"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "within"
