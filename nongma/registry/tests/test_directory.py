"""Who is in the county's directory of operators, by which rule, and what is wanting (监管主体目录)."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Q
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.catalogue.models import Product
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.regions.spans import span_of
from nongma.registry import loading
from nongma.registry.certifications.services import add_certification
from nongma.registry.directory.expected import expect, strike_off
from nongma.registry.directory.figures import figures_of
from nongma.registry.directory.marks import mark, note_code_used, sweep, touch
from nongma.registry.directory.months import months_after
from nongma.registry.directory.queries import CONDITIONS
from nongma.registry.directory.rules import end_rule, set_rule, set_terms
from nongma.registry.directory.settling import come_of_age, settle
from nongma.registry.models import (
    DirectoryCount,
    DirectoryEntry,
    DirectorySweep,
    DirectoryTerms,
    Expected,
    Operator,
    Produce,
    ScaleRule,
)
from nongma.registry.services import (
    cancel_operator,
    change_operator,
    register_operator,
    restore_operator,
    suspend_operator,
)
from nongma.testing import (
    LIANDU,
    SANYA,
    YAZHOU,
    YAZHOU_VILLAGE,
    client_of,
    make_base,
    make_operator,
)

pytestmark = pytest.mark.django_db
Basis = ScaleRule.Basis
USCC = "91350100M000100Y43"


@pytest.fixture(autouse=True)
def _rules() -> None:
    """The nationwide rules; what their loading asks to be weighed is done with."""
    loading.load()
    settle()


def coop(**fields: object) -> Operator:
    """A co-op of 崖州区, marked as a service would."""
    values: dict[str, object] = {"kinds": ["cooperative"], "region": YAZHOU_VILLAGE, "phone": ""}
    made = make_operator(None, **(values | fields))  # type: ignore[arg-type]
    mark([made.pk])
    return made


def entry(operator: Operator) -> DirectoryEntry:
    settle()
    return DirectoryEntry.objects.get(operator=operator)


def region(code: int) -> Region:
    return Region.objects.get(pk=code)


def inside(code: int) -> Q:
    span = span_of(code)
    return Q(region_id__gte=span.start, region_id__lte=span.stop)


def test_it_lists_types_that_count_by_themselves_and_says_why() -> None:
    firm = coop()
    assert entry(firm).why == "农民专业合作社按类型算"
    firm.refresh_from_db()
    assert firm.large_for == "农民专业合作社按类型算"


def test_it_leaves_out_a_small_household(li_operator: Operator, cowpea: Product) -> None:
    Produce.objects.create(operator=li_operator, product=cowpea, scale=Decimal("0.4"), unit="mu")
    mark([li_operator.pk])
    settle()
    assert not DirectoryEntry.objects.filter(operator=li_operator).exists()
    li_operator.refresh_from_db()
    assert li_operator.large_for == ""


def test_it_takes_in_a_household_at_the_threshold(li_operator: Operator, cowpea: Product) -> None:
    assert cowpea.threshold
    Produce.objects.create(operator=li_operator, product=cowpea, scale=cowpea.threshold, unit="mu")
    mark([li_operator.pk])
    assert entry(li_operator).why.startswith(f"豇豆 {cowpea.threshold.normalize():f} 亩，达到")


def test_it_counts_what_bases_measure_of_who_grows_one_thing(li_operator: Operator, cowpea: Product) -> None:
    Produce.objects.create(operator=li_operator, product=cowpea, scale=Decimal(1), unit="mu")
    make_base(li_operator, area_mu=Decimal(500))
    mark([li_operator.pk])
    assert "豇豆 500 亩" in entry(li_operator).why


def test_it_takes_sheep_by_head_or_by_the_other_word(li_operator: Operator) -> None:
    sheep = Product.objects.get(name="肉羊")
    assert sheep.threshold_unit == "head"
    Produce.objects.create(operator=li_operator, product=sheep, scale=Decimal(50), unit="bird")
    mark([li_operator.pk])
    assert "肉羊 50 头" in entry(li_operator).why


def test_it_takes_in_holders_of_a_certification_that_holds(li: User, li_operator: Operator, cowpea: Product) -> None:
    today = timezone.localdate()
    held = add_certification(
        operator=li_operator,
        kind="green",
        number="LB-1",
        products=[cowpea],
        from_on=today - timedelta(days=9),
        to_on=today,
        file=None,
        actor=li,
    )
    assert entry(li_operator).why == "持有绿色食品"
    held.to_on = today - timedelta(days=1)
    held.save(update_fields=["to_on"])
    assert come_of_age() == 1
    settle()
    assert not DirectoryEntry.objects.exists()


def test_it_tells_what_is_wanting_of_a_type() -> None:
    listed = entry(coop(contact="", industries=[]))
    assert listed.needs == ["contact", "phone", "address", "village", "point", "industries", "uscc", "produce", "bases"]
    assert set(listed.lacks) == set(listed.needs) - {"village"}


def test_it_follows_the_rule_of_the_nearest_division(zhao: User, li_operator: Operator, cowpea: Product) -> None:
    Produce.objects.create(operator=li_operator, product=cowpea, scale=Decimal(2), unit="mu")
    rule = set_rule(
        region=region(YAZHOU),
        basis=Basis.PRODUCT,
        subject=cowpea.code,
        threshold=Decimal(2),
        unit="mu",
        valid_from=timezone.localdate(),
        source="崖州区规模标准",
        actor=zhao,
    )
    assert DirectorySweep.objects.filter(region=YAZHOU).exists()
    assert "达到 2 亩" in entry(li_operator).why
    assert not DirectorySweep.objects.exists()
    end_rule(rule=rule, actor=zhao)
    rule.refresh_from_db()
    assert rule.valid_to == timezone.localdate()
    assert Entry.objects.filter(action="scale_rule.ended").exists()


def test_it_takes_out_what_a_county_does_not_count(zhao: User) -> None:
    firm = coop()
    elsewhere = coop(region=LIANDU)
    set_rule(
        region=region(YAZHOU), basis=Basis.KIND, subject="cooperative", counts=False, valid_from=timezone.localdate(),
        source="崖州区规模标准", actor=zhao,
    )  # fmt: skip
    settle()
    assert list(DirectoryEntry.objects.values_list("operator", flat=True)) == [elsewhere.pk]
    firm.refresh_from_db()
    assert firm.large_for == ""


def test_a_rule_waits_for_its_day(zhao: User) -> None:
    coop()
    tomorrow = timezone.localdate() + timedelta(days=1)
    set_rule(
        region=region(YAZHOU), basis=Basis.KIND, subject="cooperative", counts=False, valid_from=tomorrow,
        source="崖州区规模标准", actor=zhao,
    )  # fmt: skip
    settle()
    assert DirectoryEntry.objects.count() == 1
    come_of_age(tomorrow)
    assert DirectorySweep.objects.filter(region=YAZHOU).exists()


@pytest.mark.parametrize(
    ("place", "changes", "code"),
    [
        (SANYA, {}, "outside_area"),
        (YAZHOU_VILLAGE, {}, "region_too_narrow"),
        (YAZHOU, {"subject": "nothing"}, "subject_unknown"),
        (YAZHOU, {"basis": Basis.INDUSTRY, "subject": "planting"}, "threshold_missing"),
        (YAZHOU, {"basis": Basis.INDUSTRY, "subject": "planting", "threshold": Decimal(5)}, "unit_missing"),
        (YAZHOU, {"valid_from": timezone.localdate() - timedelta(days=9)}, "in_the_past"),
        (YAZHOU, {"source": " "}, "reason_missing"),
    ],
)
def test_it_refuses_a_rule(zhao: User, place: int, changes: dict[str, object], code: str) -> None:
    before = ScaleRule.objects.count()
    values: dict[str, object] = {
        "basis": Basis.KIND, "subject": "household", "source": "文件", "valid_from": timezone.localdate(),
    }  # fmt: skip
    with pytest.raises(Refused) as refusal:
        set_rule(region=region(place), actor=zhao, **(values | changes))  # type: ignore[arg-type]
    assert refusal.value.code == code
    assert ScaleRule.objects.count() == before
    assert not DirectorySweep.objects.exists()


def test_loading_again_changes_nothing() -> None:
    before = list(ScaleRule.objects.values_list("pk", "valid_from", "valid_to"))
    loading.load()
    assert list(ScaleRule.objects.values_list("pk", "valid_from", "valid_to")) == before
    assert not DirectorySweep.objects.exists()


def test_a_changed_threshold_ends_the_one_of_before(cowpea: Product) -> None:
    Product.objects.filter(pk=cowpea.pk).update(threshold=Decimal(7))
    loading.load()
    held = ScaleRule.objects.filter(basis=Basis.PRODUCT, subject=cowpea.code).order_by("valid_from")
    assert [rule.valid_to for rule in held] == [timezone.localdate() - timedelta(days=1), None]
    assert DirectorySweep.objects.filter(region=0).exists()


def test_it_says_who_is_missing_until_they_register(zhao: User) -> None:
    one = expect(name="崖州湾家庭农场", region=region(YAZHOU_VILLAGE), source="市场监管登记", uscc=USCC, actor=zhao)
    settle()
    missing = DirectoryEntry.objects.get()
    assert (missing.operator, missing.expected, missing.uncoded) == (None, one, "unregistered")
    operator = register_operator(
        kinds=["household"], name="另一个名称", region=region(YAZHOU_VILLAGE), uscc=USCC, actor=zhao
    )
    settle()
    found = DirectoryEntry.objects.get()
    assert (found.operator, found.expected, found.why) == (operator, None, "列入名单：市场监管登记")
    cancel_operator(operator=operator, reason="停业", actor=zhao)
    settle()
    assert DirectoryEntry.objects.get().expected == one


def test_it_finds_who_is_registered_already(zhao: User, li_operator: Operator) -> None:
    expect(name="李大山", region=region(YAZHOU_VILLAGE), source="走访", actor=zhao)
    assert entry(li_operator).why == "列入名单：走访"
    assert DirectoryEntry.objects.count() == 1


def test_it_takes_off_the_list(zhao: User, li_operator: Operator) -> None:
    one = expect(name="李大山", region=region(YAZHOU_VILLAGE), source="走访", actor=zhao)
    settle()
    one.refresh_from_db()
    strike_off(expected=one, reason="不再种了", actor=zhao)
    settle()
    assert not DirectoryEntry.objects.exists()
    with pytest.raises(Refused) as refusal:
        strike_off(expected=one, reason="再来一次", actor=zhao)
    assert refusal.value.code == "already_struck"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": " "}, "text_missing"),
        ({"source": ""}, "text_missing"),
        ({"uscc": "123"}, "uscc_invalid"),
        ({"name": "崖州湾合作社"}, "already_expected"),
        ({"place": LIANDU}, "outside_area"),
    ],
)
def test_it_refuses_to_list(zhao: User, changes: dict[str, object], code: str) -> None:
    expect(name="崖州湾合作社", region=region(YAZHOU_VILLAGE), source="走访", actor=zhao)
    values: dict[str, object] = {"name": "新的", "source": "走访", "place": YAZHOU} | changes
    with pytest.raises(Refused) as refusal:
        expect(region=region(values.pop("place")), actor=zhao, **values)  # type: ignore[arg-type]
    assert refusal.value.code == code
    assert Expected.objects.count() == 1


def test_it_grows_stale_and_is_fresh_again_when_confirmed(zhao: User) -> None:
    firm = coop()
    touch(firm.pk)
    set_terms(region=region(YAZHOU), fresh_months=3, idle_months=1, actor=zhao)
    listed = entry(firm)
    assert (listed.is_stale, listed.stale_on) == (False, months_after(timezone.localdate(), 3))
    Operator.objects.filter(pk=firm.pk).update(confirmed_on=timezone.localdate() - timedelta(days=200))
    DirectoryEntry.objects.update(stale_on=timezone.localdate())
    assert come_of_age() == 1
    assert entry(firm).is_stale
    change_operator(operator=firm, actor=zhao, contact="换了人")
    assert not entry(firm).is_stale


def test_it_knows_who_has_no_code_in_use(zhao: User) -> None:
    firm, unclaimed = coop(), coop(status=Operator.Status.IMPORTED, reviewed_at=None)
    suspended = coop(status=Operator.Status.SUSPENDED)
    Operator.objects.update(reviewed_at=timezone.now() - timedelta(days=900))
    mark([firm.pk])
    assert entry(firm).uncoded == "idle"
    assert entry(unclaimed).uncoded == "unclaimed"
    assert entry(suspended).uncoded == ""
    firm.refresh_from_db()
    note_code_used(firm)
    assert entry(firm).uncoded == ""
    assert firm.used_on == timezone.localdate()


def test_a_code_used_twice_a_day_is_noted_once(li_operator: Operator, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    note_code_used(li_operator)
    with django_assert_num_queries(0):
        note_code_used(li_operator)
    again = Operator.objects.get(pk=li_operator.pk)
    again.used_on = None
    with django_assert_num_queries(1):
        note_code_used(again)


def test_terms_are_for_the_own_division(zhao: User) -> None:
    for place, code in ((SANYA, "outside_area"), (YAZHOU_VILLAGE, "region_too_narrow")):
        with pytest.raises(Refused) as refusal:
            set_terms(region=region(place), fresh_months=3, idle_months=3, actor=zhao)
        assert refusal.value.code == code
    with pytest.raises(Refused) as refusal:
        set_terms(region=region(YAZHOU), fresh_months=0, idle_months=3, actor=zhao)
    assert refusal.value.code == "months_invalid"
    assert not DirectoryTerms.objects.exists()


def test_a_sweep_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nongma.registry.directory.settling.BATCH", 2)
    for _ in range(5):
        make_operator(None, kinds=["cooperative"], region=YAZHOU_VILLAGE, phone="")
    sweep(YAZHOU)
    assert settle() == 5
    assert DirectoryEntry.objects.count() == 5
    assert not DirectorySweep.objects.exists()


PLACES = (YAZHOU, YAZHOU_VILLAGE, LIANDU, 331102001000)
DEEDS = st.lists(
    st.tuples(st.sampled_from(["make", "change", "move", "stop", "back", "expect", "strike", "use", "age"]),
              st.integers(0, 9), st.integers(0, 3)),
    min_size=1, max_size=14,
)  # fmt: skip


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=DEEDS)
def test_figures_are_what_a_recount_gives(zhao: User, sun: User, deeds: list[tuple[str, int, int]]) -> None:
    """After any series of changes the counts add up to the entries, and the entries are what a sweep would make."""
    for step, (deed, which, where) in enumerate(deeds):
        _do(deed, which, region(PLACES[where]), zhao if where < 2 else sun, step)
        if which % 3 == 0:
            settle()
    settle()
    derived = _derived()
    expected = Counter(
        (level, place.pk // width * width, what)
        for listed in DirectoryEntry.objects.select_related("region")
        for place in [listed.region]
        for level, width in ((4, 1000), (3, 1_000_000))
        for what in _whats(listed)
    )
    assert _counts() == expected
    sweep(0)
    settle()
    assert (_derived(), _counts()) == (derived, expected)
    for place in (0, YAZHOU, LIANDU):
        held = DirectoryEntry.objects.filter(inside(place))
        figures = figures_of(region(place))
        assert figures.total.of("listed") == held.count() == sum(line.of("listed") for line in figures.lines)
        for what, condition in CONDITIONS.items():
            assert figures.total.of(what) == held.filter(condition).count()


def _derived() -> list[tuple[object, ...]]:
    columns = ("operator", "expected", "region", "why", "lacks", "uncoded", "is_stale")
    return sorted(DirectoryEntry.objects.values_list(*columns), key=str)


def _counts() -> Counter[tuple[int, int, str]]:
    rows = DirectoryCount.objects.values_list("level", "region_code", "what", "number")
    return Counter({(level, code, what): number for level, code, what, number in rows})


def _whats(listed: DirectoryEntry) -> list[str]:
    found = [what for what, q in CONDITIONS.items() if DirectoryEntry.objects.filter(q, pk=listed.pk).exists()]
    return ["listed", *found, *(f"need:{each}" for each in listed.needs), *(f"lack:{each}" for each in listed.lacks)]


def _do(deed: str, which: int, place: Region, actor: User, step: int) -> None:
    operators = Operator.objects.filter(inside(YAZHOU if actor.name == "赵审核" else LIANDU))
    one = operators.order_by("pk")[which % max(1, operators.count()) :].first()
    try:
        if deed == "make":
            kinds = ["household", "cooperative", "family_farm"][which % 3]
            register_operator(kinds=[kinds], name=f"名{which}", region=place, actor=actor)
        elif deed == "expect":
            expect(name=f"名{which}", region=place, source=f"走访{step}", actor=actor)
        elif deed == "strike" and (listed := Expected.objects.visible_to(actor).open().first()):
            strike_off(expected=listed, reason="不在了", actor=actor)
        elif deed == "age":
            Operator.objects.update(confirmed_on=timezone.localdate() - timedelta(days=800))
            mark(Operator.objects.values_list("pk", flat=True))
        elif one and deed == "change":
            change_operator(operator=one, actor=actor, kinds=["cooperative"] if which % 2 else ["household"])
        elif one and deed == "move":
            change_operator(operator=one, actor=actor, region=place)
        elif one and deed == "stop":
            (suspend_operator if which % 2 else cancel_operator)(operator=one, reason="查无此人", actor=actor)
        elif one and deed == "back":
            restore_operator(operator=one, reason="回来了", actor=actor)
        elif one and deed == "use":
            note_code_used(one)
    except Refused:
        pass


def test_pages_show_figures_list_and_rules(zhao: User, li: User) -> None:
    firm = coop(name="崖州湾豇豆合作社")
    expect(name="没有登记的合作社", region=region(YAZHOU_VILLAGE), source="走访", actor=zhao)
    settle()
    browser = client_of(zhao)
    shown = browser.get("/operators/directory/").content.decode()
    assert "崖州区监管主体目录" in shown
    assert "/operators/directory/list?what=missing&amp;region=460205000000" in shown
    listed = browser.get("/operators/directory/list?what=missing").content.decode()
    assert "没有登记的合作社" in listed
    assert firm.name not in listed
    assert firm.name in browser.get("/operators/directory/list?q=豇豆").content.decode()
    assert "没有登记的合作社" in browser.get("/operators/directory/expected").content.decode()
    rules = browser.get("/operators/directory/rules").content.decode()
    assert "家庭农场" in rules
    assert "未核实" in rules
    assert firm.name in browser.get("/operators/?large=on").content.decode()
    assert browser.get("/operators/directory/?region=331102").status_code == 404
    assert client_of(li).get("/operators/directory/").status_code == 403


def test_it_is_managed_by_the_pages(zhao: User) -> None:
    browser = client_of(zhao)
    row = {"name": "新合作社", "region": str(YAZHOU_VILLAGE), "source": "走访"}
    assert browser.post("/operators/directory/expected/add", row).status_code == 302
    one = Expected.objects.get()
    again = browser.post("/operators/directory/expected/add", row)
    assert "名单上已经有了" in again.content.decode()
    assert browser.post(f"/operators/directory/expected/{one.uid}/strike", {"reason": "停业"}).status_code == 302
    one.refresh_from_db()
    assert one.struck_for == "停业"
    rule = {"subject": "kind:broker", "counts": "1", "valid_from": str(timezone.localdate()), "source": "县文件"}
    assert browser.post("/operators/directory/rules/add", rule).status_code == 302
    made = ScaleRule.objects.get(region=YAZHOU)
    assert (made.basis, made.subject) == ("kind", "broker")
    assert browser.post(f"/operators/directory/rules/{made.uid}/end").status_code == 302
    assert browser.post("/operators/directory/terms", {"fresh_months": "3", "idle_months": "2"}).status_code == 302
    assert DirectoryTerms.objects.get().fresh_months == 3


def test_it_is_exported_with_a_purpose_on_record(zhao: User) -> None:
    coop(name="崖州湾豇豆合作社")
    settle()
    browser = client_of(zhao)
    assert browser.post("/operators/directory/export", {"reason": ""}).status_code == 302
    assert not Entry.objects.filter(action="directory.exported").exists()
    answer = browser.post("/operators/directory/export", {"reason": "年度核查", "what": "incomplete"})
    assert answer["Content-Type"].startswith("application/vnd.openxml")
    told = Entry.objects.get(action="directory.exported").details
    assert (told["rows"], told["purpose"]) == (1, "年度核查")
