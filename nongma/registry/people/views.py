"""主体的人员：增加、离开、交接负责人。"""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, requires
from nongma.accounts.proof import is_proved, prove_first
from nongma.lib.forms import show_refusal
from nongma.lib.refused import Refused
from nongma.registry.models import OperatorMember
from nongma.registry.people.forms import PersonForm
from nongma.registry.people.queries import invitation_of, invitation_to, invitations_to, member_of, people_of
from nongma.registry.people.services import (
    accept_invitation,
    decline_invitation,
    invite_person,
    withdraw_invitation,
)
from nongma.registry.queries import editable_of, operator_of
from nongma.registry.services import end_membership, hand_ownership_on


@requires(Action.REGISTER_OPERATOR)
@never_cache
@require_http_methods(["GET", "POST"])
def people(request: SignedInRequest, code: str) -> HttpResponse:
    """谁可以替这个主体办事；按姓名和手机号邀请员工。"""
    operator = editable_of(code, request.user)
    own = request.user.is_operator
    form = PersonForm(request.POST or None, own=own)
    if form.is_valid():
        given = dict(form.cleaned_data)
        role = OperatorMember.Role(given.pop("role", OperatorMember.Role.STAFF))
        try:
            invite_person(operator=operator, actor=request.user, role=role, **given)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"邀请好了，请{given['name']} 7 天内用这个手机号登录，点“同意”")
            return redirect("registry:people", code=code)
    context = {"operator": operator, "form": form, "own": own, "people": people_of(operator)}
    return render(request, "registry/people/people.html", context)


@requires(Action.REGISTER_OPERATOR)
@require_POST
def withdraw(request: SignedInRequest, code: str, uid: UUID) -> HttpResponse:
    """撤回还没有答复的邀请。"""
    operator = editable_of(code, request.user)
    try:
        withdraw_invitation(invitation=invitation_of(operator, uid), actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "邀请已撤回")
    return redirect("registry:people", code=code)


@requires(Action.REGISTER_OPERATOR)
@never_cache
@require_GET
def invitations(request: SignedInRequest) -> HttpResponse:
    """谁请我替哪个主体办事；同意或不同意。"""
    return render(request, "registry/people/invitations.html", {"invitations": invitations_to(request.user)})


@requires(Action.REGISTER_OPERATOR)
@require_POST
def accept(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """同意：从现在起替这个主体办事。"""
    try:
        member = accept_invitation(invitation=invitation_to(request.user, uid), actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("join:invitations")
    messages.success(request, f"您现在是{member.operator.name}的{member.get_role_display()}")
    return redirect(member.operator)


@requires(Action.REGISTER_OPERATOR)
@require_POST
def decline(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """不同意。"""
    try:
        decline_invitation(invitation=invitation_to(request.user, uid), actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "已告诉对方您没有同意")
    return redirect("desk:home")


@requires(Action.REGISTER_OPERATOR)
@require_POST
def end(request: SignedInRequest, code: str, uid: UUID) -> HttpResponse:
    """离开：马上不能再替主体办事。"""
    operator = operator_of(code, request.user)
    member = member_of(operator, uid)
    try:
        end_membership(membership=member, actor=request.user, reason=request.POST.get("reason", ""))
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"{member.user.name}不再是{operator.name}的人员")
        if member.user_id == request.user.pk:
            return redirect("desk:home")
    return redirect("registry:people", code=code)


@requires(Action.REGISTER_OPERATOR)
@never_cache
@require_POST
def hand_on(request: SignedInRequest, code: str, uid: UUID) -> HttpResponseBase:
    """交接负责人；先再输一次密码，或刚用验证码登录。"""
    if not is_proved(request):
        return prove_first(request, lambda: _hand_on(request, code, uid))
    return _hand_on(request, code, uid)


def _hand_on(request: SignedInRequest, code: str, uid: UUID) -> HttpResponseBase:
    operator = editable_of(code, request.user)
    member = member_of(operator, uid)
    try:
        hand_ownership_on(membership=member, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("registry:people", code=code)
    messages.success(request, f"{member.user.name}现在是负责人，您是员工")
    return redirect(operator)
