from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from nongma.accounts.models import User
from nongma.lib.ids import uuid7
from nongma.origins.models.drafts import OriginDraft
from nongma.origins.models.origins import Origin


class OriginPhotoQuerySet(models.QuerySet["OriginPhoto"]):
    def visible_to(self, user: User) -> Self:
        """Photos of the records that the user may see, and of the user's own drafts."""
        return self.filter(Q(origin__in=Origin.objects.visible_to(user)) | Q(draft__user=user))


class OriginPhoto(models.Model):
    """A photo of the field, pond or shed that an origin tells of (现场照片), sealed on the disk."""

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    origin = models.ForeignKey(
        Origin, models.PROTECT, null=True, blank=True, verbose_name="产地溯源信息", related_name="photos"
    )
    draft = models.ForeignKey(
        OriginDraft, models.CASCADE, null=True, blank=True, verbose_name="草稿", related_name="photos"
    )
    photo = models.FileField("照片", upload_to="origin-photos/%Y%m")
    digest = models.BinaryField("SHA-256", max_length=32, help_text="上传的原图")
    look = models.BigIntegerField("外观摘要", help_text="64 位差分哈希：两张相差几位，就有几分不像")
    taken_at = models.DateTimeField("拍摄时间", null=True, blank=True, help_text="相机写在照片里的")
    uploaded_by = models.ForeignKey(User, models.PROTECT, verbose_name="上传人", related_name="+", db_index=False)
    uploaded_at = models.DateTimeField("上传时间", auto_now_add=True)

    objects = OriginPhotoQuerySet.as_manager()

    class Meta:
        verbose_name = "现场照片"
        verbose_name_plural = "现场照片"
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(origin=None, draft__isnull=False) | Q(origin__isnull=False, draft=None),
                name="origins_photo_of_one",
            )
        ]
        indexes = [
            models.Index(fields=("digest",), name="origins_photo_digest"),
            models.Index(fields=("look",), name="origins_photo_look"),
        ]

    def __str__(self) -> str:
        return str(self.uid)

    def get_absolute_url(self) -> str:
        return reverse("origins:photo", args=[self.uid])
