"""Pages of the import of 附件1: upload, progress, result."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, requires
from nongma.accounts.exporting import export
from nongma.lib.refused import Refused
from nongma.lib.sheets.marked import CORRECTING
from nongma.lib.sheets.writing import XLSX
from nongma.origins.api_imports import errors_of, marked_name
from nongma.origins.importing.form import FIELD_LABELS
from nongma.origins.importing.template import template_for
from nongma.origins.models import ImportJob
from nongma.origins.queries_imports import faults_by_field
from nongma.origins.services.imports import UNFINISHED, submit_import

JOBS_A_PAGE = 20
ROWS_A_PAGE = 50
TONES = {"queued": "grey", "running": "blue", "done": "green", "failed": "red"}


class UploadForm(forms.Form):
    """The file to import."""

    file = forms.FileField(
        label="采集表文件",
        max_length=200,
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xls,.csv"}),
        error_messages={"required": "请选择要上传的文件", "empty": "文件是空的，请选择填好的采集表"},
    )


@requires(Action.COLLECT_ORIGINS)
@require_http_methods(["GET", "HEAD", "POST"])
def imports(request: SignedInRequest) -> HttpResponse:
    """Upload a form, and one's imports so far."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            job = submit_import(file=file, filename=file.name, actor=request.user)
        except Refused as refusal:
            form.add_error("file", refusal.message)
        else:
            return redirect("origins:import-job", uid=job.uid)
    page = Paginator(ImportJob.objects.visible_to(request.user), JOBS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "jobs": [{"job": job, **_shown_status(job)} for job in page],
        "most_rows": settings.IMPORT_ROWS,
        "most_megabytes": settings.UPLOAD_BYTES // (1024 * 1024),
    }
    return render(request, "origins/import_list.html", context, status=422 if form.errors else 200)


@requires(Action.COLLECT_ORIGINS)
@require_GET
def job(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """One import: its progress while it runs, then what became of its rows."""
    found = get_object_or_404(ImportJob.objects.visible_to(request.user), uid=uid)
    return render(
        request, "origins/import_job.html", _progress(found) | _rows(request, found) | {"purpose": CORRECTING}
    )


@requires(Action.COLLECT_ORIGINS)
@require_GET
def progress(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """The moving part of the page, asked for every second; the whole page is due when the import has ended."""
    found = get_object_or_404(ImportJob.objects.visible_to(request.user), uid=uid)
    response = render(request, "origins/import_progress.html", _progress(found))
    if found.status not in UNFINISHED:
        response["HX-Refresh"] = "true"
    return response


@requires(Action.COLLECT_ORIGINS)
@require_POST
def errors(request: SignedInRequest, uid: UUID) -> HttpResponseBase:
    """The uploaded sheet with its faulty cells marked; taking it out is on record."""
    found = get_object_or_404(ImportJob.objects.visible_to(request.user), uid=uid)
    back = found.get_absolute_url()
    return export(request, "import.faults_exported", name=marked_name(found), back=back, **errors_of(found))


@requires(Action.COLLECT_ORIGINS)
@require_GET
def template(request: SignedInRequest) -> HttpResponse:
    """Our own form, empty, with its lists."""
    response = HttpResponse(template_for(request.user), content_type=XLSX)
    response["Content-Disposition"] = "attachment; filename*=UTF-8''%E4%BA%A7%E5%9C%B0%E9%87%87%E9%9B%86%E8%A1%A8.xlsx"
    return response


def _shown_status(job: ImportJob) -> dict[str, str]:
    """The state in a word and a colour; a finished import with faults is one to look at."""
    if job.status == ImportJob.Status.DONE and job.rejected:
        return {"label": "已完成，有误", "tone": "amber"}
    return {"label": job.get_status_display(), "tone": TONES[job.status]}


def _progress(job: ImportJob) -> dict[str, Any]:
    done = job.accepted + job.to_locate + job.unchanged + job.rejected
    return {
        "job": job,
        **_shown_status(job),
        "running": job.status in UNFINISHED,
        "done": done,
        "percent": min(100 * done // job.total, 100) if job.total else 0,
        "saved": job.accepted + job.to_locate,
    }


def _rows(request: SignedInRequest, job: ImportJob) -> dict[str, Any]:
    """The faults of the import, a page of rows at a time, all or those of one field."""
    if job.status in UNFINISHED:
        return {}
    field = request.GET.get("field", "")
    rows = job.rows.order_by("row")
    if field in FIELD_LABELS:
        rows = rows.filter(faults__contains=[{"field": field}])
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    faults = [
        {"row": row, "label": FIELD_LABELS.get(fault["field"], fault["field"]), **fault}
        for row in page
        for fault in row.faults
        if field not in FIELD_LABELS or fault["field"] == field
    ]
    fields = [
        {"field": one.field, "label": FIELD_LABELS.get(one.field, one.field), "count": one.count}
        for one in faults_by_field(job)
    ]
    return {"page": page, "faults": faults, "field": field, "fields": fields}
