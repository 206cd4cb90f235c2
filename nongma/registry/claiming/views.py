"""认领：本人认领导入的主体；县里核实。"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, requires, scope_of
from nongma.lib.forms import show_refusal
from nongma.lib.masking import mask_address
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.regions.queries import find_region
from nongma.registry.claiming.queries import claim_of, earlier_of, offer_of, offers_to
from nongma.registry.claiming.services import decide_claim
from nongma.registry.models import PERSONS, Claim, Operator
from nongma.registry.queries import operator_of
from nongma.registry.review.forms import ReasonForm
from nongma.registry.review.queries import compared
from nongma.registry.self_registration.forms import NEEDS_EITHER, ROWS, SelfRegistrationForm
from nongma.registry.self_registration.services import send_claim_in
from nongma.registry.services import Decision

NOT_MINE = "join_not_mine"
"""Where the session keeps that the person knows none of what was offered."""


@requires(Action.REGISTER_OPERATOR)
@never_cache
@require_http_methods(["GET", "POST"])
def offers(request: SignedInRequest) -> HttpResponse:
    """县里登记在这个手机号下、还没有人认领的主体；都不是的，重新登记。"""
    if request.method == "POST":
        request.session[NOT_MINE] = True
        return redirect("join:register")
    found = offers_to(request.user)
    if not found:
        return redirect("join:register")
    return render(request, "registry/claiming/offers.html", {"offers": found})


@requires(Action.REGISTER_OPERATOR)
@never_cache
@sensitive_post_parameters("id_number")
@require_http_methods(["GET", "POST"])
def claim(request: SignedInRequest, code: str) -> HttpResponse:
    """这是我的：补上表格里没有的，提交审核。"""
    operator = offer_of(code, request.user)
    initial, kept = _known(operator), _kept(operator)
    form = SelfRegistrationForm(request.POST or None, request.FILES or None, initial=initial, kept=kept)
    if request.method == "POST" and form.is_valid():
        try:
            send_claim_in(operator=operator, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            if refusal.code in {"member_already", "already_claimed", "claim_barred", "not_claimable"}:
                messages.error(request, refusal.message)
                return redirect("join:done")
            show_refusal(form, refusal, point="longitude")
        else:
            return redirect("join:done")
    context = {
        "form": form,
        "claimed": operator,
        "chosen": find_region(str(form["region"].value() or "")),
        "persons": " ".join(PERSONS),
        "rows": [(form[f"product_{number}"], form[f"scale_{number}"]) for number in ROWS],
        "either": " ".join(NEEDS_EITHER),
        "village": Region.Level.VILLAGE,
    }
    return render(request, "registry/self/register.html", context)


@requires(Action.REVIEW_OPERATORS)
@require_GET
def compare(request: SignedInRequest, code: str, uid: UUID) -> HttpResponse:
    """一个认领：导入的和新登记的一项一项对照。"""
    operator = operator_of(code, request.user)
    return _compare(request, claim_of(operator, uid, request.user), ReasonForm())


@requires(Action.REVIEW_OPERATORS)
@require_POST
def decide(request: SignedInRequest, code: str, uid: UUID, decision: str) -> HttpResponse:
    """核实：是同一个，并入并归认领人；不是同一个，写明原因。"""
    operator = operator_of(code, request.user)
    asked = claim_of(operator, uid, request.user)
    chosen = Decision(decision)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            decide_claim(claim=asked, decision=chosen, actor=request.user, reason=form.cleaned_data["reason"])
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            told = "已并入，归认领人" if chosen is Decision.APPROVE else "已告诉认领人，新登记照常审核"
            messages.success(request, told)
            return redirect("registry:review-claims")
    return _compare(request, asked, form, decision)


def _compare(request: SignedInRequest, asked: Claim, form: ReasonForm, decision: str = "") -> HttpResponse:
    scope = scope_of(request.user, Action.REVIEW_OPERATORS)
    # A registration that has moved to another county is not for this one to see.
    sees_both = asked.fresh is None or asked.fresh.region_id in scope
    context = {
        "claim": asked,
        "facts": compared(asked.fresh, asked.operator) if asked.fresh and sees_both else [],
        "sees_both": sees_both,
        "earlier": earlier_of(asked),
        "form": form,
        "decision": decision,
        "may_decide": asked.state == Claim.State.WAITING and asked.region_id in scope,
        "today": timezone.localdate(),
    }
    return render(request, "registry/claiming/compare.html", context)


def _known(operator: Operator) -> dict[str, Any]:
    """What the import has put on file, as the form shows it to who has the phone: what is a person's own is `_kept`."""
    names = ("kinds", "name", "industries", "uscc", "contact", "phone")
    return {name: getattr(operator, name) for name in names} | {"region": operator.region_id}


def _kept(operator: Operator) -> dict[str, str]:
    """What a phone alone doesn't open: one phone may stand on the records of many households."""
    return {"id_number": operator.masked_id_number, "address": mask_address(operator.address)}
