"""Pages of handing accounts out by a sheet: upload, progress, result, password slips."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, may, requires
from nongma.accounts.exporting import export
from nongma.accounts.handouts.forms import SlipsForm, UploadForm
from nongma.accounts.handouts.queries import faults_by_field, faulty_rows, printed_of
from nongma.accounts.handouts.services import MOST_ROWS, UNFINISHED, faults_workbook, submit_handout
from nongma.accounts.handouts.sheet import DIFFERS, LABELS, TITLE
from nongma.accounts.handouts.slips import Order, clear_slips, parts_of, print_slips
from nongma.accounts.handouts.template import template_for
from nongma.accounts.models import Handout
from nongma.lib.forms import show_refusal
from nongma.lib.refused import Refused
from nongma.lib.sheets.marked import CORRECTING
from nongma.lib.sheets.writing import XLSX

A_PAGE = 20
TONES = {"queued": "grey", "running": "blue", "done": "green", "failed": "red"}


@requires(Action.VIEW_ACCOUNTS)
@require_GET
def handouts(request: SignedInRequest) -> HttpResponse:
    """自己和前任办过的批量分配。"""
    page = Paginator(Handout.objects.visible_to(request.user).select_related("user"), A_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "rows": [{"handout": handout, **_shown_status(handout)} for handout in page],
        "may_hand_out": may(request.user, Action.MANAGE_ACCOUNTS),
    }
    return render(request, "accounts/handouts/list.html", context)


@requires(Action.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: SignedInRequest) -> HttpResponse:
    """上传填好的账号分配表。"""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            handout = submit_handout(file=file, filename=file.name, actor=request.user)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            return redirect(handout)
    context = {"form": form, "most_rows": MOST_ROWS, "most_megabytes": settings.UPLOAD_BYTES // (1024 * 1024)}
    return render(request, "accounts/handouts/upload.html", context, status=422 if form.errors else 200)


@requires(Action.VIEW_ACCOUNTS)
@require_GET
def template(request: SignedInRequest) -> HttpResponse:
    """空白的账号分配表。"""
    response = HttpResponse(template_for(request.user), content_type=XLSX)
    response["Content-Disposition"] = content_disposition_header(True, f"{TITLE}.xlsx") or "attachment"
    return response


@requires(Action.VIEW_ACCOUNTS)
@require_GET
def handout(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """一次批量分配：进度，办完以后的结果和要改的地方。"""
    found = _handout(request, uid)
    context = _progress(found)
    if found.status not in UNFINISHED:
        field = request.GET.get("field", "")
        field = field if field in LABELS else ""
        page = faulty_rows(found, field, request.GET.get("page"))
        context |= {
            "page": page,
            "field": field,
            "fields": [{"one": one, "label": LABELS.get(one.field, one.field)} for one in faults_by_field(found)],
            "faults": [
                {
                    "row": row.row,
                    "label": LABELS.get(fault["field"], fault["field"]),
                    "is_doubt": fault["code"] == DIFFERS,
                    **fault,
                }
                for row in page
                for fault in row.faults
                if not field or fault["field"] == field
            ],
            "slips": sum(part.slips for part in parts_of(found, request.user)),
            "printed": printed_of(found),
            "purpose": CORRECTING,
            "may_hand_out": may(request.user, Action.MANAGE_ACCOUNTS),
        }
    return render(request, "accounts/handouts/record.html", context)


@requires(Action.VIEW_ACCOUNTS)
@require_GET
def progress(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """The moving part of the page, asked for every second; the whole page is due when the hand-out has ended."""
    found = _handout(request, uid)
    response = render(request, "accounts/handouts/progress.html", _progress(found))
    if found.status not in UNFINISHED:
        response["HX-Refresh"] = "true"
    return response


@requires(Action.VIEW_ACCOUNTS)
@require_POST
def faults(request: SignedInRequest, uid: UUID) -> HttpResponseBase:
    """原表格，有问题的格子标成红色（留痕）。"""
    found = _handout(request, uid)
    return export(
        request,
        "handout.faults_exported",
        lambda mark: (faults_workbook(found, mark), found.total),
        name=f"{found.filename.rpartition('.')[0] or found.filename}-标出问题.xlsx",
        back=found.get_absolute_url(),
        narrowed_to=found.filename,
        target=found,
    )


@requires(Action.MANAGE_ACCOUNTS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def slips(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """密码条：还没改密码的人各一张，打印后当面交给本人。"""
    found = _handout(request, uid)
    form = SlipsForm(request.POST or None)
    if form.is_valid():
        try:
            pdf = print_slips(
                handout=found,
                part=form.cleaned_data["part"],
                order=Order(form.cleaned_data["order"]),
                actor=request.user,
            )
        except Refused as refusal:
            form.add_error(None, refusal.message)
        else:
            name = f"密码条-{form.cleaned_data['part'] + 1}.pdf"
            response = HttpResponse(pdf, content_type="application/pdf")
            response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
            return response
    context = {
        "handout": found,
        "form": form,
        "parts": parts_of(found, request.user),
        "is_own": found.user_id == request.user.pk,
        "printed": printed_of(found),
        "days": settings.KEEP_SLIPS_DAYS,
        "orders": Order.choices,
    }
    return render(request, "accounts/handouts/slips.html", context, status=422 if form.errors else 200)


@requires(Action.MANAGE_ACCOUNTS)
@require_POST
def clear(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """密码条都交给本人了：清除保存的初始密码。"""
    found = _handout(request, uid)
    try:
        clear_slips(handout=found, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "密码条已清除，平台不再保存这些初始密码")
    return redirect(found)


def _handout(request: SignedInRequest, uid: UUID) -> Handout:
    return get_object_or_404(Handout.objects.visible_to(request.user).select_related("user"), uid=uid)


def _shown_status(handout: Handout) -> dict[str, str]:
    """The state in a word and a colour; a finished hand-out with faults is one to look at."""
    if handout.status == Handout.Status.DONE and handout.rejected:
        return {"label": "已完成，有误", "tone": "amber"}
    return {"label": handout.get_status_display(), "tone": TONES[handout.status]}


def _progress(handout: Handout) -> dict[str, Any]:
    done = handout.created + handout.changed + handout.unchanged + handout.rejected
    return {
        "handout": handout,
        **_shown_status(handout),
        "running": handout.status in UNFINISHED,
        "done": done,
        "percent": min(100 * done // handout.total, 100) if handout.total else 0,
    }
