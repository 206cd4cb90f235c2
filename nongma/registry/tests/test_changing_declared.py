"""What an operator declared is changed later, at once and with its history: products, scale, the licence's photo."""

import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from nongma.audit.models import Entry
from nongma.catalogue.models import Product
from nongma.lib.refused import Refused
from nongma.registry import loading
from nongma.registry.declaring.services import MOST_PRODUCTS, change_declared, version_of
from nongma.registry.directory.corrections.services import send_correction
from nongma.registry.directory.settling import settle
from nongma.registry.models import DirectoryEntry, Licence, Operator, OperatorMember, Produce
from nongma.registry.self_registration.services import Declared
from nongma.registry.services import cancel_operator, merge_operators
from nongma.registry.tests.test_declared import PLACE, address, photo
from nongma.testing import YAZHOU_VILLAGE, api_of, at_once, client_of, make_operator, make_user

pytestmark = pytest.mark.django_db
CHANGES = ("operator.produce_changed", "operator.licence_changed")


@pytest.fixture(autouse=True)
def _uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def firm(li, cowpea) -> Operator:
    """Li's co-op in a village of 崖州区, which grows 3 亩 of cowpeas."""
    firm = make_operator(li, name="崖州湾豇豆合作社", kinds=["cooperative"], region=YAZHOU_VILLAGE)
    Produce.objects.create(operator=firm, product=cowpea, unit="mu", scale=Decimal(3))
    return firm


def rows(product: Product, scale: str = "10.5", **more: object) -> dict[str, object]:
    return {"product_1": f"{product.code}:mu", "scale_1": scale, **more}


def where(firm: Operator) -> str:
    return f"/operators/{firm.code}/declared"


def nothing_changed(firm: Operator) -> bool:
    kept = firm.produce.get()
    is_same = (kept.scale, kept.unit) == (3, "mu") and not Licence.objects.filter(operator=firm).exists()
    return is_same and not Entry.objects.filter(action__in=CHANGES).exists()


def test_its_owner_changes_it_and_everybody_reads_from_what_to_what(firm, li, cowpea, zhao):
    client = client_of(li)
    assert where(firm) in client.get(firm.get_absolute_url()).text
    shown = client.get(where(firm)).context["form"]
    assert shown["scale_1"].value() == "3"
    other = Product.objects.exclude(pk=cowpea.pk).filter(industry=cowpea.industry).first()
    answer = client.post(where(firm), rows(cowpea, seen=shown["seen"].value(), product_2=f"{other.code}:mu"))
    assert answer.url == firm.get_absolute_url()
    assert {(one.product, one.unit, one.scale) for one in firm.produce.all()} == {
        (cowpea, "mu", Decimal("10.50")),
        (other, "mu", None),
    }
    page = client_of(zhao).get(firm.get_absolute_url()).text
    assert f"豇豆 3 亩 → 豇豆 10.5 亩、{other.name}" in page
    assert "修改产品和规模" in page


def test_a_row_is_left_to_add_one_to_many(firm, li, cowpea):
    for product in Product.objects.exclude(pk=cowpea.pk)[:3]:
        Produce.objects.create(operator=firm, product=product, unit=product.scale_units[0])
    form = client_of(li).get(where(firm)).context["form"]
    assert len(form.rows) == 5
    typed = {name: form[name].value() or "" for name in form.fields if name != "licence"}
    assert client_of(li).post(where(firm), typed | {"product_1": "", "scale_1": ""}).url == firm.get_absolute_url()
    assert firm.produce.count() == 3
    assert not firm.produce.filter(product=cowpea).exists()


def test_what_the_directory_missed_is_complete_after_it(li, cowpea, zhao):
    loading.load()
    firm = make_operator(li, name="崖州湾合作社", kinds=["cooperative"], region=YAZHOU_VILLAGE)
    Operator.objects.filter(pk=firm.pk).update(confirmed_on=None)
    change_declared(operator=firm, actor=zhao, produce=[])
    client_of(li).post(where(firm), rows(cowpea, "0.5"))
    settle()
    assert "produce" not in DirectoryEntry.objects.get(operator=firm).lacks
    firm.refresh_from_db()
    assert firm.confirmed_on is not None
    client_of(li).post(where(firm), {"product_1": ""})
    settle()
    assert "produce" in DirectoryEntry.objects.get(operator=firm).lacks


def test_saving_what_stands_writes_nothing(firm, li, cowpea):
    assert client_of(li).post(where(firm), rows(cowpea, "3")).url == firm.get_absolute_url()
    assert nothing_changed(firm)


def test_agencies_of_the_area_change_it_and_nobody_else(firm, wang, zhao, officer, sun, chen, cowpea):
    staff = make_user("staff", "王员工", is_operator=True)
    OperatorMember.objects.create(operator=firm, user=staff, role=OperatorMember.Role.STAFF)
    answers = [client_of(user).post(where(firm), rows(cowpea)).status_code for user in (officer, sun, chen)]
    assert answers == [403, 404, 404]
    with pytest.raises(Refused) as refusal:
        change_declared(operator=firm, actor=staff, produce=[])
    assert refusal.value.code == "not_own_operator"
    assert where(firm) not in client_of(officer).get(firm.get_absolute_url()).text
    assert nothing_changed(firm)
    for user, scale in ((wang, "7"), (zhao, "8")):
        client_of(user).post(where(firm), rows(cowpea, scale))
        assert firm.produce.get().scale == int(scale)


def test_a_cancelled_operator_keeps_what_it_said(firm, li, zhao, cowpea):
    cancel_operator(operator=firm, reason="不再经营", actor=zhao)
    with pytest.raises(Refused) as refusal:
        change_declared(operator=firm, actor=li, produce=[], licence=b"photo")
    assert refusal.value.code == "not_active"
    assert nothing_changed(firm)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"scale_2": "3"}, "product_2"),
        ({"product_2": "none:mu"}, "product_2"),
        ({"scale_1": "0"}, "scale_1"),
        ({"scale_1": "-1"}, "scale_1"),
        ({"scale_1": "12345678901"}, "scale_1"),
        ({"product_2": "{0}:mu"}, "product_2"),
    ],
)
def test_a_fault_stands_beside_its_row(firm, li, cowpea, typed, field):
    given = {name: value.format(cowpea.code) for name, value in typed.items()}
    assert client_of(li).post(where(firm), rows(cowpea) | given).context["form"].errors[field]
    assert nothing_changed(firm)


def test_who_saved_meanwhile_is_not_written_over(firm, li, zhao, cowpea):
    seen = version_of(firm)
    change_declared(operator=firm, actor=zhao, produce=[Declared(cowpea, "mu", Decimal(9))])
    answer = client_of(li).post(where(firm), rows(cowpea, "5", seen=seen), follow=True)
    assert "改过了" in answer.text
    assert answer.context["form"]["scale_1"].value() == "9"
    assert firm.produce.get().scale == 9
    assert Entry.objects.filter(action__in=CHANGES).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_asked_to_look_again(firm, li, zhao, cowpea):
    seen = version_of(firm)
    results = at_once(
        *(
            lambda actor=actor, scale=scale: change_declared(
                operator=firm, actor=actor, seen=seen, produce=[Declared(cowpea, "mu", scale)], licence=jpeg()
            )
            for actor, scale in ((li, Decimal(5)), (zhao, Decimal(6)))
        )
    )
    assert sorted(isinstance(one, Operator) for one in results) == [False, True]
    assert "changed_meanwhile" in results
    assert firm.produce.count() == 1
    assert Licence.objects.current().get(operator=firm)


def jpeg() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(written, "JPEG")
    return written.getvalue()


def test_a_new_photo_takes_the_place_of_the_one_before(firm, li, zhao, wang, cowpea):
    for _ in range(2):
        client_of(li).post(where(firm), rows(cowpea, "3", licence=photo()))
    old, new = Licence.objects.order_by("id")
    assert (old.replaced_at is None, new.replaced_at) == (False, None)
    assert Entry.objects.filter(action="operator.licence_changed").count() == 2
    plain = b"".join(client_of(li).post(address(new)).streaming_content)
    assert (PLACE.encode() in plain, dict(Image.open(io.BytesIO(plain)).getexif())) == (False, {})
    assert b"".join(client_of(zhao).post(address(old)).streaming_content)
    assert Entry.objects.filter(action="operator.licence_read").count() == 2
    for user, licence in ((li, old), (wang, new), (wang, old)):
        assert "换下的只有审核员" in client_of(user).post(address(licence), follow=True).text
    assert Entry.objects.filter(action="operator.licence_read").count() == 2
    pages = {user: client_of(user).get(firm.get_absolute_url()).text for user in (li, zhao, wang)}
    assert [text.count("执照照片</button>") for text in pages.values()] == [1, 2, 0]


@pytest.mark.parametrize("content", [b"<script>alert(1)</script>", b"GIF89a" + b"0" * 100, b"%PDF-1.7 %%EOF"])
def test_what_is_no_photo_changes_nothing(firm, li, cowpea, content, tmp_path):
    file = SimpleUploadedFile("执照.jpg", content)
    answer = client_of(li).post(where(firm), rows(cowpea, licence=file))
    assert "JPG 或 PNG" in "".join(answer.context["form"].errors["licence"])
    assert nothing_changed(firm)
    assert not list(tmp_path.rglob("*.jpg"))


def test_a_photo_that_was_refused_leaves_no_file_and_the_one_before(firm, li, cowpea, tmp_path, monkeypatch):
    client_of(li).post(where(firm), rows(cowpea, "3", licence=photo()))
    files = list(tmp_path.rglob("*.jpg"))
    with pytest.raises(Refused) as refusal:
        change_declared(operator=firm, actor=li, produce=[], licence=jpeg(), seen="old")
    assert refusal.value.code == "changed_meanwhile"
    monkeypatch.setattr("nongma.lib.photos.MOST_BYTES", 100)
    answer = client_of(li).post(where(firm), rows(cowpea, licence=photo()))
    assert "超过" in "".join(answer.context["form"].errors["licence"])
    assert list(tmp_path.rglob("*.jpg")) == files
    assert Licence.objects.get().replaced_at is None
    assert firm.produce.get().scale == 3


def test_a_merge_hands_on_all_photos_to_who_has_none(firm, li, zhao, cowpea):
    for _ in range(2):
        change_declared(operator=firm, actor=li, produce=[], licence=jpeg())
    Operator.objects.filter(pk=firm.pk).update(status="submitted")
    firm.refresh_from_db()
    known = make_operator(name="崖州湾豇豆合作社", status="imported", phone="", reviewed_at=None)
    merge_operators(operator=firm, into=known, reason="同一家", actor=zhao)
    assert known.licences.count() == 2
    assert known.licences.current().count() == 1


def test_programs_read_and_change_it(firm, li, zhao, chen, cowpea):
    api, there = api_of(li), f"/api/v1/operators/{firm.code}/declared"
    told = api.get(there).json()
    row = {"product": cowpea.code, "name": "豇豆", "unit": "mu"}
    assert told["produce"] == [row | {"scale": "3.00"}]
    assert told["licence_uploaded_at"] is None
    body = {"produce": [{"product": cowpea.code, "unit": "mu", "scale": "4.5"}], "version": told["version"]}
    changed = api.put(there, body, content_type="application/json")
    assert changed.json()["produce"] == [row | {"scale": "4.50"}]
    stale = api.put(there, body | {"produce": []}, content_type="application/json")
    assert (stale.status_code, stale.json()["code"]) == (409, "changed_meanwhile")
    assert api_of(chen).get(there).status_code == 404
    assert firm.produce.get().scale == Decimal("4.5")


@pytest.mark.parametrize(
    ("produce", "code"),
    [
        ([{"product": "none", "unit": "mu"}], "product_unknown"),
        ([{"product": "{0}", "unit": "mu"}, {"product": "{0}", "unit": "mu", "scale": "2"}], "product_twice"),
        ([{"product": "{0}", "unit": "head"}], "unit_unfit"),
        ([{"product": "{0}", "unit": "mu", "scale": "0"}], "invalid"),
        ([{"product": "{0}", "unit": "mu"}] * (MOST_PRODUCTS + 1), "invalid"),
    ],
)
def test_programs_are_told_what_does_not_fit(firm, li, cowpea, produce, code):
    given = [one | {"product": one["product"].format(cowpea.code)} for one in produce]
    body = {"produce": given, "version": version_of(firm)}
    answer = api_of(li).put(f"/api/v1/operators/{firm.code}/declared", body, content_type="application/json")
    assert answer.status_code == 422
    assert code == "invalid" or answer.json()["errors"][0]["code"] == code or answer.json()["code"] == code
    assert nothing_changed(firm)


def test_a_notice_leads_to_the_form(firm, li, zhao):
    notice = send_correction(
        operator=firm,
        matter="wrong",
        fields=["produce"],
        finding="规模不对",
        demand="请改正",
        due_on=timezone.localdate() + timedelta(days=9),
        actor=zhao,
    )
    assert where(firm) in client_of(li).get(notice.get_absolute_url()).text
