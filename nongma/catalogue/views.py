from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from nongma.accounts.access import Action, requires
from nongma.catalogue.forms import BanFilter, ProductFilter
from nongma.catalogue.models import Ban, Product
from nongma.catalogue.queries import bans_matching, products_matching
from nongma.lib.sorting import Sorting

PAGE_SIZE = 50
PRODUCT_COLUMNS = {
    "key": ("-is_key", "code"),
    "code": ("code",),
    "name": ("name",),
    "industry": ("industry", "code"),
    "threshold": ("threshold", "code"),
}
BAN_COLUMNS = {
    "substance": ("substance__name", "valid_from", "id"),
    "degree": ("degree", "substance__name", "id"),
    "notice": ("notice", "substance__name", "id"),
    "from": ("valid_from", "substance__name", "id"),
    "to": ("valid_to", "substance__name", "id"),
}


@requires(Action.SIGNED_IN)
def products(request: HttpRequest) -> HttpResponse:
    form = ProductFilter(request.GET)
    chosen: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    sorting = Sorting.asked(PRODUCT_COLUMNS, request.GET.get("sort"), default="key")
    found = products_matching(
        text=chosen.get("q", ""), industry=chosen.get("industry", ""), key_only=chosen.get("key", False)
    )
    page = Paginator(found.order_by(*sorting.fields), PAGE_SIZE).get_page(request.GET.get("page"))
    unverified = not Product.objects.filter(verified=True).exists()
    context = {"form": form, "page": page, "sorting": sorting, "unverified": unverified}
    return render(request, "catalogue/products.html", context)


@requires(Action.SIGNED_IN)
def bans(request: HttpRequest) -> HttpResponse:
    form = BanFilter(request.GET)
    chosen: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    on = chosen.get("on") or timezone.localdate()
    sorting = Sorting.asked(BAN_COLUMNS, request.GET.get("sort"), default="degree")
    found = bans_matching(on=on, text=chosen.get("q", ""), kind=chosen.get("kind", ""), degree=chosen.get("degree", ""))
    page = Paginator(found.order_by(*sorting.fields), PAGE_SIZE).get_page(request.GET.get("page"))
    unverified = Ban.objects.filter(verified=False).exists()
    context = {"form": form, "page": page, "sorting": sorting, "on": on, "unverified": unverified}
    return render(request, "catalogue/bans.html", context)
