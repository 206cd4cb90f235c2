"""Photos of where produce grows (现场照片): up to four with a record or a draft, sealed on the disk."""

from typing import IO, Any

from django.core.files.base import ContentFile
from django.db import models, transaction

from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.photos import AnyFile, read_photo
from nongma.lib.refused import Refused
from nongma.origins.doubts import marks
from nongma.origins.models import Origin, OriginDraft, OriginPhoto
from nongma.origins.services.rights import check_may_collect

MOST_PHOTOS = 4
LONGEST_SIDE = 1600
FORMATS = ("JPEG", "PNG", "WEBP")


@transaction.atomic
def add_photo(
    *, file: AnyFile, actor: User, origin: Origin | None = None, draft: OriginDraft | None = None
) -> OriginPhoto:
    """Keep a photo with a record, or with a draft of the actor's own.

    Refuses `too_many_photos`, `photo_twice` (this photo is with it already), `superseded`, what
    `check_may_collect` does and what is wrong with the file (422): `file_too_large`, `file_kind`.
    """
    whose = _held(origin, draft, actor)
    kept = OriginPhoto.objects.filter(**whose)
    photo = read_photo(file, field="photos", longest_side=LONGEST_SIDE, formats=FORMATS)
    if kept.filter(digest=photo.digest).exists():
        raise Refused("photo_twice", "这张照片已经传过了", field="photos")
    if kept.count() >= MOST_PHOTOS:
        raise Refused("too_many_photos", f"一条记录最多 {MOST_PHOTOS} 张照片，请先删掉不要的", field="photos")
    made = OriginPhoto(**whose, digest=photo.digest, look=photo.look, taken_at=photo.taken_at, uploaded_by=actor)
    if origin:
        record("origin.photo_added", actor=actor, target=origin, region_code=origin.region_id, photo=str(made.uid))
        marks.mark([origin.pk])
    # Last in its transaction: a file is not taken back by the database.
    made.photo.save(f"{made.uid}.jpg", ContentFile(photo.content), save=False)
    try:
        with transaction.atomic():
            made.save()
    except BaseException:
        made.photo.delete(save=False)
        raise
    return made


@transaction.atomic
def remove_photo(*, photo: OriginPhoto, actor: User) -> None:
    """Take a photo away: from one's own draft, or from a record that nobody has approved yet; on record.

    Refuses `photo_reviewed` and what `check_may_collect` does.
    """
    _held(photo.origin, photo.draft, actor)
    origin = photo.origin
    if origin and origin.state == Origin.State.APPROVED:
        raise Refused("photo_reviewed", "审核通过的记录，照片不能再删")
    if origin:
        record("origin.photo_removed", actor=actor, target=origin, region_code=origin.region_id, photo=str(photo.uid))
    delete_with_files(OriginPhoto.objects.filter(pk=photo.pk))


def open_photo(photo: OriginPhoto) -> IO[Any]:
    """The photo to look at; whoever asks sees its record. Refuses `file_unreadable`."""
    try:
        return photo.photo.open()
    except (OSError, ValueError):
        raise Refused("file_unreadable", "照片读不出来，请联系运维人员") from None


def delete_with_files(photos: "models.QuerySet[OriginPhoto]") -> int:
    """Delete photos; their files go once that is committed. How many there were."""
    gone = list(photos)
    OriginPhoto.objects.filter(pk__in=[photo.pk for photo in gone]).delete()
    names = [photo.photo.name or "" for photo in gone]
    storage = OriginPhoto._meta.get_field("photo").storage

    def remove_files() -> None:
        for name in names:
            storage.delete(name)

    transaction.on_commit(remove_files)
    return len(gone)


def _held(origin: Origin | None, draft: OriginDraft | None, actor: User) -> dict[str, Any]:
    """Whose photos they are, locked, so that two uploads at once count each other."""
    if draft is not None:
        held_draft = OriginDraft.objects.select_for_update().filter(pk=draft.pk, user=actor).first()
        if held_draft is None:
            raise Refused("draft_gone", "这份草稿已经提交或删除了")
        return {"draft": held_draft}
    assert origin is not None
    held = Origin.objects.select_for_update(of=("self",)).select_related("operator").get(pk=origin.pk)
    check_may_collect(actor=actor, operator=held.operator, region_code=held.region_id)
    if held.state == Origin.State.SUPERSEDED:
        raise Refused("superseded", "这条记录已被更新的记录代替，照片请传到新的记录上")
    return {"origin": held}
