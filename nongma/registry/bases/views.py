import io
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, requires
from nongma.accounts.queries import place_of
from nongma.audit.queries import history_of
from nongma.lib.downloads import download
from nongma.lib.forms import show_refusal
from nongma.lib.refused import Refused
from nongma.registry.bases.board import SUGGESTED, Sheet, print_board
from nongma.registry.bases.forms import BaseForm, PlotForm
from nongma.registry.bases.queries import (
    areas_of,
    base_of,
    doubts_of,
    editable_base,
    may_change,
    plot_of,
    plots_of,
    shapes_of,
    view_of,
)
from nongma.registry.bases.services import (
    add_base,
    add_plot,
    change_base,
    change_plot,
    close_base,
    close_plot,
    export_bases,
    reopen_base,
)
from nongma.registry.models import Base, Operator, Plot
from nongma.registry.plates.drawing import CONTENT_TYPES, Form
from nongma.registry.queries import editable_of, operator_of

GEOJSON = "application/geo+json"


@requires(Action.VIEW_OPERATORS)
@require_GET
def base(request: SignedInRequest, code: str, base_code: str) -> HttpResponse:
    """一个基地。"""
    shown = base_of(code, base_code, request.user)
    plots = list(plots_of(shown))
    may_change_it = may_change(shown, request.user)
    context = {
        "base": shown,
        "operator": shown.operator,
        "plots": plots,
        "areas": areas_of(shown, plots),
        "doubts": doubts_of(shown, plots),
        "shapes": shapes_of(shown, plots),
        "view": view_of(shown.region, shown),
        "history": history_of(shown),
        "address": shown.address if request.user.is_operator else shown.shown_address,
        "may_change": may_change_it and shown.closed_on is None,
        "may_reopen": may_change_it and shown.closed_on is not None,
        "sheets": Sheet,
    }
    return render(request, "registry/bases/base.html", context)


@requires(Action.REGISTER_OPERATOR)
@require_http_methods(["GET", "POST"])
def register(request: SignedInRequest, code: str) -> HttpResponse:
    """登记一个基地。"""
    owner = editable_of(code, request.user)
    form = BaseForm.new(owner, request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        cleaned = _without_seen(form.cleaned_data)
        try:
            added = add_base(operator=owner, actor=request.user, **cleaned)
        except Refused as refusal:
            show_refusal(form, refusal, point="longitude")
        else:
            messages.success(request, f"基地“{added.name}”登记好了")
            return redirect(added)
    return _base_form(request, form, owner)


@requires(Action.REGISTER_OPERATOR)
@require_http_methods(["GET", "POST"])
def change(request: SignedInRequest, code: str, base_code: str) -> HttpResponse:
    """修改一个基地。"""
    held = editable_base(code, base_code, request.user)
    hides = held.operator.is_unlicensed and not request.user.is_operator
    form = BaseForm.of(held, request.POST or None, request.FILES or None, hides_address=hides)
    if request.method == "POST" and form.is_valid():
        try:
            change_base(base=held, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal, point="longitude")
            _see_anew(form, refusal, BaseForm.of(held).initial["seen"])
        else:
            messages.success(request, "改好了")
            return redirect(held)
    return _base_form(request, form, held.operator, held)


@requires(Action.REGISTER_OPERATOR)
@require_POST
def close(request: SignedInRequest, code: str, base_code: str) -> HttpResponse:
    """停用一个基地。"""
    held = editable_base(code, base_code, request.user)
    reason = request.POST.get("reason", "")
    return _done(
        request, held, lambda: close_base(base=held, reason=reason, actor=request.user), "基地已停用，以前的记录都还在"
    )


@requires(Action.REGISTER_OPERATOR)
@require_POST
def reopen(request: SignedInRequest, code: str, base_code: str) -> HttpResponse:
    """恢复使用一个基地。"""
    held = editable_base(code, base_code, request.user)
    return _done(request, held, lambda: reopen_base(base=held, actor=request.user), "基地恢复使用了")


@requires(Action.REGISTER_OPERATOR)
@require_http_methods(["GET", "POST"])
def register_plot(request: SignedInRequest, code: str, base_code: str) -> HttpResponse:
    """在基地里划出一个地块。"""
    held = editable_base(code, base_code, request.user)
    form = PlotForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            plot = add_plot(base=held, actor=request.user, **_without_seen(form.cleaned_data))
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"地块“{plot.name}”登记好了")
            return redirect(held)
    return _plot_form(request, form, held)


@requires(Action.REGISTER_OPERATOR)
@require_http_methods(["GET", "POST"])
def change_one_plot(request: SignedInRequest, code: str, base_code: str, uid: UUID) -> HttpResponse:
    """修改一个地块。"""
    held = editable_base(code, base_code, request.user)
    plot = plot_of(held, uid)
    form = PlotForm.of(plot, request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            change_plot(plot=plot, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
            _see_anew(form, refusal, PlotForm.of(plot).initial["seen"])
        else:
            messages.success(request, "地块改好了")
            return redirect(held)
    return _plot_form(request, form, held, plot)


@requires(Action.REGISTER_OPERATOR)
@require_POST
def close_one_plot(request: SignedInRequest, code: str, base_code: str, uid: UUID) -> HttpResponse:
    """停用一个地块。"""
    held = editable_base(code, base_code, request.user)
    plot = plot_of(held, uid)
    return _done(request, held, lambda: close_plot(plot=plot, actor=request.user), f"地块“{plot.name}”已停用")


@requires(Action.VIEW_OPERATORS)
@require_GET
def board(request: SignedInRequest, code: str, base_code: str, sheet: str, form: str) -> HttpResponseBase:
    """下载基地标识牌。"""
    shown = base_of(code, base_code, request.user)
    if sheet not in Sheet.values or form not in Form.values:
        raise Http404
    try:
        file = print_board(base=shown, sheet=Sheet(sheet), form=Form(form), actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(shown)
    name = f"基地标识牌-{Sheet(sheet).label}-{shown.code}.{form}"
    return download(request, io.BytesIO(file), name=name, content_type=CONTENT_TYPES[Form(form)])


@requires(Action.VIEW_OPERATORS)
@require_POST
def export(request: SignedInRequest, code: str) -> HttpResponseBase:
    """主体的基地和地块，GeoJSON。"""
    owner = operator_of(code, request.user)
    try:
        file = export_bases(operator=owner, reason=request.POST.get("reason", ""), actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(owner)
    return download(request, file, name=f"基地-{owner.code}.geojson", content_type=GEOJSON)


def _base_form(request: SignedInRequest, form: BaseForm, owner: Operator, held: Base | None = None) -> HttpResponse:
    region = held.region if held else owner.region
    context = {
        "form": form,
        "operator": owner,
        "base": held,
        "chosen": region,
        "within": place_of(request.user),
        "view": view_of(region, held),
        "suggested": SUGGESTED,
        "kept": held.origins.current().filter(state="approved").count() if held else 0,
    }
    return render(request, "registry/bases/form.html", context)


def _plot_form(request: SignedInRequest, form: PlotForm, held: Base, plot: Plot | None = None) -> HttpResponse:
    context = {
        "form": form,
        "base": held,
        "operator": held.operator,
        "plot": plot,
        "view": view_of(held.region, held),
        "shapes": shapes_of(held, [one for one in plots_of(held) if plot is None or one.pk != plot.pk]),
    }
    return render(request, "registry/bases/plot.html", context)


def _without_seen(cleaned: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in cleaned.items() if name != "seen"}


def _see_anew(form: BaseForm | PlotForm, refusal: Refused, version: str) -> None:
    """Who has been told that the record changed meanwhile may save what was typed over it the next time."""
    if refusal.code == "changed_meanwhile":
        form.seen_anew(version)


def _done(request: SignedInRequest, held: Base, act: Callable[[], object], told: str) -> HttpResponse:
    """Do it, and back to the base with what came of it."""
    try:
        act()
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, told)
    return redirect(held)
