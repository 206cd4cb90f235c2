"""疑点: what a division has of each kind and how often it was right; and taking one doubt away."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from nongma.accounts.access import Action, SignedInRequest, requires, scope_of
from nongma.accounts.models import User
from nongma.lib.refused import Refused
from nongma.origins.doubts.queries import kinds_in, towns_in
from nongma.origins.doubts.services import withdraw as take_away
from nongma.origins.models import AreaLayer, Doubt
from nongma.regions.models import Region
from nongma.regions.queries import children_of, find_region, path_of

COUNTY = Region.Level.COUNTY


@requires(Action.VIEW_ORIGINS)
@require_GET
def overview(request: SignedInRequest) -> HttpResponse:
    region = _asked(request.GET.get("region", ""), request.user)
    layers = {layer.kind: layer for layer in AreaLayer.objects.all()}
    context = {
        "region": region,
        "path": [one for one in path_of(region.code) if one.code in scope_of(request.user)],
        "kinds": kinds_in(region),
        "towns": towns_in(region) if region.level == COUNTY else [],
        "below": children_of(region.code) if region.level < COUNTY else [],
        "layers": [layers[kind] for kind in AreaLayer.Kind.values if kind in layers],
        "missing": [kind.label for kind in AreaLayer.Kind if kind not in layers],
    }
    return render(request, "origins/doubts.html", context)


def _asked(written: str, user: User) -> Region:
    """The division that is asked for, or the user's own; 404 outside of what the user may see, and for growers."""
    scope = scope_of(user)
    if user.is_operator or not scope.spans:
        raise Http404
    region = find_region(written) if written else Region.objects.filter(pk=scope.spans[0].start).first()
    if region is None or not any(span.covers(region.span) for span in scope.spans):
        raise Http404
    return region


@requires(Action.REVIEW_ORIGINS)
@require_POST
def withdraw(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """Take away a doubt that says nothing."""
    doubt = get_object_or_404(Doubt.objects.visible_to(request.user).select_related("origin"), uid=uid)
    try:
        take_away(doubt=doubt, reason=request.POST.get("reason", ""), actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "疑点已撤下，不计入属实或没有问题")
    return redirect(doubt.origin)
