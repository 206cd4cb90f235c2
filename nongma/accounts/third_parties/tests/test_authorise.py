from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.models import Authorisation, Role, ThirdParty, User
from nongma.accounts.services import appoint
from nongma.accounts.third_parties.queries import COLUMNS, Standing, Wanted, counts_of, page_of
from nongma.accounts.third_parties.services import (
    authorise,
    change_third_party,
    create_collector,
    open_agreement,
    register_third_party,
    revoke,
)
from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.lib.sorting import Sorting
from nongma.testing import LIANDU, YAZHOU, YAZHOU_TOWN, YAZHOU_VILLAGE, client_of, make_official

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
JPG = b"\xff\xd8\xff\xe0" + b"0" * 50 + b"\xff\xd9"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50 + b"IEND\xaeB`\x82"


def uscc_of(first: str) -> str:
    from stdnum.cn import uscc

    return first + uscc.calc_check_digit(first + "0")


def agreement(content: bytes = PDF, name: str = "协议.pdf") -> "ContentFile[bytes]":
    return ContentFile(content, name)


@pytest.fixture
def county() -> User:
    """The administrator of 崖州区."""
    return make_official("county", "县管理员", Role.ADMINISTRATOR, YAZHOU)


@pytest.fixture
def firm(county: User) -> ThirdParty:
    return register_third_party(
        agency=county.administers[0],
        name="崖州采集服务公司",
        number=uscc_of("91460200MA5T00007"),
        contact="钱经理",
        phone="199 0000 1234",
        actor=county,
    )


def days(**changes: Any) -> dict[str, Any]:
    today = timezone.localdate()
    return {
        "towns": [YAZHOU_VILLAGE],
        "from_on": today,
        "to_on": today + timedelta(days=90),
        "agreed_on": today,
        "agreement": agreement(),
    } | changes


def test_it_registers_a_firm_with_its_phone_encrypted(firm: ThirdParty) -> None:
    firm.refresh_from_db()
    assert (firm.phone, firm.masked_phone) == ("19900001234", "199****1234")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", " ", "name_missing"),
        ("number", "91460200MA5T000070", "uscc_invalid"),
        ("contact", "", "contact_missing"),
        ("phone", "12345", "phone_invalid"),
    ],
)
def test_it_refuses_what_is_wrong_in_itself(county: User, field: str, value: str, code: str) -> None:
    given = {"name": "甲", "number": uscc_of("91460200MA5T00007"), "contact": "乙", "phone": "19900001234"}
    with pytest.raises(Refused) as refusal:
        register_third_party(agency=county.administers[0], actor=county, **(given | {field: value}))
    assert refusal.value.code == code
    assert not ThirdParty.objects.exists()


def test_it_refuses_the_same_firm_twice(firm: ThirdParty, county: User) -> None:
    with pytest.raises(Refused) as refusal:
        register_third_party(
            agency=firm.agency, name="又", number=firm.uscc, contact="乙", phone="19900001234", actor=county
        )
    assert refusal.value.code == "third_party_exists"
    assert ThirdParty.objects.count() == 1


def test_it_lets_nobody_but_the_county_register(hainan: User, county: User) -> None:
    town = make_official("town", "镇管理员", Role.ADMINISTRATOR, YAZHOU_TOWN)
    given = {"name": "甲", "number": uscc_of("91460200MA5T00007"), "contact": "乙", "phone": "19900001234"}
    for actor, agency, code in (
        (hainan, hainan.administers[0], "not_county"),
        (town, town.administers[0], "not_county"),
        (hainan, county.administers[0], "outside_area"),
    ):
        with pytest.raises(Refused) as refusal:
            register_third_party(agency=agency, actor=actor, **given)
        assert refusal.value.code == code
    assert not ThirdParty.objects.exists()


def test_it_authorises_with_the_signed_agreement_kept_sealed(firm: ThirdParty, county: User) -> None:
    made = authorise(firm=firm, actor=county, **days(agreement=agreement(PDF, "../双方 协议.PDF")))
    assert made.agreement_name == "双方 协议.pdf"
    with open(made.agreement.path, "rb") as kept:
        assert b"%PDF" not in kept.read()
    assert made.agreement.open().read() == PDF
    assert ThirdParty.towns_on(firm.pk, timezone.localdate()) == [YAZHOU_VILLAGE]


@pytest.mark.parametrize(("content", "kind"), [(PDF, "pdf"), (JPG, "jpg"), (PNG, "png")])
def test_it_tells_the_kind_by_the_content(firm: ThirdParty, county: User, content: bytes, kind: str) -> None:
    made = authorise(firm=firm, actor=county, **days(agreement=agreement(content, "x.exe")))
    assert made.agreement_name == f"x.{kind}"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"towns": []}, "towns_missing"),
        ({"towns": [331102001000]}, "town_outside"),
        ({"towns": [YAZHOU]}, "town_outside"),
        ({"from_on": -1}, "from_early"),
        ({"from_on": 5, "to_on": 4}, "period_order"),
        ({"to_on": 366}, "period_too_long"),
        ({"agreed_on": 1, "from_on": 3}, "agreed_in_future"),
        ({"agreement": agreement(b"")}, "agreement_missing"),
        ({"agreement": agreement(b"MZ" + b"0" * 100, "a.pdf")}, "file_kind"),
        ({"agreement": agreement(PDF[:20], "cut.pdf")}, "file_kind"),
        ({"agreement": agreement(PDF + b"0" * (10 * 1024 * 1024), "big.pdf")}, "file_too_large"),
    ],
)
def test_it_refuses_what_does_not_fit(firm: ThirdParty, county: User, changes: dict[str, Any], code: str) -> None:
    moved = {
        name: timezone.localdate() + timedelta(days=value) if isinstance(value, int) else value
        for name, value in changes.items()
    }
    with pytest.raises(Refused) as refusal:
        authorise(firm=firm, actor=county, **days(**moved))
    assert refusal.value.code == code
    assert not Authorisation.objects.exists()
    assert not Entry.objects.filter(action="third_party.authorised").exists()


def test_it_lets_only_the_county_itself_authorise(firm: ThirdParty, hainan: User) -> None:
    with pytest.raises(Refused) as refusal:
        authorise(firm=firm, actor=hainan, **days())
    assert refusal.value.code == "outside_area"
    assert not Authorisation.objects.exists()


def test_it_revokes_at_once_and_once_only(firm: ThirdParty, county: User) -> None:
    made = authorise(firm=firm, actor=county, **days())
    with pytest.raises(Refused, match="原因"):
        revoke(authorisation=made, reason=" ", actor=county)
    assert ThirdParty.towns_on(firm.pk, timezone.localdate()) == [YAZHOU_VILLAGE]
    revoke(authorisation=made, reason="泄露信息", actor=county)
    assert ThirdParty.towns_on(firm.pk, timezone.localdate()) == []
    with pytest.raises(Refused) as refusal:
        revoke(authorisation=made, reason="再来", actor=county)
    assert refusal.value.code == "already_revoked"


def test_it_has_nothing_to_revoke_after_the_end(firm: ThirdParty, county: User) -> None:
    made = authorise(firm=firm, actor=county, **days())
    Authorisation.objects.update(from_on=date(2026, 1, 1), to_on=date(2026, 2, 1))
    with pytest.raises(Refused) as refusal:
        revoke(authorisation=made, reason="晚了", actor=county)
    assert refusal.value.code == "already_ended"


def test_it_changes_the_contact(firm: ThirdParty, county: User) -> None:
    change_third_party(firm=firm, name="新名", contact="新人", phone="13800001111", actor=county)
    firm.refresh_from_db()
    assert (firm.name, firm.contact, firm.phone) == ("新名", "新人", "13800001111")


def test_the_page_shows_the_phone_masked_and_keeps_it_when_nothing_is_typed(firm: ThirdParty, county: User) -> None:
    client, page = client_of(county), reverse("accounts:change-third-party", args=[firm.uid])
    shown = client.get(page).content.decode()
    assert "19900001234" not in shown
    assert "199****1234（留空＝不改）" in shown
    client.post(page, {"name": "新名", "contact": "新人", "phone": " "})
    firm.refresh_from_db()
    assert (firm.name, firm.contact, firm.phone) == ("新名", "新人", "19900001234")
    assert "手机号要 11 位数字" in client.post(page, {"name": "甲", "contact": "乙", "phone": "123"}).content.decode()
    client.post(page, {"name": "新名", "contact": "新人", "phone": "13800001111"})
    firm.refresh_from_db()
    assert (firm.name, firm.phone) == ("新名", "13800001111")


STANDINGS: list[tuple[list[tuple[int, int]], Standing]] = [
    ([], Standing.NONE),
    ([(-9, 31)], Standing.RUNNING),
    ([(-9, 30)], Standing.ENDING),
    ([(-9, 0), (1, 90)], Standing.ENDING),
    ([(-9, 5), (-1, 90)], Standing.RUNNING),
    ([(-9, -1), (1, 90)], Standing.FUTURE),
    ([(1, 9)], Standing.FUTURE),
    ([(-90, -60), (-9, -1)], Standing.ENDED),
]


@pytest.mark.parametrize(("periods", "wanted"), STANDINGS)
def test_the_list_and_its_counts_agree_on_where_a_firm_stands(
    firm: ThirdParty, county: User, periods: list[tuple[int, int]], wanted: Standing
) -> None:
    today = timezone.localdate()
    for number, (start, end) in enumerate(periods):
        made = authorise(firm=firm, actor=county, **days())
        from_on, to_on = today + timedelta(days=start), today + timedelta(days=end)
        Authorisation.objects.filter(pk=made.pk).update(from_on=from_on, to_on=to_on)
        if not number:
            withdrawn = authorise(firm=firm, actor=county, **days())
            revoke(authorisation=withdrawn, reason="错了", actor=county)
    sorting = Sorting.asked(COLUMNS, None, default="county")
    found = {one: [row.standing for row in page_of(county, Wanted("", one), sorting, None)[1]] for one in Standing}
    assert found == {one: [wanted] if one == wanted else [] for one in Standing}
    assert counts_of(county) == {one: int(one == wanted) for one in (Standing.ENDING, Standing.ENDED)}


def test_it_appoints_none_of_its_people(firm: ThirdParty, county: User) -> None:
    person, password = create_collector(firm=firm, username="tp1", name="王采集", phone="", actor=county)
    assert person.must_change_password
    assert person.check_password(password)
    assert (person.agency, person.third_party) == (firm.agency, firm)
    with pytest.raises(Refused) as refusal:
        appoint(user=person, agency=firm.agency, role=Role.COLLECTOR, actor=county)
    assert refusal.value.code == "third_party"
    assert not person.memberships.exists()


def test_it_works_page_by_page(county: User, hainan: User) -> None:
    client = client_of(county)
    given = {"name": "崖州公司", "number": uscc_of("91460200MA5T00007"), "contact": "钱", "phone": "19900001234"}
    response = client.post(reverse("accounts:register-third-party"), given)
    firm = ThirdParty.objects.get()
    assert response["Location"] == firm.get_absolute_url()
    page = client.get(reverse("accounts:authorise-third-party", args=[firm.uid]))
    assert "崖城镇" in page.content.decode() or "崖州区" in page.content.decode()
    day = timezone.localdate()
    town = next(iter(page.context["form"].fields["towns"].choices))[0]
    form = {"towns": [town], "from_on": day, "to_on": day + timedelta(days=10), "agreed_on": day}
    assert "请选择信息安全保密协议" in client.post(page.request["PATH_INFO"], form).content.decode()
    assert not Authorisation.objects.exists()
    client.post(page.request["PATH_INFO"], form | {"agreement": agreement()})
    made = Authorisation.objects.get()
    record = client.get(firm.get_absolute_url()).content.decode()
    assert "还有 10 天" in record
    assert client.get(reverse("accounts:agreement", args=[made.uid])).status_code == 405
    assert reverse("accounts:agreement", args=[made.uid]) in record
    file = client.post(reverse("accounts:agreement", args=[made.uid]))
    assert b"".join(file.streaming_content if file.streaming else [file.content]) == PDF
    assert "attachment" in file["Content-Disposition"]
    assert Entry.objects.filter(action="third_party.agreement_read").count() == 1
    assert "30 天内到期的有 1 家" in client.get(reverse("accounts:third-parties")).content.decode()
    assert "崖州公司" in client_of(hainan).get(reverse("accounts:third-parties") + "?standing=ending").content.decode()
    made_page = client.post(
        reverse("accounts:third-party-collector", args=[firm.uid]), {"name": "王", "username": "tp9", "phone": ""}
    )
    password = made_page.context["password"]
    assert password in made_page.content.decode()
    assert password not in client.get(firm.get_absolute_url()).content.decode()
    again = reverse("accounts:authorise-third-party", args=[firm.uid])
    assert client.get(again).context["form"].initial["towns"] == [town]
    client.post(reverse("accounts:revoke-authorisation", args=[made.uid]), {"reason": "不做了"})
    made.refresh_from_db()
    assert made.revoked_for == "不做了"
    assert client.get(again).context["form"].initial.get("towns", []) == []


def test_it_hides_other_counties_firms(firm: ThirdParty, county: User) -> None:
    made = authorise(firm=firm, actor=county, **days())
    other = client_of(make_official("liandu", "莲都管理员", Role.ADMINISTRATOR, LIANDU))
    for name, uid in (
        ("third-party", firm.uid),
        ("change-third-party", firm.uid),
        ("authorise-third-party", firm.uid),
        ("third-party-collector", firm.uid),
        ("revoke-authorisation", made.uid),
    ):
        assert other.get(reverse(f"accounts:{name}", args=[uid])).status_code == 404
    assert other.post(reverse("accounts:agreement", args=[made.uid])).status_code == 404
    with pytest.raises(Refused) as refusal:
        open_agreement(authorisation=made, actor=User.objects.get(username="liandu"))
    assert refusal.value.code == "outside_area"
    assert not Entry.objects.filter(action="third_party.agreement_read").exists()
    assert firm.name not in other.get(reverse("accounts:third-parties")).content.decode()
