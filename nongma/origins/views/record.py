"""One record: what it says, what happened to it, and the next step."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, may, requires, scope_of
from nongma.audit.queries import history_of
from nongma.lib.masking import mask_name, mask_phone
from nongma.lib.refused import Refused
from nongma.origins.collecting.services import is_open
from nongma.origins.doubts.queries import rated
from nongma.origins.forms import CorrectionForm, PointForm, ReturnForm
from nongma.origins.models import Doubt, Origin, SampledOrigin
from nongma.origins.queries import county_bounds, next_waiting, origin_of
from nongma.origins.reviewing.changes import changes_of
from nongma.origins.services.locate import Phones, correct_origin, locate_origin, reveal_phones
from nongma.origins.services.review import approve_origin, return_origin
from nongma.origins.services.rights import may_collect


@requires(Action.VIEW_ORIGINS)
@require_GET
def record(request: SignedInRequest, uid: UUID) -> HttpResponse:
    return record_page(request, origin_of(uid, request.user))


def record_page(
    request: SignedInRequest,
    origin: Origin,
    *,
    form: ReturnForm | None = None,
    phones: Phones | None = None,
    drawn: SampledOrigin | None = None,
) -> HttpResponse:
    """The page of a record; of one that was drawn, with the two answers of a draw."""
    user = request.user
    may_review = origin.region_id in scope_of(user, Action.REVIEW_ORIGINS)
    doubts = [] if user.is_operator else rated(origin, user)
    collects = may_collect(user, origin)
    context = {
        "origin": origin,
        "entries": history_of(origin),
        "changes": changes_of(origin),
        "doubts": doubts,
        "open_doubts": [one.doubt for one in doubts if one.doubt.state == Doubt.State.OPEN],
        "others": [one.other for one in doubts if one.other and one.other.quadkey is not None],
        "is_reviewer": may_review,
        "drawn": drawn,
        "tianditu_key": settings.TIANDITU_KEY,
        "later": Origin.objects.filter(supersedes=origin).only("uid").first(),
        "form": form or ReturnForm(),
        "phones": phones
        or Phones(
            grower=mask_phone(origin.phone),
            grid=mask_phone(origin.grid_phone),
            collector=mask_phone(origin.collector_phone),
        ),
        "names": {
            who: name if phones else mask_name(name)
            for who, name in (
                ("grower", origin.contact),
                ("grid", origin.grid_name),
                ("collector", origin.collector_name),
            )
        },
        "is_revealed": phones is not None,
        "may_decide": may_review and origin.state == Origin.State.SUBMITTED and not drawn,
        "may_locate": collects and origin.state == Origin.State.TO_LOCATE,
        "may_correct": collects and origin.state == Origin.State.RETURNED,
        "may_update": collects and origin.state != Origin.State.SUPERSEDED,
        "may_carry_over": collects
        and origin.is_crop
        and origin.state in (Origin.State.APPROVED, Origin.State.SUBMITTED)
        and is_open(origin),
        "photos": origin.photos.all(),
        "may_add_photos": collects and origin.state != Origin.State.SUPERSEDED,
        "may_reveal": origin.region_id in scope_of(user, Action.REVEAL_PERSONAL),
        "next": next_waiting(origin, user) if may(user, Action.REVIEW_ORIGINS) else None,
    }
    return render(request, "origins/record.html", context)


@requires(Action.REVIEW_ORIGINS)
@require_POST
def approve(request: SignedInRequest, uid: UUID) -> HttpResponse:
    origin = origin_of(uid, request.user)
    try:
        approve_origin(origin=origin, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "审核通过了")
    return redirect(origin)


@requires(Action.REVIEW_ORIGINS)
@require_POST
def send_back(request: SignedInRequest, uid: UUID) -> HttpResponse:
    origin = origin_of(uid, request.user)
    form = ReturnForm(request.POST)
    if not form.is_valid():
        return record_page(request, origin, form=form)
    try:
        return_origin(
            origin=origin, reason=form.cleaned_data["reason"], right=request.POST.getlist("right"), actor=request.user
        )
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "已退回，采集员会看到原因")
    return redirect(origin)


@requires(Action.REVEAL_PERSONAL)
@never_cache
@require_POST
def reveal(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """The phone numbers in full, once; the look is in the record's history."""
    origin = origin_of(uid, request.user)
    return record_page(request, origin, phones=reveal_phones(origin=origin, actor=request.user))


@requires(Action.ENTER_ORIGIN)
@require_http_methods(["GET", "POST"])
def locate(request: SignedInRequest, uid: UUID) -> HttpResponse:
    origin = origin_of(uid, request.user)
    form = PointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            longitude, latitude = form.cleaned_data["longitude"], form.cleaned_data["latitude"]
            locate_origin(origin=origin, longitude=longitude, latitude=latitude, fix=form.fix, actor=request.user)
        except Refused as refusal:
            form.add_error(refusal.field or None, refusal.message)
        else:
            messages.success(request, "点位已保存，等待县级审核")
            return redirect(origin)
    bounds = county_bounds(origin.region_id)
    return render(request, "origins/locate.html", {"origin": origin, "form": form, "bounds": bounds})


@requires(Action.ENTER_ORIGIN)
@never_cache
@require_http_methods(["GET", "POST"])
def correct(request: SignedInRequest, uid: UUID) -> HttpResponse:
    origin = origin_of(uid, request.user)
    if request.method == "GET" and origin.state != Origin.State.RETURNED:
        messages.warning(request, "只有退回的记录才能修改")
        return redirect(origin)
    form = CorrectionForm(request.POST or None, origin=origin)
    if request.method == "POST" and form.is_valid():
        try:
            correct_origin(origin=origin, correction=form.correction(), fix=form.fix, actor=request.user)
        except Refused as refusal:
            form.add_error(refusal.field or None, refusal.message)
        else:
            messages.success(request, "已修改并重新提交，等待县级审核")
            return redirect(origin)
    bounds = county_bounds(origin.region_id)
    return render(request, "origins/correct.html", {"origin": origin, "form": form, "bounds": bounds})
