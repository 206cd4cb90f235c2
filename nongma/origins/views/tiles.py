"""Vector tiles: for the map page by session, for other programs by token."""

import hashlib

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe

from nongma.accounts.access import Action, declared, may
from nongma.accounts.api import forbidden
from nongma.accounts.models import User
from nongma.accounts.tokens import user_of
from nongma.lib.problems import form_faults, invalid, problem, unauthenticated
from nongma.origins.filters import OriginFilter
from nongma.origins.tiles import DEEPEST, GRIDS
from nongma.origins.tiles import tile as draw

CONTENT_TYPE = "application/vnd.mapbox-vector-tile"
KEPT_SECONDS = 15
GRIDS_WRITTEN = {str(grid): grid for grid in GRIDS}


@require_safe
def tile(request: HttpRequest, z: int, x: int, y: int) -> HttpResponse:
    """One tile of the origins that the caller may see; an empty one is 200 without a byte."""
    user = _caller(request)
    if user is None:
        return unauthenticated()
    if not may(user, Action.VIEW_ORIGINS):
        return forbidden(user)
    if z > DEEPEST or max(x, y) >= 1 << z:
        return problem(404, detail="没有这块瓦片：缩放级别是 0 到 18，行列号小于 2 的缩放级别次方")
    try:
        filters = OriginFilter.read(request.GET, user)
    except ValidationError as error:
        return invalid(form_faults(error))
    grid = request.GET.get("grid", "32")
    if grid not in GRIDS_WRITTEN:
        words = f"grid 只能是 {'、'.join(GRIDS_WRITTEN)}"
        return invalid([{"field": "grid", "code": "invalid_choice", "message": words}])
    content = draw(filters, user, z, x, y, GRIDS_WRITTEN[grid])
    etag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    response = HttpResponse(content, content_type=CONTENT_TYPE)
    response["ETag"] = etag
    response["Cache-Control"] = f"private, max-age={KEPT_SECONDS}"
    patch_vary_headers(response, ("Cookie", "Authorization"))
    return get_conditional_response(request, etag=etag, response=response) or response


declared(tile, Action.VIEW_ORIGINS)


def _caller(request: HttpRequest) -> User | None:
    """By token when there is an Authorization header, else by session."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        return user_of(token) if scheme.lower() == "bearer" else None
    return request.user if isinstance(request.user, User) else None
