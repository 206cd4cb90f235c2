from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, may, requires, scope_of
from nongma.accounts.exporting import export_list
from nongma.accounts.queries import place_of
from nongma.audit.queries import history_of
from nongma.lib import qr
from nongma.lib.forms import show_refusal
from nongma.lib.refused import Refused
from nongma.lib.sorting import Sorting
from nongma.registry.bases.queries import bases_of
from nongma.registry.certifications.queries import certifications_part
from nongma.registry.declaring.services import licences_for
from nongma.registry.duplicates import likely_duplicates
from nongma.registry.exports import operators_workbook
from nongma.registry.forms import OperatorChangeForm, OperatorForm
from nongma.registry.inputs import INPUTS
from nongma.registry.models import NOT_TRADING, Operator, OperatorMember
from nongma.registry.people.queries import invitations_to
from nongma.registry.queries import (
    COLUMNS,
    OperatorFilter,
    dealings_of,
    editable_of,
    operator_of,
    operator_page,
)
from nongma.registry.review.forms import ReasonForm, ReturnForm
from nongma.registry.services import (
    Contact,
    change_operator,
    confirm_operator,
    register_operator,
    reveal_contact,
)
from nongma.registry.services.checks import version_of
from nongma.registry.services.standing import OPEN

BASES_SHOWN = 200


@requires(Action.VIEW_OPERATORS)
@require_GET
def operators(request: SignedInRequest) -> HttpResponse:
    if request.user.is_operator:
        own = Operator.objects.visible_to(request.user)[:2]
        if len(own) == 1:
            return redirect(own[0])
    wanted, form = OperatorFilter.read(request.GET)
    sorting = Sorting.asked(COLUMNS, request.GET.get("sort"), default="region")
    page = operator_page(request.user, wanted, sorting, request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "sorting": sorting,
        "is_filtered": wanted != OperatorFilter(),
        "within": _within(request),
        "may_register": may(request.user, Action.REGISTER_OPERATOR),
        "may_load": may(request.user, Action.LOAD_OPERATORS),
        "may_review": may(request.user, Action.REVIEW_OPERATORS),
        "may_export": may(request.user, Action.EXPORT_OPERATORS) and page.paginator.count,
    }
    return render(request, "registry/operators.html", context)


@requires(Action.EXPORT_OPERATORS)
@require_POST
def export(request: SignedInRequest) -> HttpResponseBase:
    """The same filters as the list, as a workbook."""
    wanted, form = OperatorFilter.read(request.POST)
    found = wanted.apply(Operator.objects.visible_to(request.user)).order_by("region_id", "id")
    things, page = "主体", "registry:operators"
    return export_list(request, "operator.exported", operators_workbook, found, form, things=things, page=page)


@requires(Action.REGISTER_OPERATOR)
@require_http_methods(["GET", "POST"])
def register(request: SignedInRequest) -> HttpResponse:
    form = OperatorForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            operator = register_operator(actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal, point="longitude")
        else:
            done = operator.status == Operator.Status.APPROVED
            messages.success(request, "登记好了，已通过审核" if done else "登记好了，等待县级审核")
            return redirect(operator)
    return render(
        request,
        "registry/register.html",
        {"form": form, "for_self": request.user.is_operator, "within": _within(request)},
    )


@requires(Action.REGISTER_OPERATOR)
@require_http_methods(["GET", "POST"])
def change(request: SignedInRequest, code: str) -> HttpResponse:
    operator = editable_of(code, request.user)
    form = OperatorChangeForm(request.POST or None, operator=operator, own=request.user.is_operator)
    if request.method == "POST" and form.is_valid():
        try:
            changed = change_operator(operator=operator, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal, point="longitude")
        else:
            if operator.status != changed.status:
                messages.success(request, "已重新提交，等待县级审核")
            elif changed.revisions.waiting().filter(asked_by=request.user).exists():
                messages.success(request, "改好了；名称、证件号、类型、所在地的变更要等县级审核通过后生效")
            else:
                messages.success(request, "改好了")
            return redirect(changed)
    return render(request, "registry/change.html", {"form": form, "operator": operator, "within": _within(request)})


@requires(Action.REGISTER_OPERATOR)
@require_POST
def confirm(request: SignedInRequest, code: str) -> HttpResponse:
    """Nothing has changed: the record is fresh again."""
    operator = editable_of(code, request.user)
    try:
        confirm_operator(operator=operator, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "已确认信息没有变化")
    return redirect(operator)


@requires(Action.VIEW_OPERATORS)
@require_GET
def operator(request: SignedInRequest, code: str) -> HttpResponse:
    return show_operator(request, operator_of(code, request.user))


@requires(Action.REVEAL_PERSONAL)
@never_cache
@require_POST
def reveal(request: SignedInRequest, code: str) -> HttpResponse:
    """The record with the contact in full, this once."""
    shown = operator_of(code, request.user)
    try:
        contact = reveal_contact(operator=shown, actor=request.user, reason=request.POST.get("reason", ""))
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(shown)
    return show_operator(request, shown, contact=contact)


def show_operator(
    request: SignedInRequest,
    shown: Operator,
    *,
    contact: Contact | None = None,
    return_form: ReturnForm | None = None,
    standing_form: ReasonForm | None = None,
    deed: str = "",
) -> HttpResponse:
    """The record page, with a form that was refused standing open."""
    user = request.user
    may_review = shown.region_id in scope_of(user, Action.REVIEW_OPERATORS)
    may_reveal = shown.region_id in scope_of(user, Action.REVEAL_PERSONAL)
    may_identify = shown.region_id in scope_of(user, Action.REVEAL_IDENTITY)
    may_change = may(user, Action.REGISTER_OPERATOR) and (
        Operator.objects.editable_by(user).filter(pk=shown.pk).exists()
    )
    Status = Operator.Status
    bases = list(bases_of(shown, user)[: BASES_SHOWN + 1])
    hides_address = shown.is_unlicensed and any((shown.address, *(base.address for base in bases)))
    is_hidden = bool(shown.phone) or (may_identify and (bool(shown.id_number) or hides_address))
    may_decide = may_review and shown.status in (Status.SUBMITTED, Status.IMPORTED)
    members = list(shown.members.open().select_related("user").order_by("id"))
    context: dict[str, Any] = {
        "operator": shown,
        "contact": contact,
        "bases": bases[:BASES_SHOWN],
        "has_more_bases": len(bases) > BASES_SHOWN,
        "dealings": dealings_of(shown),
        "history": history_of(shown),
        "licences": licences_for(shown, user),
        "members": members,
        "is_owner": any(one.user_id == user.pk and one.role == OperatorMember.Role.OWNER for one in members),
        "corrections": list(shown.corrections.open().select_related("operator")),
        "may_urge": shown.region_id in scope_of(user, Action.SUPERVISE_OPERATORS) and shown.status in OPEN,
        "may_confirm_record": may_change and shown.status in OPEN,
        "revisions": list(shown.revisions.waiting().select_related("asked_by")),
        "duplicates": likely_duplicates(shown, user) if may_decide else [],
        "faults": {INPUTS[name]: text for name, text in shown.review_faults.items()},
        "is_own": user.is_operator,
        "invitations": invitations_to(user),
        "may_change": may_change and shown.status not in NOT_TRADING,
        "may_export_bases": user.is_operator or shown.region_id in scope_of(user, Action.EXPORT_OPERATORS),
        "may_reveal": may_reveal and contact is None and is_hidden,
        "asks_reason": not may_review,
        "version": version_of(shown) if may_decide else "",
        "may_approve": may_decide,
        "may_return": may_review and shown.status == Status.SUBMITTED,
        "may_harvest": may(user, Action.HANDLE_LOTS) and shown.status in (Status.APPROVED, Status.IMPORTED),
        "return_form": return_form or ReturnForm(),
        "standing": _standing_deeds(shown) if may_review else {},
        "standing_form": standing_form or ReasonForm(),
        "deed": deed,
        "from_queue": request.GET.get("then") == "queue",
        "today": timezone.localdate(),
        "qr": mark_safe(qr.svg(qr.symbol(f"{settings.PUBLIC_URL}/t/{shown.code}"))),  # noqa: S308 (our own drawing)
        **certifications_part(shown, user),
    }
    return render(request, "registry/operator.html", context)


def _standing_deeds(shown: Operator) -> dict[str, str]:
    """What a reviewer may do about an operator's taking part."""
    if shown.status in NOT_TRADING:
        return {} if shown.merged_into_id else {"restore": "恢复"}
    deeds = {"suspend": "停用"} if shown.status in OPEN else {}
    return deeds if shown.status == Operator.Status.SUBMITTED else deeds | {"cancel": "注销"}


def _within(request: SignedInRequest) -> int | None:
    """The division that the region picker starts in: that of the person's posts."""
    return place_of(request.user)
