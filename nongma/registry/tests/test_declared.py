"""What a person declares of its operator besides: products with their scale, the photo of the licence."""

import io
import json
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.lib import photos
from nongma.registry.models import Draft, Licence, Operator, Produce
from nongma.registry.tests.test_self_registration import COOPERATIVE, HOUSEHOLD, PHONE, nothing_happened
from nongma.testing import client_of, make_user

PLACE = "109.158151"


@pytest.fixture(autouse=True)
def _uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def newcomer(db) -> User:
    return make_user("uabc", "手机尾号1234", is_operator=True, phone=PHONE)


def photo(kind: str = "JPEG", size: tuple[int, int] = (3000, 1500)) -> SimpleUploadedFile:
    """A photo lying on its side, with the place where it was taken."""
    written = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = PLACE
    Image.new("RGB", size, "red").save(written, kind, exif=exif)
    return SimpleUploadedFile("执照.jpg", written.getvalue())


def address(licence: Licence) -> str:
    return f"/operators/{licence.operator.code}/licences/{licence.uid}"


def register(client: Client, **inputs):
    return client.post("/join/register", COOPERATIVE | inputs)


def test_products_and_scale_are_kept_and_shown(newcomer, cowpea, zhao):
    client = client_of(newcomer)
    row = f"{cowpea.code}:{cowpea.scale_units[0]}"
    assert client.post("/join/register", HOUSEHOLD | {"product_1": row, "scale_1": "10.5"}).url == "/join/done"
    kept = Produce.objects.get()
    assert (kept.product, kept.unit, kept.scale) == (cowpea, cowpea.scale_units[0], Decimal("10.50"))
    assert "豇豆" in client.get("/join/done").text
    assert "10.5 亩" in client_of(zhao).get(kept.operator.get_absolute_url()).text


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ({"scale_1": "3"}, "product_1"),
        ({"product_1": "none:mu"}, "product_1"),
        ({"product_1": "{0}:mu", "scale_1": "0"}, "scale_1"),
        ({"product_1": "{0}:mu", "product_3": "{0}:mu"}, "product_3"),
    ],
)
def test_a_fault_of_a_row_stands_beside_it(newcomer, cowpea, rows, field):
    typed = {name: value.format(cowpea.code) for name, value in rows.items()}
    answer = client_of(newcomer).post("/join/register", HOUSEHOLD | typed)
    assert answer.context["form"].errors[field]
    assert nothing_happened()
    assert not Produce.objects.exists()


def test_products_are_in_the_draft_and_the_photo_is_not(newcomer, cowpea):
    typed = {"product_2": f"{cowpea.code}:mu", "scale_2": "3", "licence": photo(), "name": "李"}
    client_of(newcomer).post("/join/draft", typed)
    assert set(json.loads(Draft.objects.get().inputs_json)) == {"product_2", "scale_2", "name"}
    assert client_of(newcomer).get("/join/register").context["form"]["scale_2"].value() == "3"


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_is_written_anew_and_lies_sealed(newcomer, kind, tmp_path):
    client = client_of(newcomer)
    assert register(client, licence=photo(kind)).url == "/join/done"
    kept = Licence.objects.get()
    assert b"JFIF" not in (tmp_path / kept.photo.name).read_bytes()
    answer = client.post(address(kept))
    plain = b"".join(answer.streaming_content)
    shown = Image.open(io.BytesIO(plain))
    assert (shown.format, shown.size, dict(shown.getexif())) == ("JPEG", (1000, 2000), {})
    assert PLACE.encode() not in plain
    assert "attachment" in answer["Content-Disposition"]
    assert Entry.objects.filter(action="operator.licence_read", target_id=str(kept.operator.uid)).count() == 1


@pytest.mark.parametrize("content", [b"<script>alert(1)</script>", photo().read()[:200], b"GIF89a" + b"0" * 100])
def test_what_is_no_photo_is_refused_and_nothing_is_saved(newcomer, content, tmp_path):
    answer = register(client_of(newcomer), licence=SimpleUploadedFile("执照.jpg", content))
    assert "JPG 或 PNG" in "".join(answer.context["form"].errors["licence"])
    assert nothing_happened()
    assert not list(tmp_path.rglob("*.jpg"))


def test_a_photo_has_its_size(newcomer, monkeypatch):
    monkeypatch.setattr(photos, "MOST_PIXELS", 100)
    assert "太大" in "".join(register(client_of(newcomer), licence=photo()).context["form"].errors["licence"])
    monkeypatch.setattr(photos, "MOST_BYTES", 100)
    assert "超过" in "".join(register(client_of(newcomer), licence=photo()).context["form"].errors["licence"])
    assert not Licence.objects.exists()


def test_a_refused_registration_leaves_no_file(newcomer, tmp_path):
    register(client_of(newcomer), licence=photo())
    before = list(tmp_path.rglob("*.jpg"))
    other = make_user("uxyz", "手机尾号9999", is_operator=True, phone="19900009999")
    assert register(client_of(other), licence=photo()).context["form"].errors["uscc"]
    assert list(tmp_path.rglob("*.jpg")) == before


def test_reviewers_of_the_place_and_its_own_people_see_it_alone(newcomer, zhao, sun, wang, li):
    register(client_of(newcomer), licence=photo())
    where = address(Licence.objects.get())
    assert client_of(zhao).post(where)["Content-Type"] == "image/jpeg"
    assert "审核员可以看" in client_of(wang).post(where, follow=True).text
    assert [client_of(user).post(where).status_code for user in (sun, li)] == [404, 404]
    assert Entry.objects.filter(action="operator.licence_read").count() == 1


def test_who_sent_no_photo_has_none(newcomer, zhao):
    register(client_of(newcomer))
    assert "执照照片" not in client_of(zhao).get(Operator.objects.get().get_absolute_url()).text
