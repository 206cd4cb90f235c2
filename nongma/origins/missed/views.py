"""The list of who has to be collected and is not (漏采)."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from nongma.accounts.access import Action, SignedInRequest, may, requires, scope_of
from nongma.accounts.exporting import export_list
from nongma.lib.refused import Refused
from nongma.lib.sorting import Sorting
from nongma.origins.missed.finding import check_county
from nongma.origins.missed.forms import MissedFilterForm
from nongma.origins.missed.queries import (
    COLUMNS,
    by_town,
    found_by,
    is_county_or_below,
    last_check,
    missed_page,
    missed_workbook,
)
from nongma.origins.missed.services import take_waiver_back, waive
from nongma.origins.models import Missed
from nongma.regions.spans import WIDTHS


@requires(Action.VIEW_DIRECTORY)
@require_GET
def missed(request: SignedInRequest) -> HttpResponse:
    """Who is above the threshold and has no record, in the own area."""
    user = request.user
    form = MissedFilterForm(request.GET, user=user)
    found = found_by(form, user)
    sorting = Sorting.asked(COLUMNS, request.GET.get("sort"), default="region")
    page = missed_page(found, sorting, request.GET.get("page"))
    is_narrow = is_county_or_below(user)
    context = {
        "form": form,
        "sorting": sorting,
        "page": page,
        "is_waived": request.GET.get("waived") == "1",
        "towns": by_town(found) if is_narrow else [],
        "check": last_check(user),
        "may_check": is_narrow and may(user, Action.REVIEW_ORIGINS),
        "may_waive": may(user, Action.REVIEW_ORIGINS),
        "may_export": may(user, Action.EXPORT_ORIGINS) and page.paginator.count,
    }
    return render(request, "origins/missed.html", context)


@requires(Action.REVIEW_ORIGINS)
@require_POST
def check(request: SignedInRequest) -> HttpResponse:
    """Compare the own county anew at once."""
    if not is_county_or_below(request.user):
        messages.error(request, "省、市每天夜里自动核对，县里可以随时核对")
        return redirect("origins:missed")
    counties = {span.start - span.start % WIDTHS[3] for span in scope_of(request.user, Action.REVIEW_ORIGINS).spans}
    for county in sorted(counties):
        check_county(county)
    messages.success(request, "核对完了")
    return redirect("origins:missed")


@requires(Action.EXPORT_ORIGINS)
@require_POST
def export(request: SignedInRequest) -> HttpResponseBase:
    form = MissedFilterForm(request.POST, user=request.user)
    found = found_by(form, request.user)
    return export_list(
        request, "missed.exported", missed_workbook, found, form, things="漏采主体", page="origins:missed"
    )


@requires(Action.REVIEW_ORIGINS)
@require_POST
def excuse(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """Excuse one, or take that back."""
    one = get_object_or_404(Missed.objects.visible_to(request.user).select_related("operator", "product"), uid=uid)
    try:
        if request.POST.get("back"):
            take_waiver_back(missed=one, actor=request.user)
            messages.success(request, f"{one.operator.name} 的{one.product.name}重新列入漏采")
        else:
            waive(missed=one, reason=request.POST.get("reason", ""), actor=request.user)
            messages.success(request, f"{one.operator.name} 的{one.product.name}不用采集了")
    except Refused as refusal:
        messages.error(request, refusal.message)
    return redirect("origins:missed")
