from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from nongma.accounts.access import Action, SignedInRequest, requires, scope_of
from nongma.accounts.models import User
from nongma.lib.forms import show_refusal
from nongma.lib.refused import Refused
from nongma.registry.directory.corrections.fates import forecast
from nongma.registry.directory.corrections.forms import ManyForm, usual_of_many
from nongma.registry.directory.corrections.many import read_filters, start_sending
from nongma.registry.directory.corrections.services import checked_demand
from nongma.registry.directory.fields import labels_of
from nongma.registry.directory.forms import EntryFilterForm
from nongma.registry.directory.queries import EntryFilter
from nongma.registry.models import Correction, Sending


@requires(Action.SUPERVISE_OPERATORS)
@require_http_methods(["GET", "POST"])
def send(request: SignedInRequest) -> HttpResponse:
    """给目录里查到的主体发同一份通知：先写，再核对发给多少，确认了才发。"""
    asked = {**request.GET.dict(), **request.POST.dict()}
    filters = {name: value for name in EntryFilterForm.base_fields if (value := asked.get(name, "").strip())}
    wanted, words, _ = _found(filters, request.user)
    form = ManyForm(request.POST or None, initial=usual_of_many(wanted.what, wanted.lack))
    context: dict[str, Any] = {
        "form": form,
        "filters": filters,
        "description": words,
        "back": f"{reverse('registry:directory-list')}?{urlencode(filters)}",
    }
    if request.method == "GET" or "edit" in request.POST or not form.is_valid():
        return render(request, "registry/directory/sending_new.html", context)
    demand = {**form.cleaned_data}
    demand["fields"] = demand.pop("named")
    confirmed = request.POST.get("confirmed", "")
    try:
        matter = checked_demand(is_listed=True, **demand).matter
        if confirmed.isdecimal():
            return redirect(start_sending(filters=filters, confirmed=int(confirmed[:9]), actor=request.user, **demand))
        return _ask(request, context, wanted, matter)
    except Refused as refusal:
        if refusal.code == "changed_meanwhile":
            messages.warning(request, refusal.message)
            return _ask(request, context, wanted, Correction.Matter(demand["matter"]))
        show_refusal(form, refusal, fields="named")
    return render(request, "registry/directory/sending_new.html", context)


@requires(Action.SUPERVISE_OPERATORS)
@require_GET
def sending(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """批量督促整改办到哪里、结果怎样；htmx 取变化的部分。"""
    job = get_object_or_404(Sending.objects.visible_to(request.user), uid=uid)
    is_part = request.headers.get("HX-Request") == "true"
    template = "registry/directory/parts/sending.html" if is_part else "registry/directory/sending.html"
    return render(request, template, {"job": job, "fields": labels_of(job.fields), "back": urlencode(job.filters)})


def _found(filters: dict[str, str], user: User) -> tuple[EntryFilter, str, str]:
    """The filter and its words; 404 for what makes no sense and for a division outside the own area."""
    try:
        read = read_filters(filters, user)
    except Refused as refusal:
        raise Http404 from refusal
    spans = scope_of(user, Action.SUPERVISE_OPERATORS).spans
    region = read[0].region
    if not any(span.start <= region.stop and region.start <= span.stop for span in spans):
        raise Http404
    return read


def _ask(
    request: SignedInRequest, context: dict[str, Any], wanted: EntryFilter, matter: Correction.Matter
) -> HttpResponse:
    """What confirming would do: how many get the notice, how many don't and why, how many have nobody to tell."""
    counts = forecast(request.user, wanted, matter)
    form = context["form"]
    answered = [
        (field.html_name, value)
        for field in form
        for value in (field.value() if field.name == "named" else [field.value()])
    ]
    told = {"counts": counts, "left_out": Sending.reasons(counts), "answered": answered, "chosen": form.cleaned_data}
    told["matter"] = matter.label
    told["fields"] = labels_of(form.cleaned_data["named"])
    return render(request, "registry/directory/sending_confirm.html", context | told)
