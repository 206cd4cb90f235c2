import re
import unicodedata
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_POST

from nongma.accounts.access import Action, SignedInRequest, may, requires
from nongma.accounts.queries import region_of
from nongma.accounts.third_parties.queries import collecting_of
from nongma.desk import help as manual_pages
from nongma.desk import queries
from nongma.desk.holdings import holdings_of
from nongma.desk.start import tasks_for
from nongma.lib.downloads import download
from nongma.lib.refused import Refused
from nongma.lib.sheets.writing import XLSX
from nongma.registry.people.queries import invitations_to
from nongma.registry.queries import operator_of


@requires(Action.SIGNED_IN)
def home(request: SignedInRequest) -> HttpResponse:
    user = request.user
    context: dict[str, Any] = {"tasks": tasks_for(user), "collecting": collecting_of(user)}
    context["invitations"] = invitations_to(user)
    if may(user, Action.HANDLE_LOTS):
        context |= {"lots": queries.recent_lots(user), "certificates": queries.recent_certificates(user)}
    elif may(user, Action.VIEW_ORIGINS):
        region = region_of(user)
        context |= {"region": region, "figures": queries.figures_of(region)} if region else {}
    if may(user, Action.COLLECT_ORIGINS):
        context["imports"] = queries.recent_imports(user)
    return render(request, "desk/home.html", context)


@requires(Action.VIEW_OPERATORS)
@require_POST
def holdings(request: SignedInRequest, code: str) -> HttpResponseBase:
    """平台保存的、关于这个主体的全部信息，由负责人下载。"""
    shown = operator_of(code, request.user)
    try:
        file = holdings_of(operator=shown, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(shown)
    return download(request, file, name=f"{shown.name}-全部信息.xlsx", content_type=XLSX)


@requires(Action.PUBLIC)
def code(request: HttpRequest) -> HttpResponse:
    """查码: a code as typed, with spaces or as the whole address in a QR, leads to the shopper's page."""
    given = unicodedata.normalize("NFKC", request.GET.get("code", ""))
    digits = re.sub(r"\D", "", given.rpartition("/t/")[2])
    if len(digits) == 20:
        return redirect(f"/t/{digits}")
    messages.error(request, f"码是 20 位数字，您输入了 {len(digits)} 位。请对照标签再输一次，或用手机扫码。")
    return redirect("desk:home")


@requires(Action.PUBLIC)
def favicon(request: HttpRequest) -> HttpResponse:
    """Our mark for browsers that ask here on their own, as they do on pages that name none.

    For the time being only: the mark's address has a digest of its content, so the next release may have another.
    """
    return redirect(static("nongma/mark.svg"))


@requires(Action.PUBLIC)
def help_index(request: HttpRequest) -> HttpResponseBase:
    return manual(request, name="index")


@requires(Action.PUBLIC)
def manual(request: HttpRequest, name: str) -> HttpResponse:
    page = manual_pages.page(name)
    if page is None:
        raise Http404
    pages = [manual_pages.page(other) for other in manual_pages.names()]
    return render(request, "desk/manual.html", {"page": page, "pages": pages})


@requires(Action.PUBLIC)
def manual_image(request: HttpRequest, name: str) -> HttpResponseBase:
    path = manual_pages.FOLDER / "images" / name
    if path.parent != manual_pages.FOLDER / "images" or path.suffix not in {".webp", ".png"} or not path.is_file():
        raise Http404
    response = HttpResponse(path.read_bytes(), content_type=f"image/{path.suffix[1:]}")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
