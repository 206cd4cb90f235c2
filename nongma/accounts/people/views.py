"""Pages of people: the list, one with posts and account, and what an administrator does about it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, requires
from nongma.accounts.agencies.forms import ReasonForm
from nongma.accounts.exporting import export_list
from nongma.accounts.granting import check_grant, check_take_back, roles_open
from nongma.accounts.handouts.slips import print_slip
from nongma.accounts.models import Membership, Role, User
from nongma.accounts.people.exports import people_workbook
from nongma.accounts.people.forms import HandOverForm, PersonChangeForm
from nongma.accounts.people.queries import COLUMNS, PersonFilter, people_page, person_of, post_of
from nongma.accounts.queries import all_posts_of, operator_places_of, place_of
from nongma.accounts.services import (
    Leaver,
    change_person,
    deactivate_user,
    dismiss,
    hand_over,
    hand_over_to_new,
    remove_lost_device,
    reset_password,
    restore_user,
    suspend_user,
)
from nongma.accounts.services.passwords import looks_after
from nongma.accounts.sign_ins import sign_ins_of
from nongma.audit.queries import history_of
from nongma.lib.forms import is_narrowed_further, show_refusal
from nongma.lib.refused import Refused
from nongma.lib.sorting import Sorting

SIGN_INS_SHOWN = 10
CANDIDATES = 200


@requires(Action.VIEW_ACCOUNTS)
@require_GET
def people(request: SignedInRequest) -> HttpResponse:
    """人员名单：按地区、角色、状态查，按姓名、用户名、手机号找。"""
    wanted, form = PersonFilter.read(request.GET)
    sorting = Sorting.asked(COLUMNS, request.GET.get("sort"), default="place")
    context = {
        "form": form,
        "further": is_narrowed_further(form),
        "page": people_page(request.user, wanted, sorting, request.GET.get("page")),
        "sorting": sorting,
        "is_filtered": wanted != PersonFilter(),
        "within": place_of(request.user),
    }
    return render(request, "accounts/people/list.html", context)


@requires(Action.EXPORT_ACCOUNTS)
@require_POST
def export(request: SignedInRequest) -> HttpResponseBase:
    """查到的人员存成表格，手机号只显示一部分（留痕）。"""
    wanted, form = PersonFilter.read(request.POST)
    found = wanted.apply(User.objects.visible_to(request.user)).order_by("place", "id")
    return export_list(request, "account.exported", people_workbook, found, form, things="人员", page="accounts:people")


@requires(Action.VIEW_ACCOUNTS)
@require_GET
def person(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """一个人：账号状态、任职、登录情况、经过。"""
    return _record(request, person_of(uid, request.user))


@requires(Action.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def change(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """改姓名、手机、邮箱。"""
    shown = person_of(uid, request.user)
    form = PersonChangeForm(request.POST or None, person=shown)
    if form.is_valid():
        try:
            change_person(user=shown, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "改好了")
            return redirect(shown)
    context = {"form": form, "person": shown}
    return render(request, "accounts/people/change.html", context, status=422 if form.errors else 200)


@requires(Action.MANAGE_ACCOUNTS)
@require_POST
def suspend(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """停用：下一次操作起就不能用，任职保留。"""
    return _with_reason(request, uid, suspend_user, "账号已停用，登录和令牌立即失效")


@requires(Action.MANAGE_ACCOUNTS)
@require_POST
def close(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """注销：任职结束，账号不再使用，记录保留。"""
    return _with_reason(request, uid, deactivate_user, "账号已注销，任职结束")


@requires(Action.MANAGE_ACCOUNTS)
@require_POST
def restore(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """恢复停用的账号。"""
    return _at_once(request, uid, restore_user, "账号已恢复，请本人重新登录")


@requires(Action.MANAGE_ACCOUNTS)
@require_POST
def remove_code(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """手机丢了：停用动态口令。"""
    return _at_once(request, uid, remove_lost_device, "动态口令已停用，本人可以换一部手机重新启用")


@requires(Action.MANAGE_ACCOUNTS)
@never_cache
@require_POST
def new_password(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """重设密码：新密码只显示这一次。"""
    shown = person_of(uid, request.user)
    try:
        password = reset_password(user=shown, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(shown)
    context = {"person": shown, "agency": shown.agency, "password": password}
    return render(request, "accounts/people/first_password.html", context)


@requires(Action.MANAGE_ACCOUNTS)
@never_cache
@sensitive_post_parameters("password")
@require_POST
def slip(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """密码条：刚显示的密码打印成一张，密码由页面带来，平台不保存。"""
    shown = person_of(uid, request.user)
    try:
        pdf = print_slip(user=shown, password=request.POST.get("password", ""), actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(shown)
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = content_disposition_header(True, f"密码条-{shown.username}.pdf") or "attachment"
    return response


@requires(Action.MANAGE_ACCOUNTS)
@require_POST
def end_post(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """离任：结束一个职务，账号保留。"""
    post = post_of(uid, request.user)
    try:
        dismiss(membership=post, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"{post.user}不再任{post.agency}的{post.get_role_display()}")
    return redirect(post.agency)


@requires(Action.MANAGE_ACCOUNTS)
@never_cache
@require_http_methods(["GET", "POST"])
def hand_post_over(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """交接：职务交给另一个人，历史跟着职务走；接任人没有账号的，同时分配。"""
    post = post_of(uid, request.user)
    form = HandOverForm(request.POST or None, initial={"on": timezone.localdate()})
    if form.is_valid():
        try:
            done = _hand_over(request, post, form)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            if done:
                return done
    others = post.agency.people.filter(is_active=True, suspended_at=None).exclude(pk=post.user_id)
    context = {
        "form": form,
        "post": post,
        "candidates": others.order_by("name", "id")[:CANDIDATES],
        "why_not": _why_not(request.user, post),
    }
    return render(request, "accounts/people/hand_over.html", context, status=422 if form.errors else 200)


def _hand_over(request: SignedInRequest, post: Membership, form: HandOverForm) -> HttpResponse | None:
    """The page after a hand-over; None with what is wrong noted in the form."""
    given = form.cleaned_data
    when: dict[str, Any] = {"actor": request.user, "on": given["on"], "leaver": Leaver(given["leaver"])}
    username = given["to"].strip()
    successor = User.objects.visible_to(request.user).filter(username=username).first()
    if successor is None and given["name"]:
        person, password = hand_over_to_new(
            membership=post, username=username, name=given["name"], phone=given["phone"], **when
        )
        roles = [Role(post.role)]
        context = {"person": person, "agency": post.agency, "roles": roles, "password": password, "is_new": True}
        return render(request, "accounts/people/first_password.html", context)
    if successor is None:
        form.add_error("to", "没有这个用户，或者他的账号不归您管理；没有账号的请填姓名")
        return None
    hand_over(membership=post, to=successor, **when)
    messages.success(request, f"{post.get_role_display()}已由{post.user}交接给{successor}")
    return redirect(post.agency)


def _why_not(actor: User, post: Membership) -> str:
    try:
        check_grant(actor, post.agency, Role(post.role))
    except Refused as refusal:
        return refusal.message
    return ""


def _with_reason(request: SignedInRequest, uid: UUID, act: Callable[..., Any], done: str) -> HttpResponse:
    shown = person_of(uid, request.user)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            act(user=shown, reason=form.cleaned_data["reason"], actor=request.user)
        except Refused as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, done)
        return redirect(shown)
    return _record(request, shown, reason=form)


def _at_once(request: SignedInRequest, uid: UUID, act: Callable[..., Any], done: str) -> HttpResponse:
    shown = person_of(uid, request.user)
    try:
        act(user=shown, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, done)
    return redirect(shown)


def _record(request: SignedInRequest, shown: User, reason: ReasonForm | None = None) -> HttpResponse:
    actor = request.user
    posts = list(all_posts_of(shown))
    is_self = shown.pk == actor.pk
    refused = request.resolver_match.url_name if reason and request.resolver_match else ""
    held = [post for post in posts if post.to_on is None or post.to_on >= timezone.localdate()]
    context = {
        "person": shown,
        "held": [{"post": post, "may_end": _may_end(actor, post)} for post in held],
        "earlier": [post for post in posts if post not in held],
        "operator_places": operator_places_of(shown) if shown.is_operator else (),
        "is_self": is_self,
        "may_act": shown.is_active and not is_self,
        "may_reset": shown.is_active and not is_self and looks_after(actor, shown),
        "may_appoint": bool(shown.agency and shown.is_active and roles_open(actor, shown.agency)),
        "sign_ins": list(sign_ins_of(shown)[:SIGN_INS_SHOWN]),
        "suspend_form": reason if refused == "suspend-person" else ReasonForm(auto_id="suspend_%s"),
        "close_form": reason if refused == "close-person" else ReasonForm(auto_id="close_%s"),
        "history": history_of(shown),
    }
    return render(request, "accounts/people/record.html", context, status=422 if reason else 200)


def _may_end(actor: User, post: Membership) -> bool:
    if post.user_id == actor.pk and not any(one.pk == post.agency_id for one in actor.administers):
        return False
    try:
        check_take_back(actor, post.agency, Role(post.role))
    except Refused:
        return False
    return True
