"""Divisions for the picker and boundaries for maps. They live here because the rooms of regions know no access."""

import gzip

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from django.views.decorators.http import require_safe

from nongma.accounts.access import Action, requires
from nongma.regions.boundaries import MapFile, map_file
from nongma.regions.models import Region
from nongma.regions.queries import children_of, code_of, search
from nongma.regions.spans import EVERYWHERE, Span, span_of

SHOWN = 20
LONGEST_SEARCH = 60
BOUNDARIES_SECONDS = 7 * 86400


@require_safe
@requires(Action.SIGNED_IN)
def find(request: HttpRequest) -> HttpResponse:
    """按名称、拼音、首字母或代码找区划，最多二十个。"""
    level = request.GET.get("level", "")
    if level and level not in {str(value) for value in Region.Level.values}:
        raise BadRequest("level")
    text = request.GET.get("q", "")[:LONGEST_SEARCH]
    return _answer(search(text, _span(request, "within"), int(level) if level else None, SHOWN))


@require_safe
@requires(Action.SIGNED_IN)
def children(request: HttpRequest) -> HttpResponse:
    """一个区划的下一级；不写 of 就是各省。"""
    return _answer(children_of(_span(request, "of").start))


@require_safe
@requires(Action.PUBLIC)
def boundaries(request: HttpRequest, name: str) -> HttpResponse:
    """地图用的界线：provinces、cities、counties-46（按省）、line。"""
    file = map_file(name)
    if file is None:
        raise Http404
    response = HttpResponse(status=304) if _has(request, file) else _content(request, file)
    response["ETag"] = file.etag
    response["Cache-Control"] = f"public, max-age={BOUNDARIES_SECONDS}"
    patch_vary_headers(response, ("Accept-Encoding",))
    return response


def _has(request: HttpRequest, file: MapFile) -> bool:
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or file.etag in known


def _content(request: HttpRequest, file: MapFile) -> HttpResponse:
    """The file as it lies on disk for every browser of today, unpacked for one that can't read gzip."""
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(file.packed, content_type="application/geo+json")
        response["Content-Encoding"] = "gzip"
        return response
    return HttpResponse(gzip.decompress(file.packed), content_type="application/geo+json")


def _span(request: HttpRequest, name: str) -> Span:
    text = request.GET.get(name, "")
    if not text:
        return EVERYWHERE
    code = code_of(text)
    if code is None:
        raise BadRequest(name)
    return span_of(code)


def _answer(regions: list[Region]) -> HttpResponse:
    items = [
        {"code": region.code_text, "name": region.name, "full_name": region.full_name, "level": region.level}
        for region in regions
    ]
    return JsonResponse({"items": items}, json_dumps_params={"ensure_ascii": False})
