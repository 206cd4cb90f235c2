"""Putting an operator back as its import left it, when who claimed it was not its owner (认领不实，收回)."""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.fields import blind_index
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.registry.models import Claim, Licence, Operator, Produce
from nongma.registry.services.checks import check_unregistered, inputs_of
from nongma.registry.services.registering import put

NOTE = "认领不实，已收回"
GIVEN_UP: dict[str, dict[str, Any]] = {
    "uscc": {"uscc": None},
    "id_number": {"id_number": "", "id_index": None},
    "name": {"phone": "", "phone_index": None},
}
"""What an operator does without when another was registered with it meanwhile, by the input that tells."""


def held_by(operator: Operator) -> dict[str, Any]:
    """All that a claim may write over, as `Claim.before_json` keeps it."""
    produce = operator.produce.order_by("id").values_list("product_id", "unit", "scale")
    return inputs_of(operator) | {
        "region": operator.region_id,
        "confirmed_on": operator.confirmed_on,
        "produce": [[product, unit, scale] for product, unit, scale in produce],
    }


def take_back(*, operator: Operator, claim: Claim, actor: User, reason: str = "") -> None:
    """Undo a claim by phone of a locked operator that is not decided on: what was imported stands there again.

    What the claimant typed and uploaded is gone from the record, and who claimed can't claim it by phone any more. Of
    an input that another operator was registered with meanwhile nothing is put back. Refuses `text_too_long`.
    """
    note = checked_reason(reason, is_needed=False, told="") or NOTE
    before = claim.before
    operator.status, operator.due_on = Operator.Status.IMPORTED, None
    operator.review_note, operator.review_faults = "", {}
    values = _free(_columns(before), operator)
    put(operator, values, {name: getattr(operator, name) for name in values}, actor)
    if "produce" in before:
        _put_produce_back(operator, before["produce"])
    _put_licence_back(operator, claim)
    if "confirmed_on" in before:
        Operator.objects.filter(pk=operator.pk).update(confirmed_on=before["confirmed_on"])
    claim.state, claim.note = Claim.State.REVOKED, note
    claim.decided_by, claim.decided_at = actor, timezone.now()
    claim.save(update_fields=["state", "note", "decided_by", "decided_at"])
    record("operator.claim_revoked", actor=actor, target=operator, region_code=operator.region_id, reason=note)


def _columns(before: dict[str, Any]) -> dict[str, Any]:
    """The columns of what was kept; it is not checked again, as it was on file like that."""
    longitude, latitude = before["point"] or (None, None)
    names = ("kinds", "name", "uscc", "id_number", "phone", "contact", "address", "industries")
    return {name: before[name] for name in names} | {
        "region": Region.objects.get(pk=before["region"]),
        "id_index": blind_index(before["id_number"]) if before["id_number"] else None,
        "phone_index": blind_index(before["phone"]) if before["phone"] else None,
        "longitude": Decimal(longitude) if longitude else None,
        "latitude": Decimal(latitude) if latitude else None,
    }


def _free(values: dict[str, Any], operator: Operator) -> dict[str, Any]:
    for _ in GIVEN_UP:
        try:
            check_unregistered(values, apart_from=operator)
        except Refused as refusal:
            values |= GIVEN_UP[refusal.field or ""]
        else:
            break
    return values


def _put_produce_back(operator: Operator, kept: list[list[Any]]) -> None:
    Produce.objects.filter(operator=operator).delete()
    Produce.objects.bulk_create(
        Produce(operator=operator, product_id=product, unit=unit, scale=Decimal(scale) if scale else None)
        for product, unit, scale in kept
    )


def _put_licence_back(operator: Operator, claim: Claim) -> None:
    """The photos of the claimant, and of whom the claimant brought in, go, and what they replaced stands again."""
    photos = Licence.objects.filter(operator=operator)
    for photo in photos.filter(uploaded_by__is_operator=True, uploaded_at__gte=claim.asked_at):
        _remove(photo)
    replaced = photos.filter(replaced_at__gte=claim.asked_at).order_by("-id").first()
    if replaced and not photos.current().exists():
        replaced.replaced_at = None
        replaced.save(update_fields=["replaced_at"])


def _remove(licence: Licence) -> None:
    """The file goes when it is certain that the row did."""
    storage, name = licence.photo.storage, str(licence.photo.name)
    licence.delete()
    transaction.on_commit(lambda: storage.delete(name))
