"""Drawing, looking and deciding on the rest (抽查)."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, requires
from nongma.lib.refused import Refused
from nongma.origins.filters import NAMES, OriginFilter
from nongma.origins.forms import ReturnForm
from nongma.origins.models import ReviewJob, ReviewSample, SampledOrigin
from nongma.origins.queries import origin_of
from nongma.origins.reviewing.forms import SampleForm
from nongma.origins.reviewing.sampling import (
    decide_rest,
    draw_sample,
    drop_sample,
    next_drawn,
    note_right,
    note_wrong,
    standing_of,
)
from nongma.origins.services.review import Verdict
from nongma.origins.views.record import record_page

SAMPLES_A_PAGE = 20


@requires(Action.REVIEW_ORIGINS)
@require_http_methods(["GET", "HEAD", "POST"])
def samples(request: SignedInRequest) -> HttpResponse:
    """The person's draws; by POST a new one from what a filter finds."""
    if request.method != "POST":
        page = Paginator(ReviewSample.objects.visible_to(request.user), SAMPLES_A_PAGE).get_page(
            request.GET.get("page")
        )
        return render(request, "origins/samples.html", {"page": page})
    try:
        filters = OriginFilter.read({name: request.POST.get(name, "") for name in NAMES}, request.user)
        until = parse_datetime(request.POST.get("until", "")) or timezone.now()
    except (ValidationError, ValueError):
        messages.error(request, "筛选条件有误，没有抽查，请重新筛选")
        return redirect("origins:table")
    form = SampleForm(request.POST)
    try:
        size = form.cleaned_data["size"] if form.is_valid() else 0
        drawn = draw_sample(filters=filters, until=until, size=size, actor=request.user)
    except Refused as refusal:
        messages.error(request, f"没有抽查：{refusal.message}")
        return redirect(f"{reverse('origins:table')}?{urlencode(filters.parameters())}")
    return redirect(drawn)


@requires(Action.REVIEW_ORIGINS)
@require_GET
def sample(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """What was drawn, what was found, and what it says of the rest."""
    return _sample_page(request, _sample(request, uid))


@requires(Action.REVIEW_ORIGINS)
@require_http_methods(["GET", "HEAD", "POST"])
def look(request: SignedInRequest, uid: UUID, origin_uid: UUID) -> HttpResponse:
    """One drawn record: in order, or returned with a reason; then the next one."""
    drawn = get_object_or_404(_sample(request, uid).drawn.select_related("sample"), origin__uid=origin_uid)
    origin = origin_of(origin_uid, request.user)
    if request.method != "POST":
        return record_page(request, origin, drawn=drawn)
    finding = request.POST.get("finding")
    if finding not in (SampledOrigin.Finding.RIGHT, SampledOrigin.Finding.WRONG):
        messages.error(request, "没有记下：请点“没有问题”，或“有问题，退回”")
        return redirect("origins:look", uid, origin_uid)
    is_wrong = finding == SampledOrigin.Finding.WRONG
    form = ReturnForm(request.POST if is_wrong else None)
    if is_wrong and not form.is_valid():
        return record_page(request, origin, drawn=drawn, form=form)
    try:
        if is_wrong:
            found = note_wrong(drawn=drawn, reason=form.cleaned_data["reason"], actor=request.user)
        else:
            found = note_right(drawn=drawn, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"第 {found.place} 条：{found.get_finding_display()}")
    following = next_drawn(drawn.sample)
    return redirect("origins:look", uid, following.origin.uid) if following else redirect(drawn.sample)


@requires(Action.REVIEW_ORIGINS)
@require_POST
def conclude(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """Decide on the rest, or leave it."""
    held = _sample(request, uid)
    wanted = request.POST.get("verdict")
    if wanted not in (Verdict.APPROVE, Verdict.RETURN, "drop"):
        messages.error(request, "没有办理：请选通过、退回，或放弃这次抽查")
        return redirect(held)
    form = ReturnForm(request.POST if wanted == Verdict.RETURN else None)
    if wanted == Verdict.RETURN and not form.is_valid():
        return _sample_page(request, held, form=form)
    try:
        if wanted == "drop":
            drop_sample(sample=held, actor=request.user)
            messages.success(request, "已放弃，其余记录没有动")
            return redirect(held)
        verdict = Verdict.RETURN if wanted == Verdict.RETURN else Verdict.APPROVE
        reason = form.cleaned_data["reason"] if verdict is Verdict.RETURN else ""
        job = decide_rest(sample=held, verdict=verdict, reason=reason, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(held)
    return redirect("origins:review-job", uid=job.uid)


def _sample_page(request: SignedInRequest, held: ReviewSample, *, form: ReturnForm | None = None) -> HttpResponse:
    context = {
        "sample": held,
        "standing": standing_of(held),
        "next": next_drawn(held),
        "form": form or ReturnForm(),
        "drawn": held.drawn.select_related("origin__operator", "origin__product", "origin__region"),
        "back": urlencode(held.filters),
        "job": ReviewJob.objects.filter(uid=held.job_uid).first() if held.job_uid else None,
    }
    return render(request, "origins/sample.html", context)


def _sample(request: SignedInRequest, uid: UUID) -> ReviewSample:
    return get_object_or_404(ReviewSample.objects.visible_to(request.user), uid=uid)
