"""主体的人员：增加、离开、交接负责人。"""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, requires
from nongma.accounts.proof import is_proved, prove_first
from nongma.lib.forms import show_refusal
from nongma.lib.refused import Refused
from nongma.registry.models import Invitation, OperatorMember
from nongma.registry.people.forms import PersonForm
from nongma.registry.queries import editable_of, operator_of
from nongma.registry.services import end_membership, hand_ownership_on, invite_person


@requires(Action.REGISTER_OPERATOR)
@never_cache
@require_http_methods(["GET", "POST"])
def people(request: SignedInRequest, code: str) -> HttpResponse:
    """谁可以替这个主体办事；按姓名和手机号增加员工。"""
    operator = editable_of(code, request.user)
    own = request.user.is_operator
    form = PersonForm(request.POST or None, own=own)
    if form.is_valid():
        given = dict(form.cleaned_data)
        role = OperatorMember.Role(given.pop("role", OperatorMember.Role.STAFF))
        try:
            member = invite_person(operator=operator, actor=request.user, role=role, **given)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            told = "" if member.user.phone_proved_at else "，请他 7 天内用这个手机号登录一次"
            messages.success(request, f"{member.user.name}现在是{member.get_role_display()}{told}")
            return redirect("registry:people", code=code)
    open_invitations = Invitation.objects.filter(operator=operator, used_at=None, expires_at__gt=timezone.now())
    members = operator.members.select_related("user", "ended_by").order_by("-to_at", "id")
    shown = list(members)
    context = {
        "operator": operator,
        "form": form,
        "own": own,
        "members": [one for one in shown if one.to_at is None],
        "earlier": [one for one in shown if one.to_at],
        "invited": dict(open_invitations.values_list("user_id", "expires_at")),
    }
    return render(request, "registry/people/people.html", context)


@requires(Action.REGISTER_OPERATOR)
@require_POST
def end(request: SignedInRequest, code: str, uid: UUID) -> HttpResponse:
    """离开：马上不能再替主体办事。"""
    operator = operator_of(code, request.user)
    member = get_object_or_404(operator.members.select_related("user"), uid=uid)
    try:
        end_membership(membership=member, actor=request.user)
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
    member = get_object_or_404(operator.members.select_related("user"), uid=uid)
    try:
        hand_ownership_on(membership=member, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("registry:people", code=code)
    messages.success(request, f"{member.user.name}现在是负责人，您是员工")
    return redirect(operator)
