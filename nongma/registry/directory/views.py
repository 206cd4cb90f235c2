from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, may, requires, scope_of
from nongma.accounts.exporting import export as export_file
from nongma.accounts.exporting import export_list, narrowed_query
from nongma.accounts.models import User
from nongma.accounts.queries import place_of
from nongma.lib.forms import narrowed_in_words, show_refusal
from nongma.lib.refused import Refused
from nongma.lib.sorting import Sorting
from nongma.regions.models import Region
from nongma.registry.directory.expected import expect, strike_off
from nongma.registry.directory.exports import directory_workbook
from nongma.registry.directory.fields import labels_of
from nongma.registry.directory.figures import figures_of
from nongma.registry.directory.forms import ExpectedForm, RuleForm, StrikeForm, TermsForm
from nongma.registry.directory.months import months_of
from nongma.registry.directory.queries import COLUMNS, EntryFilter, area_of, entry_page, expected_page, steps_to
from nongma.registry.directory.rules import end_rule, rules_in, set_rule, set_terms
from nongma.registry.directory.visits import THINGS, visits_document
from nongma.registry.models import DirectoryEntry, Expected, ScaleRule

SOON = "目录和统计几秒后更新"


@requires(Action.VIEW_DIRECTORY)
@require_GET
def figures(request: SignedInRequest) -> HttpResponse:
    """How complete the directory is, by division."""
    region = _area(request)
    context = {
        "figures": figures_of(region),
        "path": steps_to(request.user, region),
        "today": timezone.localdate(),
        "months": months_of([region.pk])[region.pk],
        "may_manage": may(request.user, Action.SUPERVISE_OPERATORS),
    }
    return render(request, "registry/directory/figures.html", context)


@requires(Action.VIEW_DIRECTORY)
@require_GET
def entries(request: SignedInRequest) -> HttpResponse:
    """The entries of the directory."""
    wanted, form = EntryFilter.read(request.GET)
    sorting = Sorting.asked(COLUMNS, request.GET.get("sort"), default="region")
    page = entry_page(request.user, wanted, sorting, request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "rows": [(entry, labels_of(entry.lacks)) for entry in page],
        "sorting": sorting,
        "is_filtered": wanted != EntryFilter(),
        "within": place_of(request.user),
        "narrowed": urlencode({name: value for name in form.fields if (value := request.GET.get(name))}),
        "may_manage": may(request.user, Action.SUPERVISE_OPERATORS),
        "is_uncoded": wanted.what == "uncoded",
        "may_export": may(request.user, Action.EXPORT_OPERATORS) and page.paginator.count,
    }
    return render(request, "registry/directory/entries.html", context)


@requires(Action.EXPORT_OPERATORS)
@require_POST
def export(request: SignedInRequest) -> HttpResponseBase:
    """The same filters as the list, as a workbook."""
    wanted, form = EntryFilter.read(request.POST)
    found = wanted.apply(DirectoryEntry.objects.visible_to(request.user)).order_by("region_id", "id")
    things, page = "监管主体目录", "registry:directory-list"
    return export_list(request, "directory.exported", directory_workbook, found, form, things=things, page=page)


@requires(Action.EXPORT_OPERATORS)
@require_POST
def visits(request: SignedInRequest) -> HttpResponseBase:
    """走访名单：the same filters as the list, of it those without a code in use, to print."""
    wanted, form = EntryFilter.read(request.POST)
    found = wanted.apply(DirectoryEntry.objects.visible_to(request.user))
    return export_file(
        request,
        "directory.visits_printed",
        lambda mark: visits_document(found, mark=mark),
        name=f"{THINGS}-{timezone.localdate():%Y%m%d}.pdf",
        back=f"{reverse('registry:directory-list')}?{narrowed_query(form)}",
        content_type="application/pdf",
        narrowed_to=narrowed_in_words(form),
        is_search=bool(wanted.q),
    )


@requires(Action.VIEW_DIRECTORY)
@require_GET
def expected(request: SignedInRequest) -> HttpResponse:
    """The list of those who must be in the directory by name."""
    context = {
        "page": expected_page(request.user, None, request.GET.get("page")),
        "may_manage": may(request.user, Action.SUPERVISE_OPERATORS),
        "form": StrikeForm(),
    }
    return render(request, "registry/directory/expected.html", context)


@requires(Action.SUPERVISE_OPERATORS)
@require_http_methods(["GET", "POST"])
def add_expected(request: SignedInRequest) -> HttpResponse:
    form = ExpectedForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            one = expect(actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"“{one.name}”已列入名单；{SOON}")
            return redirect("registry:directory-expected")
    context = {"form": form, "within": place_of(request.user)}
    return render(request, "registry/directory/expected_add.html", context)


@requires(Action.SUPERVISE_OPERATORS)
@require_POST
def strike(request: SignedInRequest, uid: UUID) -> HttpResponse:
    one = get_object_or_404(Expected.objects.visible_to(request.user), uid=uid)
    try:
        strike_off(expected=one, reason=request.POST.get("reason", ""), actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"“{one.name}”已移出名单；{SOON}")
    return redirect("registry:directory-expected")


@requires(Action.VIEW_DIRECTORY)
@require_GET
def rules(request: SignedInRequest) -> HttpResponse:
    """Who counts as operating at scale here, and since when."""
    return _show_rules(request, _area(request))


@requires(Action.SUPERVISE_OPERATORS)
@require_POST
def add_rule(request: SignedInRequest) -> HttpResponse:
    region = _area(request)
    form = RuleForm(request.POST, region=region)
    if form.is_valid():
        try:
            set_rule(region=region, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "标准定好了，平台在重新核对本地区的主体，目录和统计随后更新")
            return redirect(f"{reverse('registry:directory-rules')}?region={region.code_text}")
    return _show_rules(request, region, form=form)


@requires(Action.SUPERVISE_OPERATORS)
@require_POST
def end(request: SignedInRequest, uid: UUID) -> HttpResponse:
    spans = scope_of(request.user, Action.SUPERVISE_OPERATORS).spans
    rule = get_object_or_404(ScaleRule.objects.select_related("region"), uid=uid)
    if not any(span.covers(rule.region.span) for span in spans):
        raise Http404
    try:
        end_rule(rule=rule, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "这项标准到今天为止，明天起按上级的标准")
    return redirect(f"{reverse('registry:directory-rules')}?region={rule.region.code_text}")


@requires(Action.SUPERVISE_OPERATORS)
@require_POST
def terms(request: SignedInRequest) -> HttpResponse:
    region = _area(request)
    form = TermsForm(request.POST)
    if form.is_valid():
        try:
            set_terms(region=region, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "期限定好了，平台在重新核对本地区的主体")
            return redirect(f"{reverse('registry:directory-rules')}?region={region.code_text}")
    return _show_rules(request, region, terms_form=form)


def _show_rules(
    request: SignedInRequest, region: Region, *, form: RuleForm | None = None, terms_form: TermsForm | None = None
) -> HttpResponse:
    months = months_of([region.pk])[region.pk]
    may_set = _may_set(request.user, region)
    context: dict[str, Any] = {
        "region": region,
        "rules": rules_in(region),
        "today": timezone.localdate(),
        "may_set": may_set,
        "months": months,
        "form": form or (RuleForm(region=region) if may_set else None),
        "terms_form": terms_form or TermsForm({"fresh_months": months.fresh, "idle_months": months.idle}),
    }
    return render(request, "registry/directory/rules.html", context)


def _may_set(user: User, region: Region) -> bool:
    spans = scope_of(user, Action.SUPERVISE_OPERATORS).spans
    return region.level <= Region.Level.COUNTY and any(span.covers(region.span) for span in spans)


def _area(request: SignedInRequest) -> Region:
    """The division asked for, or the person's own; 404 outside."""
    region = area_of(request.user, (request.POST or request.GET).get("region", ""))
    if region is None:
        raise Http404
    return region
