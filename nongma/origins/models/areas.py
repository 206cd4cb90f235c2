"""Areas in which little or nothing grows (水面、城区), loaded from a public layer; what a doubt is told from."""

from django.db import models


class AreaLayer(models.Model):
    """A set of areas of one kind, as it was loaded, with where it comes from (面状数据). One of each kind."""

    class Kind(models.TextChoices):
        WATER = "water", "水面"
        URBAN = "urban", "城区"

    kind = models.CharField("种类", max_length=8, choices=Kind.choices, unique=True)
    source = models.CharField("来源", max_length=200)
    licence = models.CharField("许可", max_length=100)
    dated_on = models.DateField("数据日期")
    digest = models.BinaryField("SHA-256", max_length=32)
    loaded_at = models.DateTimeField("载入时间")

    class Meta:
        verbose_name = "面状数据"
        verbose_name_plural = "面状数据"
        ordering = ("kind",)

    def __str__(self) -> str:
        return self.get_kind_display()


class Area(models.Model):
    """One lake, reservoir or built-up area of a layer."""

    layer = models.ForeignKey(AreaLayer, models.CASCADE, verbose_name="面状数据", related_name="areas")
    name = models.CharField("名称", max_length=100, blank=True)
    shape = models.BinaryField("形状", help_text="WKB，WGS84")

    class Meta:
        verbose_name = "面"
        verbose_name_plural = "面"
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name or f"{self.layer} {self.pk}"
