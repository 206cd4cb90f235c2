"""Who has to be collected and is not (漏采)."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.catalogue.models import Product
from nongma.lib.refused import Refused
from nongma.origins.missed.finding import check_county, check_everywhere, wanted_in
from nongma.origins.missed.services import take_waiver_back, waive
from nongma.origins.models import Missed, MissedCheck, Origin
from nongma.origins.services.telling import prompt_of_missed
from nongma.regions.models import Region
from nongma.registry.directory.rules import set_rule
from nongma.registry.models import Base, Operator, Produce, ScaleRule
from nongma.testing import (
    LIANDU,
    YAZHOU,
    YAZHOU_VILLAGE,
    at_once,
    client_of,
    file_in,
    make_base,
    make_operator,
    make_origin,
)

PURPOSE = {"reason": "督促采集"}


@pytest.fixture
def li_grows(li: User, cowpea: Product) -> Produce:
    operator = make_operator(li, region=YAZHOU_VILLAGE)
    return Produce.objects.create(operator=operator, product=cowpea, scale=Decimal("3.5"), unit="mu")


def missed() -> list[tuple[str, str]]:
    return list(Missed.objects.open().values_list("operator__name", "product__name"))


def test_it_finds_who_is_above_the_threshold_and_not_on_file(li_grows: Produce) -> None:
    assert check_county(YAZHOU) == 1
    assert missed() == [(li_grows.operator.name, "豇豆")]
    one = Missed.objects.get()
    assert (one.scale, one.unit, one.rule.threshold) == (Decimal("3.5"), "mu", Decimal("0.5"))
    assert MissedCheck.objects.get().county_id == YAZHOU


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"scale": Decimal("0.4")}, id="below the threshold"),
        pytest.param({"scale": None}, id="no scale told"),
        pytest.param({"unit": "box"}, id="another unit"),
    ],
)
def test_it_passes_over_whoever_need_not_be_collected(li_grows: Produce, change: dict[str, object]) -> None:
    Produce.objects.update(**change)
    assert check_county(YAZHOU) == 0
    assert missed() == []


def test_the_threshold_itself_counts(li_grows: Produce) -> None:
    Produce.objects.update(scale=Decimal("0.5"))
    assert check_county(YAZHOU) == 1


@pytest.mark.parametrize("status", ["submitted", "suspended", "cancelled"])
def test_only_approved_operators_are_missed(li_grows: Produce, status: str) -> None:
    Operator.objects.update(status=status)
    assert check_county(YAZHOU) == 0


def test_it_finds_each_once_and_lets_go_what_was_collected(li_grows: Produce, wang: User, cowpea: Product) -> None:
    check_county(YAZHOU)
    check_county(YAZHOU)
    assert Missed.objects.count() == 1
    base = make_base(li_grows.operator, region=YAZHOU_VILLAGE)
    make_origin(base, cowpea, collected_by=wang)
    assert missed() == []  # the list is right at once
    assert check_county(YAZHOU) == 0
    assert not Missed.objects.exists()


def test_a_superseded_record_is_none(li_grows: Produce, wang: User, cowpea: Product) -> None:
    base = make_base(li_grows.operator, region=YAZHOU_VILLAGE)
    make_origin(base, cowpea, collected_by=wang, state="superseded")
    assert check_county(YAZHOU) == 1


def test_another_product_on_file_is_not_this_one(li_grows: Produce, li_base: Base, wang: User) -> None:
    make_origin(make_base(li_grows.operator), Product.objects.get(name="韭菜"), collected_by=wang)
    assert check_county(YAZHOU) == 1


def test_animals_are_counted_by_either_word(li: User) -> None:
    hens = Product.objects.get(name="鸡蛋")
    rule = dict(wanted_in(YAZHOU, timezone.localdate()))[hens.pk]
    other = "head" if rule.unit == "bird" else "bird"
    Produce.objects.create(operator=make_operator(li), product=hens, scale=rule.threshold, unit=other)
    assert check_county(YAZHOU) == 1


def test_a_county_raises_the_threshold_from_a_day_on(li_grows: Produce, zhao: User, cowpea: Product) -> None:
    set_rule(
        region=Region.objects.get(pk=YAZHOU),
        basis=ScaleRule.Basis.PRODUCT,
        subject=cowpea.code,
        threshold=Decimal(4),
        unit="mu",
        source="崖农〔2026〕1号",
        valid_from=timezone.localdate() + timedelta(days=1),
        actor=zhao,
    )
    assert check_county(YAZHOU) == 1
    ScaleRule.objects.filter(region=YAZHOU).update(valid_from=timezone.localdate())
    assert check_county(YAZHOU) == 0


def test_a_county_asks_for_a_product_of_its_own(li: User, zhao: User) -> None:
    mango = Product.objects.filter(is_key=False, industry="planting").order_by("code")[0]
    Produce.objects.create(operator=make_operator(li), product=mango, scale=Decimal(50), unit="mu")
    assert check_county(YAZHOU) == 0
    set_rule(
        region=Region.objects.get(pk=YAZHOU),
        basis=ScaleRule.Basis.PRODUCT,
        subject=mango.code,
        threshold=Decimal(20),
        unit="mu",
        source="崖农〔2026〕2号",
        valid_from=timezone.localdate(),
        actor=zhao,
    )
    assert check_county(YAZHOU) == 1


def test_an_excuse_stays_until_it_is_taken_back(li_grows: Produce, zhao: User) -> None:
    check_county(YAZHOU)
    one = Missed.objects.get()
    waive(missed=one, reason="自家吃，不卖", actor=zhao)
    assert missed() == []
    check_county(YAZHOU)
    assert Missed.objects.get().waived_for == "自家吃，不卖"
    with pytest.raises(Refused) as refusal:
        waive(missed=one, reason="又一次", actor=zhao)
    assert refusal.value.code == "already_waived"
    take_waiver_back(missed=one, actor=zhao)
    assert len(missed()) == 1
    with pytest.raises(Refused) as refusal:
        take_waiver_back(missed=one, actor=zhao)
    assert refusal.value.code == "not_waived"
    assert list(Entry.objects.filter(action__startswith="missed.").order_by("at").values_list("action", flat=True)) == [
        "missed.waived",
        "missed.waiver_taken_back",
    ]


def test_nobody_else_excuses_and_not_without_reason(li_grows: Produce, zhao: User, sun: User, wang: User) -> None:
    check_county(YAZHOU)
    one = Missed.objects.get()
    for actor, reason, code in (
        (sun, "不卖", "outside_area"),
        (wang, "不卖", "outside_area"),
        (zhao, " ", "reason_missing"),
    ):
        with pytest.raises(Refused) as refusal:
            waive(missed=one, reason=reason, actor=actor)
        assert refusal.value.code == code
    one.refresh_from_db()
    assert one.waived_at is None


def test_everywhere_is_county_by_county(li_grows: Produce, chen: User, cowpea: Product) -> None:
    Produce.objects.create(operator=make_operator(chen, region=LIANDU), product=cowpea, scale=Decimal(9), unit="mu")
    with CaptureQueriesContext(connection) as queries:
        assert check_everywhere() == 2
    assert set(MissedCheck.objects.values_list("county", flat=True)) == {YAZHOU, LIANDU}
    assert len(queries) < 40


@pytest.mark.django_db(transaction=True)
def test_two_checks_at_once_find_each_once(li_grows: Produce) -> None:
    def check() -> int:
        return check_county(YAZHOU)

    assert at_once(check, check, check) == [1, 1, 1]
    assert Missed.objects.count() == 1


def test_reviewers_are_told(li_grows: Produce, zhao: User) -> None:
    check_county(YAZHOU)
    assert prompt_of_missed() == 1
    assert "1 个主体的产品达到规模" in client_of(zhao).get("/notices/").content.decode()


def test_the_page_lists_narrows_and_excuses(li_grows: Produce, zhao: User, sun: User, cowpea: Product) -> None:
    client = client_of(zhao)
    assert "还没有核对过" in client.get("/origins/missed").content.decode()
    client.post("/origins/missed/check")
    page = client.get("/origins/missed").content.decode()
    assert li_grows.operator.name in page
    assert "0.5 亩" in page
    other = Product.objects.get(name="韭菜").code
    assert li_grows.operator.name not in client.get("/origins/missed", {"product": other}).content.decode()
    assert li_grows.operator.name in client.get("/origins/missed", {"product": cowpea.code}).content.decode()
    assert li_grows.operator.name not in client_of(sun).get("/origins/missed").content.decode()
    one = Missed.objects.get()
    assert client_of(sun).post(f"/origins/missed/{one.uid}", {"reason": "不卖"}).status_code == 404
    told = client.post(f"/origins/missed/{one.uid}", {"reason": ""}, follow=True).content.decode()
    assert "请写明为什么不用采集" in told
    client.post(f"/origins/missed/{one.uid}", {"reason": "不卖"}, follow=True)
    assert "没有漏采" in client.get("/origins/missed").content.decode()
    assert "不卖" in client.get("/origins/missed", {"waived": "1"}).content.decode()
    client.post(f"/origins/missed/{one.uid}", {"back": "1"})
    assert len(missed()) == 1


def test_the_export_masks_contacts(li_grows: Produce, zhao: User, rows_of: Callable[[bytes], str]) -> None:
    check_county(YAZHOU)
    answer = client_of(zhao).post("/origins/missed/export", PURPOSE)
    written = rows_of(file_in(answer))
    assert li_grows.operator.name in written
    assert li_grows.operator.phone not in written
    assert Entry.objects.get(action="missed.exported").details["rows"] == 1


@pytest.fixture
def rows_of() -> Callable[[bytes], str]:
    import io

    import python_calamine

    return lambda file: str(python_calamine.load_workbook(io.BytesIO(file)).get_sheet_by_index(0).to_python())


def test_the_list_reads_by_index(li_grows: Produce, zhao: User) -> None:
    check_county(YAZHOU)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    found = Missed.objects.visible_to(zhao).open().order_by("region_id", "id")[:50]
    assert "origins_missed_place" in found.explain()
    assert not Origin.objects.exists()
