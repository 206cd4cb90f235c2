"""Pages of loading operators from a sheet: upload, preview, confirm, progress, result, taking back."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, may, requires
from nongma.accounts.exporting import export
from nongma.lib.forms import show_refusal
from nongma.lib.refused import Refused
from nongma.lib.sheets.marked import CORRECTING
from nongma.lib.sheets.writing import XLSX
from nongma.registry.intake import queries
from nongma.registry.intake.api import errors_of, marked_name
from nongma.registry.intake.forms import ConfirmForm, UndoForm, UploadForm
from nongma.registry.intake.services import WORKING, confirm_intake, drop_intake, submit_intake
from nongma.registry.intake.sheet import LABELS, TITLE
from nongma.registry.intake.template import template_for
from nongma.registry.intake.undoing import undo_intake, undo_until
from nongma.registry.models import Intake

A_PAGE = 20
Status = Intake.Status
MOVING = (*WORKING, Status.UNDOING)
TONES = {
    Status.QUEUED: "grey",
    Status.CHECKING: "blue",
    Status.READY: "amber",
    Status.CONFIRMED: "grey",
    Status.RUNNING: "blue",
    Status.DONE: "green",
    Status.FAILED: "red",
    Status.DROPPED: "grey",
    Status.UNDOING: "blue",
    Status.UNDONE: "grey",
}


@requires(Action.LOAD_OPERATORS)
@require_http_methods(["GET", "HEAD", "POST"])
def intakes(request: SignedInRequest) -> HttpResponse:
    """上传主体批量登记表；自己和前任办过的批量登记。"""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            found = submit_intake(file=file, filename=file.name, actor=request.user)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            return redirect(found)
    page = Paginator(Intake.objects.visible_to(request.user), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "rows": [{"intake": one, **_shown_status(one)} for one in page],
        "most_rows": settings.IMPORT_ROWS,
        "most_megabytes": settings.UPLOAD_BYTES // (1024 * 1024),
    }
    return render(request, "registry/intake/list.html", context, status=422 if form.errors else 200)


@requires(Action.LOAD_OPERATORS)
@require_GET
def template(request: SignedInRequest) -> HttpResponse:
    """空白的主体批量登记表。"""
    response = HttpResponse(template_for(request.user), content_type=XLSX)
    response["Content-Disposition"] = content_disposition_header(True, f"{TITLE}.xlsx") or "attachment"
    return response


@requires(Action.LOAD_OPERATORS)
@require_GET
def intake(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """一次批量登记：进度，待确认的核对结果，或登记结果。"""
    return _show(request, _intake(request, uid))


@requires(Action.LOAD_OPERATORS)
@require_GET
def progress(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """The moving part of the page, asked for every second; the whole page is due when the work has ended."""
    found = _intake(request, uid)
    response = render(request, "registry/intake/progress.html", _progress(found))
    if found.status not in MOVING:
        response["HX-Refresh"] = "true"
    return response


@requires(Action.LOAD_OPERATORS)
@require_POST
def confirm(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """确认登记核对好的主体。"""
    found, form = _intake(request, uid), ConfirmForm(request.POST)
    approves = form.is_valid() and form.cleaned_data["approves"]
    try:
        confirm_intake(intake=found, approves=approves, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    return redirect(found)


@requires(Action.LOAD_OPERATORS)
@require_POST
def drop(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """放弃核对好的表格，什么也不登记。"""
    found = _intake(request, uid)
    try:
        drop_intake(intake=found, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(found)
    messages.success(request, "已放弃，没有登记任何主体")
    return redirect("registry:intakes")


@requires(Action.LOAD_OPERATORS)
@require_POST
def undo(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """撤回一次批量登记。"""
    found, form = _intake(request, uid), UndoForm(request.POST)
    if form.is_valid():
        try:
            undo_intake(intake=found, reason=form.cleaned_data["reason"], actor=request.user)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            return redirect(found)
    return _show(request, found, undo=form)


@requires(Action.LOAD_OPERATORS)
@require_POST
def errors(request: SignedInRequest, uid: UUID) -> HttpResponseBase:
    """The uploaded sheet with its faulty cells marked; taking it out is on record."""
    found = _intake(request, uid)
    back = found.get_absolute_url()
    return export(request, "intake.faults_exported", name=marked_name(found), back=back, **errors_of(found))


@requires(Action.LOAD_OPERATORS)
@require_GET
def loaded(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """这次批量登记的主体。"""
    found = _intake(request, uid)
    context = {"intake": found, "page": queries.loaded_page(found, request.GET.get("page"))}
    return render(request, "registry/intake/operators.html", context)


def _intake(request: SignedInRequest, uid: UUID) -> Intake:
    return get_object_or_404(Intake.objects.visible_to(request.user).select_related("user", "confirmed_by"), uid=uid)


def _show(request: SignedInRequest, found: Intake, *, undo: UndoForm | None = None) -> HttpResponse:
    context = _progress(found)
    if found.status not in MOVING:
        context |= _rows(request, found)
        until = undo_until(found)
        context |= {
            "is_ready": found.status == Status.READY,
            "is_loaded": found.status in {Status.DONE, Status.FAILED, Status.UNDONE} and found.confirmed_by_id,
            "form": ConfirmForm(),
            "may_approve": may(request.user, Action.REVIEW_OPERATORS),
            "earlier": queries.earlier_of(found, request.user) if found.status == Status.READY else None,
            "undo_until": until if until and until > timezone.now() else None,
            "undo": undo or UndoForm(),
        }
    return render(request, "registry/intake/record.html", context, status=422 if undo else 200)


def _rows(request: SignedInRequest, found: Intake) -> dict[str, Any]:
    """The rows of one outcome, all or those with a fault in one column."""
    groups = queries.groups_of(found, request.GET.get("outcome", ""))
    shown = next(group for group in groups if group.is_shown)
    field = request.GET.get("field", "")
    field = field if field in LABELS else ""
    page = queries.rows_of(found, shown.outcome, field, request.GET.get("page"))
    fields = queries.faults_by_field(found)
    return {
        "groups": groups,
        "shown": shown,
        "page": page,
        "rows": queries.shown_rows(page),
        "has_faults": bool(fields),
        "kept": page.paginator.count,
        "purpose": CORRECTING,
    }


def _shown_status(intake: Intake) -> dict[str, str]:
    """The state in a word and a colour; a finished load with faults is one to look at."""
    status = Status(intake.status)
    if status == Status.DONE and intake.faulty:
        return {"label": "已完成，有误", "tone": "amber"}
    return {"label": status.label, "tone": TONES[status]}


def _progress(intake: Intake) -> dict[str, Any]:
    is_undoing = intake.status == Status.UNDOING
    done, total = (intake.undone, intake.made) if is_undoing else (intake.done, intake.total)
    return {
        "intake": intake,
        **_shown_status(intake),
        "running": intake.status in MOVING,
        "done": done,
        "total": total,
        "percent": min(100 * done // total, 100) if total else 0,
    }
