"""What an operator declares besides its registration (产品、规模、执照照片), changed at once with its history."""

import json
from collections.abc import Sequence
from typing import IO, Any

from django.db import transaction

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.fields import digest_of
from nongma.lib.refused import Misfilled, Refused
from nongma.registry.directory.marks import touch
from nongma.registry.models import Licence, Operator, Produce
from nongma.registry.self_registration.services import Declared, keep_licence
from nongma.registry.services.checks import check_may_change

MOST_PRODUCTS = 20
"""Of one operator: more is a typing machine."""


@transaction.atomic
def change_declared(
    *, operator: Operator, actor: User, produce: Sequence[Declared], licence: bytes | None = None, seen: str = ""
) -> Operator:
    """Put what an operator says it grows or keeps in the place of what it said before, at once and on record.

    `produce`: all of it. `licence`: a photo as `plain_photo` gives it, in the place of the one before, which reviewers
    still find; none keeps that. `seen`: the `version_of` that the person saw. Refuses `changed_meanwhile`, what
    `check_may_change` does and, with 422, `too_many`, `product_twice`, `unit_unfit`.
    """
    operator = Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
    check_may_change(operator, actor)
    _check(produce)
    if seen and seen != version_of(operator):
        raise Refused("changed_meanwhile", "您打开页面以后，产品、规模或执照照片改过了。请核对现在的内容，再改一次")
    before = list(operator.produce.all())
    is_same = {(one.product_id, one.unit, one.scale) for one in before} == {
        (one.product.pk, one.unit, one.scale) for one in produce
    }
    if is_same and not licence:
        return operator
    if not is_same:
        operator.produce.all().delete()
        after = Produce.objects.bulk_create(
            Produce(operator=operator, product=one.product, unit=one.unit, scale=one.scale) for one in produce
        )
        record(
            "operator.produce_changed",
            actor=actor,
            target=operator,
            region_code=operator.region_id,
            produce_before=_in_words(before),
            produce_after=_in_words(after),
        )
    if licence:
        record("operator.licence_changed", actor=actor, target=operator, region_code=operator.region_id)
    touch(operator.pk)
    if licence:
        keep_licence(operator, licence, actor)
    return operator


def version_of(operator: Operator) -> str:
    """What tells whether anything declared has changed since a page showed it."""
    produce = [(one.product.code, one.unit, str(one.scale)) for one in operator.produce.all()]
    photo = Licence.objects.current().filter(operator=operator).values_list("uid", flat=True).first()
    return digest_of(json.dumps([produce, str(photo)])).hex()


def licences_for(operator: Operator, user: User) -> list[Licence]:
    """The photos that a person may open, the one that stands first: reviewers of the place find earlier ones, too."""
    kept = Licence.objects.filter(operator=operator).select_related("uploaded_by").order_by("-id")
    if operator.region_id in scope_of(user, Action.REVIEW_OPERATORS):
        return list(kept)
    is_own = operator.members.open().filter(user=user).exists()
    return list(kept.current()) if is_own else []


@transaction.atomic
def open_licence(*, licence: Licence, actor: User) -> IO[Any]:
    """The photo of a licence to look at, by whom `licences_for` gives it to; on record.

    Refuses `not_allowed` and `file_unreadable`.
    """
    operator = licence.operator
    if licence not in licences_for(operator, actor):
        raise Refused("not_allowed", "只有本主体的人和审核员可以看执照照片，换下的只有审核员可以看")
    try:
        file = licence.photo.open()
    except (OSError, ValueError):
        raise Refused("file_unreadable", "照片读不出来，请联系运维人员") from None
    record("operator.licence_read", actor=actor, target=operator, region_code=operator.region_id)
    return file


def _check(produce: Sequence[Declared]) -> None:
    if len(produce) > MOST_PRODUCTS:
        raise Misfilled("too_many", f"最多填 {MOST_PRODUCTS} 种产品", field="produce")
    if len({one.product.pk for one in produce}) < len(produce):
        raise Misfilled("product_twice", "同一种产品只填一次", field="produce")
    for one in produce:
        if one.unit not in one.product.scale_units:
            raise Misfilled("unit_unfit", f"{one.product.name}的规模不用这个单位", field="produce")


def _in_words(produce: Sequence[Produce]) -> str:
    told = (
        f"{one.product.name} {one.scale.normalize():f} {one.get_unit_display()}" if one.scale else one.product.name
        for one in produce
    )
    return "、".join(told) or "没有填"
