"""主体自主登记：手机号、验证码、填写、提交。"""

import math
from typing import Any

from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from nongma.accounts.access import Action, SignedInRequest, requires
from nongma.accounts.models import User
from nongma.lib.fields import decrypt, encrypt
from nongma.lib.forms import show_refusal
from nongma.lib.masking import mask_phone
from nongma.lib.phones import tidy
from nongma.lib.proxies import address_of
from nongma.lib.refused import Misfilled, Refused
from nongma.notices.models import Channel
from nongma.notices.ways import via_of
from nongma.regions.boundaries import county_at
from nongma.regions.models import Region
from nongma.regions.queries import find_region
from nongma.registry.claiming.queries import offers_to
from nongma.registry.claiming.views import NOT_MINE
from nongma.registry.declaring.services import licences_for
from nongma.registry.models import PERSONS, Claim, Invitation, Operator, OperatorMember
from nongma.registry.people.queries import invitations_to
from nongma.registry.self_registration.codes import seconds_to_wait, send_code
from nongma.registry.self_registration.entering import prove_own_phone, sign_in_by_phone
from nongma.registry.self_registration.forms import NEEDS_EITHER, ROWS, PhoneForm, SelfRegistrationForm, TextCodeForm
from nongma.registry.self_registration.services import draft_of, save_draft, send_in

PHONE = "join_phone"
"""Where the session keeps, encrypted, the number that a code was sent to."""
LISTS = ("kinds", "industries")
DRAFTED = [name for name in SelfRegistrationForm.base_fields if name not in ("consent", "licence")]


@requires(Action.PUBLIC)
@never_cache
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """手机号，发验证码；已经登录的直接去填写。"""
    if request.user.is_authenticated:
        return redirect("join:register")
    form = PhoneForm(request.POST or None)
    status = 200
    if form.is_valid():
        phone = tidy(form.cleaned_data["phone"])
        try:
            send_code(phone=phone, address=address_of(request))
        except Refused as refusal:
            if refusal.code == "too_soon" and phone == _phone_of(request):
                messages.warning(request, refusal.message)
                return redirect("join:code")
            form.add_error("phone", refusal.message)
            status = 429 if refusal.code in {"too_soon", "limit_reached"} else 200
        else:
            request.session[PHONE] = encrypt(phone)
            return redirect("join:code")
    context = {"form": form, "is_open": via_of(Channel.SMS) is not None}
    return render(request, "registry/self/start.html", context, status=status)


@requires(Action.PUBLIC)
@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """验证码；输对了就登录。"""
    phone = _phone_of(request)
    if request.user.is_authenticated or not phone:
        return redirect("join:start")
    form = TextCodeForm(request.POST or None)
    if form.is_valid():
        try:
            user = sign_in_by_phone(request=request, phone=phone, code=form.cleaned_data["code"])
        except Refused as refusal:
            form.add_error("code", refusal.message)
        else:
            request.session.pop(PHONE, None)
            if Invitation.objects.asking(user).exists():
                return redirect("join:invitations")
            known = OperatorMember.objects.open().filter(user=user).exists()
            return redirect("desk:home" if known else "join:register")
    context = {
        "form": form,
        "phone": phone,
        "masked": mask_phone(phone),
        "wait": seconds_to_wait(phone),
        "demo": settings.DEMO,
    }
    return render(request, "registry/self/code.html", context)


@requires(Action.SIGNED_IN)
@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def prove(request: SignedInRequest) -> HttpResponse:
    """证实自己的手机号：发一个验证码，输对了就好。"""
    user = request.user
    if not user.phone:
        messages.info(request, "您还没有填手机号，请先填写")
        return redirect("notices:settings")
    form = TextCodeForm(request.POST if "code" in request.POST else None)
    status = 200
    try:
        if form.is_valid():
            prove_own_phone(actor=user, code=form.cleaned_data["code"])
            messages.success(request, "手机号已证实")
            return redirect("accounts:account")
        if request.method == "POST" and not form.is_bound:
            send_code(phone=user.phone, address=address_of(request))
            messages.success(request, f"验证码已发到 {user.masked_phone}")
            return redirect("join:prove")
    except Refused as refusal:
        show_refusal(form, refusal)
        status = 429 if refusal.code in {"too_soon", "limit_reached"} else 200
    context = {"form": form, "wait": seconds_to_wait(user.phone), "demo": settings.DEMO}
    return render(request, "registry/self/prove.html", context, status=status)


@requires(Action.PUBLIC)
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """个人信息说明：收什么、为什么、保存多久。"""
    return render(request, "registry/self/privacy.html")


@requires(Action.REGISTER_OPERATOR)
@never_cache
@sensitive_post_parameters("id_number")
@require_http_methods(["GET", "POST"])
def register(request: SignedInRequest) -> HttpResponse:
    """按类型填写，提交审核；没有通过检查的留作草稿。"""
    user = request.user
    if not user.is_operator:
        return redirect("registry:register")
    if OperatorMember.objects.open().filter(user=user).exists():
        return redirect("join:done")
    kept = draft_of(user)
    if not kept and request.method == "GET" and not request.session.get(NOT_MINE) and offers_to(user):
        return redirect("join:claims")
    form = SelfRegistrationForm(request.POST or None, request.FILES or None, initial=_initial(kept, user.phone))
    if request.method == "POST":
        if form.is_valid():
            try:
                send_in(actor=user, **form.cleaned_data)
            except Refused as refusal:
                if refusal.code == "member_already":
                    return redirect("join:done")
                show_refusal(form, refusal, point="longitude")
            else:
                return redirect("join:done")
        _keep(request, user)
    context = {
        "form": form,
        "chosen": find_region(str(form["region"].value() or "")),
        "invitations": invitations_to(user),
        "is_restored": bool(kept) and not form.is_bound,
        "persons": " ".join(PERSONS),
        "rows": [(form[f"product_{number}"], form[f"scale_{number}"]) for number in ROWS],
        "either": " ".join(NEEDS_EITHER),
        "village": Region.Level.VILLAGE,
    }
    return render(request, "registry/self/register.html", context)


@requires(Action.REGISTER_OPERATOR)
@sensitive_post_parameters("id_number")
@require_POST
def draft(request: SignedInRequest) -> HttpResponse:
    """边填边存。"""
    try:
        save_draft(inputs=_typed(request), actor=request.user)
    except Refused as refusal:
        status = 422 if isinstance(refusal, Misfilled) else 409
        return JsonResponse({"code": refusal.code, "message": refusal.message}, status=status)
    return HttpResponse(status=204)


@requires(Action.REGISTER_OPERATOR)
@require_safe
def place(request: SignedInRequest) -> HttpResponse:
    """现在的位置在哪个县。"""
    try:
        longitude, latitude = float(request.GET["longitude"]), float(request.GET["latitude"])
    except (KeyError, ValueError):
        raise BadRequest("longitude, latitude") from None
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        raise BadRequest("longitude, latitude")
    county = county_at(longitude, latitude)
    found = find_region(str(county)) if county else None
    answer = {"code": found.code_text, "full_name": found.full_name} if found else {"code": None}
    return JsonResponse(answer, json_dumps_params={"ensure_ascii": False})


@requires(Action.REGISTER_OPERATOR)
@require_safe
def done(request: SignedInRequest) -> HttpResponse:
    """已提交，等待县级审核；退回了怎么办。"""
    acted_for = Operator.objects.filter(pk__in=OperatorMember.objects.operators_of(request.user))
    own = acted_for.select_related("region").order_by("-id").first()
    if own is None:
        return redirect("join:register")
    claim = Claim.objects.filter(fresh=own).select_related("operator").first()
    context = {"operator": own, "claim": claim, "licences": licences_for(own, request.user)}
    return render(request, "registry/self/done.html", context)


def _phone_of(request: HttpRequest) -> str:
    """The number that this browser asked a code for."""
    try:
        return decrypt(request.session.get(PHONE, ""))
    except (InvalidTag, ValueError):  # nothing kept, or under a key that was changed since
        return ""


def _typed(request: HttpRequest) -> dict[str, list[str]]:
    return {name: request.POST.getlist(name) for name in DRAFTED if any(request.POST.getlist(name))}


def _keep(request: SignedInRequest, user: User) -> None:
    """What was sent and refused is kept as a draft, for a browser without script."""
    try:
        save_draft(inputs=_typed(request), actor=user)
    except Refused:
        return


def _initial(kept: dict[str, list[str]], phone: str) -> dict[str, Any]:
    initial = {name: values if name in LISTS else values[0] for name, values in kept.items() if values}
    return {"phone": phone} | initial
