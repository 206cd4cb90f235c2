"""采集日历: what is due in one's area, one tap for what has not changed, who was in time, and the deadlines."""

from dataclasses import asdict
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, may, requires, scope_of
from nongma.accounts.exporting import export as answer
from nongma.accounts.exporting import export_list
from nongma.accounts.models import User
from nongma.accounts.queries import place_of
from nongma.lib.forms import narrowed_in_words, show_refusal
from nongma.lib.refused import Refused
from nongma.lib.sorting import Sorting
from nongma.origins.collecting.services import carry_over
from nongma.origins.due import queries
from nongma.origins.due.exports import dues_workbook, punctuality_workbook
from nongma.origins.due.forms import TABS, PunctualityForm, TermsForm
from nongma.origins.due.queries import DueFilter
from nongma.origins.due.services import confirm_unchanged, end_collecting, resume_collecting
from nongma.origins.due.terms import may_set_terms, set_terms, terms_of
from nongma.origins.models import Due
from nongma.origins.reviewing.answers import answered, overdue
from nongma.regions.models import Region


@requires(Action.VIEW_ORIGINS)
@require_GET
def calendar(request: SignedInRequest) -> HttpResponse:
    """What waits, what is overdue, what is done."""
    user, today = request.user, timezone.localdate()
    wanted, form = DueFilter.read(request.GET)
    sorting = Sorting.asked(queries.columns_of(wanted), request.GET.get("sort"), default=queries.usual_of(wanted))
    page = queries.due_page(user, wanted, sorting, request.GET.get("page"), today)
    counts = queries.counts_of(user, wanted, today)
    scope = scope_of(user, Action.COLLECT_ORIGINS)
    narrowed = {name: value for name in form.fields if name != "tab" and (value := request.GET.get(name))}
    context = {
        "form": form,
        "wanted": wanted,
        "tabs": [(tab, label, counts.get(tab), urlencode({"tab": tab} | narrowed)) for tab, label in TABS.items()],
        "page": page,
        "rows": [(due, due.region_id in scope) for due in page],
        "sorting": sorting,
        "today": today,
        "many": queries.MANY,
        "within": place_of(user),
        "back": request.get_full_path(),
        "is_narrowed": wanted.is_narrowed,
        "may_export": may(user, Action.EXPORT_ORIGINS) and page.paginator.count,
    }
    return render(request, "origins/due/calendar.html", context)


@requires(Action.EXPORT_ORIGINS)
@require_POST
def export(request: SignedInRequest) -> HttpResponseBase:
    """The same filters as the list, as a workbook."""
    wanted, form = DueFilter.read(request.POST)
    found = wanted.apply(Due.objects.visible_to(request.user), timezone.localdate())
    ordered = found.order_by(*queries.natural_of(wanted))
    return export_list(request, "dues.exported", dues_workbook, ordered, form, things="采集日历", page="origins:dues")


@requires(Action.COLLECT_ORIGINS)
@require_POST
def confirm(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """无变化, in one tap."""
    due = queries.due_of(uid, request.user)
    try:
        told = _unchanged(due, request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"{due.operator.name}的{due.product.name}记为无变化；{told}")
    return _back(request)


@requires(Action.COLLECT_ORIGINS)
@require_POST
def end(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """不再种养, with the reason."""
    due = queries.due_of(uid, request.user)
    try:
        end_collecting(due=due, reason=request.POST.get("reason", ""), actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(
            request, f"{due.operator.name}的{due.product.name}不再种养，以后不用采集；弄错了，在“已完成”里撤销"
        )
    return _back(request)


@requires(Action.COLLECT_ORIGINS)
@require_POST
def resume(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """Take 不再种养 back."""
    due = queries.due_of(uid, request.user, outcome=Due.Outcome.ENDED)
    try:
        resume_collecting(due=due, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"{due.operator.name}的{due.product.name}又要采集了")
    return _back(request)


@requires(Action.VIEW_ORIGINS)
@require_GET
def punctuality(request: SignedInRequest) -> HttpResponse:
    """及时率: who collected in time."""
    region, form = _asked(request)
    chosen = form.cleaned_data
    rows = []
    if not form.errors:
        rows = queries.punctuality(request.user, region, chosen["by"], chosen["first"], chosen["last"])
    context = {
        "form": form,
        "region": region,
        "rows": rows,
        "answered": [] if form.errors else answered(request.user, region.span, chosen["first"], chosen["last"]),
        "overdue": overdue(request.user, region.span),
        "by": chosen.get("by"),
        "within": place_of(request.user),
        "may_export": may(request.user, Action.EXPORT_ORIGINS) and rows,
    }
    return render(request, "origins/due/punctuality.html", context)


@requires(Action.EXPORT_ORIGINS)
@require_POST
def export_punctuality(request: SignedInRequest) -> HttpResponseBase:
    region, form = _asked(request)
    back = f"{reverse('origins:punctuality')}?region={region.code_text}"
    if form.errors:
        messages.error(request, "月份不对，没有导出")
        return redirect(back)
    chosen = form.cleaned_data
    rows = queries.punctuality(request.user, region, chosen["by"], chosen["first"], chosen["last"])
    return answer(
        request,
        "punctuality.exported",
        lambda mark: punctuality_workbook(rows, mark=mark),
        name=f"采集及时率-{timezone.localdate():%Y%m%d}.xlsx",
        back=back,
        narrowed_to=narrowed_in_words(form),
        region_code=region.pk,
    )


@requires(Action.VIEW_ORIGINS)
@require_http_methods(["GET", "POST"])
def terms(request: SignedInRequest) -> HttpResponse:
    """The deadlines that hold in a division, and setting them in one's own."""
    region = _area(request)
    held = terms_of([region.pk])[region.pk]
    may_set = may_set_terms(request.user, region) and region.level <= Region.Level.COUNTY
    form = TermsForm(request.POST or None, initial=asdict(held))
    if request.method == "POST":
        if not may(request.user, Action.REVIEW_ORIGINS):
            raise PermissionDenied(Action.REVIEW_ORIGINS)
        if form.is_valid():
            try:
                set_terms(region=region, terms=form.terms(), actor=request.user)
            except Refused as refusal:
                show_refusal(form, refusal)
            else:
                messages.success(request, "期限定好了；还没开始的采集任务，平台在重新推算")
                return redirect(f"{reverse('origins:collection-terms')}?region={region.code_text}")
    labels = TermsForm(initial=asdict(held))
    context = {
        "region": region,
        "form": form,
        "may_set": may_set,
        "held": [(field.label, field.initial) for field in labels],
    }
    return render(request, "origins/due/terms.html", context)


def _asked(request: SignedInRequest) -> tuple[Region, PunctualityForm]:
    """The division and months asked for; people of operators have no such table."""
    if request.user.is_operator:
        raise PermissionDenied(Action.VIEW_ORIGINS)
    region = _area(request)
    given = (request.POST if request.method == "POST" else request.GET).copy()
    given["region"] = region.code_text
    form = PunctualityForm(given)
    form.is_valid()
    return region, form


def _area(request: SignedInRequest) -> Region:
    """The division asked for, or the person's own; 404 outside."""
    if request.user.is_operator:
        raise PermissionDenied(Action.VIEW_ORIGINS)
    region = queries.area_of(request.user, (request.POST or request.GET).get("region", ""))
    if region is None:
        raise Http404
    return region


def _unchanged(due: Due, actor: User) -> str:
    """Livestock and fish are confirmed; a crop's new 茬 is a record of its own, with last time's values."""
    if due.rhythm == Due.Rhythm.MONTHLY:
        return f"下次 {confirm_unchanged(due=due, actor=actor).opens_on:%Y-%m-%d} 起采集"
    if not due.is_waiting:
        raise Refused("not_open_yet", f"这一茬 {due.opens_on} 起采集")
    made = carry_over(origin=due.origin, actor=actor)
    return (
        f"新一茬 {made.on_sale_on:%Y-%m} 至 {made.off_sale_on:%Y-%m} 上市，等待县级审核；日期不对的，打开记录点“更新”"
    )


def _back(request: SignedInRequest) -> HttpResponse:
    """To the list as it was."""
    back = request.POST.get("back", "")
    known = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith(reverse("origins:dues"))
    return redirect(back if known else "origins:dues")
