"""What an operator is certified for: entered, confirmed, renewed, taken back, told of before it ends."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.catalogue.models import Product
from nongma.lib.refused import Refused
from nongma.notices.models import Notice
from nongma.registry.certifications.reminders import remind_of_ends
from nongma.registry.certifications.services import (
    add_certification,
    change_certification,
    confirm_certification,
    withdraw_certification,
)
from nongma.registry.models import Certification, Operator, OperatorMember
from nongma.testing import client_of, make_user

TODAY = timezone.localdate()
PDF = b"%PDF-1.7\nsmall\n%%EOF\n"


def held(operator: Operator, product: Product, actor: User, **changes: Any) -> Certification:
    values: dict[str, Any] = {
        "kind": "green",
        "number": "LB-15-1",
        "products": [product],
        "from_on": TODAY - timedelta(days=10),
        "to_on": TODAY + timedelta(days=365),
    }
    return add_certification(operator=operator, actor=actor, **values | changes)


def form(product: Product, **changes: Any) -> dict[str, Any]:
    values = {"kind": "organic", "number": "OP-1", "products": [product.pk], "from_on": "2026-01-01"}
    return values | {"to_on": "2029-01-01", "issuer": "中绿华夏"} | changes


def test_an_owner_registers_one_with_its_file(li, li_operator, cowpea):
    client = client_of(li)
    assert client.get(f"/operators/{li_operator.code}/certifications/add").status_code == 200
    sent = form(cowpea, file=SimpleUploadedFile("证书.pdf", PDF))
    answer = client.post(f"/operators/{li_operator.code}/certifications/add", sent)
    assert answer.url == f"{li_operator.get_absolute_url()}#certifications"
    kept = Certification.objects.get()
    assert (kept.kind, kept.confirmed_on, list(kept.products.all())) == ("organic", None, [cowpea])
    with open(kept.file.path, "rb") as sealed:
        assert b"small" not in sealed.read()
    page = client.get(li_operator.get_absolute_url()).content.decode()
    assert "OP-1" in page
    assert "由主体登记，平台未核验" in page
    got = client.post(f"/operators/{li_operator.code}/certifications/{kept.uid}/file")
    assert b"".join(got.streaming_content) == PDF
    assert Entry.objects.filter(action="operator.certification_file_read").count() == 1


def test_the_file_is_for_those_who_see_the_record(li, li_operator, cowpea, chen, sun, zhao):
    kept = held(li_operator, cowpea, li, file=ContentFile(PDF, "a.pdf"))
    address = f"/operators/{li_operator.code}/certifications/{kept.uid}/file"
    assert [client_of(one).post(address).status_code for one in (zhao, chen, sun)] == [200, 404, 404]
    assert client_of(zhao).get(address).status_code == 405


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to_on": TODAY - timedelta(days=11)}, "period_invalid"),
        ({"to_on": None}, "period_invalid"),
        ({"number": " "}, "text_missing"),
        ({"kind": "other"}, "text_missing"),
        ({"products": []}, "product_missing"),
        ({"file": ContentFile(b"<html>", "a.pdf")}, "file_kind"),
        ({"file": ContentFile(PDF[:-7], "a.pdf")}, "file_kind"),
    ],
)
def test_it_refuses_and_keeps_nothing(li, li_operator, cowpea, changes, code):
    with pytest.raises(Refused) as refusal:
        held(li_operator, cowpea, li, **changes)
    assert refusal.value.code == code
    assert not Certification.objects.exists()
    assert not Entry.objects.filter(action="operator.certification_added").exists()


def test_a_geographical_indication_may_have_no_end(li, li_operator, cowpea):
    kept = held(li_operator, cowpea, li, kind="geographical", to_on=None)
    assert kept.standing(date(2099, 1, 1)).label == "有效"


def test_it_refuses_the_same_twice(li, li_operator, cowpea):
    held(li_operator, cowpea, li)
    with pytest.raises(Refused, match="已经登记过"):
        held(li_operator, cowpea, li)
    assert Certification.objects.count() == 1


def test_only_the_owner_and_agencies_of_the_place_may(li, li_operator, cowpea, chen, sun, hainan):
    staff = make_user("staff", "小工", is_operator=True)
    OperatorMember.objects.create(operator=li_operator, user=staff, role=OperatorMember.Role.STAFF)
    for actor, code in ((chen, "not_own_operator"), (staff, "not_own_operator"), (sun, "outside_area")):
        with pytest.raises(Refused) as refusal:
            held(li_operator, cowpea, actor)
        assert refusal.value.code == code
    assert not Certification.objects.exists()
    assert held(li_operator, cowpea, hainan).confirmed_on is None


def test_a_stopped_operator_adds_none(li, li_operator, cowpea):
    Operator.objects.filter(pk=li_operator.pk).update(status="suspended")
    with pytest.raises(Refused) as refusal:
        held(li_operator, cowpea, li)
    assert refusal.value.code == "not_active"
    assert not Certification.objects.exists()


def test_a_reviewer_confirms_and_a_change_by_the_owner_ends_that(li, li_operator, cowpea, zhao, sun):
    kept = held(li_operator, cowpea, li)
    with pytest.raises(Refused) as refusal:
        confirm_certification(certification=kept, actor=sun)
    assert refusal.value.code == "outside_area"
    client_of(zhao).post(f"/operators/{li_operator.code}/certifications/{kept.uid}/confirm")
    kept.refresh_from_db()
    assert kept.confirmed_by == zhao
    with pytest.raises(Refused, match="已经核验过"):
        confirm_certification(certification=kept, actor=zhao)
    values = {"kind": "green", "number": "LB-2", "products": [cowpea], "from_on": TODAY}
    changed = change_certification(certification=kept, to_on=TODAY + timedelta(days=900), actor=li, **values)
    assert (changed.number, changed.confirmed_by) == ("LB-2", None)


def test_one_is_withdrawn_with_a_reason_once(li, li_operator, cowpea):
    kept = held(li_operator, cowpea, li)
    with pytest.raises(Refused, match="撤销原因"):
        withdraw_certification(certification=kept, reason=" ", actor=li)
    kept.refresh_from_db()
    assert kept.withdrawn_on is None
    client = client_of(li)
    client.post(f"/operators/{li_operator.code}/certifications/{kept.uid}/withdraw", {"reason": "证书被收回"})
    kept.refresh_from_db()
    assert (kept.withdrawn_on, kept.withdrawn_for) == (TODAY, "证书被收回")
    assert "已撤销" in client.get(li_operator.get_absolute_url()).content.decode()
    with pytest.raises(Refused, match="已经撤销"):
        withdraw_certification(certification=kept, reason="再来", actor=li)


def test_changing_takes_the_new_file_and_the_page_offers_what_is_on_record(li, li_operator, cowpea):
    kept = held(li_operator, cowpea, li, file=ContentFile(PDF, "a.pdf"))
    address = f"/operators/{li_operator.code}/certifications/{kept.uid}/change"
    client = client_of(li)
    assert "LB-15-1" in client.get(address).content.decode()
    client.post(address, form(cowpea, file=SimpleUploadedFile("b.pdf", PDF.replace(b"small", b"other"))))
    kept.refresh_from_db()
    assert kept.file.open().read() == PDF.replace(b"small", b"other")
    client.post(address, form(cowpea, to_on="2020-01-01"))
    kept.refresh_from_db()
    assert kept.to_on == date(2029, 1, 1)


def test_people_are_told_once_at_60_30_and_7_days(li, li_operator, cowpea, chen):
    end = TODAY + timedelta(days=100)
    kept = held(li_operator, cowpea, li, to_on=end)
    Notice.objects.all().delete()
    told = [day for day in range(101, -3, -1) if remind_of_ends(end - timedelta(days=day))]
    assert told == [60, 30, 7]
    assert set(Notice.objects.values_list("user", "kind", "due_on")) == {(li.pk, "deadline", end)}
    withdraw_certification(certification=kept, reason="不用了", actor=li)
    assert not Notice.objects.unread().filter(about__startswith="certification:").exists()


def test_a_day_without_a_worker_is_made_up_for(li, li_operator, cowpea):
    end = TODAY + timedelta(days=100)
    held(li_operator, cowpea, li, to_on=end)
    told = [day for day in (61, 58, 57, 29, 28, 5, 4, 0) if remind_of_ends(end - timedelta(days=day))]
    assert told == [58, 29, 5]


def test_the_api_registers_and_lists(li, li_operator, cowpea):
    client = client_of(li)
    data = {"kind": "gap", "number": "GAP-1", "products": [cowpea.code], "from_on": str(TODAY), "to_on": "2040-01-01"}
    address = f"/api/v1/operators/{li_operator.code}/certifications"
    made = client.post(address, data, content_type="application/json")
    assert (made.status_code, made.json()["state"]) == (201, "valid")
    again = client.post(address, data, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "already_registered")
    wrong = client.post(address, data | {"products": ["nope"]}, content_type="application/json")
    assert wrong.status_code == 422
    assert [item["number"] for item in client.get(address).json()["items"]] == ["GAP-1"]
