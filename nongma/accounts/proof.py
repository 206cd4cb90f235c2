"""The password once more before what is sensitive (再输一次密码), without losing what was filled in."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme

from nongma.accounts.forms import FullProofForm, ProofForm
from nongma.accounts.models import User
from nongma.accounts.sessions import PROVED, PROVED_FULLY
from nongma.accounts.signing_in import LOCKED, prove_again
from nongma.lib.refused import Refused

BACK, FULL = "proof_back", "full"
NOT_CARRIED = {"csrfmiddlewaretoken", BACK, *FullProofForm.base_fields}
MOST_CARRIED = 500
MOST_CARRIED_LETTERS = 200_000


def is_proved(request: HttpRequest, *, fully: bool = False) -> bool:
    """Whether the password was given no longer ago than settings.PROOF_SECONDS: for this session, or for this token.

    `fully`: with the second factor, of who has one.
    """
    at = getattr(request, "proved_at", None)
    if at is None:
        at = request.session.get(PROVED_FULLY if fully and _has_totp(request) else PROVED, 0)
    return bool(time.time() - at < settings.PROOF_SECONDS)


@dataclass(frozen=True)
class Sent:
    """A form that waits for the password: where it goes, and its fields."""

    action: str
    fields: list[tuple[str, str]]
    is_file: bool = False


def prove_first(
    request: HttpRequest, go_on: Callable[[], HttpResponseBase], *, is_file: bool = False, fully: bool = False
) -> HttpResponseBase:
    """Ask for the password before a page goes on; `is_file`: it answers with a file; `fully` as in `is_proved`.

    A form that was sent stands on the page that asks, field by field (files can't), and is done with the right
    password. What htmx asks for is led to that page as a whole.
    """
    if "HX-Request" in request.headers:
        return HttpResponse(
            headers={"HX-Redirect": _confirm_page(_own(request, request.headers.get("HX-Current-URL", "")), fully)}
        )
    if request.method != "POST":
        return redirect(_confirm_page(request.get_full_path(), fully))
    fields = [(name, value) for name, values in request.POST.lists() if name not in NOT_CARRIED for value in values]
    too_much = len(fields) > MOST_CARRIED or sum(len(value) for _, value in fields) > MOST_CARRIED_LETTERS
    if request.FILES or too_much:
        messages.warning(request, "输入密码后，请重新选择文件、填写，再提交一次")
        return redirect(_confirm_page(_own(request, request.headers.get("Referer", "")), fully))
    sent = Sent(request.get_full_path(), fields, is_file)
    form = proof_form(request, fully)
    if not form.is_bound:
        return proof_page(request, form, sent)
    status = proved(request, form)
    return go_on() if status is None else proof_page(request, form, sent, status)


def proof_form(request: HttpRequest, fully: bool) -> ProofForm:
    """What is asked for, filled in where it was answered."""
    form = FullProofForm if fully and _has_totp(request) else ProofForm
    return form(request.POST if ProofForm.NAME in request.POST else None)


def proved(request: HttpRequest, form: ProofForm) -> int | None:
    """None for the right password, else the status of the page that says what is wrong."""
    if not form.is_valid():
        return 200
    try:
        given = form.cleaned_data
        prove_again(request=request, password=given["proof_password"], code=given.get("proof_code"))
    except Refused as refusal:
        form.add_error(f"proof_{refusal.field}" if refusal.field else None, refusal.message)
        return 429 if refusal.code in LOCKED else 200
    return None


def proof_page(request: HttpRequest, form: ProofForm, sent: Sent, status: int = 200) -> HttpResponse:
    """The page that asks; with the right password the form that was sent goes on."""
    back = _own(request, request.POST.get(BACK) or request.headers.get("Referer", ""))
    context = {"form": form, "sent": sent, "back": back, "minutes": settings.PROOF_SECONDS // 60}
    response = render(request, "accounts/confirm.html", context, status=status)
    add_never_cache_headers(response)
    return response


def _confirm_page(on: str, fully: bool) -> str:
    return f"{reverse('accounts:confirm')}?{urlencode({'next': on} | ({FULL: '1'} if fully else {}))}"


def _has_totp(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.has_totp


def _own(request: HttpRequest, url: str) -> str:
    """The path of an address of this site; that of the start page for any other.

    The path is looked at again: what stands behind our host may begin with // and another's.
    """
    home = reverse(settings.LOGIN_REDIRECT_URL)
    if not _is_ours(request, url):
        return home
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return path if path.startswith("/") and _is_ours(request, path) else home


def _is_ours(request: HttpRequest, url: str) -> bool:
    return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
