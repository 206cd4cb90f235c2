import re
import unicodedata

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from nongma.accounts.access import Action, requires
from nongma.desk import help as manual_pages


@requires(Action.SIGNED_IN)
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "desk/home.html")


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
def help_index(request: HttpRequest) -> HttpResponse:
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
    response = FileResponse(path.open("rb"))
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
