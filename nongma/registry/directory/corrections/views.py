import io
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, may, requires, scope_of
from nongma.accounts.exporting import export_list
from nongma.accounts.queries import place_of
from nongma.codes.codec import decode
from nongma.lib.downloads import download
from nongma.lib.forms import show_refusal
from nongma.lib.refused import Refused
from nongma.registry.directory.corrections.exports import corrections_workbook
from nongma.registry.directory.corrections.forms import AnswerForm, CorrectionForm, usual
from nongma.registry.directory.corrections.letters import print_letter
from nongma.registry.directory.corrections.queries import CorrectionFilter, correction_of, correction_page
from nongma.registry.directory.corrections.services import (
    ANSWERABLE,
    accept_correction,
    answer_correction,
    return_correction,
    send_correction,
    withdraw_correction,
)
from nongma.registry.directory.fields import labels_of
from nongma.registry.models import Correction, DirectoryEntry
from nongma.registry.queries import operator_of


@requires(Action.VIEW_OPERATORS)
@require_GET
def corrections(request: SignedInRequest) -> HttpResponse:
    """督促整改通知：监管人员看辖区的，主体看自己的。"""
    wanted, form = CorrectionFilter.read(request.GET)
    page = correction_page(request.user, wanted, request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "today": timezone.localdate(),
        "is_filtered": wanted != CorrectionFilter(),
        "within": place_of(request.user),
        "is_own": request.user.is_operator,
        "may_see_directory": may(request.user, Action.VIEW_DIRECTORY),
        "may_export": may(request.user, Action.EXPORT_OPERATORS) and page.paginator.count,
    }
    return render(request, "registry/directory/corrections.html", context)


@requires(Action.EXPORT_OPERATORS)
@require_POST
def export(request: SignedInRequest) -> HttpResponseBase:
    """查到的督促整改通知存成表格（留痕）。"""
    wanted, form = CorrectionFilter.read(request.POST)
    found = wanted.apply(Correction.objects.visible_to(request.user)).order_by("due_on", "id")
    things, page = "督促整改通知", "registry:corrections"
    return export_list(request, "correction.exported", corrections_workbook, found, form, things=things, page=page)


@requires(Action.SUPERVISE_OPERATORS)
@require_http_methods(["GET", "POST"])
def send(request: SignedInRequest, code: str) -> HttpResponse:
    """给一个主体发督促整改通知。"""
    operator = operator_of(code, request.user)
    entry = DirectoryEntry.objects.visible_to(request.user).filter(operator=operator).first()
    form = CorrectionForm(request.POST or None, initial=usual(entry))
    if request.method == "POST" and form.is_valid():
        try:
            chosen = {**form.cleaned_data}
            named = chosen.pop("named")
            sent = send_correction(operator=operator, fields=named, actor=request.user, **chosen)
        except Refused as refusal:
            show_refusal(form, refusal, fields="named")
        else:
            messages.success(request, "通知发出了，主体的人员在提醒里看到")
            return redirect(sent)
    return render(request, "registry/directory/correction_send.html", {"form": form, "operator": operator})


@requires(Action.VIEW_OPERATORS)
@require_GET
def correction(request: SignedInRequest, code: str, uid: UUID) -> HttpResponse:
    """一份督促整改通知。"""
    return _show(request, _found(request, code, uid), AnswerForm())


@requires(Action.REGISTER_OPERATOR)
@require_POST
def answer(request: SignedInRequest, code: str, uid: UUID) -> HttpResponse:
    """主体写明整改情况。"""
    notice = _found(request, code, uid)
    form = AnswerForm(request.POST)
    if form.is_valid():
        try:
            answer_correction(correction=notice, answer=form.cleaned_data["answer"], actor=request.user)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "已答复，等待确认")
            return redirect(notice)
    return _show(request, notice, form)


@requires(Action.SUPERVISE_OPERATORS)
@require_POST
def decide(request: SignedInRequest, code: str, uid: UUID, deed: str) -> HttpResponse:
    """确认已整改、退回重改，或撤回通知。"""
    notice = _found(request, code, uid)
    reason = request.POST.get("reason", "")
    try:
        if deed == "accept":
            accept_correction(correction=notice, actor=request.user)
        elif deed == "return":
            return_correction(correction=notice, reason=reason, actor=request.user)
        elif deed == "withdraw":
            withdraw_correction(correction=notice, reason=reason, actor=request.user)
        else:
            raise Http404
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, {"accept": "已确认整改", "return": "退回了", "withdraw": "撤回了"}[deed])
    return redirect(notice)


@requires(Action.SUPERVISE_OPERATORS)
@require_POST
def letter(request: SignedInRequest, code: str, uid: UUID) -> HttpResponseBase:
    """督促整改通知书，A4，送达用。"""
    notice = _found(request, code, uid)
    file = print_letter(correction=notice, actor=request.user)
    name = f"督促整改通知书-{notice.operator.name}.pdf"
    return download(request, io.BytesIO(file), name=name, content_type="application/pdf")


def _found(request: SignedInRequest, code: str, uid: UUID) -> Correction:
    serial = decode(code)
    return correction_of(-1 if serial is None else serial, uid, request.user)


def _show(request: SignedInRequest, notice: Correction, form: AnswerForm) -> HttpResponse:
    may_manage = notice.region_id in scope_of(request.user, Action.SUPERVISE_OPERATORS)
    is_own = notice.operator.members.open().filter(user=request.user).exists()
    context = {
        "correction": notice,
        "operator": notice.operator,
        "fields": labels_of(notice.fields),
        "form": form,
        "is_overdue": notice.is_open and notice.due_on < timezone.localdate(),
        "may_answer": is_own and notice.state in ANSWERABLE,
        "may_decide": may_manage and notice.state == Correction.State.ANSWERED,
        "may_withdraw": may_manage and notice.is_open,
        "may_print": may_manage,
    }
    return render(request, "registry/directory/correction.html", context)
