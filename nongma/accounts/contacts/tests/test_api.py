from dataclasses import replace

import pytest
from django.urls import reverse

from nongma.accounts.contacts.services import report_contact, save_contact
from nongma.accounts.contacts.tests.test_register import WHOLE
from nongma.accounts.models import Role, User
from nongma.testing import LIANDU, YAZHOU, api_of, client_of, make_official

pytestmark = pytest.mark.django_db


def test_it_lists_the_own_area_masked(hainan: User) -> None:
    county = make_official("county", "县管理员", Role.ADMINISTRATOR, YAZHOU)
    make_official("liandu", "莲都管理员", Role.ADMINISTRATOR, LIANDU)
    save_contact(
        agency=county.administers[0], entry=replace(WHOLE, note="甲", person_landline="0898-88385678"), actor=county
    )
    report_contact(agency=county.administers[0], actor=county)
    answer = api_of(hainan).get("/api/v1/contacts").json()
    assert [(item["region"], item["status"]) for item in answer["items"]] == [
        ("460000000000", "missing"),
        ("460205000000", "reported"),
    ]
    line = answer["items"][1]
    assert (line["lead_mobile"], line["person_email"]) == ("199****1111", "w***@example.cn")
    assert (line["lead_landline"], line["person_landline"]) == ("0898-****1234", "0898-****5678")
    (own,) = api_of(county).get("/api/v1/contacts").json()["items"]
    assert (own["lead_landline"], own["lead_mobile"]) == ("0898-88381234", "199****1111")
    page = reverse("accounts:contact", args=[county.administers[0].uid])
    assert "88381234" not in client_of(hainan).get(page).content.decode()
    assert "0898-88381234" in client_of(county).get(page).content.decode()
    reported = api_of(hainan).get("/api/v1/contacts?level=3&status=reported&region=4602").json()
    assert reported["total"] == 1
    assert api_of(hainan).get("/api/v1/contacts?region=33").json()["total"] == 0
    assert api_of(hainan).get("/api/v1/contacts?level=5").status_code == 422
