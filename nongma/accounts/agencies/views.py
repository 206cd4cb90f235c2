"""Pages of agencies: the list, entering one, one with its posts, and handing out accounts there."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, requires
from nongma.accounts.agencies.exports import agencies_workbook
from nongma.accounts.agencies.forms import AgencyChangeForm, AgencyForm, AppointForm, PersonForm, ReasonForm
from nongma.accounts.agencies.queries import (
    CHANGES_SHOWN,
    COLUMNS,
    AgencyFilter,
    agency_of,
    agency_page,
    changes_of,
    posts_at,
)
from nongma.accounts.exporting import export_list
from nongma.accounts.granting import grantors_of, level_over, roles_grantable, roles_open
from nongma.accounts.models import Agency, Department, Role, User
from nongma.accounts.queries import place_of
from nongma.accounts.services import (
    appoint,
    change_agency,
    create_agency,
    hand_out,
    restore_agency,
    suspend_agency,
)
from nongma.audit.queries import history_of
from nongma.lib.forms import is_narrowed_further, show_refusal
from nongma.lib.refused import Refused
from nongma.lib.sorting import Sorting


@requires(Action.VIEW_ACCOUNTS)
@require_GET
def agencies(request: SignedInRequest) -> HttpResponse:
    """机构名单：按地区、层级、类别、部门、状态查。"""
    wanted, form = AgencyFilter.read(request.GET)
    sorting = Sorting.asked(COLUMNS, request.GET.get("sort"), default="region")
    page = agency_page(request.user, wanted, sorting, request.GET.get("page"))
    context = {
        "form": form,
        "further": is_narrowed_further(form),
        "page": page,
        "sorting": sorting,
        "is_filtered": wanted != AgencyFilter(),
        "within": place_of(request.user),
        "may_create": _may_create(request.user),
    }
    return render(request, "accounts/agencies/list.html", context)


@requires(Action.EXPORT_ACCOUNTS)
@require_POST
def export(request: SignedInRequest) -> HttpResponseBase:
    """查到的机构存成表格（留痕）。"""
    wanted, form = AgencyFilter.read(request.POST)
    found = wanted.apply(Agency.objects.visible_to(request.user)).order_by("region_id", "id")
    return export_list(
        request, "agency.exported", agencies_workbook, found, form, things="机构", page="accounts:agencies"
    )


@requires(Action.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def create(request: SignedInRequest) -> HttpResponse:
    """建立机构；账号由谁分配，平台按规则确定。"""
    form = AgencyForm(request.POST or None)
    if form.is_valid():
        chosen = form.cleaned_data
        try:
            agency = create_agency(
                name=chosen["name"],
                region=chosen["region"],
                kind=Agency.Kind(chosen["kind"]),
                department=Department(chosen["department"]),
                actor=request.user,
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "机构建好了，接下来给它分配平台管理员账号")
            return redirect(agency)
    context = {"form": form, "within": place_of(request.user)}
    return render(request, "accounts/agencies/create.html", context, status=422 if form.errors else 200)


@requires(Action.VIEW_ACCOUNTS)
@require_GET
def agency(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """一个机构：平台管理员、各职务现任和历任、经过。"""
    return _record(request, agency_of(uid, request.user))


@requires(Action.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def change(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """改名称、部门。"""
    shown = agency_of(uid, request.user)
    form = AgencyChangeForm(request.POST or None, initial={"name": shown.name, "department": shown.department})
    if form.is_valid():
        try:
            change_agency(
                agency=shown,
                name=form.cleaned_data["name"],
                department=Department(form.cleaned_data["department"]),
                actor=request.user,
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "改好了")
            return redirect(shown)
    context = {"form": form, "agency": shown}
    return render(request, "accounts/agencies/change.html", context, status=422 if form.errors else 200)


@requires(Action.MANAGE_ACCOUNTS)
@require_POST
def suspend(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """停用机构：它的人员下一次操作起都不能用。"""
    shown = agency_of(uid, request.user)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            suspend_agency(agency=shown, reason=form.cleaned_data["reason"], actor=request.user)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "机构已停用，人员的登录立即失效")
            return redirect(shown)
    return _record(request, shown, reason=form)


@requires(Action.MANAGE_ACCOUNTS)
@require_POST
def restore(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """恢复机构。"""
    shown = agency_of(uid, request.user)
    try:
        restore_agency(agency=shown, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "机构已恢复")
    return redirect(shown)


@requires(Action.MANAGE_ACCOUNTS)
@never_cache
@require_http_methods(["GET", "POST"])
def enter_person(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """分配账号：一个人、一个初始密码，密码只显示这一次。"""
    shown = agency_of(uid, request.user)
    asked = {"roles": request.GET.getlist("role")} if "role" in request.GET else None
    form = PersonForm(request.POST or None, initial=asked, agency=shown, actor=request.user)
    if form.is_valid():
        chosen = dict(form.cleaned_data)
        roles = [Role(role) for role in chosen.pop("roles")]
        try:
            person, password = hand_out(agency=shown, roles=roles, actor=request.user, **chosen)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            context = {"person": person, "agency": shown, "roles": roles, "password": password, "is_new": True}
            return render(request, "accounts/people/first_password.html", context)
    context = {"form": form, "agency": shown, "grantors": grantors_of(shown)}
    return render(request, "accounts/agencies/enter_person.html", context, status=422 if form.errors else 200)


@requires(Action.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def appoint_person(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """任命已有账号的人。"""
    shown = agency_of(uid, request.user)
    asked = {"username": request.GET.get("username", "")}
    form = AppointForm(request.POST or None, initial=asked, agency=shown, actor=request.user)
    if form.is_valid():
        people = User.objects.visible_to(request.user)
        person = people.filter(username=form.cleaned_data["username"].strip()).first()
        if person is None:
            form.add_error("username", "没有这个用户，或者他的账号不归您管理")
        else:
            try:
                appoint(user=person, agency=shown, role=Role(form.cleaned_data["role"]), actor=request.user)
            except Refused as refusal:
                show_refusal(form, refusal)
            else:
                messages.success(request, f"{person}已任{Role(form.cleaned_data['role']).label}")
                return redirect(shown)
    context = {"form": form, "agency": shown, "grantors": grantors_of(shown)}
    return render(request, "accounts/agencies/appoint.html", context, status=422 if form.errors else 200)


def _record(request: SignedInRequest, shown: Agency, reason: ReasonForm | None = None) -> HttpResponse:
    actor = request.user
    grantable = roles_grantable(actor, shown)
    posts = posts_at(shown)
    level = level_over(actor, shown)
    context = {
        "agency": shown,
        "posts": posts,
        "changes": changes_of(posts),
        "most_changes": CHANGES_SHOWN,
        "grantors": grantors_of(shown),
        "grantable": grantable,
        "open": roles_open(actor, shown),
        "is_own": any(one.pk == shown.pk for one in actor.administers),
        "may_change": level is not None or shown.parent_id is None,
        "may_suspend": level is not None,
        "people": shown.people.filter(is_active=True).count(),
        "below": shown.children.count(),
        "reason_form": reason or ReasonForm(),
        "history": history_of(shown),
    }
    return render(request, "accounts/agencies/record.html", context, status=422 if reason else 200)


def _may_create(user: User) -> bool:
    return any(one.kind == Agency.Kind.SUPERVISION for one in user.administers)
