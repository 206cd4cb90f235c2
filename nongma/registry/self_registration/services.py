"""Who registers for themselves (自主登记): the draft, sending in, the photo of the licence."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from nongma.accounts.models import User
from nongma.accounts.services import change_person, place_operator_person
from nongma.audit.services import record
from nongma.catalogue.models import Product
from nongma.lib.refused import Misfilled, Refused
from nongma.lib.retention import delete_rows
from nongma.registry.claiming.services import ask_for, claim_operator, met_by, without
from nongma.registry.models import Draft, Licence, Operator, OperatorMember, Produce
from nongma.registry.self_registration.entering import name_for
from nongma.registry.services import register_operator
from nongma.registry.services.tries import tries_counted


@dataclass(frozen=True)
class Declared:
    """A product that somebody grows or keeps, and how much of it in a unit of `Product.scale_units`."""

    product: Product
    unit: str
    scale: Decimal | None


LONGEST_INPUT = 200
MOST_VALUES = 20
DRAFTS_KEPT_FOR = timedelta(days=90)
CONSENT = "2026-11"
"""The version of the text about personal data that a person agrees to (templates/registry/self/privacy.html)."""


@transaction.atomic
def save_draft(*, inputs: Mapping[str, Sequence[str]], actor: User) -> Draft:
    """Keep what was typed so far, in the place of what was kept before.

    Refuses `official` (who registers others by the office's page), `member_already` (who is registered has nothing to
    draft) and, with 422, `draft_too_long`.
    """
    if not actor.is_operator:
        raise Refused("official", "机构人员请在“主体”里登记")
    _wait_for_own_turn(actor)
    if OperatorMember.objects.open().filter(user=actor).exists():
        raise Refused("member_already", "您已经登记过了")
    for values in inputs.values():
        if len(values) > MOST_VALUES or any(len(value) > LONGEST_INPUT for value in values):
            raise Misfilled("draft_too_long", "填得太长，没有保存")
    kept = json.dumps({name: list(values) for name, values in inputs.items()}, ensure_ascii=False)
    draft, _ = Draft.objects.update_or_create(user=actor, defaults={"inputs_json": kept})
    return draft


def draft_of(user: User) -> dict[str, list[str]]:
    """What the person typed and has not sent; empty when there is nothing."""
    draft = Draft.objects.filter(user=user).first()
    kept: dict[str, list[str]] = json.loads(draft.inputs_json) if draft else {}
    return kept


def forget_drafts() -> int:
    """Delete drafts that nobody touched for 90 days; how many."""
    return delete_rows(Draft.objects.filter(changed_at__lt=timezone.now() - DRAFTS_KEPT_FOR), by=["changed_at"])


@tries_counted
@transaction.atomic
def send_in(*, actor: User, produce: Sequence[Declared] = (), licence: bytes | None = None, **inputs: Any) -> Operator:
    """Register the actor's operator for review, with the consent on record; the draft is done with.

    Takes the inputs of `register_operator` and refuses what it does, besides what it grows or keeps, and the photo of
    its licence as `plain_photo` gives it. An account that was made by phone gets the contact's name and the operator's
    place. Who meets an imported operator (待认领) that nobody acts for, by a number or by name in the county, is
    registered without that number, and the county looks whether both are one (`ask_for`).
    """
    met = met_by(**inputs)
    operator = register_operator(actor=actor, **(without(inputs, met[0]) if met else inputs))
    if met:
        ask_for(operator=met[0], fresh=operator, actor=actor, by=met[1])
    _declare(operator, actor, produce, licence)
    return operator


@tries_counted
@transaction.atomic
def send_claim_in(
    *, operator: Operator, actor: User, produce: Sequence[Declared] = (), licence: bytes | None = None, **inputs: Any
) -> Operator:
    """Claim an imported operator and send in with it what the import lacked, as `send_in` does.

    Refuses what `claim_operator` does.
    """
    claimed = claim_operator(operator=operator, actor=actor, **inputs)
    _declare(claimed, actor, produce, licence)
    return claimed


def keep_licence(operator: Operator, photo: bytes, actor: User) -> None:
    """Keep a photo in the place of the one before, which stays.

    To be called last in its transaction: a file is not taken back by the database.
    """
    Licence.objects.current().filter(operator=operator).update(replaced_at=timezone.now())
    kept = Licence(operator=operator, digest=sha256(photo).digest(), uploaded_by=actor)
    kept.photo.save(f"{kept.uid}.jpg", ContentFile(photo), save=False)
    try:
        with transaction.atomic():
            kept.save()
    except BaseException:
        kept.photo.delete(save=False)
        raise


def _declare(operator: Operator, actor: User, produce: Sequence[Declared], licence: bytes | None) -> None:
    """What comes with a registration: the consent, the person's name and place, products, the licence."""
    record("operator.consented", actor=actor, target=operator, region_code=operator.region_id, text=CONSENT)
    place_operator_person(actor, operator.region_id)
    if actor.name == name_for(actor.phone) and operator.contact:
        change_person(user=actor, name=operator.contact, phone="", email="", actor=actor)
    Produce.objects.bulk_create(
        (Produce(operator=operator, product=one.product, unit=one.unit, scale=one.scale) for one in produce),
        # A claimed one may have it from its import.
        update_conflicts=True,
        unique_fields=["operator", "product"],
        update_fields=["unit", "scale"],
    )
    Draft.objects.filter(user=actor).delete()
    if licence:
        keep_licence(operator, licence, actor)


def _wait_for_own_turn(user: User) -> None:
    """As `register_operator` does: a draft that arrives late does not come back after the registration."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
