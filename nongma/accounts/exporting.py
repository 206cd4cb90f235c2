"""Taking rows out of the platform as a file (导出): what for, on record, marked. Every export goes through here."""

from collections.abc import Callable
from typing import IO, Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import models, transaction
from django.forms import Form
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.access import SignedInRequest
from nongma.accounts.models import User
from nongma.accounts.queries import place_of
from nongma.audit.services import record
from nongma.lib.downloads import download
from nongma.lib.forms import narrowed_in_words
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Refused
from nongma.lib.sheets.writing import XLSX, mark_of

MOST_EXPORTED = 50_000
"""Of one export: the file is made while a person waits."""
Made = tuple[IO[bytes], int]
"""The file, open at its beginning, and how many rows it has."""


def check_amount(found: "models.QuerySet[Any]", things: str, most: int) -> None:
    """Refuses `too_many_rows` past the most that one export may have, and `nothing_found`; `things` names the rows."""
    count = found.order_by()[: most + 1].count()
    if count > most:
        raise Refused("too_many_rows", f"一次最多导出 {most:,} 条，没有导出。请先缩小范围")
    if not count:
        raise Refused("nothing_found", f"没有符合条件的{things}可以导出")


@transaction.atomic
def take_out(
    action: str,
    make: Callable[[str], Made],
    *,
    purpose: str,
    actor: User,
    narrowed_to: str,
    is_search: bool = False,
    target: models.Model | None = None,
    region_code: int | None = None,
    **details: Any,
) -> IO[bytes]:
    """The file that `make` makes with a mark of who takes it out, when and what for; it is on record with its rows.

    `narrowed_to`: the filter in words, without what was typed to search, which may be a name or a phone; `is_search`
    tells whether something was. Refuses `reason_missing` and `text_too_long` (the purpose), and what `make` refuses.
    The file has no name and is stored nowhere (`make` sees to that): what is not sent is gone when it is closed.
    """
    purpose = checked_reason(purpose, told="请写明导出用途")
    file, rows = make(mark_of(actor.name, purpose))
    try:
        record(
            action,
            actor=actor,
            target=target or actor,
            region_code=place_of(actor) if region_code is None else region_code,
            purpose=purpose,
            filter=narrowed_to,
            searched=is_search,
            rows=rows,
            **details,
        )
    except BaseException:
        file.close()
        raise
    return file


def export_list(
    request: SignedInRequest,
    action: str,
    make: Callable[..., Made],
    found: "models.QuerySet[Any]",
    form: Form,
    *,
    things: str,
    page: str,
) -> HttpResponseBase:
    """The answer to the export form of a list: `found`, as the list's `form` narrows it, written by `make`.

    `things` names what the rows are; `page` is the list, where a refusal leads back to, narrowed as it was.
    """

    def make_checked(mark: str) -> Made:
        check_amount(found, things, MOST_EXPORTED)
        return make(found, mark=mark)

    return export(
        request,
        action,
        make_checked,
        name=f"{things}-{timezone.localdate():%Y%m%d}.xlsx",
        back=f"{reverse(page)}?{narrowed_query(form)}",
        narrowed_to=narrowed_in_words(form),
        is_search=bool(form.cleaned_data.get("q", "").strip()),
    )


def narrowed_query(form: Form) -> str:
    """What a list's form narrows it by, as a query string that leads back to the list as it was."""
    return urlencode({field.name: value for field in form if (value := field.value())})


def export(
    request: SignedInRequest,
    action: str,
    make: Callable[[str], Made],
    *,
    name: str,
    back: str,
    content_type: str = XLSX,
    **told: Any,
) -> HttpResponseBase:
    """The answer to an export's form, whose field `reason` is the purpose: the file, or `back` with why not.

    `told` goes on to `take_out`.
    """
    try:
        file = take_out(action, make, purpose=request.POST.get("reason", ""), actor=request.user, **told)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(back)
    return download(request, file, name=name, content_type=content_type)
