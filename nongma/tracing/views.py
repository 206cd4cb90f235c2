from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from nongma.accounts.access import Action, SignedInRequest, may, requires
from nongma.accounts.queries import place_of
from nongma.lib.forms import show_refusal
from nongma.lib.pages import PAGE_SIZE
from nongma.lib.refused import Refused
from nongma.lib.sorting import Sorting
from nongma.tracing import queries
from nongma.tracing.forms import (
    BuyerSearch,
    HarvestForm,
    LossForm,
    LotFilter,
    MixForm,
    ReasonForm,
    SplitForm,
    TransferForm,
)
from nongma.tracing.history import history_of_lot
from nongma.tracing.holdings import NEWEST_FIRST
from nongma.tracing.models import Lot, LotQuerySet
from nongma.tracing.queries import Direction
from nongma.tracing.recalls import freeze_lot, recall_lot, unfreeze_lot
from nongma.tracing.sales import sales_behind, sales_of
from nongma.tracing.services import harvest_lot, mix_lots, record_loss, split_lot, transfer_lot

SHOWN_IN_TREE = 100


@requires(Action.VIEW_LOTS)
def lots(request: SignedInRequest) -> HttpResponse:
    form = LotFilter(request.GET, user=request.user)
    sorting = Sorting.asked(queries.LOT_COLUMNS, request.GET.get("sort"), default=NEWEST_FIRST)
    page = queries.lot_page(request.user, **form.wanted, sorting=sorting, number=request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "sorting": sorting,
        "within": place_of(request.user),
        "may_harvest": may(request.user, Action.HANDLE_LOTS),
    }
    return render(request, "tracing/lots.html", context)


@requires(Action.HANDLE_LOTS)
def harvest(request: SignedInRequest) -> HttpResponse:
    form = HarvestForm(request.POST or None, user=request.user)
    if form.is_valid():
        try:
            lot = harvest_lot(actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "采收已登记，可以开具合格证了")
            return redirect(lot)
    return render(request, "tracing/harvest.html", {"form": form, "has_base": form.has_base})


@requires(Action.VIEW_LOTS)
def lot(request: SignedInRequest, code: str) -> HttpResponse:
    lot = _visible(request, code)
    own = _is_own(request, lot)
    found = queries.trace(lot, Direction.BOTH, request.user)
    balance = queries.balance(lot)
    usable = lot.state == Lot.State.USABLE
    same = Lot.objects.filter(pk=lot.pk, recalled_at=None)
    sees_certificates = may(request.user, Action.VIEW_CERTIFICATES)
    certificates = lot.certificates.order_by("-id")[:20] if sees_certificates else ()
    for certificate in certificates:
        certificate.lot = lot
    page = Paginator(lot.entries.select_related("actor").order_by("-id"), PAGE_SIZE).get_page(request.GET.get("page"))
    causes = sales_behind((entry.cause for entry in page), lot, request.user)
    sales = sales_of(lot, request.user)
    parties = {sale.other_lot(lot): sale.other_side(lot) for sale in sales}
    tree = [(node, parties.get(node.lot.pk)) for node in found.nodes]
    context = {
        "lot": lot,
        "balance": balance,
        "can_issue": own and usable and balance > 0 and may(request.user, Action.ISSUE_CERTIFICATE),
        "can_handle": own and usable and balance > 0 and may(request.user, Action.HANDLE_LOTS),
        "can_recall": same.recallable_by(request.user).exists(),
        "can_freeze": same.watched_by(request.user).exists(),
        "page": page,
        "entries": [(entry, causes[entry.cause].other_side(lot) if entry.cause in causes else None) for entry in page],
        "sees_certificates": sees_certificates,
        "certificates": certificates,
        "sources": [(node, party) for node, party in reversed(tree) if node.depth < 0][:SHOWN_IN_TREE],
        "uses": [(node, party) for node, party in tree if node.depth > 0][:SHOWN_IN_TREE],
        "unregistered": [sale for sale in sales if not sale.transfer.buyer_id],
        "more": found.truncated or len(found.nodes) > SHOWN_IN_TREE,
        "reached": sum(node.lot.recalled_from_id == lot.pk for node in found.nodes),
        "history": history_of_lot(lot, sales, with_certificates=sees_certificates),
    }
    return render(request, "tracing/lot.html", context)


@requires(Action.HANDLE_LOTS)
def split(request: SignedInRequest, code: str) -> HttpResponse:
    lot = _own(request, code)

    def run(data: dict[str, Any]) -> str:
        parts = split_lot(lot=lot, quantities=data["quantities"], actor=request.user)
        return f"已分成 {len(parts)} 个新批次"

    return _act(request, lot, SplitForm(request.POST or None), run, title="分装", button="分装")


@requires(Action.HANDLE_LOTS)
def mix(request: SignedInRequest, code: str) -> HttpResponse:
    lot = _own(request, code)
    made: list[Lot] = []

    def run(data: dict[str, Any]) -> str:
        made.append(mix_lots(parts=data["parts"], actor=request.user))
        return "已混装成新批次"

    form = MixForm(request.POST or None, lot=lot, balance=queries.balance(lot), user=request.user)
    return _act(request, lot, form, run, title="混装", button="混装", result=made, template="tracing/mix.html")


@requires(Action.HANDLE_LOTS)
def transfer(request: SignedInRequest, code: str) -> HttpResponse:
    lot = _own(request, code)

    def run(data: dict[str, Any]) -> str:
        transfer_lot(lot=lot, actor=request.user, **data)
        return "交易已登记"

    search = BuyerSearch(request.GET)
    find = search.cleaned_data["find"] if search.is_valid() else ""
    form = TransferForm(request.POST or None, seller=lot.operator, find=find, chosen=request.GET.get("buyer", ""))
    return _act(
        request,
        lot,
        form,
        run,
        title="登记交易",
        button="登记",
        template="tracing/transfer.html",
        more={"search": search, "find": find},
    )


@requires(Action.HANDLE_LOTS)
def loss(request: SignedInRequest, code: str) -> HttpResponse:
    lot = _own(request, code)

    def run(data: dict[str, Any]) -> str:
        record_loss(lot=lot, actor=request.user, **data)
        return "损耗已登记"

    return _act(request, lot, LossForm(request.POST or None), run, title="登记损耗", button="登记")


@requires(Action.RECALL_LOTS)
def recall(request: SignedInRequest, code: str) -> HttpResponse:
    lot = _found(Lot.objects.recallable_by(request.user), code)

    def run(data: dict[str, Any]) -> None:
        recall_lot(lot=lot, actor=request.user, **data)

    reached = len(queries.descendants(lot))
    note = "召回后这个批次的合格证全部失效，扫码的人会看到红色的“已召回”。召回不能撤销。"
    if reached:
        note += f"由它分装、混装、售出的 {reached} 个批次会一起召回。"
    return _act(request, lot, ReasonForm(request.POST or None), run, title="召回", button="确认召回", warning=note)


@requires(Action.RECALL_LOTS)
def freeze(request: SignedInRequest, code: str) -> HttpResponse:
    lot = _found(Lot.objects.watched_by(request.user), code)

    def run(data: dict[str, Any]) -> None:
        freeze_lot(lot=lot, actor=request.user, **data)

    note = "冻结后这个批次不能分装、混装、售出和开具合格证，已开的合格证显示“批次已冻结”，直到解除。"
    return _act(request, lot, ReasonForm(request.POST or None), run, title="冻结", button="冻结", warning=note)


@requires(Action.RECALL_LOTS)
def unfreeze(request: SignedInRequest, code: str) -> HttpResponse:
    lot = _found(Lot.objects.watched_by(request.user), code)

    def run(data: dict[str, Any]) -> str:
        unfreeze_lot(lot=lot, actor=request.user, **data)
        return "已解除冻结"

    return _act(request, lot, ReasonForm(request.POST or None), run, title="解除冻结", button="解除冻结")


def _act(
    request: SignedInRequest,
    lot: Lot,
    form: forms.Form,
    run: Callable[[dict[str, Any]], str | None],
    *,
    title: str,
    button: str,
    warning: str = "",
    result: list[Lot] | None = None,
    template: str = "tracing/act.html",
    more: dict[str, Any] | None = None,
) -> HttpResponse:
    """One dealing with a lot: its form, and back to the lot (or to the one made) when it is done.

    `run` gives the message of success; None for what the lot's page shows by itself, in the colour of danger or doubt.
    """
    if form.is_valid():
        try:
            done = run(form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            if done:
                messages.success(request, done)
            return redirect(result[0] if result else lot)
    context = {
        "lot": lot,
        "balance": queries.balance(lot),
        "form": form,
        "title": title,
        "button": button,
        "warning": warning,
    }
    return render(request, template, context | (more or {}))


def _visible(request: SignedInRequest, code: str) -> Lot:
    return _found(Lot.objects.visible_to(request.user), code)


def _own(request: SignedInRequest, code: str) -> Lot:
    return _found(Lot.objects.editable_by(request.user), code)


def _found(lots: LotQuerySet, code: str) -> Lot:
    related = ("product", "operator", "region", "base__region", "recalled_from")
    return get_object_or_404(lots.coded(code).select_related(*related))


def _is_own(request: SignedInRequest, lot: Lot) -> bool:
    return Lot.objects.editable_by(request.user).filter(pk=lot.pk).exists()
