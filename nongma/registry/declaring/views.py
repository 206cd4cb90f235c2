from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, requires
from nongma.lib.downloads import download
from nongma.lib.forms import show_refusal
from nongma.lib.refused import Refused
from nongma.registry.declaring.forms import DeclaredForm
from nongma.registry.declaring.services import change_declared, open_licence, version_of
from nongma.registry.models import Licence
from nongma.registry.queries import editable_of, operator_of
from nongma.registry.self_registration.photos import JPEG


@requires(Action.REGISTER_OPERATOR)
@never_cache
@require_http_methods(["GET", "POST"])
def declared(request: SignedInRequest, code: str) -> HttpResponse:
    """改产品、规模和执照照片，马上生效。"""
    operator = editable_of(code, request.user)
    produce, seen = list(operator.produce.all()), version_of(operator)
    form = DeclaredForm(request.POST or None, request.FILES or None, produce=produce, seen=seen)
    if request.method == "POST" and form.is_valid():
        try:
            change_declared(operator=operator, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            if refusal.code == "changed_meanwhile":
                messages.error(request, refusal.message)
                return redirect("registry:declared", operator.code)
            show_refusal(form, refusal, produce="product_1")
        else:
            messages.success(request, "改好了")
            return redirect(operator)
    return render(request, "registry/declared.html", {"form": form, "operator": operator})


@requires(Action.VIEW_OPERATORS)
@never_cache
@require_POST
def licence(request: SignedInRequest, code: str, uid: UUID) -> HttpResponseBase:
    """一张执照照片，查看会记下来。"""
    shown = operator_of(code, request.user)
    kept = get_object_or_404(Licence.objects.select_related("operator"), operator=shown, uid=uid)
    try:
        file = open_licence(licence=kept, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(shown)
    return download(request, file, name=f"执照-{shown.code}.jpg", content_type=JPEG)
