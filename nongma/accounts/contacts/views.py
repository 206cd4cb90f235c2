"""The register of 附件2 (工作联系方式): the own line, the lines of the area, what is missing, the official sheet."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from nongma.accounts.access import Action, SignedInRequest, may, requires
from nongma.accounts.contacts.exports import contacts_workbook
from nongma.accounts.contacts.forms import ContactForm
from nongma.accounts.contacts.queries import (
    COLUMNS,
    Row,
    Wanted,
    gaps_below,
    keepers,
    own_keepers,
    page_of,
    rows_of,
    widest_of,
)
from nongma.accounts.contacts.services import gaps_in, report_contact, reveal_contact, save_contact
from nongma.accounts.exporting import export_list
from nongma.accounts.models import Agency, Contact, ContactState
from nongma.lib.forms import is_narrowed_further, show_refusal
from nongma.lib.refused import Refused
from nongma.lib.sorting import Sorting


@requires(Action.VIEW_ACCOUNTS)
@require_safe
def contacts(request: SignedInRequest) -> HttpResponse:
    """辖区里各级的联系方式，谁还没有报。"""
    wanted, form = Wanted.read(request.GET)
    sorting = Sorting.asked(COLUMNS, request.GET.get("sort"), default="region")
    page, rows = page_of(request.user, wanted, sorting, request.GET.get("page"))
    widest = widest_of(request.user)
    asked = form.cleaned_data.get("region") if form.is_valid() else None
    region = asked if asked and widest and widest.span.covers(asked.span) else widest
    context = {
        "form": form,
        "further": is_narrowed_further(form),
        "page": page,
        "rows": rows,
        "sorting": sorting,
        "is_filtered": wanted != Wanted(),
        "own": own_keepers(request.user),
        "region": region,
        "gaps": gaps_below(region) if region else [],
        "may_change": may(request.user, Action.MANAGE_ACCOUNTS),
    }
    return render(request, "accounts/contacts/list.html", context)


@requires(Action.VIEW_ACCOUNTS)
@never_cache
@require_safe
def contact(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """一个机构的联系方式：本机构看现在填的，上级看最近上报的，号码遮住。"""
    agency = get_object_or_404(keepers(request.user).select_related("region"), uid=uid)
    return _record(request, agency, in_full=_is_own(request, agency))


@requires(Action.MANAGE_ACCOUNTS)
@never_cache
@require_POST
def reveal(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """看一次完整的号码和邮箱（留痕）。"""
    agency = get_object_or_404(keepers(request.user).select_related("region"), uid=uid)
    try:
        reveal_contact(agency=agency, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("accounts:contact", uid=uid)
    return _record(request, agency, in_full=True)


@requires(Action.MANAGE_ACCOUNTS)
@never_cache
@require_http_methods(["GET", "POST"])
def fill_in(request: SignedInRequest, uid: UUID) -> HttpResponseBase:
    """填写本机构的一行；没填全也能先存。"""
    agency = _own(request, uid)
    held = Contact.objects.filter(agency=agency).first()
    form = ContactForm(request.POST or None, unit=agency.name, contact=held, is_report="report" in request.POST)
    if form.is_valid():
        try:
            saved = save_contact(agency=agency, entry=form.entry, actor=request.user)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            if "report" in request.POST:
                return report(request, uid)
            gaps = gaps_in(saved)
            if gaps:
                messages.warning(request, f"存好了。还差：{'、'.join(gaps)}，填全后才能上报")
            else:
                messages.success(request, "存好了，可以上报")
            return redirect("accounts:contact", uid=uid)
    return render(request, "accounts/contacts/fill_in.html", {"form": form, "agency": agency})


@requires(Action.MANAGE_ACCOUNTS)
@require_POST
def report(request: SignedInRequest, uid: UUID) -> HttpResponse:
    agency = _own(request, uid)
    try:
        report_contact(agency=agency, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "已上报，上级现在看到的就是这一份")
    return redirect("accounts:contact", uid=uid)


@requires(Action.EXPORT_ACCOUNTS)
@require_POST
def export(request: SignedInRequest) -> HttpResponseBase:
    """按附件2的格式导出筛选到的、上报过的联系方式（留痕）。"""
    wanted, form = Wanted.read(request.POST)
    found = wanted.apply(keepers(request.user)).filter(contact_state__in=(ContactState.REPORTED, ContactState.CHANGED))
    found = found.order_by("region_id", "id")
    things, page = "附件2联系方式", "accounts:contacts"
    return export_list(request, "contacts.exported", contacts_workbook, found, form, things=things, page=page)


def _record(request: SignedInRequest, agency: Agency, *, in_full: bool) -> HttpResponse:
    own = _is_own(request, agency)
    (row,) = rows_of([agency])
    held = row.contact
    if held:
        held.agency = agency
    context = {
        "agency": agency,
        "row": row,
        "contact": held,
        "entry": held.entry if held and own else row.entry,
        "own": own,
        "in_full": in_full,
        "gaps": gaps_in(held) if own else [],
        "may_change": may(request.user, Action.MANAGE_ACCOUNTS),
        "may_report": own and agency.contact_state in {ContactState.DRAFT, ContactState.CHANGED} and not gaps_in(held),
    }
    return render(request, "accounts/contacts/record.html", context)


def _is_own(request: SignedInRequest, agency: Agency) -> bool:
    return agency.pk in {one.pk for one in request.user.administers}


def _own(request: SignedInRequest, uid: UUID) -> Agency:
    own: list[Row] = own_keepers(request.user)
    agency = next((row.agency for row in own if row.agency.uid == uid), None)
    return agency or get_object_or_404(Agency.objects.none(), uid=uid)
