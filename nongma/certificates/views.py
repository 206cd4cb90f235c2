from decimal import Decimal

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.safestring import SafeString
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST

from nongma.accounts.access import Action, SignedInRequest, may, requires
from nongma.accounts.queries import place_of
from nongma.audit.queries import history_of
from nongma.certificates import labels, queries
from nongma.certificates.forms import CertificateFilter, IssueForm, LabelForm, RevokeForm
from nongma.certificates.label_files import file_response, label_file, options_of, printable
from nongma.certificates.models import Certificate
from nongma.certificates.payload import packed
from nongma.certificates.services import issue_certificate, revoke_certificate, template_in_force
from nongma.codes.codec import decode
from nongma.lib import qr, signing
from nongma.lib.forms import show_refusal
from nongma.lib.refused import Refused
from nongma.lib.sorting import Sorting
from nongma.tracing.holdings import NEWEST_FIRST
from nongma.tracing.models import Lot
from nongma.tracing.queries import balance

MOST_CHOSEN = 500


@requires(Action.VIEW_CERTIFICATES)
def certificates(request: SignedInRequest) -> HttpResponse:
    form = CertificateFilter(request.GET, user=request.user)
    sorting = Sorting.asked(queries.CERTIFICATE_COLUMNS, request.GET.get("sort"), default=NEWEST_FIRST)
    page = queries.certificate_page(request.user, **form.wanted, sorting=sorting, number=request.GET.get("page"))
    context = {
        "form": form,
        "label_form": LabelForm(),
        "page": page,
        "sorting": sorting,
        "within": place_of(request.user),
        "may_issue": may(request.user, Action.ISSUE_CERTIFICATE),
    }
    return render(request, "certificates/list.html", context)


@requires(Action.ISSUE_CERTIFICATE)
def issue(request: SignedInRequest, code: str) -> HttpResponse:
    lots = Lot.objects.editable_by(request.user).coded(code)
    lot = get_object_or_404(lots.select_related("product", "operator", "region", "base__region"))
    template = template_in_force()
    left = queries.certifiable(lot)
    is_owner = lot.operator.members.owners().filter(user=request.user).exists()
    form = IssueForm(request.POST or None, lot=lot, left=left, template=template, is_owner=is_owner)
    if form.is_valid():
        try:
            certificate = issue_certificate(lot=lot, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "合格证已开具，可以打印标签，或用手机出示")
            return redirect(certificate)
    promises = template.buyer_promise if lot.bought else template.producer_promise
    context = {"lot": lot, "form": form, "stop": _stop(lot, left), "template": template, "promises": promises}
    return render(request, "certificates/issue.html", context)


@requires(Action.VIEW_CERTIFICATES)
def certificate(request: SignedInRequest, code: str) -> HttpResponse:
    certificate = _visible(request, code)
    own = Certificate.objects.editable_by(request.user).filter(pk=certificate.pk).exists()
    (label,) = labels.labels_of([certificate])
    context = {
        "certificate": certificate,
        "lot": certificate.lot,
        "label": label,
        "label_form": LabelForm(),
        "symbol": _drawn(label.symbol),
        "can_revoke": own and not certificate.revoked_at and may(request.user, Action.ISSUE_CERTIFICATE),
        "history": history_of(certificate),
    }
    return render(request, "certificates/certificate.html", context)


@requires(Action.VIEW_CERTIFICATES)
def show(request: SignedInRequest, code: str) -> HttpResponse:
    """The phone's screen: one large symbol in black on white, to be held out to the buyer (手机出示)."""
    certificate = _visible(request, code)
    (label,) = labels.labels_of([certificate])
    statement = packed(certificate.payload, bytes(certificate.signature))
    context = {
        "certificate": certificate,
        "lot": certificate.lot,
        "label": label,
        "symbol": _drawn(label.symbol),
        "signed_symbol": _drawn(qr.symbol(statement)),
    }
    return render(request, "certificates/show.html", context)


@requires(Action.ISSUE_CERTIFICATE)
def revoke(request: SignedInRequest, code: str) -> HttpResponse:
    found = Certificate.objects.editable_by(request.user).coded(code)
    certificate = get_object_or_404(queries.with_all(found))
    form = RevokeForm(request.POST or None)
    if form.is_valid():
        try:
            revoke_certificate(certificate=certificate, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            return redirect(certificate)
    return render(request, "certificates/revoke.html", {"certificate": certificate, "form": form})


@requires(Action.VIEW_CERTIFICATES)
def label(request: SignedInRequest, code: str, form: str) -> HttpResponse:
    """One certificate's label as PDF, SVG or ZPL."""
    certificate = _visible(request, code)
    chosen = LabelForm(request.GET)
    try:
        content, kind = label_file(certificate, form, chosen)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(certificate)
    return file_response(content, kind, f"合格证-{certificate.code}.{form}")


@require_POST
@requires(Action.VIEW_CERTIFICATES)
def chosen_labels(request: SignedInRequest) -> HttpResponse:
    """The labels of the certificates ticked in the list, in one PDF, in the order of the list."""
    serials = [serial for code in request.POST.getlist("code") if (serial := decode(code)) is not None]
    found = queries.with_all(Certificate.objects.visible_to(request.user).filter(serial__in=serials[:MOST_CHOSEN]))
    by_serial = {each.serial: each for each in found}
    chosen = LabelForm(request.POST)
    try:
        if len(serials) > MOST_CHOSEN:
            raise Refused("too_many_labels", f"一次最多选 {MOST_CHOSEN} 张合格证")
        printed = printable([by_serial[serial] for serial in dict.fromkeys(serials) if serial in by_serial])
        content = labels.pdf(printed, **options_of(chosen))
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("certificates:list")
    return file_response(content, "application/pdf", f"合格证-{len(printed)}张.pdf")


@requires(Action.PUBLIC)
@cache_control(public=True, max_age=3600)
def keys(request: HttpRequest) -> JsonResponse:
    """The public keys, for whoever checks certificates without us (RFC 7517)."""
    response = JsonResponse(signing.key_set())
    response["Access-Control-Allow-Origin"] = "*"
    return response


def _visible(request: SignedInRequest, code: str) -> Certificate:
    return get_object_or_404(queries.with_all(Certificate.objects.visible_to(request.user).coded(code)))


def _stop(lot: Lot, left: Decimal) -> str:
    """Why no certificate can be issued for a lot now; empty when one can."""
    if lot.state != Lot.State.USABLE:
        return f"这个批次{lot.state.label}，不能开具合格证"
    if left > 0:
        return ""
    return "可开具 0：已全部开具" if balance(lot) > 0 else "可开具 0：批次已没有余量"


def _drawn(symbol: qr.Symbol) -> SafeString:
    return SafeString(qr.svg(symbol))
