"""Checking the whole log against its seals (核对): the ministry starts it, every administrator reads the result."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from nongma.accounts.access import Action, SignedInRequest, requires, scope_of
from nongma.audit.checking import findings_of, last_check, start_check
from nongma.audit.models import Check
from nongma.lib.forms import show_refusal
from nongma.lib.refused import Refused
from nongma.regions.spans import EVERYWHERE

TONES = {Check.State.QUEUED: "grey", Check.State.RUNNING: "blue", Check.State.FAILED: "amber"}


class CheckForm(forms.Form):
    """The seal that was noted down after an earlier check."""

    anchor = forms.CharField(
        label="上次记下的封存",
        required=False,
        max_length=100,
        help_text="核对完会给出最后一个封存的序号和摘要，请记在平台以外。下次填在这里，末尾有没有被截掉也能查出来",
        widget=forms.TextInput({"placeholder": "序号:摘要", "autocomplete": "off", "spellcheck": "false"}),
    )


@requires(Action.VIEW_AUDIT)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: SignedInRequest) -> HttpResponse:
    """最近一次核对的进度和结果；看得到全国的管理员可以开始新的一次。"""
    may_start = EVERYWHERE in scope_of(request.user, Action.VIEW_AUDIT).spans
    form = CheckForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and not may_start:
        raise PermissionDenied(Action.VIEW_AUDIT)
    if form.is_valid():
        try:
            start_check(actor=request.user, anchor=form.cleaned_data["anchor"])
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            return redirect("audit:check")
    context = _shown(last_check()) | {"form": form, "may_start": may_start}
    return render(request, "desk/check.html", context, status=422 if form.errors else 200)


@requires(Action.VIEW_AUDIT)
@never_cache
@require_GET
def progress(request: SignedInRequest) -> HttpResponse:
    """The moving part of the page, asked for every second; the whole page is due when the check is over."""
    newest = last_check()
    response = render(request, "desk/parts/check.html", _shown(newest)) if newest else HttpResponse()
    if newest is None or newest.is_over:
        response["HX-Refresh"] = "true"
    return response


def _shown(newest: Check | None) -> dict[str, Any]:
    if newest is None:
        return {"check": None}
    tone = TONES.get(Check.State(newest.state)) or ("green" if newest.is_sound else "red")
    label = newest.get_state_display()
    if newest.state == Check.State.DONE:
        label = "完好" if newest.is_sound else "有问题"
    findings = findings_of(newest) if newest.is_over else []
    return {
        "check": newest,
        "tone": tone,
        "label": label,
        "percent": min(100 * newest.seals // newest.last_seal, 100) if newest.last_seal else 0,
        "first": findings[0].sentence if findings else "",
        "others": [finding.sentence for finding in findings[1:]],
    }
