"""Third-party collectors of a county (第三方采集机构): list, record, authorisation, people."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from nongma.accounts.access import Action, SignedInRequest, may, requires
from nongma.accounts.models import Authorisation, ThirdParty
from nongma.accounts.third_parties.forms import (
    AuthoriseForm,
    ChangeForm,
    CollectorForm,
    FilterForm,
    FirmForm,
    RevokeForm,
)
from nongma.accounts.third_parties.queries import (
    COLUMNS,
    ENDING_DAYS,
    Row,
    Standing,
    Wanted,
    authorisations_of,
    counties_of,
    counts_of,
    page_of,
    standing_of,
    with_until,
)
from nongma.accounts.third_parties.services import (
    authorise,
    change_third_party,
    create_collector,
    open_agreement,
    register_third_party,
    revoke,
)
from nongma.audit.queries import history_of
from nongma.lib.documents import content_type_of
from nongma.lib.downloads import download
from nongma.lib.forms import show_refusal
from nongma.lib.pages import MOST_LISTED
from nongma.lib.refused import Refused
from nongma.lib.sorting import Sorting
from nongma.regions.queries import children_of

PEOPLE_SHOWN = 200


@requires(Action.VIEW_ACCOUNTS)
@require_safe
def third_parties(request: SignedInRequest) -> HttpResponse:
    """本县的第三方采集机构，和它们的授权到什么时候。"""
    form = FilterForm(request.GET)
    form.is_valid()
    wanted = Wanted(form.cleaned_data.get("q", ""), form.cleaned_data.get("standing", ""))
    sorting = Sorting.asked(COLUMNS, request.GET.get("sort"), default="county")
    page, rows = page_of(request.user, wanted, sorting, request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "rows": rows,
        "sorting": sorting,
        "most": MOST_LISTED,
        "is_filtered": wanted != Wanted(),
        "due": [(one, number) for one, number in counts_of(request.user).items() if number],
        "may_register": may(request.user, Action.MANAGE_ACCOUNTS) and counties_of(request.user),
    }
    return render(request, "accounts/third_parties/list.html", context)


@requires(Action.VIEW_ACCOUNTS)
@require_safe
def third_party(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """一家第三方机构：授权、协议、人员、办理记录。"""
    today = timezone.localdate()
    firms = with_until(ThirdParty.objects.visible_to(request.user), today).select_related("agency__region")
    firm = get_object_or_404(firms, uid=uid)
    own = ThirdParty.objects.editable_by(request.user).filter(pk=firm.pk).exists()
    context = {
        "firm": firm,
        "row": Row(firm, standing_of(firm, today), vars(firm)["until"]),
        "authorisations": [(one, _state(one)) for one in authorisations_of(firm)],
        "people": firm.people.order_by("-is_active", "name", "pk")[:PEOPLE_SHOWN],
        "own": own and may(request.user, Action.MANAGE_ACCOUNTS),
        "may_open": may(request.user, Action.EXPORT_ACCOUNTS),
        "entries": history_of(firm),
    }
    return render(request, "accounts/third_parties/record.html", context)


@requires(Action.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def register(request: SignedInRequest) -> HttpResponse:
    agencies = counties_of(request.user)
    form = FirmForm(request.POST or None, agencies=agencies)
    if agencies and form.is_valid():
        values = form.cleaned_data
        chosen = values.pop("agency", str(agencies[0].pk))
        try:
            firm = register_third_party(
                agency=next(one for one in agencies if str(one.pk) == chosen), actor=request.user, **values
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "登记好了。签好保密协议后就可以授权")
            return redirect(firm)
    return render(request, "accounts/third_parties/register.html", {"form": form, "agencies": agencies})


@requires(Action.MANAGE_ACCOUNTS)
@never_cache
@require_http_methods(["GET", "POST"])
def change(request: SignedInRequest, uid: UUID) -> HttpResponse:
    firm = _own(request, uid)
    form = ChangeForm(request.POST or None, firm=firm)
    if form.is_valid():
        try:
            change_third_party(firm=firm, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "改好了")
            return redirect(firm)
    return render(request, "accounts/third_parties/change.html", {"form": form, "firm": firm})


@requires(Action.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def authorisation(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """授权或续期：选乡镇、定期限、上传签好的协议。先勾上次授权的，撤销了的不算。"""
    firm = _own(request, uid)
    towns = children_of(firm.agency.region_id)
    last = authorisations_of(firm).filter(revoked_at=None).first()
    initial = {"towns": [str(one.code) for one in last.towns.all()]} if last else {}
    form = AuthoriseForm(request.POST or None, request.FILES or None, towns=towns, initial=initial)
    if form.is_valid():
        try:
            made = authorise(firm=firm, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"已授权 {firm}，{made.from_on} 至 {made.to_on}")
            return redirect(firm)
    context = {"form": form, "firm": firm, "is_renewal": last is not None}
    return render(request, "accounts/third_parties/authorise.html", context)


@requires(Action.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def take_back(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """撤销一次授权，当场生效。"""
    held = get_object_or_404(
        Authorisation.objects.select_related("third_party__agency").filter(
            third_party__in=ThirdParty.objects.editable_by(request.user)
        ),
        uid=uid,
    )
    form = RevokeForm(request.POST or None)
    if form.is_valid():
        try:
            revoke(authorisation=held, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "已撤销，他们现在什么都看不到了")
            return redirect(held.third_party)
    context = {"form": form, "authorisation": held, "firm": held.third_party}
    return render(request, "accounts/third_parties/revoke.html", context)


@requires(Action.EXPORT_ACCOUNTS)
@require_POST
def agreement(request: SignedInRequest, uid: UUID) -> HttpResponseBase:
    """下载签好的保密协议（留痕）。"""
    held = get_object_or_404(
        Authorisation.objects.select_related("third_party__agency").filter(
            third_party__in=ThirdParty.objects.visible_to(request.user)
        ),
        uid=uid,
    )
    try:
        file = open_agreement(authorisation=held, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(held.third_party)
    return download(request, file, name=held.agreement_name, content_type=content_type_of(held.agreement_name))


@requires(Action.MANAGE_ACCOUNTS)
@never_cache
@require_http_methods(["GET", "POST"])
def collector(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """给第三方的人开一个账号；初始密码只显示这一次。"""
    firm = _own(request, uid)
    form = CollectorForm(request.POST or None)
    context: dict[str, Any] = {"form": form, "firm": firm}
    if form.is_valid():
        try:
            person, password = create_collector(firm=firm, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            context |= {"person": person, "password": password}
            return render(request, "accounts/third_parties/collector_made.html", context)
    return render(request, "accounts/third_parties/collector.html", context)


def _own(request: SignedInRequest, uid: UUID) -> ThirdParty:
    own = ThirdParty.objects.editable_by(request.user).select_related("agency__region")
    return get_object_or_404(own, uid=uid)


def _state(authorisation: Authorisation) -> dict[str, str]:
    """Word and colour of one authorisation."""
    today = timezone.localdate()
    if authorisation.revoked_at:
        return {"value": "revoked", "label": "已撤销", "tone": "grey"}
    if authorisation.from_on > today:
        return {"value": "future", "label": Standing.FUTURE.label, "tone": "blue"}
    if authorisation.to_on < today:
        return {"value": "ended", "label": Standing.ENDED.label, "tone": "red"}
    days = (authorisation.to_on - today).days
    whole = (authorisation.to_on - authorisation.from_on).days
    ends_soon = days <= min(ENDING_DAYS, whole / 3)
    return {"value": "running", "label": f"授权中，还有 {days} 天", "tone": "amber" if ends_soon else "green"}
