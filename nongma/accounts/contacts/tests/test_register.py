from dataclasses import replace
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.urls import reverse
from python_calamine import CalamineWorkbook

from nongma.accounts.contacts.queries import gaps_below
from nongma.accounts.contacts.services import report_contact, reveal_contact, save_contact
from nongma.accounts.models import Agency, Contact, ContactState, Role, User
from nongma.accounts.models.contacts import Entry
from nongma.audit.models import Entry as LogEntry
from nongma.lib.phones import landline
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.testing import HAINAN, LIANDU, SANYA, YAZHOU, client_of, file_in, make_official

pytestmark = pytest.mark.django_db
WHOLE = Entry(
    unit="",
    lead_name="李局长",
    lead_title="局长",
    lead_landline="0898 88381234",
    lead_mobile="199 0000 1111",
    person_name="王科长",
    person_landline="",
    person_mobile="19900002222",
    person_email="wang@example.cn",
    note="",
)


@pytest.fixture
def county() -> User:
    """The administrator of 崖州区."""
    return make_official("county", "县管理员", Role.ADMINISTRATOR, YAZHOU)


def state_of(user: User) -> str:
    return Agency.objects.get(pk=user.administers[0].pk).contact_state


def save(user: User, **changes: Any) -> Contact:
    return save_contact(agency=user.administers[0], entry=replace(WHOLE, **changes), actor=user)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0898-88381234", "0898-88381234"),
        ("（0898）88381234", "0898-88381234"),
        ("010 12345678", None),
        ("01062345678", "010-62345678"),
        ("0755-23456789转12", "0755-23456789-12"),
        ("88381234", None),
        ("19900001111", None),
        ("0898-883812345", None),
    ],
)
def test_it_knows_landlines(text: str, wanted: str | None) -> None:
    assert landline(text) == wanted


def test_it_keeps_half_an_entry_and_says_what_is_missing(county: User) -> None:
    save(county, lead_name="", person_email="")
    assert state_of(county) == ContactState.INCOMPLETE
    with pytest.raises(Refused) as refusal:
        report_contact(agency=county.administers[0], actor=county)
    assert refusal.value.code == "contact_incomplete"
    assert "牵头单位负责人姓名、具体负责人邮箱" in refusal.value.message
    assert Contact.objects.get().reported == ""


def test_it_refuses_to_report_nothing(county: User) -> None:
    with pytest.raises(Refused) as refusal:
        report_contact(agency=county.administers[0], actor=county)
    assert refusal.value.code == "contact_incomplete"
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("lead_mobile", "1234", "mobile_invalid"),
        ("person_landline", "88381234", "landline_invalid"),
        ("person_email", "wang", "email_invalid"),
        ("lead_title", "长" * 61, "too_long"),
    ],
)
def test_it_refuses_what_is_no_number(county: User, field: str, value: str, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        save(county, **{field: value})
    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert not Contact.objects.exists()
    assert state_of(county) == ContactState.MISSING


def test_the_level_above_reads_what_was_reported_last(county: User) -> None:
    agency = county.administers[0]
    assert state_of(county) == ContactState.MISSING
    save(county)
    assert state_of(county) == ContactState.DRAFT
    report_contact(agency=agency, actor=county)
    assert state_of(county) == ContactState.REPORTED
    with pytest.raises(Refused) as refusal:
        report_contact(agency=agency, actor=county)
    assert refusal.value.code == "already_reported"
    changed = save(county, lead_name="新局长")
    assert state_of(county) == ContactState.CHANGED
    assert changed.reported_entry
    assert (changed.reported_entry.lead_name, changed.entry.lead_name) == ("李局长", "新局长")
    save(county)
    assert state_of(county) == ContactState.REPORTED
    assert LogEntry.objects.filter(action="contact.reported").count() == 1


def test_it_is_filled_in_by_the_agency_itself(county: User, hainan: User, qian: User) -> None:
    for actor in (hainan, qian):
        with pytest.raises(Refused) as refusal:
            save_contact(agency=county.administers[0], entry=WHOLE, actor=actor)
        assert refusal.value.code == "outside_area"
    ministry = make_official("min", "部", Role.ADMINISTRATOR, 0)
    with pytest.raises(Refused) as refusal:
        save(ministry)
    assert refusal.value.code == "no_contact"
    assert not Contact.objects.exists()


def test_it_reveals_on_record(county: User, hainan: User) -> None:
    agency = county.administers[0]
    save(county)
    with pytest.raises(Refused) as refusal:
        reveal_contact(agency=agency, actor=hainan)
    assert refusal.value.code == "not_reported"
    report_contact(agency=agency, actor=county)
    assert reveal_contact(agency=agency, actor=hainan).lead_mobile == "19900001111"
    with pytest.raises(Refused) as refusal:
        reveal_contact(agency=agency, actor=make_official("liandu", "莲都管理员", Role.ADMINISTRATOR, LIANDU))
    assert refusal.value.code == "outside_area"
    assert LogEntry.objects.filter(action="contact.revealed").count() == 1


def test_it_names_what_is_missing_below(county: User) -> None:
    make_official("sanya", "三亚", Role.ADMINISTRATOR, SANYA)
    gaps = {gap.label: gap.names for gap in gaps_below(Region.objects.get(pk=SANYA))}
    assert gaps == {"还没有监管机构": ["海棠区", "吉阳区", "天涯区"], "还没有填写": ["崖州区"]}
    save(county)
    assert {gap.label for gap in gaps_below(Region.objects.get(pk=SANYA))} == {"还没有监管机构", "填好了，还没有上报"}
    report_contact(agency=county.administers[0], actor=county)
    assert {gap.label for gap in gaps_below(Region.objects.get(pk=SANYA))} == {"还没有监管机构"}


def test_it_works_on_the_pages(county: User, hainan: User) -> None:
    client, above = client_of(county), client_of(hainan)
    agency = county.administers[0]
    where = reverse("accounts:fill-in-contact", args=[agency.uid])
    given = {name: value for name, value in vars(WHOLE).items() if name != "unit"}
    wrong = client.post(where, given | {"lead_mobile": "12"}).content.decode()
    assert "手机号要 11 位数字" in wrong
    missing = client.post(where, given | {"report": "1", "person_name": ""}).content.decode()
    assert "请填写具体负责人姓名" in missing
    assert not Contact.objects.exists()
    assert "还差：具体负责人姓名" in client.post(where, given | {"person_name": ""}, follow=True).content.decode()
    assert "存好了，可以上报" in client.post(where, given, follow=True).content.decode()
    page = reverse("accounts:contact", args=[agency.uid])
    assert "19900001111" in client.get(page).content.decode()
    assert "还没有上报过" in above.get(page).content.decode()
    assert "已上报" in client.post(where, given | {"report": "1"}, follow=True).content.decode()
    seen = above.get(page).content.decode()
    assert "199****1111" in seen
    assert "19900001111" not in seen
    listed = above.get(reverse("accounts:contacts"), {"state": "reported", "level": "3"}).content.decode()
    assert "李局长" in listed
    assert "19900001111" not in listed
    assert "19900001111" in above.post(reverse("accounts:reveal-contact", args=[agency.uid])).content.decode()
    assert above.get(where).status_code == 404


def test_it_hides_other_areas(county: User) -> None:
    save(county)
    report_contact(agency=county.administers[0], actor=county)
    other = client_of(make_official("liandu", "莲都管理员", Role.ADMINISTRATOR, LIANDU))
    uid = county.administers[0].uid
    assert other.get(reverse("accounts:contact", args=[uid])).status_code == 404
    assert other.post(reverse("accounts:reveal-contact", args=[uid])).status_code == 404
    assert other.post(reverse("accounts:report-contact", args=[uid])).status_code == 404
    assert "李局长" not in other.get(reverse("accounts:contacts")).content.decode()


def test_it_exports_in_the_official_layout(county: User, hainan: User) -> None:
    save(county)
    report_contact(agency=county.administers[0], actor=county)
    save(hainan)
    response = client_of(hainan).post(reverse("accounts:export-contacts"), {"level": "3", "reason": "上报省里"})
    content = file_in(response)
    rows = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()
    assert rows[0][0] == "附件2："
    assert rows[1][0] == "重点农产品产地溯源信息采集工作联系方式"
    assert rows[2] == [
        "序号", "牵头单位名称", "牵头单位负责人姓名", "职称/职务", "牵头单位负责人固定电话", "牵头单位负责人手机号",
        "具体负责人姓名", "具体负责人固定电话", "具体负责人手机号", "具体负责人邮箱", "备注",
    ]  # fmt: skip
    assert rows[3] == [
        1, "崖州区监管机构", "李局长", "局长", "0898-88381234", "19900001111", "王科长", "", "19900002222",
        "wang@example.cn", "",
    ]  # fmt: skip
    assert str(rows[4][0]).startswith("注：")
    assert len(rows) == 5
    details = LogEntry.objects.get(action="contacts.exported").details
    assert (details["rows"], details["purpose"], details["searched"]) == (1, "上报省里", False)
    assert details["filter"].startswith("层级：县")
    sheet = openpyxl.load_workbook(BytesIO(content)).worksheets[0]
    assert sheet.oddHeader.left.text.endswith("导出，用途：上报省里")


def test_it_keeps_numbers_encrypted(county: User) -> None:
    from django.db import connection

    save(county)
    report_contact(agency=county.administers[0], actor=county)
    with connection.cursor() as cursor:
        cursor.execute("SELECT lead_mobile || person_email || reported FROM accounts_contact")
        kept = str(cursor.fetchone()[0])
    assert "19900001111" not in kept
    assert "example" not in kept


def test_it_knows_no_line_of_a_suspended_agency(county: User, hainan: User) -> None:
    from django.utils import timezone

    Agency.objects.filter(pk=county.administers[0].pk).update(suspended_at=timezone.now())
    page = client_of(hainan).get(reverse("accounts:contacts")).content.decode()
    assert "崖州区监管机构" not in page
    assert Region.objects.get(pk=HAINAN).name in page


def test_every_fault_stands_beside_its_field_at_once(county: User) -> None:
    page = reverse("accounts:fill-in-contact", args=[county.administers[0].uid])
    wrong = dict.fromkeys(("lead_mobile", "person_mobile", "lead_landline", "person_email"), "12")
    answer = client_of(county).post(page, wrong | {"lead_title": "局长", "report": "1"})
    assert set(answer.context["form"].errors) == {*wrong, "lead_name", "person_name"}
    for told in ("请填写牵头单位负责人姓名", "手机号要 11 位数字", "固定电话要带区号", 'value="局长"', 'value="12"'):
        assert told in answer.text
    assert not Contact.objects.exists()
