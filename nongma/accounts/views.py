"""Signing in, and what a person does with the own account (登录、我的账号)."""

import time
from urllib.parse import urlencode

import segno
from django.conf import settings
from django.contrib import auth, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from nongma.accounts import second_factor
from nongma.accounts.access import Action, SignedInRequest, must_use_totp, requires
from nongma.accounts.codes import prove_code, recovery_codes_left
from nongma.accounts.demo import DEMO_PASSWORD, demo_people
from nongma.accounts.forms import CodeForm, NewPasswordForm, RecoveryForm, SignInForm
from nongma.accounts.models import User
from nongma.accounts.proof import FULL, Sent, proof_form, proof_page, proved
from nongma.accounts.queries import all_posts_of, posts_of, region_of
from nongma.accounts.services import change_password
from nongma.accounts.sessions import has_ended
from nongma.accounts.sign_ins import (
    end_everywhere,
    end_session,
    sessions_of,
    sign_in_before,
    sign_ins_of,
)
from nongma.accounts.signing_in import LOCKED, note_phone, prove_again, prove_password, start_session
from nongma.audit.queries import key_of, slice_of
from nongma.lib.refused import Refused

WAITS_FOR_CODE = "waits_for_code"
CODE_SECONDS = 300
SHOWN = 50


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
            status = 429 if refusal.code in LOCKED else 200
        else:
            if user.has_totp:
                request.session[WAITS_FOR_CODE] = [user.pk, int(time.time()), user.get_session_auth_hash()]
                return redirect(f"{reverse('accounts:sign-in-code')}?{urlencode({'next': _next(request)})}")
            start_session(request=request, user=user)
            return redirect(_next(request))
    context = {
        "form": form,
        "next": _next(request),
        "has_ended": not form.is_bound and ("ended" in request.GET or has_ended(request)),
        "demo": demo_people(),
        "demo_password": DEMO_PASSWORD,
    }
    return render(request, "accounts/sign_in.html", context, status=status)


@requires(Action.PUBLIC)
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """第二步：手机上的动态口令，手机不在就用恢复码。"""
    user = _who_waits(request)
    if user is None:
        request.session.pop(WAITS_FOR_CODE, None)
        return redirect("accounts:sign-in")
    by_paper = request.GET.get("by") == "recovery"
    form: CodeForm | RecoveryForm = (RecoveryForm if by_paper else CodeForm)(request.POST or None)
    if form.is_valid():
        try:
            prove_code(user=user, code=form.cleaned_data["code"])
        except Refused as refusal:
            form.add_error("code", refusal.message)
        else:
            del request.session[WAITS_FOR_CODE]
            start_session(request=request, user=user)
            if by_paper:
                _tell_of_used_code(request, user)
            return redirect(_next(request))
    other = {"next": _next(request)} if by_paper else {"by": "recovery", "next": _next(request)}
    context = {"form": form, "next": _next(request), "by_paper": by_paper, "other": urlencode(other)}
    return render(request, "accounts/sign_in_code.html", context)


@requires(Action.PUBLIC)
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return redirect("accounts:sign-in")


@requires(Action.PROVE_PASSWORD)
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def confirm(request: SignedInRequest) -> HttpResponse:
    """再输一次密码，再回到要去的页面。"""
    fully = FULL in request.GET or FULL in request.POST
    form = proof_form(request, fully)
    status = proved(request, form) if form.is_bound else 200
    if status is None:
        return redirect(_next(request))
    fields = [("next", _next(request)), *([(FULL, "1")] if fully else [])]
    sent = Sent(reverse("accounts:confirm"), fields)
    return proof_page(request, form, sent, status)


@requires(Action.SIGNED_IN)
@require_safe
def account(request: SignedInRequest) -> HttpResponse:
    """我的账号：上次登录、任职、辖区、密码、动态口令和登录设备。"""
    user = request.user
    context = {
        "posts": posts_of(user),
        "earlier": all_posts_of(user).exclude(to_on=None),
        "region": region_of(user),
        "codes_left": recovery_codes_left(user) if user.has_totp else 0,
        "before": sign_in_before(user),
    }
    return render(request, "accounts/account.html", context)


@requires(Action.CHANGE_PASSWORD)
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password(request: SignedInRequest) -> HttpResponse:
    """修改自己的密码；密码是管理员给的，改完回到原来要去的页面。"""
    form = NewPasswordForm(request.POST or None)
    status = 200
    if form.is_valid():
        old, new = form.cleaned_data["old"], form.cleaned_data["new"]
        try:
            prove_again(request=request, password=old)
            user = change_password(user=request.user, old=old, new=new, actor=request.user)
        except Refused as refusal:
            field = "old" if refusal.code == "wrong_password" else refusal.field
            form.add_error(field or None, "原密码不对" if refusal.code == "wrong_password" else refusal.message)
            status = 429 if refusal.code in LOCKED else 200
        else:
            _stay(request, user)
            messages.success(request, "密码已修改，其他地方的登录和接口令牌都已失效")
            return redirect(_next(request, "accounts:account"))
    context = {"form": form, "next": _next(request, "accounts:account")}
    return render(request, "accounts/password.html", context, status=status)


@requires(Action.SECURE_ACCOUNT)
@require_POST
def start_code(request: SignedInRequest) -> HttpResponse:
    """开始启用动态口令，或换一部手机。"""
    second_factor.start_enrolling(actor=request.user)
    return redirect(f"{reverse('accounts:code')}?{urlencode({'next': _next(request, 'accounts:account')})}")


@requires(Action.SECURE_ACCOUNT)
@never_cache
@require_http_methods(["GET", "POST"])
def code(request: SignedInRequest) -> HttpResponse:
    """用手机扫码，输入口令确认，拿到恢复码；没有开始的先开始，已启用的可以换手机、停用。"""
    on = _next(request, "accounts:account")
    pending = second_factor.pending_of(request.user)
    if pending is None:
        must = must_use_totp(request.user)
        page = "accounts/code_in_use.html" if request.user.has_totp else "accounts/code_start.html"
        left = recovery_codes_left(request.user)
        return render(request, page, {"must": must, "left": left, "next": on})
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            codes = second_factor.confirm_phone(actor=request.user, code=form.cleaned_data["code"])
        except Refused as refusal:
            form.add_error(refusal.field or None, refusal.message)
        else:
            _stay(request, User.objects.get(pk=request.user.pk))
            note_phone(request)
            messages.success(request, "动态口令已启用，其他地方的登录和接口令牌都已失效")
            return _show_codes(request, codes, on)
    context = {
        "form": form,
        "next": on,
        "picture": segno.make_qr(pending.config_url, error="m").svg_data_uri(scale=6, border=4),
        "secret": _grouped(pending.config_url),
    }
    return render(request, "accounts/code.html", context)


@requires(Action.SECURE_ACCOUNT)
@never_cache
@require_http_methods(["GET", "POST"])
def stop_code(request: SignedInRequest) -> HttpResponse:
    """停用动态口令；平台管理员和审核员不能停用。"""
    if request.method == "POST":
        try:
            second_factor.stop_codes(actor=request.user)
        except Refused as refusal:
            messages.error(request, refusal.message)
            return redirect("accounts:code")
        _stay(request, User.objects.get(pk=request.user.pk))
        messages.success(request, "动态口令已停用，其他地方的登录和接口令牌都已失效")
        return redirect("accounts:account")
    if must_use_totp(request.user) or not request.user.has_totp:
        return redirect("accounts:code")
    return render(request, "accounts/code_stop.html")


@requires(Action.SECURE_ACCOUNT)
@never_cache
@require_http_methods(["GET", "POST"])
def recovery(request: SignedInRequest) -> HttpResponse:
    """恢复码还剩几个；重新生成一套，原来的作废。"""
    if not request.user.has_totp:
        return redirect("accounts:code")
    if request.method == "POST":
        codes = second_factor.renew_recovery_codes(actor=request.user)
        return _show_codes(request, codes, reverse("accounts:account"))
    left = recovery_codes_left(request.user)
    return render(request, "accounts/recovery.html", {"left": left, "all": second_factor.CODES})


@requires(Action.SIGNED_IN)
@never_cache
@require_safe
def sessions(request: SignedInRequest) -> HttpResponse:
    """登录设备：账号现在在哪些地方登录着。"""
    found = sessions_of(request.user, request.session.session_key)
    return render(request, "accounts/sessions.html", {"sessions": found, "others": len(found) - 1})


@requires(Action.SECURE_ACCOUNT)
@require_POST
def end_one(request: SignedInRequest) -> HttpResponse:
    """让一台设备退出登录。"""
    if not end_session(actor=request.user, handle=request.POST.get("handle", "")):
        messages.info(request, "这台设备已经退出了")
        return redirect("accounts:sessions")
    messages.success(request, "已让这台设备退出登录")
    return redirect("accounts:sessions")


@requires(Action.SECURE_ACCOUNT)
@require_POST
def end_all(request: SignedInRequest) -> HttpResponse:
    """让别的设备都退出登录，接口令牌也失效；这一台留着。"""
    _stay(request, end_everywhere(user=request.user, actor=request.user))
    messages.success(request, "其他设备都已退出登录，接口令牌都已失效")
    return redirect("accounts:sessions")


@requires(Action.SIGNED_IN)
@never_cache
@require_safe
def sign_ins(request: SignedInRequest) -> HttpResponse:
    """登录记录：成功的、没成功的、从哪里来的。"""
    before = request.GET.get("before", "")
    key = key_of(before)
    if before and key is None:
        raise Http404
    found = slice_of(sign_ins_of(request.user), key, SHOWN)
    return render(request, "accounts/sign_ins.html", {"slice": found, "is_first": key is None})


def _who_waits(request: HttpRequest) -> User | None:
    """Who gave the password a moment ago and has yet to give the code; nobody when it was changed since."""
    user_pk, since, mark = request.session.get(WAITS_FOR_CODE, (None, 0, ""))
    user = User.objects.filter(pk=user_pk).select_related("agency").first()
    if user is None or not user.may_sign_in or not user.has_totp or time.time() - since > CODE_SECONDS:
        return None
    return user if constant_time_compare(mark, user.get_session_auth_hash()) else None


def _stay(request: HttpRequest, user: User) -> None:
    """Keep this browser signed in when all others are signed out; what was proved in it stays as old as it is."""
    request.user = user
    auth.update_session_auth_hash(request, user)


def _tell_of_used_code(request: HttpRequest, user: User) -> None:
    left = recovery_codes_left(user)
    messages.warning(
        request,
        f"您用恢复码登录，这个码不能再用了，还剩 {left} 个。手机丢了的，请马上在“我的账号”里换一部手机；"
        "不是您本人用的，请修改密码并联系管理员",
    )


def _show_codes(request: HttpRequest, codes: list[str], on: str) -> HttpResponse:
    """The only time that recovery codes are shown."""
    return render(request, "accounts/recovery_codes.html", {"codes": codes, "next": on})


def _grouped(url: str) -> str:
    """The secret of an otpauth address in groups of four, to be typed where no camera is."""
    secret = url.partition("secret=")[2].partition("&")[0].rstrip("=")
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _next(request: HttpRequest, otherwise: str = settings.LOGIN_REDIRECT_URL) -> str:
    """Where to go on: the page of this site that was asked for, else the start page."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure()):
        return url
    return resolve_url(otherwise)
