"""一张图: the same records on a map."""

from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from nongma.accounts.access import Action, SignedInRequest, requires
from nongma.lib.quadkeys import ZOOM
from nongma.origins.filters import OriginFilter
from nongma.origins.queries import bounds_of, with_names
from nongma.origins.views.table import chips_of

MOST_SHOWN = 20


@requires(Action.VIEW_ORIGINS)
@require_GET
def chart(request: SignedInRequest) -> HttpResponse:
    filters, form = OriginFilter.asked(request.GET, request.user)
    context = {
        "form": form,
        "filters": filters,
        "query": urlencode(filters.parameters()),
        "chips": chips_of(filters),
        "bounds": ",".join(f"{edge:.4f}" for edge in bounds_of(filters, request.user)),
        "tianditu_key": settings.TIANDITU_KEY,
    }
    return render(request, "origins/map.html", context)


@requires(Action.VIEW_ORIGINS)
@require_GET
def here(request: SignedInRequest) -> HttpResponse:
    """What stands at a point of the map: one record by `id`, or those of a small cell, `cell=<level>/<number>`."""
    try:
        filters = OriginFilter.read(request.GET, request.user)
        found = filters.visible_to(request.user)
        if identity := request.GET.get("id"):
            found = found.filter(uid=UUID(identity))
        else:
            level, number = (int(part) for part in request.GET.get("cell", "").split("/"))
            if not 0 < level <= ZOOM or not 0 <= number < 4**level:
                raise ValueError
            shift = 2 * (ZOOM - level)
            found = found.filter(quadkey__gte=number << shift, quadkey__lt=(number + 1) << shift)
    except (ValueError, ValidationError):
        raise Http404 from None
    origins = list(with_names(found).order_by("quadkey", "id")[: MOST_SHOWN + 1])
    context = {"origins": origins[:MOST_SHOWN], "has_more": len(origins) > MOST_SHOWN, "most": MOST_SHOWN}
    return render(request, "origins/parts/here.html", context)
