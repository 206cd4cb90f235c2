from datetime import date
from typing import TYPE_CHECKING, Self

from django.db import models
from django.urls import reverse

from nongma.accounts.models.agencies import Agency
from nongma.lib.fields import EncryptedTextField
from nongma.lib.ids import uuid7
from nongma.lib.masking import mask_phone
from nongma.regions.models import Region

if TYPE_CHECKING:
    from nongma.accounts.models.people import User


class ThirdPartyQuerySet(models.QuerySet["ThirdParty"]):
    def visible_to(self, user: "User") -> Self:
        """Those of the agencies that the person looks after."""
        own = user.administers
        if any(agency.oversees_all for agency in own):
            return self
        query = models.Q(agency__in=[agency.pk for agency in own])
        for agency in own:
            if agency.kind == Agency.Kind.SUPERVISION:
                start, stop = agency.span
                query |= models.Q(agency__region_id__gt=start, agency__region_id__lte=stop)
        return self.filter(query)

    def editable_by(self, user: "User") -> Self:
        """Those of the person's own agency: a county authorises, nobody does it in its place."""
        return self.filter(agency__in=[agency.pk for agency in user.administers])


class ThirdParty(models.Model):
    """A firm that collects for a county (第三方采集机构). Its people have accounts of the county's agency.

    Source: 农质安（溯）函〔2023〕72号, 五（三）.
    """

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    agency = models.ForeignKey(Agency, models.PROTECT, verbose_name="委托机构", related_name="third_parties")
    name = models.CharField("名称", max_length=100)
    uscc = models.CharField("统一社会信用代码", max_length=18)
    contact = models.CharField("联系人", max_length=60)
    phone = EncryptedTextField("联系电话", blank=True, default="")
    created_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = ThirdPartyQuerySet.as_manager()

    class Meta:
        verbose_name = "第三方采集机构"
        verbose_name_plural = "第三方采集机构"
        constraints = [models.UniqueConstraint(fields=("agency", "uscc"), name="accounts_third_party_once")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("accounts:third-party", args=[self.uid])

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone)

    @staticmethod
    def towns_on(third_party: int, on: date) -> list[int]:
        """The divisions that a third party (by its key) is authorised to collect in on a day; one query."""
        running = AuthorisedTown.objects.filter(
            authorisation__third_party=third_party,
            authorisation__revoked_at=None,
            authorisation__from_on__lte=on,
            authorisation__to_on__gte=on,
            authorisation__third_party__agency__suspended_at=None,
        )
        return sorted(set(running.values_list("region_id", flat=True)))


class Authorisation(models.Model):
    """A county's leave for a third party to collect in named townships from one day to another (采集授权)."""

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    third_party = models.ForeignKey(
        ThirdParty, models.PROTECT, verbose_name="第三方机构", related_name="authorisations"
    )
    towns: "models.ManyToManyField[Region, AuthorisedTown]" = models.ManyToManyField(
        Region, through="AuthorisedTown", verbose_name="授权乡镇", related_name="+"
    )
    from_on = models.DateField("授权开始")
    to_on = models.DateField("授权结束")
    agreement = models.FileField("信息安全保密协议", upload_to="agreements/%Y%m")
    agreement_name = models.CharField("文件名", max_length=200)
    agreement_digest = models.BinaryField("SHA-256", max_length=32)
    agreed_on = models.DateField("协议签订日期")
    created_by = models.ForeignKey("accounts.User", models.PROTECT, verbose_name="授权人", related_name="+")
    created_at = models.DateTimeField("授权时间", auto_now_add=True)
    revoked_at = models.DateTimeField("撤销时间", null=True, blank=True)
    revoked_for = models.CharField("撤销原因", max_length=200, blank=True)

    class Meta:
        verbose_name = "采集授权"
        verbose_name_plural = "采集授权"
        ordering = ("-from_on", "-id")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(to_on__gte=models.F("from_on")), name="accounts_authorisation_dates"
            ),
        ]
        indexes = [models.Index(fields=("to_on",), name="accounts_authorisation_end")]

    def __str__(self) -> str:
        return f"{self.third_party} {self.from_on}—{self.to_on}"

    def runs_on(self, day: date) -> bool:
        """Whether it gives access on a day."""
        return self.revoked_at is None and self.from_on <= day <= self.to_on


class AuthorisedTown(models.Model):
    """A township that an authorisation names (授权乡镇)."""

    authorisation = models.ForeignKey(Authorisation, models.CASCADE, related_name="+")
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="乡镇", related_name="+")

    class Meta:
        verbose_name = "授权乡镇"
        verbose_name_plural = "授权乡镇"
        constraints = [
            models.UniqueConstraint(fields=("authorisation", "region"), name="accounts_authorised_town_once")
        ]

    def __str__(self) -> str:
        return str(self.region_id)
