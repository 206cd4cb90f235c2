import io

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from nongma.accounts.access import Action, SignedInRequest, requires
from nongma.lib.downloads import download
from nongma.lib.refused import Refused
from nongma.registry.plates.drawing import CONTENT_TYPES, Form, Shape, print_plate
from nongma.registry.queries import operator_of


@requires(Action.VIEW_OPERATORS)
@require_GET
def plate(request: SignedInRequest, code: str, shape: str, form: str) -> HttpResponseBase:
    """下载主体码名片或门牌。"""
    shown = operator_of(code, request.user)
    if shape not in Shape.values or form not in Form.values:
        raise Http404
    try:
        file = print_plate(operator=shown, shape=Shape(shape), form=Form(form), actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(shown)
    name = f"主体码-{'名片' if shape == Shape.CARD else '门牌'}-{shown.code}.{form}"
    return download(request, io.BytesIO(file), name=name, content_type=CONTENT_TYPES[Form(form)])
