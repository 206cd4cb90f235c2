"""Roll-out of the platform (推广进度): progress by division, dates, trainings and who took part."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from nongma.accounts.access import Action, SignedInRequest, may, requires
from nongma.accounts.exporting import export as answer
from nongma.accounts.models import Agency, Target, Training, User
from nongma.accounts.rollout.exports import progress_workbook
from nongma.accounts.rollout.forms import ListForm, SearchForm, TargetForm, TrainingForm
from nongma.accounts.rollout.people import Matched, find_people, managed_by, match_list
from nongma.accounts.rollout.queries import areas_of, attendees_of, find_area, path_for, progress_of, trainings_of
from nongma.accounts.rollout.services import add_attendees, record_training, remove_attendee, set_target
from nongma.lib.forms import show_refusal
from nongma.lib.refused import Refused
from nongma.regions.models import Region

NAMES_TOLD = 50


@requires(Action.VIEW_ACCOUNTS)
@require_safe
def rollout(request: SignedInRequest) -> HttpResponse:
    """一个地方和它下一级的推广进度，可以逐级往下看；监测、执法机构的管理员到自己的培训。"""
    areas = areas_of(request.user)
    text = request.GET.get("region", "")
    if not areas and not text:
        return redirect("accounts:trainings")
    region = _region(text, areas)
    context = {
        "progress": progress_of(region),
        "areas": [area for area in areas if region.code not in area.span],
        "path": path_for(region, areas),
        "today": timezone.localdate(),
        "may_set": may(request.user, Action.MANAGE_ACCOUNTS) and _leading(request.user),
    }
    return render(request, "accounts/rollout/progress.html", context)


@requires(Action.EXPORT_ACCOUNTS)
@require_POST
def export(request: SignedInRequest) -> HttpResponseBase:
    """同一页的数字，做成表格（留痕）。"""
    region = _region(request.POST.get("region", ""), areas_of(request.user))
    return answer(
        request,
        "rollout.exported",
        lambda mark: progress_workbook(progress_of(region), mark=mark),
        name=f"推广进度-{region.name}-{timezone.localdate():%Y%m%d}.xlsx",
        back=f"{reverse('accounts:rollout')}?region={region.code_text}",
        narrowed_to=f"地区：{region.full_name or region.name}",
        region_code=region.code,
    )


@requires(Action.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def target(request: SignedInRequest) -> HttpResponse:
    """定本辖区的时限；下级没有另定的，照这个。"""
    agencies = _leading(request.user)
    if not agencies:
        raise Http404
    held = Target.objects.filter(agency=agencies[0]).first()
    initial = {"accounts_due_on": held.accounts_due_on, "training_due_on": held.training_due_on} if held else {}
    form = TargetForm(request.POST or None, agencies=agencies, initial=initial)
    if form.is_valid():
        agency = _chosen(form, agencies)
        try:
            set_target(agency=agency, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "时限定好了")
            return redirect(f"{reverse('accounts:rollout')}?region={agency.region_id:012}")
    return render(request, "accounts/rollout/target.html", {"form": form})


@requires(Action.VIEW_ACCOUNTS)
@require_safe
def trainings(request: SignedInRequest) -> HttpResponse:
    """本机构办过的培训。"""
    page = trainings_of(request.user, request.GET.get("page"))
    context = {
        "page": page,
        "may_record": may(request.user, Action.MANAGE_ACCOUNTS),
        "may_follow": bool(areas_of(request.user)),
    }
    return render(request, "accounts/rollout/trainings.html", context)


@requires(Action.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def new_training(request: SignedInRequest) -> HttpResponse:
    agencies = request.user.administers
    form = TrainingForm(request.POST or None, agencies=agencies, initial={"held_on": timezone.localdate()})
    if agencies and form.is_valid():
        agency = _chosen(form, agencies)
        try:
            made = record_training(agency=agency, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "登记好了，接着登记参训人员")
            return redirect("accounts:training", uid=made.uid)
    return render(request, "accounts/rollout/new_training.html", {"form": form, "agencies": agencies})


@requires(Action.VIEW_ACCOUNTS)
@require_safe
def training(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """一次培训和参训名单；查到人勾选，或粘贴名单。"""
    held = _own(request, uid)
    search = SearchForm(request.GET if "q" in request.GET else None)
    text = search.cleaned_data["q"] if search.is_valid() else ""
    people = find_people(request.user, text)
    there = set(held.attendances.filter(user__in=people).values_list("user_id", flat=True))
    context = {
        "training": held,
        "page": attendees_of(held, request.GET.get("page")),
        "search": search,
        "searched": text,
        "found": [(person, person.pk in there) for person in people],
        "list_form": ListForm(),
        "may_change": may(request.user, Action.MANAGE_ACCOUNTS),
    }
    return render(request, "accounts/rollout/training.html", context)


@requires(Action.MANAGE_ACCOUNTS)
@require_POST
def attend(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """把勾选的，或粘贴的名单里查到的，登记为参训。"""
    held = _own(request, uid)
    if "names" in request.POST:
        form = ListForm(request.POST)
        if not form.is_valid():
            messages.error(request, "；".join(str(error) for error in form.errors["names"]))
            return redirect("accounts:training", uid=held.uid)
        matched = match_list(request.user, form.cleaned_data["names"])
    else:
        chosen = [uid for uid in request.POST.getlist("people") if _is_uid(uid)]
        matched = Matched(people=list(managed_by(request.user).filter(uid__in=chosen)))
    _add(request, held, matched)
    return redirect("accounts:training", uid=held.uid)


@requires(Action.MANAGE_ACCOUNTS)
@require_POST
def leave_out(request: SignedInRequest, uid: UUID, person: UUID) -> HttpResponse:
    """登记错了的，从参训名单里去掉。"""
    held = _own(request, uid)
    user = get_object_or_404(User.objects.filter(attendances__training=held), uid=person)
    try:
        remove_attendee(training=held, user=user, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"已把 {user} 从参训名单里去掉")
    return redirect("accounts:training", uid=held.uid)


def _add(request: SignedInRequest, held: Training, matched: Matched) -> None:
    """Enter the people found, and say who was not."""
    if matched.people or not (matched.missing or matched.ambiguous):
        try:
            added = add_attendees(training=held, people=matched.people, actor=request.user)
        except Refused as refusal:
            messages.error(request, refusal.message)
        else:
            known = len(matched.people) - added
            messages.success(request, f"登记了 {added} 人" + (f"，另有 {known} 人早已登记" if known else ""))
    for words, fault in (
        (matched.missing, "没有找到这些人，请检查写法，或先给他们开账号"),
        (matched.ambiguous, "这些姓名不止一个人，请改写用户名"),
    ):
        if words:
            more = f" 等 {len(words)} 个" if len(words) > NAMES_TOLD else ""
            messages.warning(request, f"{fault}：{'、'.join(words[:NAMES_TOLD])}{more}")


def _region(text: str, areas: list[Region]) -> Region:
    region = find_area(text, areas)
    if region is None:
        raise Http404
    return region


def _leading(user: User) -> list[Agency]:
    return [agency for agency in user.administers if agency.kind == Agency.Kind.SUPERVISION]


def _chosen(form: forms.Form, agencies: list[Agency]) -> Agency:
    """The agency that a form with more than one to choose from names; it leaves the form's values."""
    chosen: Any = form.cleaned_data.pop("agency", None)
    return next((one for one in agencies if str(one.pk) == chosen), agencies[0])


def _own(request: SignedInRequest, uid: UUID) -> Training:
    return get_object_or_404(Training.objects.visible_to(request.user).select_related("agency", "created_by"), uid=uid)


def _is_uid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
