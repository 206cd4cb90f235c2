"""采集一条的页面：填错的留着，红字说怎么改；草稿接着填；更新时别人先改了会说。"""

import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.lib.ids import uuid7
from nongma.origins.collecting.entries import entry_of
from nongma.origins.collecting.services import update_origin, version_of
from nongma.origins.models import Origin, OriginDraft, OriginPhoto
from nongma.registry.models import Base, Operator
from nongma.testing import LI_PHONE, YAZHOU, YAZHOU_VILLAGE, client_of

pytestmark = pytest.mark.django_db

TYPED: dict[str, Any] = {
    "name": "李大山",
    "kind": "household",
    "contact": "李大山",
    "phone": LI_PHONE,
    "product": "V001",
    "region": str(YAZHOU_VILLAGE),
    "longitude": "109.158151",
    "latitude": "18.435040",
    "located_with": "device",
    "accuracy_m": "4.2",
    "device_longitude": "109.158151",
    "device_latitude": "18.435040",
    "scale": "10.8",
    "unit": "mu",
    "planted": "2026-01-15",
    "on_sale": "2026-04",
    "off_sale": "2026-08",
    "methods": ["open_field"],
    "trace_methods": ["certificate"],
    "grid_name": "冯玉强",
    "grid_phone": "19900004633",
    "collector_phone": "19900008499",
    "do": "send",
}


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def picture() -> SimpleUploadedFile:
    written = io.BytesIO()
    Image.linear_gradient("L").save(written, "JPEG")
    return SimpleUploadedFile("field.jpg", written.getvalue())


def errors_of(answer: Any) -> dict[str, list[str]]:
    return {name: list(errors) for name, errors in answer.context["form"].errors.items()}


def test_it_is_filled_in_and_waits_for_review(wang: User) -> None:
    uid = str(uuid7())
    answer = client_of(wang).post("/origins/collect", TYPED | {"draft": uid, "photos": [picture()]})
    made = Origin.objects.get()
    assert answer["Location"] == made.get_absolute_url()
    assert (str(made.uid), made.state, made.planted_on) == (uid, "submitted", date(2026, 1, 15))
    assert (made.located_with, str(made.accuracy_m), str(made.device_longitude)) == ("device", "4.2", "109.158151")
    assert made.photos.count() == 1
    assert not OriginDraft.objects.exists()
    page = client_of(wang).get(made.get_absolute_url()).content.decode()
    assert "手机定位，误差约 4.2 米" in page
    assert client_of(wang).get(made.photos.get().get_absolute_url())["Content-Type"] == "image/jpeg"


def test_sent_twice_it_leads_to_the_one_record(wang: User) -> None:
    client = client_of(wang)
    first, second = (client.post("/origins/collect", TYPED | {"draft": str(uuid7())}) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Origin.objects.count() == 1


def test_each_fault_stands_beside_its_field_and_nothing_is_lost(wang: User) -> None:
    wrong = TYPED | {"phone": "1", "scale": "", "off_sale": "2026-03", "latitude": "18.4", "methods": []}
    client = client_of(wang)
    answer = client.post("/origins/collect", wrong | {"draft": str(uuid7()), "photos": [picture()]})
    assert set(errors_of(answer)) == {"phone", "scale", "off_sale", "longitude", "methods"}
    assert "6 位" in errors_of(answer)["longitude"][0]
    assert not Origin.objects.exists()
    draft = OriginDraft.objects.get()
    assert draft.photos.count() == 1
    again = client.get("/origins/collect", {"draft": str(draft.uid)}).context["form"]
    assert again["name"].value() == "李大山"
    assert again["trace_methods"].value() == ["certificate"]


def test_without_a_point_it_asks_or_waits_for_the_visit(wang: User) -> None:
    blank = TYPED | {"longitude": "", "latitude": ""}
    client = client_of(wang)
    assert set(errors_of(client.post("/origins/collect", blank))) == {"longitude", "latitude"}
    assert not Origin.objects.exists()
    client.post("/origins/collect", blank | {"do": "later"})
    assert Origin.objects.get().state == "to_locate"


def test_fishery_asks_for_no_season_and_takes_square_metres(wang: User) -> None:
    fish = TYPED | {"product": "A002", "scale": "200", "unit": "m2", "on_sale": "", "off_sale": "", "methods": []}
    client = client_of(wang)
    client.post("/origins/collect", fish)
    made = Origin.objects.get()
    assert "填报 200.00 平方米，折算成亩" in client.get(made.get_absolute_url()).content.decode()
    assert made.planted_on is None


def test_operators_are_found_with_their_bases_masked(wang: User, li_operator: Operator, li_base: Base) -> None:
    Operator.objects.update(region_id=YAZHOU_VILLAGE)
    client = client_of(wang)
    for asked in ("李大", LI_PHONE, li_operator.code):
        (found,) = client.get("/origins/collect/operators", {"q": asked}).json()
        assert (found["code"], found["phone"]) == (li_operator.code, "199****5935")
        assert [base["code"] for base in found["bases"]] == [li_base.code]
    assert client.get("/origins/collect/operators", {"q": "李"}).json() == []
    made = client.post(
        "/origins/collect",
        TYPED
        | {"operator": li_operator.code, "base": li_base.code, "name": "", "kind": "", "contact": "", "phone": ""},
    )
    assert made.status_code == 302
    assert Origin.objects.get().base == li_base


def test_what_the_village_knows_is_offered_masked(wang: User, li_origin: Origin) -> None:
    told = client_of(wang).get("/origins/collect/village", {"region": YAZHOU_VILLAGE}).json()
    assert (told["grid_name"], told["grid_phone"], told["county"]) == ("冯**", "199****4633", str(YAZHOU))


def test_an_operators_own_people_fill_in_theirs(li: User, li_operator: Operator, li_base: Base) -> None:
    client = client_of(li)
    page = client.get("/origins/collect").content.decode()
    assert "找已登记的主体" not in page
    typed = {name: value for name, value in TYPED.items() if name not in ("name", "kind", "contact", "phone")}
    assert client.post("/origins/collect", typed | {"base": li_base.code}).status_code == 302
    assert Origin.objects.get().operator == li_operator
    Operator.objects.update(status="submitted")
    assert "审核通过后" in client.get("/origins/collect").content.decode()


def test_drafts_are_saved_as_typed_listed_and_thrown_away(wang: User) -> None:
    client, uid = client_of(wang), str(uuid7())
    typed = {"draft": uid, "name": "李大山", "scale": "3", "methods": ["open_field"], "photos": [picture()]}
    answer = client.post("/origins/collect/save", typed)
    assert json.loads(answer.content)["faults"] == []
    assert len(json.loads(answer.content)["photos"]) == 1
    assert "李大山" in client.get("/origins/drafts").content.decode()
    form = client.get("/origins/collect", {"draft": uid}).context["form"]
    assert (form["scale"].value(), form["methods"].value()) == ("3", ["open_field"])
    assert client.post(f"/origins/drafts/{uid}/discard").status_code == 302
    assert not OriginDraft.objects.exists()
    assert not OriginPhoto.objects.exists()
    assert "没有草稿" in client.get("/origins/drafts").content.decode()


def update_page(client: Client, origin: Origin, **changes: str) -> Any:
    form = client.get(f"/origins/{origin.uid}/update").context["form"]
    typed = {name: form[name].value() for name in form.fields}
    return client.post(f"/origins/{origin.uid}/update", {k: v for k, v in typed.items() if v is not None} | changes)


def test_an_update_starts_at_last_times_values_with_people_masked(wang: User, li_origin: Origin) -> None:
    client = client_of(wang)
    page = client.get(f"/origins/{li_origin.uid}/update").content.decode()
    assert 'value="10.80"' in page
    assert "199****5935" in page
    assert LI_PHONE not in page
    assert update_page(client, li_origin, scale="12").status_code == 302
    fresh = Origin.objects.get(supersedes=li_origin)
    assert (str(fresh.scale), fresh.phone, fresh.on_sale_on) == ("12.00", LI_PHONE, li_origin.on_sale_on)
    assert client.get(f"/origins/{li_origin.uid}/update")["Location"] == f"/origins/{fresh.uid}/update"


def test_the_second_of_two_sees_what_changed_and_may_go_on(wang: User, zhao: User, li_origin: Origin) -> None:
    from dataclasses import replace

    client, seen = client_of(wang), version_of(li_origin)
    first = update_origin(origin=li_origin, entry=replace(entry_of(li_origin), scale="12"), actor=zhao)
    form = {
        "seen": seen, "scale": "13", "unit": "mu", "on_sale": "2026-04", "off_sale": "2026-08", "base": first.base.code,
        "methods": ["protected"], "trace_methods": ["certificate"], "longitude": "109.158151", "latitude": "18.435040",
    }  # fmt: skip
    answer = client.post(f"/origins/{li_origin.uid}/update", form)
    page = answer.content.decode()
    assert "赵审核" in page
    assert "种养规模 10.8 亩 → 12 亩" in page
    assert 'value="13"' in page
    assert Origin.objects.count() == 2
    again = client.post(f"/origins/{first.uid}/update", form | {"seen": answer.context["form"]["seen"].value()})
    assert again.status_code == 302
    assert str(Origin.objects.current().get().scale) == "13.00"


def test_nothing_changed_is_said(wang: User, li_origin: Origin) -> None:
    answer = update_page(client_of(wang), li_origin)
    assert "没有要更新的内容" in answer.content.decode()
    assert Origin.objects.count() == 1


def test_a_new_season_is_one_tap(wang: User, li_origin: Origin) -> None:
    client = client_of(wang)
    assert "新一茬" in client.get(li_origin.get_absolute_url()).content.decode()
    client.post(f"/origins/{li_origin.uid}/carry-over")
    fresh = Origin.objects.get(supersedes=li_origin)
    assert fresh.on_sale_on == date(2027, 4, 1)


def test_photos_are_seen_by_who_sees_the_record(wang: User, sun: User, li_origin: Origin) -> None:
    client = client_of(wang)
    client.post(f"/origins/{li_origin.uid}/photos", {"photos": [picture()]})
    photo = OriginPhoto.objects.get()
    assert client.get(photo.get_absolute_url()).status_code == 200
    assert client_of(sun).get(photo.get_absolute_url()).status_code == 404
    assert client_of(sun).post(f"/origins/photos/{photo.uid}/remove").status_code == 404
    assert client.post(f"/origins/photos/{photo.uid}/remove").status_code == 302
    assert not OriginPhoto.objects.exists()


def test_a_countys_product_is_offered_and_imported_there_only(
    zhao: User, wang: User, sun: User, li_base: Base, cowpea: Product
) -> None:
    client = client_of(zhao)
    page = client.get("/catalogue/county/add")
    assert "崖州区" in page.content.decode()
    typed = {"name": "火山石斛", "aliases": "石斛花", "kind": "planting:mu", "threshold": "0.5", "source": "县文件"}
    assert client.post("/catalogue/county/add", typed | {"region": YAZHOU, "name": "豇豆"}).status_code == 200
    client.post("/catalogue/county/add", typed | {"region": YAZHOU})
    made = Product.objects.get(name="火山石斛")
    assert made.code in client_of(wang).get("/origins/collect").content.decode()
    assert made.code not in client_of(sun).get("/origins/collect").content.decode()
    assert client_of(wang).post("/origins/collect", TYPED | {"product": made.code}).status_code == 302
    client.post(f"/catalogue/county/{made.code}", {"name": "火山石斛", "source": "新文件"})
    made.refresh_from_db()
    assert made.source == "新文件"
    client.post(f"/catalogue/county/{made.code}/end")
    assert "已停用" in client.get("/catalogue/county").content.decode()
    assert made.code not in client_of(wang).get("/origins/collect").content.decode()


def test_a_draft_that_was_sent_is_no_page_to_type_on(wang: User, li_origin: Origin) -> None:
    """Back after sending: another record is typed, and kept under a number of its own."""
    client = client_of(wang)
    page = client.get("/origins/collect", {"draft": str(li_origin.uid)})
    assert page.context["uid"] != li_origin.uid
    saved = client.post("/origins/collect", {"draft": str(li_origin.uid), "do": "draft", "name": "陈二"})
    assert "草稿已保存" not in saved.content.decode()


def test_a_draft_of_an_update_remembers_what_was_seen(wang: User, zhao: User, li_origin: Origin) -> None:
    client = client_of(wang)
    where = f"/origins/{li_origin.uid}/update"
    page = client.get(where)
    seen = page.context["form"]["seen"].value()
    uid = str(page.context["uid"])
    client.post(where, {"draft": uid, "do": "draft", "seen": seen, "alias": "长豆角"})
    Origin.objects.filter(pk=li_origin.pk).update(fingerprint=b"corrected meanwh")
    again = client.get(where, {"draft": uid})
    assert again.context["form"]["seen"].value() == seen


def test_a_draft_is_found_again_where_its_record_was_updated_meanwhile(wang: User, li_origin: Origin) -> None:
    client = client_of(wang)
    where = f"/origins/{li_origin.uid}/update"
    uid = str(client.get(where).context["uid"])
    client.post(where, {"draft": uid, "do": "draft", "alias": "长豆角"})
    latest = update_origin(origin=li_origin, entry=replace(entry_of(li_origin), scale="12"), actor=wang)
    page = client.get(where, {"draft": uid}, follow=True)
    assert page.redirect_chain[-1][0] == f"/origins/{latest.uid}/update?draft={uid}"
    assert page.context["form"]["alias"].value() == "长豆角"


def test_a_draft_of_no_record_is_not_found(wang: User) -> None:
    client = client_of(wang)
    assert client.post("/origins/collect/save", {"updates": "abc"}).status_code == 404
    assert client.post("/origins/collect/save", {"name": "李二"}).status_code == 200
