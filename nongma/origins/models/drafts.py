from typing import Self

from django.db import models

from nongma.accounts.models import User
from nongma.lib.fields import EncryptedTextField
from nongma.lib.ids import uuid7
from nongma.origins.models.origins import Origin


class OriginDraftQuerySet(models.QuerySet["OriginDraft"]):
    def visible_to(self, user: User) -> Self:
        """A person's own: what is not sent in yet is nobody else's business."""
        return self.filter(user=user)


class OriginDraft(models.Model):
    """What a person has typed of an origin and not sent in yet (草稿); encrypted JSON of the form's inputs.

    Its `uid` becomes the record's, so that sending it in twice makes one record.
    """

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.CASCADE, verbose_name="人员", related_name="origin_drafts", db_index=False)
    updates = models.ForeignKey(
        Origin, models.CASCADE, null=True, blank=True, verbose_name="要更新的记录", related_name="+"
    )
    inputs_json = EncryptedTextField("内容")
    changed_at = models.DateTimeField("修改时间", auto_now=True)

    objects = OriginDraftQuerySet.as_manager()

    class Meta:
        verbose_name = "采集草稿"
        verbose_name_plural = "采集草稿"
        ordering = ("-changed_at",)
        indexes = [
            models.Index(fields=("user", "-changed_at"), name="origins_draft_user"),
            models.Index(fields=("changed_at",), name="origins_draft_age"),
        ]

    def __str__(self) -> str:
        return str(self.uid)
