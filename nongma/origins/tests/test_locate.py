from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from nongma.accounts.models import Membership, Role, User
from nongma.audit.queries import history_of
from nongma.catalogue.models import Product
from nongma.lib.quadkeys import quadkey
from nongma.lib.refused import Refused
from nongma.origins.models import DirtyCell, Origin
from nongma.origins.services.locate import Correction, correct_origin, locate_origin, reveal_phones
from nongma.origins.services.placing import read_point
from nongma.registry.models import Base, Operator
from nongma.testing import LI_POINT, LIANDU, YAZHOU, YAZHOU_VILLAGE, make_base, make_official, make_origin

ELSEWHERE = (Decimal("109.160001"), Decimal("18.430001"))
IN_ANOTHER_COUNTY = (Decimal("119.874341"), Decimal("28.203296"))


@pytest.fixture
def unlocated(li_operator: Operator) -> Base:
    return make_base(li_operator, region=YAZHOU_VILLAGE, point=None)


@pytest.fixture
def draft(unlocated: Base, cowpea: Product, wang: User) -> Origin:
    return make_origin(unlocated, cowpea, collected_by=wang, state="to_locate")


def test_a_visit_completes_a_draft(wang: User, draft: Origin, unlocated: Base) -> None:
    before = bytes(draft.identity)
    locate_origin(origin=draft, longitude=LI_POINT[0], latitude=LI_POINT[1], actor=wang)
    draft.refresh_from_db()
    unlocated.refresh_from_db()
    assert draft.state == "submitted"
    assert (draft.longitude, draft.latitude) == (unlocated.longitude, unlocated.latitude) == LI_POINT
    assert draft.quadkey == unlocated.quadkey == quadkey(float(LI_POINT[0]), float(LI_POINT[1]))
    assert bytes(draft.identity)[:12] == before[:12]
    assert history_of(draft)[0].action == "origin.located"
    assert DirtyCell.objects.count() == 1


@pytest.mark.parametrize(
    ("point", "code"),
    [
        (IN_ANOTHER_COUNTY, "outside-county"),
        ((Decimal("109.1581"), Decimal("18.435040")), "too-few-decimals"),
        ((Decimal("18.435040"), Decimal("109.158151")), "swapped-or-out-of-range"),
        ((Decimal("9.158151"), Decimal("8.435040")), "swapped-or-out-of-range"),
    ],
)
def test_it_refuses_a_point_that_can_not_be(
    wang: User, draft: Origin, point: tuple[Decimal, Decimal], code: str
) -> None:
    with pytest.raises(Refused) as refusal:
        locate_origin(origin=draft, longitude=point[0], latitude=point[1], actor=wang)
    assert refusal.value.code == code
    draft.refresh_from_db()
    assert (draft.state, draft.quadkey) == ("to_locate", None)
    assert not history_of(draft)
    assert not DirtyCell.objects.exists()


def test_a_number_may_have_lost_its_zeros_but_a_text_not() -> None:
    assert read_point(109.15815, 18.43504) == (Decimal("109.158150"), Decimal("18.435040"))
    with pytest.raises(Refused) as refusal:
        read_point("109.15815", "18.43504")
    assert refusal.value.code == "too-few-decimals"


def test_it_refuses_what_has_a_point_and_who_may_not(
    wang: User, sun: User, chen: User, qian: User, li_origin: Origin, draft: Origin
) -> None:
    for origin, actor, code in (
        (li_origin, wang, "not_to_locate"),
        (draft, sun, "outside_area"),
        (draft, chen, "not_own_operator"),
        (draft, qian, "not_collector"),
    ):
        with pytest.raises(Refused) as refusal:
            locate_origin(origin=origin, longitude=LI_POINT[0], latitude=LI_POINT[1], actor=actor)
        assert refusal.value.code == code
    draft.refresh_from_db()
    assert draft.state == "to_locate"


def test_a_draft_joins_the_base_that_stands_there(wang: User, draft: Origin, li_base: Base, unlocated: Base) -> None:
    locate_origin(origin=draft, longitude=LI_POINT[0], latitude=LI_POINT[1], actor=wang)
    draft.refresh_from_db()
    unlocated.refresh_from_db()
    assert draft.base == li_base
    assert unlocated.quadkey is None


def test_two_drafts_of_one_key_can_not_stand_at_one_point(
    wang: User, draft: Origin, unlocated: Base, cowpea: Product
) -> None:
    twin = make_origin(
        unlocated, cowpea, collected_by=wang, state="to_locate", identity=bytes(draft.identity)[:12] + b"twin"
    )
    locate_origin(origin=draft, longitude=LI_POINT[0], latitude=LI_POINT[1], actor=wang)
    with pytest.raises(Refused) as refusal:
        locate_origin(origin=twin, longitude=LI_POINT[0], latitude=LI_POINT[1], actor=wang)
    assert refusal.value.code == "same_place"
    twin.refresh_from_db()
    assert twin.state == "to_locate"


def correction_of(origin: Origin) -> Correction:
    return Correction(**{name: getattr(origin, name) for name in Correction.__dataclass_fields__})


def test_a_returned_record_is_corrected_and_waits_again(wang: User, li_origin: Origin) -> None:
    Origin.objects.update(state="returned", return_reason="规模不对")
    li_origin.refresh_from_db()
    before = bytes(li_origin.fingerprint)
    correction = replace(correction_of(li_origin), scale=Decimal("3.50"), alias="豆角")
    correct_origin(origin=li_origin, correction=correction, actor=wang)
    li_origin.refresh_from_db()
    assert (li_origin.state, li_origin.scale, li_origin.alias) == ("submitted", Decimal("3.50"), "豆角")
    assert bytes(li_origin.fingerprint) != before
    entry = history_of(li_origin)[0]
    assert entry.action == "origin.changed"
    assert sorted(entry.details["fields"]) == ["alias", "scale"]
    assert entry.details["changes"]["scale"][1] == "3.50"
    assert entry.details["changes"]["alias"][1] == "豆角"


def test_the_log_tells_no_person_of_a_correction(wang: User, li_origin: Origin) -> None:
    Origin.objects.update(state="returned", return_reason="电话不对")
    li_origin.refresh_from_db()
    correction = replace(correction_of(li_origin), phone="19900007777", contact="李四")
    correct_origin(origin=li_origin, correction=correction, actor=wang)
    entry = history_of(li_origin)[0]
    assert (sorted(entry.details["fields"]), entry.details["changes"]) == (["contact", "phone"], {})


def test_it_corrects_nothing_but_what_came_back(wang: User, li_origin: Origin) -> None:
    with pytest.raises(Refused) as refusal:
        correct_origin(origin=li_origin, correction=replace(correction_of(li_origin), alias="新"), actor=wang)
    assert refusal.value.code == "not_returned"
    li_origin.refresh_from_db()
    assert li_origin.alias != "新"


def test_a_look_at_the_phones_is_on_record(zhao: User, hainan: User, li_origin: Origin) -> None:
    assert reveal_phones(origin=li_origin, actor=zhao).grower == li_origin.phone
    assert [entry.action for entry in history_of(li_origin)] == ["origin.revealed"]
    with pytest.raises(Refused) as refusal:
        reveal_phones(origin=li_origin, actor=hainan)
    assert refusal.value.code == "not_allowed"
    assert len(history_of(li_origin)) == 1


@pytest.fixture
def returned(li_origin: Origin) -> Origin:
    Origin.objects.update(state="returned", return_reason="点位在水库里")
    li_origin.refresh_from_db()
    return li_origin


def moved(origin: Origin) -> Correction:
    return replace(correction_of(origin), longitude=ELSEWHERE[0], latitude=ELSEWHERE[1])


def place_of(base: Base) -> tuple[Decimal | None, Decimal | None, int | None]:
    base.refresh_from_db()
    return base.longitude, base.latitude, base.quadkey


def test_a_corrected_point_takes_its_base_along(
    wang: User, returned: Origin, li_base: Base, told: Callable[[], set[str]]
) -> None:
    correct_origin(origin=returned, correction=moved(returned), actor=wang)
    returned.refresh_from_db()
    assert returned.base == li_base
    assert place_of(li_base) == (*ELSEWHERE, returned.quadkey)
    assert told() == {str(li_base.uid), str(li_base.operator.uid)}


def test_a_corrected_point_joins_the_base_that_stands_there(wang: User, returned: Origin, li_base: Base) -> None:
    there = make_base(li_base.operator, region=YAZHOU_VILLAGE, point=ELSEWHERE)
    before = place_of(li_base)
    correct_origin(origin=returned, correction=moved(returned), actor=wang)
    returned.refresh_from_db()
    assert returned.base == there
    assert place_of(li_base) == before


def test_a_base_stays_where_its_other_records_are(wang: User, returned: Origin, li_base: Base, cowpea: Product) -> None:
    other = make_origin(li_base, cowpea, collected_by=wang)
    before = place_of(li_base)
    correct_origin(origin=returned, correction=moved(returned), actor=wang)
    returned.refresh_from_db()
    other.refresh_from_db()
    assert place_of(li_base) == before
    assert other.base == li_base
    assert returned.base != li_base
    assert place_of(returned.base) == (*ELSEWHERE, returned.quadkey)


def test_a_refused_correction_moves_nothing(wang: User, returned: Origin, li_base: Base) -> None:
    before = place_of(li_base)
    far = replace(moved(returned), longitude=IN_ANOTHER_COUNTY[0], latitude=IN_ANOTHER_COUNTY[1])
    with pytest.raises(Refused) as refusal:
        correct_origin(origin=returned, correction=far, actor=wang)
    assert refusal.value.code == "outside-county"
    assert place_of(li_base) == before
    returned.refresh_from_db()
    assert (returned.state, returned.point) == ("returned", "109.158151,18.435040")


def test_who_collects_in_another_county_locates_there_only(draft: Origin) -> None:
    both = make_official("both", "周两岗", Role.ANALYST, YAZHOU)
    post = make_official("other", "吴采集", Role.COLLECTOR, LIANDU).memberships.get()
    Membership.objects.create(user=both, agency=post.agency, role=Role.COLLECTOR, from_on=post.from_on)
    with pytest.raises(Refused) as refusal:
        locate_origin(origin=draft, longitude=LI_POINT[0], latitude=LI_POINT[1], actor=both)
    assert refusal.value.code == "outside_area"
    draft.refresh_from_db()
    assert (draft.state, draft.quadkey) == ("to_locate", None)
