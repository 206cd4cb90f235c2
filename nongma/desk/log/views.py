"""The audit log as people may see it: each administrator that of the own area (审计)."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from nongma.accounts.access import Action, SignedInRequest, requires
from nongma.accounts.exporting import export as answer
from nongma.accounts.models import User
from nongma.accounts.queries import place_of
from nongma.audit.labels import action_label
from nongma.audit.models import Entry
from nongma.audit.queries import Slice, slice_of
from nongma.desk.log.forms import SearchForm
from nongma.desk.log.queries import Wanted, found_by
from nongma.desk.log.sentences import Line, lines_of
from nongma.desk.log.targets import Target, targets_of
from nongma.lib.sheets.writing import CSV, csv_of

SHOWN = 50
READ_AT_ONCE = 2000
EXPORTED = 50_000
ZONE = "北京时间"
COLUMNS = (f"时间（{ZONE}）", "操作人", "操作", "经过", "对象类型", "对象编号", "行政区划", "来源地址")


@dataclass(frozen=True)
class Focus:
    """What a link narrowed the log to: one record, one import's rows, one person; named by the entries found."""

    target: Target | None = None
    actor: str = ""


@requires(Action.VIEW_AUDIT)
def log(request: SignedInRequest) -> HttpResponse:
    """按日期、人、地区、操作和对象查，一页五十条。"""
    form = SearchForm(request.GET)
    return _page(request, form)


@requires(Action.EXPORT_AUDIT)
@require_POST
def export(request: SignedInRequest) -> HttpResponseBase:
    """查到的记录存成 CSV，最多五万条；导出本身也留一条记录。"""
    form = SearchForm(request.GET)
    if not form.is_valid():
        return _page(request, form, status=400)
    return answer(
        request,
        "audit.exported",
        lambda mark: csv_of(COLUMNS, _rows(request.user, form.wanted), mark=mark),
        name=f"审计记录-{timezone.localdate():%Y%m%d}.csv",
        back=f"{reverse('audit:log')}?{request.GET.urlencode()}",
        content_type=CSV,
        narrowed_to=form.describe(),
        is_search=bool(form.cleaned_data["who"]),
    )


def _rows(user: User, wanted: Wanted) -> Iterator[list[str]]:
    """The entries that are meant as cells, the newest of them."""
    entries = found_by(user, wanted)[:EXPORTED].iterator(chunk_size=READ_AT_ONCE)
    while batch := list(itertools.islice(entries, READ_AT_ONCE)):
        yield from (_cells(line) for line in lines_of(batch))


def _page(request: SignedInRequest, form: SearchForm, status: int = 200) -> HttpResponse:
    found, focus = Slice([], None), None
    if form.is_valid():
        found = slice_of(found_by(request.user, form.wanted), _before(request), SHOWN)
        focus = _focus(form.wanted, found.entries)
    context = {
        "form": form,
        "slice": found,
        "lines": lines_of(found.entries),
        "focus": focus,
        "within": place_of(request.user),
        "zone": ZONE,
    }
    return render(request, "desk/log.html", context, status=status)


def _focus(wanted: Wanted, entries: Sequence[Entry]) -> Focus | None:
    """What the entries have in common, if a link asked for it; whoever finds none in the own area learns no name."""
    search = wanted.search
    key = ("importjob", str(wanted.job)) if wanted.job else (search.kind, search.target)
    if not all(key) and not search.person:
        return None
    if not entries:
        return Focus()
    return Focus(
        target=targets_of([key])[key] if all(key) else None,
        actor=entries[0].actor_name if search.person else "",
    )


def _cells(line: Line) -> list[str]:
    entry = line.entry
    return [
        timezone.localtime(entry.at).strftime("%Y-%m-%d %H:%M:%S"),
        line.actor,
        action_label(entry.action),
        line.sentence,
        line.target.kind if line.target else "",
        entry.target_id,
        line.place,
        entry.address or "",
    ]


def _before(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.GET.get("before", ""))
    except ValueError:
        return None
