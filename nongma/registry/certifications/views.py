from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, requires
from nongma.lib.documents import content_type_of
from nongma.lib.downloads import download
from nongma.lib.forms import show_refusal
from nongma.lib.refused import Refused
from nongma.registry.certifications.forms import CertificationForm
from nongma.registry.certifications.queries import certification_of
from nongma.registry.certifications.services import (
    add_certification,
    change_certification,
    confirm_certification,
    open_file,
    withdraw_certification,
)
from nongma.registry.models import Operator
from nongma.registry.queries import editable_of, operator_of


@requires(Action.REGISTER_OPERATOR)
@require_http_methods(["GET", "POST"])
def add(request: SignedInRequest, code: str) -> HttpResponse:
    """登记一项认证。"""
    owner = editable_of(code, request.user)
    form = CertificationForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            add_certification(operator=owner, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "认证登记好了")
            return _back(owner)
    return render(request, "registry/certifications/form.html", {"form": form, "operator": owner})


@requires(Action.REGISTER_OPERATOR)
@require_http_methods(["GET", "POST"])
def change(request: SignedInRequest, code: str, uid: UUID) -> HttpResponse:
    """修改或续期一项认证。"""
    owner = editable_of(code, request.user)
    held = certification_of(owner, uid)
    form = CertificationForm.of(held, request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            change_certification(certification=held, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "认证改好了")
            return _back(owner)
    context = {"form": form, "operator": owner, "certification": held}
    return render(request, "registry/certifications/form.html", context)


@requires(Action.REGISTER_OPERATOR)
@require_POST
def withdraw(request: SignedInRequest, code: str, uid: UUID) -> HttpResponse:
    """撤销一项认证。"""
    owner = editable_of(code, request.user)
    held = certification_of(owner, uid)
    try:
        withdraw_certification(certification=held, reason=request.POST.get("reason", ""), actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "认证已撤销，不再公开显示")
    return _back(owner)


@requires(Action.REVIEW_OPERATORS)
@require_POST
def confirm(request: SignedInRequest, code: str, uid: UUID) -> HttpResponse:
    """核验一项认证。"""
    owner = operator_of(code, request.user)
    try:
        confirm_certification(certification=certification_of(owner, uid), actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "认证已核验")
    return _back(owner)


@requires(Action.VIEW_OPERATORS)
@require_POST
def file(request: SignedInRequest, code: str, uid: UUID) -> HttpResponseBase:
    """下载证书文件（留痕）。"""
    owner = operator_of(code, request.user)
    held = certification_of(owner, uid)
    if not held.file:
        raise Http404
    try:
        opened = open_file(certification=held, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return _back(owner)
    suffix = str(held.file.name).rpartition(".")[2]
    name = f"{held.shown_kind}-{held.number}.{suffix}"
    return download(request, opened, name=name, content_type=content_type_of(f"x.{suffix}"))


def _back(operator: Operator) -> HttpResponse:
    return HttpResponseRedirect(f"{operator.get_absolute_url()}#certifications")
