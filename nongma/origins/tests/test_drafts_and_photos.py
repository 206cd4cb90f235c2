"""草稿随填随存，换一部手机接着填；照片去掉 EXIF、缩小、加密存放。"""

import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from nongma.accounts.models import User
from nongma.audit.queries import history_of
from nongma.lib.ids import uuid7
from nongma.lib.photos import look_of
from nongma.lib.refused import Refused
from nongma.origins.collecting.drafts import MOST_DRAFTS, discard_draft, drafts_of, forget_drafts, inputs_of, save_draft
from nongma.origins.collecting.entries import Entry
from nongma.origins.collecting.photos import MOST_PHOTOS, add_photo, open_photo, remove_photo
from nongma.origins.collecting.services import collect_origin
from nongma.origins.models import Origin, OriginDraft, OriginPhoto
from nongma.origins.tests.test_collect import NEW
from nongma.regions.models import Region
from nongma.testing import YAZHOU_VILLAGE

pytestmark = pytest.mark.django_db

TYPED = {"name": ["李大山"], "phone": ["19900005935"], "method": ["open_field", "protected"]}


def picture(seed: int = 0, kind: str = "JPEG", side: int = 64, **options: Any) -> SimpleUploadedFile:
    image = Image.linear_gradient("L").resize((side, side)).rotate(seed * 37).convert("RGB")
    written = io.BytesIO()
    image.save(written, kind, **options)
    return SimpleUploadedFile(f"{seed}.jpg", written.getvalue())


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def draft(wang: User) -> OriginDraft:
    return save_draft(uid=uuid7(), inputs=TYPED, actor=wang)


def test_what_was_typed_is_kept_encrypted_and_found_again(wang: User, draft: OriginDraft) -> None:
    assert inputs_of(OriginDraft.objects.get()) == TYPED
    save_draft(uid=draft.uid, inputs=TYPED | {"scale": ["3"]}, actor=wang)
    assert inputs_of(OriginDraft.objects.get())["scale"] == ["3"]
    assert [one.name for one in drafts_of(wang)] == ["李大山"]


def test_a_draft_is_nobody_elses(wang: User, zhao: User, qian: User, draft: OriginDraft) -> None:
    assert drafts_of(zhao) == []
    for actor, code in ((zhao, "draft_gone"), (qian, "not_collector")):
        with pytest.raises(Refused) as refusal:
            save_draft(uid=draft.uid, inputs={}, actor=actor)
        assert refusal.value.code == code
    with pytest.raises(Refused):
        discard_draft(draft=draft, actor=zhao)
    assert inputs_of(OriginDraft.objects.get()) == TYPED


def test_there_is_an_end_to_drafts(wang: User) -> None:
    OriginDraft.objects.bulk_create(OriginDraft(user=wang, inputs_json="{}") for _ in range(MOST_DRAFTS))
    with pytest.raises(Refused) as refusal:
        save_draft(uid=uuid7(), inputs=TYPED, actor=wang)
    assert refusal.value.code == "too_many_drafts"
    with pytest.raises(Refused) as too_long:
        save_draft(uid=uuid7(), inputs={"name": ["长" * 201]}, actor=wang)
    assert too_long.value.code == "draft_too_long"
    assert OriginDraft.objects.count() == MOST_DRAFTS


def test_sent_in_it_is_gone_its_photos_go_along_and_no_late_save_brings_it_back(wang: User, draft: OriginDraft) -> None:
    photo = add_photo(file=picture(), draft=draft, actor=wang)
    entry = Entry(region=Region.objects.get(pk=YAZHOU_VILLAGE), **NEW)
    made = collect_origin(entry=entry, uid=draft.uid, actor=wang)
    assert made.uid == draft.uid
    assert not OriginDraft.objects.exists()
    assert made.photos.get() == photo
    with pytest.raises(Refused) as refusal:
        save_draft(uid=draft.uid, inputs=TYPED, actor=wang)
    assert refusal.value.code == "draft_gone"
    assert not OriginDraft.objects.exists()


def test_old_drafts_go_with_their_photos(
    wang: User, draft: OriginDraft, media: Path, django_capture_on_commit_callbacks: Any
) -> None:
    add_photo(file=picture(), draft=draft, actor=wang)
    save_draft(uid=uuid7(), inputs=TYPED, actor=wang)
    OriginDraft.objects.filter(pk=draft.pk).update(changed_at=timezone.now() - timedelta(days=91))
    with django_capture_on_commit_callbacks(execute=True):
        assert forget_drafts() == 1
    assert OriginDraft.objects.exclude(pk=draft.pk).count() == OriginDraft.objects.count() == 1
    assert not OriginPhoto.objects.exists()
    assert [path for path in media.rglob("*") if path.is_file()] == []


def test_a_photo_is_made_small_stripped_and_sealed(wang: User, li_origin: Origin, media: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    exif.get_ifd(0x8769)[0x9003] = "2026:03:01 09:30:00"
    made = add_photo(file=picture(side=2400, exif=exif), origin=li_origin, actor=wang)
    assert made.taken_at == datetime(2026, 3, 1, 9, 30, tzinfo=timezone.get_default_timezone())
    with open_photo(made) as file:
        kept = Image.open(file)
        assert (max(kept.size), dict(kept.getexif())) == (1600, {})
    (path,) = media.rglob("*.jpg")
    assert path.read_bytes()[:3] != b"\xff\xd8\xff"
    assert history_of(li_origin)[0].action == "origin.photo_added"


def test_the_look_stays_when_a_photo_is_saved_again_smaller() -> None:
    large, small = (Image.open(picture(1, "PNG", side)) for side in (400, 90))
    other = Image.open(picture(5, "PNG", 400))
    assert bin((look_of(large) ^ look_of(small)) & (1 << 64) - 1).count("1") <= 6
    assert bin((look_of(large) ^ look_of(other)) & (1 << 64) - 1).count("1") > 10
    assert all(-(1 << 63) <= look_of(one) < 1 << 63 for one in (large, small, other))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_three_kinds_of_photos_are_taken(wang: User, li_origin: Origin, kind: str) -> None:
    assert add_photo(file=picture(kind=kind), origin=li_origin, actor=wang)


def test_what_is_no_photo_is_refused(wang: User, li_origin: Origin, media: Path) -> None:
    bomb = io.BytesIO()
    Image.new("1", (6000, 6000)).save(bomb, "PNG")
    whole = picture().read()
    for content, code in (
        (b"<svg/>", "file_kind"),
        (whole[: len(whole) // 2], "file_kind"),
        (b"GIF89a", "file_kind"),
        (bomb.getvalue(), "file_too_large"),
        (b"x" * (10 * 1024 * 1024 + 1), "file_too_large"),
    ):
        with pytest.raises(Refused) as refusal:
            add_photo(file=SimpleUploadedFile("x.jpg", content), origin=li_origin, actor=wang)
        assert (refusal.value.code, refusal.value.field) == (code, "photos")
    assert not OriginPhoto.objects.exists()
    assert not any(path.is_file() for path in media.rglob("*"))


def test_four_photos_each_once(wang: User, sun: User, li_origin: Origin) -> None:
    for number in range(MOST_PHOTOS):
        add_photo(file=picture(number), origin=li_origin, actor=wang)
    for actor, number, code in ((wang, 0, "photo_twice"), (wang, 9, "too_many_photos"), (sun, 9, "outside_area")):
        with pytest.raises(Refused) as refusal:
            add_photo(file=picture(number), origin=li_origin, actor=actor)
        assert refusal.value.code == code
    assert OriginPhoto.objects.count() == MOST_PHOTOS


def test_a_reviewed_photo_stays(wang: User, li_origin: Origin, django_capture_on_commit_callbacks: Any) -> None:
    kept, gone = (add_photo(file=picture(number), origin=li_origin, actor=wang) for number in (0, 1))
    with django_capture_on_commit_callbacks(execute=True):
        remove_photo(photo=gone, actor=wang)
    li_origin.state = Origin.State.APPROVED
    li_origin.save()
    kept.refresh_from_db()
    with pytest.raises(Refused) as refusal:
        remove_photo(photo=kept, actor=wang)
    assert refusal.value.code == "photo_reviewed"
    assert list(OriginPhoto.objects.all()) == [kept]
