"""What the map is drawn from: counts per cell, derived from the origins (docs/adr/0008)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from nongma.lib.ids import uuid7
from nongma.origins.models.origins import Origin


def _counted(key: str, label: str) -> models.GeneratedField:
    """One number of `OriginCell.counts` as a column that the database keeps."""
    number = Cast(KeyTextTransform(key, "counts"), models.IntegerField())
    return models.GeneratedField(
        expression=Coalesce(number, Value(0)),
        output_field=models.IntegerField(),
        db_persist=True,
        verbose_name=label,
    )


class OriginCell(models.Model):
    """How many origins of one county lie in one map cell, by filter value: what a wide tile is drawn from.

    Derived: recounted from `Origin` for the cells that changed, never added to. `level` is the zoom at which the
    cell is one tile, `cell` its quadkey prefix (`quadkey >> 2 * (24 - level)`), `counts` maps `""` (all),
    `p<product id>`, `i<industry>`, `s<state>` and `m<YYYYMM>` (on sale in that month) to numbers. `bands` are the
    scales that occur, as places in `cells.SCALES` from 1, `reached` how many origins have at least each. What every
    unfiltered tile asks of each cell stands in columns of its own: taking a number out of `counts` costs a microsecond.
    """

    pk = models.CompositePrimaryKey("level", "cell", "county")
    level = models.SmallIntegerField("层级")
    cell = models.BigIntegerField("格")
    county = models.BigIntegerField("县")
    counts = models.JSONField("数量")
    whole = _counted("", "全部")
    returned = _counted(f"s{Origin.State.RETURNED}", "已退回")
    submitted = _counted(f"s{Origin.State.SUBMITTED}", "待审核")
    approved = _counted(f"s{Origin.State.APPROVED}", "已通过")
    bands = ArrayField(models.IntegerField(), verbose_name="规模级别")
    reached = ArrayField(models.IntegerField(), verbose_name="达到各级规模的数量")

    class Meta:
        verbose_name = "地图格"
        verbose_name_plural = "地图格"

    def __str__(self) -> str:
        return f"{self.level}/{self.cell}"


class DirtyCell(models.Model):
    """A level-12 map cell whose origins changed and that waits for its recount. Append-only until recounted."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    cell = models.BigIntegerField("格")
    county = models.BigIntegerField("县")

    class Meta:
        verbose_name = "待重算的地图格"
        verbose_name_plural = "待重算的地图格"

    def __str__(self) -> str:
        return str(self.cell)
