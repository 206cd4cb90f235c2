"""The one filter of table, map, tiles, export, API and bulk review, so that all of them mean the same records."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Self

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Industry, Product
from nongma.origins.models import Doubt, ImportJob, Origin, OriginQuerySet
from nongma.regions.models import Region
from nongma.regions.spans import WIDTHS, Span
from nongma.registry.models import Operator

COUNTY = Region.Level.COUNTY
NAMES = ("region", "product", "industry", "status", "scale_min", "scale_max", "on_sale", "doubt", "q", "import")
STATUSES = [(state.value, state.label) for state in Origin.State if state is not Origin.State.SUPERSEDED]
NO_DOUBT = "none"
DOUBTS = [("any", "有疑点"), (NO_DOUBT, "没有疑点"), *Doubt.Kind.choices]
CHOICES: dict[str, Sequence[tuple[str, str]]] = {
    "industry": Industry.choices,
    "status": STATUSES,
    "doubt": DOUBTS,
}
WRITTEN_LENGTHS = (2, 4, 6, 9, 12)


@dataclass(frozen=True)
class OriginFilter:
    """Which current records are meant; without any condition, all of them."""

    region: Region | None = None
    product: Product | None = None
    industry: Industry | None = None
    status: Origin.State | None = None
    scale_min: Decimal | None = None
    scale_max: Decimal | None = None
    on_sale: date | None = None
    doubt: str = ""
    q: str = ""
    job: ImportJob | None = None

    @classmethod
    def read(cls, parameters: Mapping[str, Any], user: User) -> Self:
        """The filter that a query string asks for; names it does not know are passed over.

        Raises ValidationError by field, in Chinese, for a value that makes no sense.
        """
        form = FilterForm(parameters, user=user)
        if not form.is_valid():
            raise ValidationError(form.errors.as_data())
        return cls(**form.conditions())

    @classmethod
    def asked(cls, parameters: Mapping[str, Any], user: User) -> tuple[Self, "FilterForm"]:
        """The filter of a page, and its form; what makes no sense is told there and left out here."""
        form = FilterForm(parameters, user=user)
        form.is_valid()
        return cls(**form.conditions()), form

    def apply(self, origins: OriginQuerySet) -> OriginQuerySet:
        """The current records of the queryset that meet every condition."""
        return origins.current().filter(self.place(), self.rest())

    def visible_to(self, user: User) -> OriginQuerySet:
        """The records meant, as far as the user may see them."""
        return self.apply(Origin.objects.visible_to(user))

    def place(self) -> Q:
        if self.region is None:
            return Q()
        return Q(region_id__gte=self.region.span.start, region_id__lte=self.region.span.stop)

    @property
    def is_scaled(self) -> bool:
        """Whether a range of scales is asked for."""
        return self.scale_min is not None or self.scale_max is not None

    @property
    def leaves_states_open(self) -> bool:
        """Whether a wide map can't tell the states of the many records that are meant (docs/adr/0008)."""
        return not self.status and bool(self.product or self.industry or self.on_sale or self.is_scaled)

    def rest(self) -> Q:
        """Every condition but the place."""
        query = Q()
        if self.product:
            query &= Q(product=self.product)
        if self.industry:
            query &= Q(product__in=list(_products_of(self.industry)))
        if self.status:
            query &= Q(state=self.status)
        if self.scale_min is not None:
            query &= Q(scale__gte=self.scale_min)
        if self.scale_max is not None:
            query &= Q(scale__lte=self.scale_max)
        if self.on_sale:
            last = self.on_sale.replace(day=monthrange(self.on_sale.year, self.on_sale.month)[1])
            query &= Q(on_sale_on__lte=last, off_sale_on__gte=self.on_sale)
        if self.doubt:
            query &= self._doubted()
        if self.q:
            query &= Q(operator__in=Operator.objects.named(self.q))
        if self.job:
            query &= Q(import_job=self.job)
        return query

    def describe(self) -> str:
        """The conditions in words, for a heading, a confirmation or a sheet."""
        return "；".join(f"{label}：{value}" for _, label, value in self.conditions()) or "全部记录"

    def conditions(self) -> list[tuple[tuple[str, ...], str, str]]:
        """Each condition as its parameters, label and value in words."""
        found: list[tuple[tuple[str, ...], str, str]] = []
        if self.region:
            found.append((("region",), "地区", str(self.region)))
        if self.product:
            found.append((("product",), "产品", self.product.name))
        if self.industry:
            found.append((("industry",), "所属行业", self.industry.label))
        if self.status:
            found.append((("status",), "状态", self.status.label))
        if self.is_scaled:
            found.append((("scale_min", "scale_max"), "种养规模", self._scale_words()))
        if self.on_sale:
            found.append((("on_sale",), "在市月份", f"{self.on_sale:%Y-%m}"))
        if self.doubt:
            found.append((("doubt",), "疑点", dict(DOUBTS)[self.doubt]))
        if self.q:
            found.append((("q",), "主体名称含" if len(self.q) > 1 else "主体名称开头是", self.q))
        if self.job:
            found.append((("import",), "导入批次", self.job.filename))
        return found

    def parameters(self) -> dict[str, str]:
        """The query string's parts that give this filter again."""
        given = {
            "region": f"{self.region.code:012}" if self.region else None,
            "product": self.product and self.product.code,
            "industry": self.industry,
            "status": self.status,
            "scale_min": self.scale_min,
            "scale_max": self.scale_max,
            "on_sale": self.on_sale and f"{self.on_sale:%Y-%m}",
            "doubt": self.doubt,
            "q": self.q,
            "import": self.job and self.job.uid,
        }
        return {name: str(value) for name, value in given.items() if value not in (None, "")}

    @property
    def doubt_kind(self) -> str | None:
        """The one kind of doubt that is asked for, if one."""
        return self.doubt if self.doubt in Doubt.Kind.values else None

    def _doubted(self) -> Q:
        """Records with an open doubt (of the kind), or with none."""
        doubts = Doubt.objects.open()
        if self.doubt == NO_DOUBT:
            return Q(~Exists(doubts.filter(origin=OuterRef("pk"))))
        if self.doubt_kind:
            doubts = doubts.filter(kind=self.doubt_kind)
        if self.region:
            doubts = doubts.filter(region_id__gte=self.region.span.start, region_id__lte=self.region.span.stop)
        return Q(pk__in=doubts.order_by().values("origin"))

    def _scale_words(self) -> str:
        if self.scale_max is None:
            return f"{self.scale_min} 及以上"
        if self.scale_min is None:
            return f"{self.scale_max} 及以下"
        return f"{self.scale_min} 至 {self.scale_max}"


def _products_of(industry: Industry) -> QuerySet[Product, int]:
    return Product.objects.filter(industry=industry).values_list("pk", flat=True)


class MonthField(forms.CharField):
    """A month written 2026-05, as its first day."""

    widget = forms.TextInput(attrs={"type": "month", "placeholder": "如 2026-05"})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            if len(text) != 7:
                raise ValueError
            month = date.fromisoformat(f"{text}-01")
        except ValueError:
            raise ValidationError("月份要写成 2026-05 这样", code="month") from None
        if not 1949 <= month.year <= 2200:
            raise ValidationError("年份不对", code="month")
        return month


class FilterForm(forms.Form):
    """The conditions as a person or a program writes them."""

    use_required_attribute = False

    region = forms.CharField(label="地区", required=False, max_length=12, widget=forms.HiddenInput)
    product = forms.CharField(label="产品", required=False, max_length=40)
    industry = forms.ChoiceField(label="所属行业", required=False, choices=[("", "全部"), *Industry.choices])
    status = forms.ChoiceField(label="状态", required=False, choices=[("", "全部"), *STATUSES])
    scale_min = forms.DecimalField(
        label="规模不小于", required=False, min_value=Decimal(0), max_digits=14, decimal_places=2
    )
    scale_max = forms.DecimalField(
        label="规模不大于", required=False, min_value=Decimal(0), max_digits=14, decimal_places=2
    )
    on_sale = MonthField(label="在市月份", required=False)
    doubt = forms.ChoiceField(label="疑点", required=False, choices=[("", "全部"), *DOUBTS])
    q = forms.CharField(
        label="主体名称",
        required=False,
        max_length=40,
        widget=forms.TextInput(
            attrs={"placeholder": "姓氏或几个字", "title": "名称中的几个字；只写一个字时，找以它开头的"}
        ),
    )

    def __init__(self, data: Mapping[str, Any], *, user: User) -> None:
        super().__init__(data)
        self.user = user
        self.fields["import"] = forms.UUIDField(required=False, widget=forms.HiddenInput)
        if user.is_operator:  # What an office suspects is not told to whom it is about.
            del self.fields["doubt"]
        for name, field in self.fields.items():
            if name in {"industry", "status", "doubt"} and isinstance(field, forms.ChoiceField):
                words = "、".join(f"{value}（{label}）" for value, label in CHOICES[name])
                field.error_messages["invalid_choice"] = f"只能是 {words}"

    @property
    def products(self) -> list[str]:
        """Names to choose from, the key products first."""
        offered = Product.objects.offered_within(scope_of(self.user).spans)
        return list(dict.fromkeys(offered.order_by("-is_key", "code").values_list("name", flat=True)))

    @property
    def plain_fields(self) -> list[forms.BoundField]:
        """The fields that a page draws one like the other."""
        names = ("industry", "status", "scale_min", "scale_max", "on_sale", "doubt", "q")
        return [self[name] for name in names if name in self.fields]

    def clean_region(self) -> Region | None:
        written = self.cleaned_data["region"].strip()
        if not written or not written.strip("0"):
            return None
        code = int(written.ljust(12, "0")) if written.isascii() and written.isdigit() else -1
        found = Region.objects.filter(code=code).first() if len(written) in WRITTEN_LENGTHS else None
        if found is None:
            raise ValidationError("没有这个行政区划，请填 12 位区划代码", code="unknown_region")
        return found

    def clean_product(self) -> Product | None:
        written = self.cleaned_data["product"].strip()
        if not written:
            return None
        names = Q(code=written) | Q(name=written)
        if written.isascii() and written.isdigit() and len(written) < 10:
            names |= Q(pk=int(written))
        found = min(Product.objects.filter(names), key=lambda product: product.code != written, default=None)
        if found is None:
            raise ValidationError("没有这种产品，请填产品代码或名称", code="unknown_product")
        return found

    def clean_import(self) -> ImportJob | None:
        uid = self.cleaned_data["import"]
        found = ImportJob.objects.visible_to(self.user).filter(uid=uid).first() if uid else None
        if uid and found is None:
            raise ValidationError("没有这次导入，或者不是您导入的", code="unknown_import")
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        low, high = cleaned.get("scale_min"), cleaned.get("scale_max")
        if low is not None and high is not None and low > high:
            self.add_error("scale_max", ValidationError("规模的上限不能小于下限", code="scale_order"))
        return cleaned

    def conditions(self) -> dict[str, Any]:
        """What was understood; of a form with errors, the fields without them."""
        cleaned = self.cleaned_data
        return {
            "region": cleaned.get("region"),
            "product": cleaned.get("product"),
            "industry": Industry(cleaned["industry"]) if cleaned.get("industry") else None,
            "status": Origin.State(cleaned["status"]) if cleaned.get("status") else None,
            "scale_min": cleaned.get("scale_min"),
            "scale_max": cleaned.get("scale_max"),
            "on_sale": cleaned.get("on_sale"),
            "doubt": cleaned.get("doubt", ""),
            "q": cleaned.get("q", "").strip(),
            "job": cleaned.get("import"),
        }


def is_below_county(span: Span) -> bool:
    """Whether the span is a part of a county: a township or a village."""
    return span.stop - span.start + 1 < WIDTHS[3]
