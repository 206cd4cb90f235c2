"""The list of those who must be in the directory by name (应纳入名单)."""

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from nongma.accounts.access import Action
from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib import uscc as numbers
from nongma.lib.once import once
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Misfilled, Refused
from nongma.lib.texts import checked_text
from nongma.regions.models import Region
from nongma.regions.spans import above
from nongma.registry.directory.marks import mark
from nongma.registry.models import COUNTY_WIDTH, Expected, Operator
from nongma.registry.services.checks import check_area, check_region

LONGEST_SOURCE = 100


@transaction.atomic
def expect(*, name: str, region: Region, source: str, actor: User, uscc: str = "") -> Expected:
    """Put somebody on the list of who must be in the directory; one that is registered already is found.

    Refuses `outside_area`, `already_expected` (on the list of the county by this number or name), `region_too_wide`,
    `text_missing` (name or where it is known from), `text_too_long`, `uscc_invalid`.
    """
    check_area(region.pk, actor, Action.SUPERVISE_OPERATORS)
    check_region(region)
    name = checked_text(name, label="名称", longest=100, field="name", is_needed=True)
    number = numbers.tidy(uscc)
    if number and (fault := numbers.fault(number)):
        raise Misfilled("uscc_invalid", fault, field="uscc")
    source = checked_text(source, label="来源", longest=LONGEST_SOURCE, field="source", is_needed=True)
    county = above(region.pk, Region.Level.COUNTY)
    in_county = Q(name=name, region__gte=county, region__lt=county + COUNTY_WIDTH)
    same = in_county | Q(uscc=number) if number else in_county
    if Expected.objects.open().filter(same).exists():
        raise Refused("already_expected", "名单上已经有了", field="name")
    with once("already_expected", "刚刚由别人列入了", field="name"):
        one = Expected.objects.create(name=name, region=region, uscc=number or None, source=source, added_by=actor)
    known = Operator.objects.filter(uscc=number) if number else Operator.objects.none()
    named = Operator.objects.named(name).filter(name=name, region__gte=county, region__lt=county + COUNTY_WIDTH)
    record("expected.added", actor=actor, target=one, region_code=region.pk, source=source)
    mark({*known.values_list("pk", flat=True), *named.values_list("pk", flat=True)[:10]}, expected=[one.pk])
    return one


@transaction.atomic
def strike_off(*, expected: Expected, reason: str, actor: User) -> Expected:
    """Take somebody off the list: gone out of business, or on it by mistake; the row stays on file.

    Refuses `outside_area`, `already_struck`, `reason_missing`, `text_too_long`.
    """
    expected = Expected.objects.select_for_update().get(pk=expected.pk)
    check_area(expected.region_id, actor, Action.SUPERVISE_OPERATORS)
    if expected.struck_at:
        raise Refused("already_struck", "已经移出名单")
    expected.struck_for = checked_reason(reason, told="请写明为什么移出名单")
    expected.struck_at = timezone.now()
    expected.save(update_fields=["struck_for", "struck_at"])
    record("expected.struck", actor=actor, target=expected, region_code=expected.region_id, reason=expected.struck_for)
    mark([expected.operator_id] if expected.operator_id else [], expected=[expected.pk])
    return expected
