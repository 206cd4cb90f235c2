import json
from dataclasses import dataclass

from django.db import models

from nongma.accounts.models.agencies import Agency
from nongma.lib.fields import EncryptedTextField
from nongma.lib.masking import mask_email, mask_phone
from nongma.regions.models import Region


@dataclass(frozen=True)
class Entry:
    """What stands in one line of 附件2, without its number."""

    unit: str
    lead_name: str = ""
    lead_title: str = ""
    lead_landline: str = ""
    lead_mobile: str = ""
    person_name: str = ""
    person_landline: str = ""
    person_mobile: str = ""
    person_email: str = ""
    note: str = ""

    @property
    def masked_lead_landline(self) -> str:
        return mask_phone(self.lead_landline)

    @property
    def masked_lead_mobile(self) -> str:
        return mask_phone(self.lead_mobile)

    @property
    def masked_person_landline(self) -> str:
        return mask_phone(self.person_landline)

    @property
    def masked_person_mobile(self) -> str:
        return mask_phone(self.person_mobile)

    @property
    def masked_email(self) -> str:
        return mask_email(self.person_email)


FIELDS = (
    "lead_name", "lead_title", "lead_landline", "lead_mobile",
    "person_name", "person_landline", "person_mobile", "person_email", "note",
)  # fmt: skip
LEVELS = (Region.Level.PROVINCE, Region.Level.CITY, Region.Level.COUNTY, Region.Level.TOWN)


class Contact(models.Model):
    """Who leads and who does the collecting work of a division (重点农产品产地溯源信息采集工作联系方式).

    The level above reads what was reported last (`reported`), until a later change is reported too.
    Source: 农质安（溯）函〔2023〕72号, 六（二）, 附件2.
    """

    agency = models.OneToOneField(Agency, models.PROTECT, verbose_name="牵头单位", related_name="contact")
    lead_name = models.CharField("牵头单位负责人姓名", max_length=60, blank=True)
    lead_title = models.CharField("职称/职务", max_length=60, blank=True)
    lead_landline = EncryptedTextField("牵头单位负责人固定电话", blank=True, default="")
    lead_mobile = EncryptedTextField("牵头单位负责人手机号", blank=True, default="")
    person_name = models.CharField("具体负责人姓名", max_length=60, blank=True)
    person_landline = EncryptedTextField("具体负责人固定电话", blank=True, default="")
    person_mobile = EncryptedTextField("具体负责人手机号", blank=True, default="")
    person_email = EncryptedTextField("具体负责人邮箱", blank=True, default="")
    note = models.CharField("备注", max_length=200, blank=True)
    changed_by = models.ForeignKey("accounts.User", models.PROTECT, verbose_name="填写人", related_name="+")
    changed_at = models.DateTimeField("填写时间", auto_now=True)
    reported_at = models.DateTimeField("上报时间", null=True, blank=True)
    reported_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, verbose_name="上报人", related_name="+"
    )

    reported = EncryptedTextField("上报的内容", blank=True, default="", help_text="JSON，各栏和机构名称")

    class Meta:
        verbose_name = "工作联系方式"
        verbose_name_plural = "工作联系方式"

    def __str__(self) -> str:
        return f"{self.agency} {self.person_name}"

    @property
    def entry(self) -> Entry:
        """As it is filled in now."""
        return Entry(self.agency.name, *(getattr(self, name) for name in FIELDS))

    @property
    def reported_entry(self) -> Entry | None:
        """As it was reported last; None before the first time."""
        return Entry(**json.loads(self.reported)) if self.reported else None

    @staticmethod
    def is_kept_by(agency: Agency) -> bool:
        """Whether an agency reports its contacts: 监管 agencies of provinces, cities, counties and townships."""
        return agency.kind == Agency.Kind.SUPERVISION and agency.level in LEVELS


LABELS = {field.name: str(field.verbose_name) for field in Contact._meta.fields}
"""What 附件2 calls each column."""
