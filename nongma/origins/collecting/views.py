"""采集一条：填写、草稿、更新、新一茬、现场照片。"""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, requires
from nongma.catalogue.models import Industry
from nongma.lib.forms import show_refusal
from nongma.lib.ids import uuid7
from nongma.lib.masking import mask_name, mask_phone
from nongma.lib.photos import JPEG
from nongma.lib.refused import Misfilled, Refused
from nongma.origins.collecting.drafts import discard_draft, drafts_of, inputs_of, save_draft
from nongma.origins.collecting.entries import Entry, last_of_village
from nongma.origins.collecting.forms import CollectForm, ContentForm, UpdateForm, place_of
from nongma.origins.collecting.photos import MOST_PHOTOS, add_photo, open_photo, remove_photo
from nongma.origins.collecting.services import (
    AlreadyCollected,
    ChangedMeanwhile,
    carry_over,
    collect_origin,
    latest_of,
    update_origin,
    version_of,
)
from nongma.origins.models import Origin, OriginDraft, OriginPhoto
from nongma.origins.queries import county_bounds, origin_of
from nongma.origins.services.rights import may_collect, own_operators
from nongma.regions.queries import find_region
from nongma.registry.models import Operator, OperatorKind
from nongma.registry.queries import called

LISTS = ("certifications", "methods", "trace_methods")
NOT_KEPT = {"csrfmiddlewaretoken", "do", "draft"}
MOST_FOUND = 8
MOST_BASES = 30
FIELDS_SHOWN_ELSEWHERE = {"region": "region", "village": "region", "point": "longitude"}


@requires(Action.ENTER_ORIGIN)
@never_cache
@require_http_methods(["GET", "POST"])
def collect(request: SignedInRequest) -> HttpResponse:
    """采集一条：按附件 1 填写，提交审核；没有点位的以后到现场补。"""
    user = request.user
    if user.is_operator and not own_operators(user).exists():
        return render(request, "origins/collecting/not_approved.html")
    uid, draft = _draft_asked(request)
    if draft and draft.updates:
        return redirect(f"{_update_page(draft.updates)}?draft={draft.uid}")
    initial = _initial(inputs_of(draft)) if draft else {"operator": request.GET.get("operator", "")}
    form = CollectForm(request.POST if request.method == "POST" else None, user=user, initial=initial)
    faults: list[str] = []
    if request.method == "POST":
        faults = _keep(request, uid, is_sent=request.POST.get("do") != "draft")
        if request.POST.get("do") == "draft" and not faults:
            messages.success(request, "草稿已保存，换一部手机登录也能接着填")
            return redirect("origins:drafts")
        if not faults and form.is_valid() and form.entry:
            try:
                made = collect_origin(entry=form.entry, fix=form.fix, uid=uid, locate_later=form.is_later, actor=user)
            except AlreadyCollected as known:
                if _is_of(form.entry, known.origin):
                    messages.info(request, known.message)
                    return redirect(known.origin)
                uid = uuid7()
                _keep(request, uid)
                messages.warning(request, "前一条已经提交过了，这是另一条：核对后再点一次“提交”")
            except Refused as refusal:
                show_refusal(form, refusal, **FIELDS_SHOWN_ELSEWHERE)
            else:
                done = made.state == Origin.State.SUBMITTED
                messages.success(request, "已提交，等待县级审核" if done else "已保存为待定位，到现场后点“去定位”")
                return redirect(made)
    chosen = find_region(str(form["region"].value() or ""))
    context = {
        "chosen": chosen,
        "bounds": county_bounds(chosen.code) if chosen else _home_bounds(request),
        "grower": form.grower,
        "own": form.own,
        "industries": Industry.choices,
    }
    return _page(request, "origins/collecting/collect.html", form, uid, faults, context)


@requires(Action.ENTER_ORIGIN)
@never_cache
@require_http_methods(["GET", "POST"])
def update(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """更新一条：上次的内容已经填好，改有变化的。"""
    origin = origin_of(uid, request.user)
    if not may_collect(request.user, origin):
        messages.error(request, "您不能更新这条记录")
        return redirect(origin)
    if origin.state == Origin.State.SUPERSEDED and request.method == "GET":
        messages.info(request, "这条记录已经更新过，下面是现在的")
        draft_named = urlencode({"draft": asked}) if (asked := request.GET.get("draft")) else ""
        return redirect(f"{_update_page(latest_of(origin))}?{draft_named}".rstrip("?"))
    new_uid, draft = _draft_asked(request)
    # A draft goes on from the record as it was seen then: what changed since is told before it is sent.
    initial = {"seen": version_of(origin)} | (_initial(inputs_of(draft)) if draft else {})
    data = request.POST if request.method == "POST" else None
    form = UpdateForm(data, user=request.user, origin=origin, initial=initial)
    faults: list[str] = []
    overtaken: ChangedMeanwhile | None = None
    if request.method == "POST":
        faults = _keep(request, new_uid, origin, is_sent=request.POST.get("do") != "draft")
        if request.POST.get("do") == "draft" and not faults:
            messages.success(request, "草稿已保存，换一部手机登录也能接着填")
            return redirect("origins:drafts")
        if not faults and form.is_valid() and form.entry:
            try:
                made = update_origin(
                    origin=origin,
                    entry=form.entry,
                    fix=form.fix,
                    seen=form.cleaned_data["seen"],
                    uid=new_uid,
                    actor=request.user,
                )
            except AlreadyCollected as known:
                messages.info(request, known.message)
                return redirect(known.origin)
            except ChangedMeanwhile as refusal:
                overtaken = refusal
            except Refused as refusal:
                show_refusal(form, refusal, **FIELDS_SHOWN_ELSEWHERE)
            else:
                messages.success(request, "已更新，等待县级审核")
                return redirect(made)
    context: dict[str, Any] = {
        "origin": origin,
        "bounds": county_bounds(origin.region_id),
        "chosen": origin.region,
        "target": origin,
    }
    if overtaken:
        # What the person typed stays; sending it once more, knowingly, updates the record as it stands now.
        again = request.POST.copy()
        again["seen"] = version_of(overtaken.latest)
        form = UpdateForm(again, user=request.user, origin=overtaken.latest)
        context |= {"overtaken": overtaken.message, "latest": overtaken.latest, "target": overtaken.latest}
    return _page(request, "origins/collecting/update.html", form, new_uid, faults, context)


@requires(Action.ENTER_ORIGIN)
@require_POST
def carry(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """新一茬，内容没有变化：上次的内容、日期往后一年。"""
    origin = origin_of(uid, request.user)
    try:
        made = carry_over(origin=origin, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(origin)
    messages.success(request, "新一茬已提交，等待县级审核；日期不对的点“更新”改")
    return redirect(made)


@requires(Action.ENTER_ORIGIN)
@require_POST
def save(request: SignedInRequest) -> HttpResponse:
    """边填边存；照片选好就传。"""
    uid, _ = _draft_asked(request)
    try:
        updates = UUID(request.POST["updates"]) if request.POST.get("updates") else None
    except ValueError:
        raise Http404 from None
    origin = origin_of(updates, request.user) if updates else None
    faults = _keep(request, uid, origin)
    draft = OriginDraft.objects.visible_to(request.user).filter(uid=uid).first()
    photos = [{"url": one.get_absolute_url(), "uid": str(one.uid)} for one in draft.photos.all()] if draft else []
    return JsonResponse({"faults": faults, "photos": photos}, status=409 if faults else 200)


@requires(Action.ENTER_ORIGIN)
@never_cache
@require_GET
def drafts(request: SignedInRequest) -> HttpResponse:
    """我的草稿。"""
    return render(request, "origins/collecting/drafts.html", {"drafts": drafts_of(request.user)})


@requires(Action.ENTER_ORIGIN)
@require_POST
def discard(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """删除一份草稿。"""
    draft = get_object_or_404(OriginDraft.objects.visible_to(request.user), uid=uid)
    discard_draft(draft=draft, actor=request.user)
    messages.success(request, "草稿已删除")
    return redirect("origins:drafts")


@requires(Action.ENTER_ORIGIN)
@never_cache
@require_GET
def operators(request: SignedInRequest) -> HttpResponse:
    """按名称、手机号、主体码找主体，带着它的基地。"""
    text = " ".join(request.GET.get("q", "").split())[:60]
    if len(text) < 2:
        return JsonResponse([], safe=False)
    found = called(Operator.objects.visible_to(request.user), text).filter(kinds__overlap=list(OperatorKind))
    answer = []
    for one in found.select_related("region").prefetch_related("bases__region").order_by("id")[:MOST_FOUND]:
        bases = [base for base in one.bases.all() if base.closed_on is None][:MOST_BASES]
        answer.append(
            {
                "code": one.code,
                "name": one.name,
                "kinds": one.kind_names,
                "place": one.region.full_name,
                "status": one.get_status_display(),
                "contact": mask_name(one.contact),
                "phone": mask_phone(one.phone),
                "bases": [{"code": base.code, "name": base.name, **place_of(base)} for base in bases],
            }
        )
    return JsonResponse(answer, safe=False, json_dumps_params={"ensure_ascii": False})


@requires(Action.ENTER_ORIGIN)
@never_cache
@require_GET
def village(request: SignedInRequest) -> HttpResponse:
    """一个村：县的范围（地图用），上一条记录的网格员。"""
    region = find_region(request.GET.get("region", ""))
    if region is None:
        return JsonResponse({})
    last = last_of_village(region, request.user)
    told = {"grid_name": mask_name(last.grid_name), "grid_phone": mask_phone(last.grid_phone)} if last else {}
    answer = {"bounds": county_bounds(region.code), "county": str(region.code - region.code % 10**6), **told}
    return JsonResponse(answer, json_dumps_params={"ensure_ascii": False})


@requires(Action.VIEW_ORIGINS)
@never_cache
@require_GET
def photo(request: SignedInRequest, uid: UUID) -> HttpResponseBase:
    """一张现场照片。"""
    kept = get_object_or_404(OriginPhoto.objects.visible_to(request.user), uid=uid)
    try:
        with open_photo(kept) as file:
            return HttpResponse(file.read(), content_type=JPEG)
    except Refused as refusal:
        return HttpResponse(refusal.message, status=409, content_type="text/plain; charset=utf-8")


@requires(Action.ENTER_ORIGIN)
@require_POST
def add_photos(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """给一条记录传现场照片。"""
    origin = origin_of(uid, request.user)
    files = request.FILES.getlist("photos")
    try:
        for file in files[: MOST_PHOTOS + 1]:
            add_photo(file=file, origin=origin, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        if files:
            messages.success(request, "照片已保存")
        else:
            messages.error(request, "请先选照片")
    return redirect(origin)


@requires(Action.ENTER_ORIGIN)
@require_POST
def drop_photo(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """删除一张现场照片。"""
    kept = get_object_or_404(OriginPhoto.objects.visible_to(request.user), uid=uid)
    origin, draft = kept.origin, kept.draft
    try:
        remove_photo(photo=kept, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    if request.headers.get("Accept") == "application/json":
        return HttpResponse(status=204)
    return redirect(origin) if origin else redirect(f"{_collect_page()}?draft={draft.uid if draft else ''}")


def _page(
    request: SignedInRequest, template: str, form: ContentForm, uid: UUID, faults: list[str], context: dict[str, Any]
) -> HttpResponse:
    photos = OriginPhoto.objects.filter(draft__uid=uid, draft__user=request.user)
    own = {"form": form, "uid": uid, "photos": photos, "photo_faults": faults, "most_photos": MOST_PHOTOS}
    return render(request, template, context | own)


def _draft_asked(request: SignedInRequest) -> tuple[UUID, OriginDraft | None]:
    """The draft that the page is about: its uid, which is a new one where none is named, and what was kept of it."""
    try:
        uid = UUID(request.POST.get("draft") or request.GET.get("draft", ""))
    except ValueError:
        return uuid7(), None
    draft = OriginDraft.objects.visible_to(request.user).select_related("updates").filter(uid=uid).first()
    if draft is None and request.method == "GET":  # it was sent, or thrown away: what is typed now is another one
        return uuid7(), None
    return uid, draft


def _keep(request: SignedInRequest, uid: UUID, updates: Origin | None = None, *, is_sent: bool = False) -> list[str]:
    """Save what was typed, and its photos, as a draft: nothing is lost when it is refused. What went wrong."""
    inputs = {name: request.POST.getlist(name) for name in request.POST if name not in NOT_KEPT}
    faults = []
    try:
        draft = save_draft(
            uid=uid,
            inputs={name: values for name, values in inputs.items() if any(values)},
            updates=updates,
            actor=request.user,
        )
    except Misfilled as refusal:
        return [refusal.message]
    except Refused as refusal:
        # What was sent in already is found again by the service, which says so.
        return [] if refusal.code == "draft_gone" and is_sent else [refusal.message]
    for file in request.FILES.getlist("photos")[: MOST_PHOTOS + 1]:
        try:
            add_photo(file=file, draft=draft, actor=request.user)
        except Refused as refusal:
            faults.append(f"{file.name}：{refusal.message}")
    return faults


def _is_of(entry: Entry, origin: Origin) -> bool:
    """Whether what was typed is about the same grower and product as a record."""
    grower = origin.operator
    return entry.product == origin.product.name and (entry.operator == grower or entry.name == grower.name)


def _initial(kept: dict[str, list[str]]) -> dict[str, Any]:
    return {name: values if name in LISTS else values[0] for name, values in kept.items() if values}


def _home_bounds(request: SignedInRequest) -> str:
    place = request.user.place
    return county_bounds(place) if place and place % 10**8 else ""


def _collect_page() -> str:
    return reverse("origins:collect")


def _update_page(origin: Origin) -> str:
    return reverse("origins:update", args=[origin.uid])
