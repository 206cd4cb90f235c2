"""The audit log as people may see it: each administrator that of the own area (审计)."""

import csv
import json
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from nongma.accounts.access import Action, SignedInRequest, requires, scope_of
from nongma.accounts.log.forms import SearchForm
from nongma.audit.labels import action_label, kind_label
from nongma.audit.models import Entry
from nongma.audit.queries import Slice, search, slice_of

SHOWN = 50
READ_AT_ONCE = 2000
EXPORTED = 50_000
COLUMNS = ("时间", "操作人", "操作", "对象", "对象编号", "行政区划", "内容", "来源")


@requires(Action.VIEW_AUDIT)
def log(request: SignedInRequest) -> HttpResponse:
    """按人、操作、对象和日期查，一页五十条。"""
    form = SearchForm(request.GET)
    found = Slice([], None)
    if form.is_valid():
        found = slice_of(search(scope_of(request.user, Action.VIEW_AUDIT).spans, form.search), _before(request), SHOWN)
    return render(request, "accounts/log.html", {"form": form, "slice": found})


@requires(Action.VIEW_AUDIT)
def export(request: SignedInRequest) -> HttpResponse:
    """查到的记录存成 CSV，最多五万条。"""
    form = SearchForm(request.GET)
    if not form.is_valid():
        return render(request, "accounts/log.html", {"form": form, "slice": Slice([], None)}, status=400)
    # Spreadsheets take UTF-8 only when the file says so.
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="audit-{timezone.localdate():%Y%m%d}.csv"'
    writer = csv.writer(response)
    writer.writerow(COLUMNS)
    entries = search(scope_of(request.user, Action.VIEW_AUDIT).spans, form.search)[:EXPORTED]
    writer.writerows(_cells(entry) for entry in entries.iterator(chunk_size=READ_AT_ONCE))
    return response


def _cells(entry: Entry) -> list[str]:
    values = (
        timezone.localtime(entry.at).strftime("%Y-%m-%d %H:%M:%S"),
        entry.actor_name or "系统",
        action_label(entry.action),
        kind_label(entry.target_kind),
        entry.target_id,
        "" if entry.region_code is None else entry.region_code,
        json.dumps(entry.details, ensure_ascii=False) if entry.details else "",
        entry.address or "",
    )
    return [_plain(value) for value in values]


def _plain(value: object) -> str:
    """A cell that a spreadsheet doesn't take for a formula."""
    text = str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _before(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.GET.get("before", ""))
    except ValueError:
        return None
