"""一张表: the records as a list, and what is done with many of them."""

from dataclasses import replace
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from nongma.accounts.access import Action, SignedInRequest, may, requires
from nongma.accounts.exporting import Made
from nongma.accounts.exporting import export as answer
from nongma.lib.pages import MOST_LISTED, PAGE_SIZE
from nongma.lib.sheets.writing import CSV, XLSX
from nongma.lib.sorting import Sorting
from nongma.origins.exports import origins_csv, origins_workbook
from nongma.origins.filters import NAMES, OriginFilter
from nongma.origins.forms import ReturnForm
from nongma.origins.models import Origin, ReviewJob, ReviewSample
from nongma.origins.queries import COLUMNS, origin_page
from nongma.origins.reviewing.forms import SampleForm
from nongma.origins.services.review import AT_ONCE, Verdict, decide_origins, start_review_job, waiting_for
from nongma.origins.sheets.official import official_workbook
from nongma.origins.sheets.wall import wall_sheet

OFFICIAL, WALL = "official", "wall"
PDF = "application/pdf"
FORMS = {
    "xlsx": (origins_workbook, XLSX),
    "csv": (origins_csv, CSV),
}


@requires(Action.VIEW_ORIGINS)
@require_GET
def table(request: SignedInRequest) -> HttpResponse:
    filters, form = OriginFilter.asked(request.GET, request.user)
    sorting = Sorting.asked(COLUMNS, request.GET.get("sort"), default="region")
    page = origin_page(filters, request.user, sorting, request.GET.get("page"))
    context = {
        "form": form,
        "filters": filters,
        "query": urlencode(filters.parameters()),
        "parameters": filters.parameters(),
        "chips": chips_of(filters),
        "page": page,
        "tells_doubts": not request.user.is_operator,
        "sorting": sorting,
        "most": MOST_LISTED,
        # A condition in error is left out of the list: nothing is done with so many more than were meant.
        "may_review": may(request.user, Action.REVIEW_ORIGINS) and page.paginator.count and not form.errors,
        "may_export": may(request.user, Action.EXPORT_ORIGINS) and page.paginator.count and not form.errors,
        "may_collect": may(request.user, Action.COLLECT_ORIGINS),
        "may_see_missed": may(request.user, Action.VIEW_DIRECTORY),
        "may_enter": may(request.user, Action.ENTER_ORIGIN),
        "may_reveal": may(request.user, Action.REVEAL_PERSONAL),
        "now": timezone.now().isoformat(),
    }
    return render(request, "origins/table.html", context)


def chips_of(filters: OriginFilter) -> list[dict[str, str]]:
    """Each condition in words, with the query string that is left when it goes."""
    parameters = filters.parameters()
    return [
        {
            "label": label,
            "value": value,
            "rest": urlencode({name: part for name, part in parameters.items() if name not in names}),
        }
        for names, label, value in filters.conditions()
    ]


@requires(Action.EXPORT_ORIGINS)
@require_POST
def export(request: SignedInRequest, form: str) -> HttpResponseBase:
    """The filtered whole as a file; a POST, since it is written in the audit log."""
    filters, filter_form = OriginFilter.asked(request.POST, request.user)
    if filter_form.errors:
        return _misread(request)
    make, content_type = FORMS[form]
    return answer(
        request,
        "origins.exported",
        lambda mark: make(filters=filters, actor=request.user, mark=mark),
        name=f"产地溯源信息-{timezone.localdate():%Y%m%d}.{form}",
        back=f"{reverse('origins:table')}?{urlencode(filters.parameters())}",
        content_type=content_type,
        narrowed_to=replace(filters, q="").describe(),
        is_search=bool(filters.q),
        region_code=filters.region.code if filters.region else None,
        form=form,
    )


def _misread(request: SignedInRequest) -> HttpResponse:
    """Back to the list, which says what is wrong with the filter: more than was meant leaves nowhere."""
    messages.error(request, "筛选条件有误，没有导出，请改好再导出")
    given = {name: value for name in NAMES if (value := request.POST.get(name))}
    return redirect(f"{reverse('origins:table')}?{urlencode(given)}")


@requires(Action.EXPORT_ORIGINS)
@require_POST
def paper(request: SignedInRequest, form: str) -> HttpResponseBase:
    """The filtered whole as 附件1, or as a wall sheet."""
    filters, filter_form = OriginFilter.asked(request.POST, request.user)
    if filter_form.errors:
        return _misread(request)
    in_full = form == OFFICIAL and bool(request.POST.get("in_full"))
    is_wall = form == WALL
    name = "产地分布挂图" if is_wall else "重点农产品产地溯源信息采集表"

    def make(mark: str) -> Made:
        if is_wall:
            return wall_sheet(filters=filters, actor=request.user, mark=mark)
        return official_workbook(filters=filters, actor=request.user, mark=mark, in_full=in_full)

    return answer(
        request,
        "origins.wall_printed" if is_wall else "origins.form_exported",
        make,
        name=f"{name}-{timezone.localdate():%Y%m%d}.{'pdf' if is_wall else 'xlsx'}",
        back=f"{reverse('origins:table')}?{urlencode(filters.parameters())}",
        content_type=PDF if is_wall else XLSX,
        narrowed_to=replace(filters, q="").describe(),
        is_search=bool(filters.q),
        region_code=filters.region.code if filters.region else None,
        **({"in_full": in_full} if in_full else {}),
    )


@requires(Action.REVIEW_ORIGINS)
@require_POST
def decide(request: SignedInRequest) -> HttpResponse:
    """Approve or return a selection or the filtered whole: first what it means, then, confirmed, the deed."""
    user = request.user
    verdict = Verdict.RETURN if request.POST.get("verdict") == Verdict.RETURN else Verdict.APPROVE
    try:
        filters = OriginFilter.read({name: request.POST.get(name, "") for name in NAMES}, user)
        until = parse_datetime(request.POST.get("until", "")) or timezone.now()
    except (ValidationError, ValueError):
        messages.error(request, "筛选条件有误，没有做任何改动，请重新筛选")
        return redirect("origins:table")
    back = f"{reverse('origins:table')}?{urlencode(filters.parameters())}"
    is_whole = request.POST.get("scope") == "whole"
    doubt = filters.doubt_kind if is_whole else None
    selected = _uids(request)
    if is_whole:
        origins = filters.visible_to(user).filter(updated_at__lte=until)
    elif selected:
        origins = Origin.objects.visible_to(user).filter(uid__in=selected)
    else:
        messages.warning(request, "还没有勾选记录")
        return redirect(back)
    waiting = waiting_for(user, origins).count()
    form = ReturnForm(request.POST if request.POST.get("confirmed") and verdict is Verdict.RETURN else None)
    if waiting and request.POST.get("confirmed") and (verdict is Verdict.APPROVE or form.is_valid()):
        reason = form.cleaned_data["reason"] if verdict is Verdict.RETURN else ""
        if is_whole and waiting > AT_ONCE:
            job = start_review_job(
                filters=filters.parameters(),
                description=filters.describe(),
                origins=filters.visible_to(user),
                until=until,
                verdict=verdict,
                reason=reason,
                actor=user,
            )
            return redirect("origins:review-job", uid=job.uid)
        done = decide_origins(origins=origins, verdict=verdict, reason=reason, doubt=doubt, actor=user)
        words = f"{verdict.label}了 {done.decided} 条"
        if missed := waiting - done.decided:
            words += f"；{missed} 条刚刚被别人处理了，没有改动"
        messages.success(request, words)
        return redirect(back)
    context = {
        "verdict": verdict,
        "filters": filters,
        "parameters": filters.parameters(),
        "is_whole": is_whole,
        "selected": selected,
        "waiting": waiting,
        "others": len(selected) - waiting if not is_whole else 0,
        "is_long": is_whole and waiting > AT_ONCE,
        "until": until.isoformat(),
        "form": form,
        "sample_form": SampleForm(),
        "back": back,
    }
    return render(request, "origins/decide.html", context)


def _uids(request: SignedInRequest) -> list[str]:
    """The ticked records, a page of them at most."""
    fields = ReviewJob._meta.get_field("uid")
    found = []
    for text in request.POST.getlist("uid")[: 4 * PAGE_SIZE]:
        try:
            found.append(str(fields.to_python(text)))
        except ValidationError:
            continue
    return found


@requires(Action.REVIEW_ORIGINS)
@require_GET
def review_job(request: SignedInRequest, uid: str) -> HttpResponse:
    """How far a decision on many records is; htmx asks for the part that changes."""
    job = get_object_or_404(ReviewJob.objects.visible_to(request.user), uid=uid)
    sample = ReviewSample.objects.filter(job_uid=job.uid).first()
    is_part = request.headers.get("HX-Request") == "true"
    template = "origins/parts/review_job.html" if is_part else "origins/review_job.html"
    return render(request, template, {"job": job, "sample": sample, "back": urlencode(job.filters)})
