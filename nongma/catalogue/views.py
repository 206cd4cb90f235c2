from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, may, requires
from nongma.catalogue.forms import BanFilter, CountyProductForm, ProductFilter, home_county
from nongma.catalogue.models import Ban, Product
from nongma.catalogue.queries import bans_matching, county_products, products_matching
from nongma.catalogue.services import add_product, change_product, end_product
from nongma.lib.forms import show_refusal
from nongma.lib.refused import Refused
from nongma.lib.sorting import Sorting
from nongma.regions.queries import find_region

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
    context["may_manage"] = may(request.user, Action.ADD_PRODUCTS)
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


@requires(Action.ADD_PRODUCTS)
@require_GET
def county(request: SignedInRequest) -> HttpResponse:
    """本县增设的产品。"""
    return render(request, "catalogue/county.html", {"products": county_products(request.user)})


@requires(Action.ADD_PRODUCTS)
@require_http_methods(["GET", "POST"])
def add(request: SignedInRequest) -> HttpResponse:
    """增设一个产品。"""
    form = CountyProductForm(request.POST or None, user=request.user)
    if form.is_valid():
        try:
            made = add_product(actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal, unit="kind")
        else:
            messages.success(request, f"已增设{made.name}，本县采集和导入时可以选了")
            return redirect("catalogue:county")
    chosen = find_region(str(form["region"].value() or ""))
    context = {"form": form, "chosen": chosen, "home": home_county(request.user)}
    return render(request, "catalogue/county_form.html", context)


@requires(Action.ADD_PRODUCTS)
@require_http_methods(["GET", "POST"])
def change(request: SignedInRequest, code: str) -> HttpResponse:
    """修改本县增设的产品。"""
    product = get_object_or_404(county_products(request.user), code=code)
    form = CountyProductForm(request.POST or None, user=request.user, product=product)
    if form.is_valid():
        try:
            change_product(product=product, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "已修改")
            return redirect("catalogue:county")
    return render(request, "catalogue/county_form.html", {"form": form, "product": product})


@requires(Action.ADD_PRODUCTS)
@require_POST
def end(request: SignedInRequest, code: str) -> HttpResponse:
    """停用本县增设的产品。"""
    product = get_object_or_404(county_products(request.user), code=code)
    try:
        end_product(product=product, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"{product.name}已停用，已有的记录不变")
    return redirect("catalogue:county")
