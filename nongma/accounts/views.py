import time
from urllib.parse import urlencode

import segno
from django.conf import settings
from django.contrib import auth, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, requires
from nongma.accounts.demo import DEMO_PASSWORD, demo_people
from nongma.accounts.forms import CodeForm, NewPasswordForm, OwnPasswordForm, SignInForm
from nongma.accounts.models import User
from nongma.accounts.queries import all_posts_of, posts_of, region_of
from nongma.accounts.services import change_password
from nongma.accounts.signing_in import (
    confirm_device,
    device_of,
    new_device,
    pending_device_of,
    prove_code,
    prove_password,
    remove_device,
    start_session,
)
from nongma.lib.refused import Refused

WAITS_FOR_CODE = "waits_for_code"
CODE_SECONDS = 300


@requires(Action.PUBLIC)
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """用户名和密码；启用了动态口令的，下一步再输口令。"""
    if request.user.is_authenticated:
        return redirect(_next(request))
    form = SignInForm(request.POST or None)
    status = 200
    if form.is_valid():
        try:
            user = prove_password(request=request, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(refusal.field or None, refusal.message)
            status = 429 if refusal.code == "locked" else 200
        else:
            if device_of(user):
                request.session[WAITS_FOR_CODE] = [user.pk, int(time.time())]
                return redirect(f"{reverse('accounts:sign-in-code')}?{urlencode({'next': _next(request)})}")
            start_session(request=request, user=user, device=None)
            return redirect(_next(request))
    context = {"form": form, "next": _next(request), "demo": demo_people(), "demo_password": DEMO_PASSWORD}
    return render(request, "accounts/sign_in.html", context, status=status)


@requires(Action.PUBLIC)
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """第二步：手机上的动态口令。"""
    user_pk, since = request.session.get(WAITS_FOR_CODE, (None, 0))
    user = User.objects.filter(pk=user_pk, is_active=True).first()
    device = device_of(user) if user else None
    if user is None or device is None or time.time() - since > CODE_SECONDS:
        request.session.pop(WAITS_FOR_CODE, None)
        return redirect("accounts:sign-in")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            prove_code(user=user, device=device, code=form.cleaned_data["code"])
        except Refused as refusal:
            form.add_error("code", refusal.message)
        else:
            del request.session[WAITS_FOR_CODE]
            start_session(request=request, user=user, device=device)
            return redirect(_next(request))
    return render(request, "accounts/sign_in_code.html", {"form": form, "next": _next(request)})


@requires(Action.PUBLIC)
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return redirect("accounts:sign-in")


@requires(Action.SIGNED_IN)
def account(request: SignedInRequest) -> HttpResponse:
    """我的账号：任职、辖区、密码和动态口令。"""
    context = {
        "posts": posts_of(request.user),
        "earlier": all_posts_of(request.user).exclude(to_on=None),
        "region": region_of(request.user),
        "device": device_of(request.user),
    }
    return render(request, "accounts/account.html", context)


@requires(Action.CHANGE_PASSWORD)
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password(request: SignedInRequest) -> HttpResponse:
    """修改自己的密码；密码是管理员给的，改完回到原来要去的页面。"""
    form = NewPasswordForm(request.POST or None)
    if form.is_valid():
        old, new = form.cleaned_data["old"], form.cleaned_data["new"]
        try:
            user = change_password(user=request.user, old=old, new=new, actor=request.user)
        except Refused as refusal:
            form.add_error(refusal.field or None, refusal.message)
        else:
            auth.update_session_auth_hash(request, user)
            messages.success(request, "密码已修改，其他地方的登录和接口令牌都已失效")
            return redirect(_next(request, "accounts:account"))
    return render(request, "accounts/password.html", {"form": form, "next": _next(request, "accounts:account")})


@requires(Action.SIGNED_IN)
@require_POST
def start_code(request: SignedInRequest) -> HttpResponse:
    """开始启用动态口令。"""
    if not device_of(request.user):
        new_device(request.user)
    return redirect("accounts:code")


@requires(Action.SIGNED_IN)
@never_cache
@require_http_methods(["GET", "POST"])
def code(request: SignedInRequest) -> HttpResponse:
    """用手机扫码，输入口令确认；已启用的可以停用。"""
    if device_of(request.user):
        return _remove_code(request)
    device = pending_device_of(request.user)
    if device is None:
        return redirect("accounts:account")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            confirm_device(actor=request.user, code=form.cleaned_data["code"])
        except Refused as refusal:
            form.add_error(refusal.field or None, refusal.message)
        else:
            messages.success(request, "动态口令已启用，下次登录要用手机上的六位数字")
            return redirect("accounts:account")
    context = {
        "form": form,
        "picture": segno.make_qr(device.config_url, error="m").svg_data_uri(scale=6, border=4),
        "secret": _grouped(device.config_url),
    }
    return render(request, "accounts/code.html", context)


def _remove_code(request: SignedInRequest) -> HttpResponse:
    form = OwnPasswordForm(request.POST or None)
    if form.is_valid():
        try:
            remove_device(user=request.user, actor=request.user, password=form.cleaned_data["password"])
        except Refused as refusal:
            form.add_error(refusal.field or None, refusal.message)
        else:
            messages.success(request, "动态口令已停用")
            return redirect("accounts:account")
    return render(request, "accounts/code_remove.html", {"form": form})


def _grouped(url: str) -> str:
    """The secret of an otpauth address in groups of four, to be typed where no camera is."""
    secret = url.partition("secret=")[2].partition("&")[0]
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _next(request: HttpRequest, otherwise: str = settings.LOGIN_REDIRECT_URL) -> str:
    """Where to go on: the page of this site that was asked for, else the start page."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure()):
        return url
    return resolve_url(otherwise)
