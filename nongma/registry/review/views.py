"""A reviewer's work on operators: what waits, side by side with who is on file, and every decision."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from nongma.accounts.access import Action, SignedInRequest, requires, scope_of
from nongma.lib.forms import show_refusal
from nongma.lib.paging import total_of
from nongma.lib.refused import Refused
from nongma.registry.claiming.queries import claims_page, revoked_claims, waiting_claims
from nongma.registry.duplicates import likely_duplicates
from nongma.registry.models import Operator, Revision
from nongma.registry.queries import operator_of
from nongma.registry.review.forms import ReasonForm, ReturnForm
from nongma.registry.review.queries import (
    compared,
    counts,
    differences_of,
    operators_page,
    revision_of,
    revisions_page,
)
from nongma.registry.services import (
    Decision,
    cancel_operator,
    decide_revision,
    merge_operators,
    restore_operator,
    review_operator,
    suspend_operator,
    withdraw_revision,
)
from nongma.registry.services.standing import MERGEABLE, OPEN
from nongma.registry.views import show_operator

STANDING: dict[str, tuple[Callable[..., Operator], str]] = {
    "suspend": (suspend_operator, "已停用"),
    "cancel": (cancel_operator, "已注销"),
    "restore": (restore_operator, "已恢复"),
}


@requires(Action.REVIEW_OPERATORS)
@require_GET
def queue(request: SignedInRequest) -> HttpResponse:
    """等您审核的新登记主体，先到期的在前。"""
    return _queue(request, "operators", operators_page(request.user, request.GET.get("page")))


@requires(Action.REVIEW_OPERATORS)
@require_GET
def changes(request: SignedInRequest) -> HttpResponse:
    """等您审核的变更申请，先到期的在前。"""
    return _queue(request, "changes", revisions_page(request.user, request.GET.get("page")))


@requires(Action.REVIEW_OPERATORS)
@require_GET
def claims(request: SignedInRequest) -> HttpResponse:
    """等您核实的认领，先到期的在前。"""
    return _queue(request, "claims", claims_page(request.user, request.GET.get("page")))


@requires(Action.REVIEW_OPERATORS)
@require_GET
def compare(request: SignedInRequest, code: str) -> HttpResponse:
    """这个主体和可能重复的主体，一项一项对照。"""
    return _compare(request, operator_of(code, request.user), ReasonForm())


@requires(Action.REVIEW_OPERATORS)
@require_POST
def approve(request: SignedInRequest, code: str) -> HttpResponse:
    """通过。"""
    reviewed = operator_of(code, request.user)
    try:
        seen = request.POST.get("seen", "")
        review_operator(operator=reviewed, decision=Decision.APPROVE, actor=request.user, seen=seen)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(reviewed)
    messages.success(request, f"{reviewed.name} 已通过审核")
    return _onward(request, reviewed)


@requires(Action.REVIEW_OPERATORS)
@require_POST
def send_back(request: SignedInRequest, code: str) -> HttpResponse:
    """退回，写明原因。"""
    reviewed = operator_of(code, request.user)
    form = ReturnForm(request.POST)
    if form.is_valid():
        try:
            review_operator(
                operator=reviewed,
                decision=Decision.RETURN,
                actor=request.user,
                reason=form.cleaned_data["reason"],
                faults=form.faults,
                seen=request.POST.get("seen", ""),
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"{reviewed.name} 已退回")
            return _onward(request, reviewed)
    return show_operator(request, reviewed, return_form=form)


@requires(Action.REVIEW_OPERATORS)
@require_POST
def merge(request: SignedInRequest, code: str) -> HttpResponse:
    """并入已有的主体。"""
    merged = operator_of(code, request.user)
    into = operator_of(request.POST.get("into", ""), request.user)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            merge_operators(operator=merged, into=into, reason=form.cleaned_data["reason"], actor=request.user)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"已并入“{into.name}”")
            return redirect(into)
    return _compare(request, merged, form, into)


@requires(Action.REVIEW_OPERATORS)
@require_POST
def change_standing(request: SignedInRequest, code: str, deed: str) -> HttpResponse:
    """停用、注销、恢复，写明原因。"""
    shown = operator_of(code, request.user)
    act, done = STANDING[deed]
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            act(operator=shown, reason=form.cleaned_data["reason"], actor=request.user)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"{shown.name} {done}")
            return redirect(shown)
    return show_operator(request, shown, standing_form=form, deed=deed)


@requires(Action.VIEW_OPERATORS)
@require_GET
def revision(request: SignedInRequest, code: str, uid: UUID) -> HttpResponse:
    """一个变更申请：改什么，从什么改成什么。"""
    shown = operator_of(code, request.user)
    return _revision(request, shown, revision_of(shown, uid, request.user), ReasonForm())


@requires(Action.REVIEW_OPERATORS)
@require_POST
def decide(request: SignedInRequest, code: str, uid: UUID, decision: str) -> HttpResponse:
    """变更申请：通过，或不同意并写明原因。"""
    shown = operator_of(code, request.user)
    asked = revision_of(shown, uid, request.user)
    chosen = Decision(decision)
    form = ReasonForm(request.POST)
    if chosen is Decision.RETURN and not form.is_valid():
        return _revision(request, shown, asked, form)
    reason = form.cleaned_data["reason"] if chosen is Decision.RETURN else ""
    try:
        decide_revision(revision=asked, decision=chosen, actor=request.user, reason=reason)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("registry:revision", code=code, uid=uid)
    messages.success(request, "变更已生效" if chosen is Decision.APPROVE else "已告诉申请人没有通过")
    return redirect("registry:review-changes")


@requires(Action.REGISTER_OPERATOR)
@require_POST
def withdraw(request: SignedInRequest, code: str, uid: UUID) -> HttpResponse:
    """撤回自己的变更申请。"""
    shown = operator_of(code, request.user)
    try:
        withdraw_revision(revision=revision_of(shown, uid, request.user), actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "变更申请已撤回")
    return redirect(shown)


def _queue(request: SignedInRequest, which: str, page: Any) -> HttpResponse:
    operators, revisions = counts(request.user)
    context = {
        "which": which,
        "page": page,
        "operators": operators,
        "revisions": revisions,
        "claims": total_of(waiting_claims(request.user)),
        "revoked": revoked_claims(request.user) if which == "claims" else [],
        "scope": scope_of(request.user, Action.REVIEW_OPERATORS),
        "today": timezone.localdate(),
    }
    return render(request, "registry/review/queue.html", context)


def _onward(request: SignedInRequest, reviewed: Operator) -> HttpResponse:
    """Back to the queue for whoever came from it, else the record."""
    return redirect("registry:review") if request.POST.get("then") == "queue" else redirect(reviewed)


def _compare(request: SignedInRequest, shown: Operator, form: ReasonForm, into: Operator | None = None) -> HttpResponse:
    scope = scope_of(request.user, Action.REVIEW_OPERATORS)
    found = likely_duplicates(shown, request.user)
    context = {
        "operator": shown,
        "into": into,
        "others": [
            {
                "likeness": one,
                "form": form if into == one.operator else ReasonForm(auto_id=f"id_{one.operator.pk}_%s"),
                "facts": compared(shown, one.operator),
                "may_merge": shown.status in MERGEABLE
                and one.operator.status in OPEN
                and shown.region_id in scope
                and one.operator.region_id in scope,
            }
            for one in found
        ],
    }
    return render(request, "registry/review/compare.html", context)


def _revision(request: SignedInRequest, shown: Operator, asked: Revision, form: ReasonForm) -> HttpResponse:
    waits = asked.state == Revision.State.WAITING
    context = {
        "operator": shown,
        "revision": asked,
        "differences": differences_of(asked),
        "form": form,
        "may_decide": waits and shown.region_id in scope_of(request.user, Action.REVIEW_OPERATORS),
        "may_withdraw": waits and asked.asked_by_id == request.user.pk,
        "today": timezone.localdate(),
    }
    return render(request, "registry/review/revision.html", context)
