from decimal import Decimal

import pytest
from django.test import Client

from nongma.accounts.models import User
from nongma.audit.queries import history_of
from nongma.catalogue.models import Product
from nongma.lib.refused import Refused
from nongma.origins.doubts.looking import look
from nongma.origins.doubts.marks import mark
from nongma.origins.doubts.queries import Rate, rated, rates
from nongma.origins.doubts.services import withdraw
from nongma.origins.filters import OriginFilter
from nongma.origins.models import Doubt, Origin, ReviewJob
from nongma.origins.services.review import (
    Verdict,
    approve_origin,
    decide_origins,
    return_origin,
    run_review_job,
    start_review_job,
)
from nongma.registry.models import Base
from nongma.testing import LI_POINT, LIANDU, YAZHOU, api_of, client_of, make_base, make_operator, make_origin


def look_at(*origins: Origin) -> None:
    mark(origin.pk for origin in origins)
    look()


@pytest.fixture
def doubted(li_base: Base, cowpea: Product, wang: User) -> Origin:
    """Li's record, located poorly and by a phone far away."""
    origin = make_origin(
        li_base,
        cowpea,
        collected_by=wang,
        accuracy_m=Decimal(40),
        device_longitude=LI_POINT[0] + Decimal("0.01"),
        device_latitude=LI_POINT[1],
    )
    look_at(origin)
    assert states() == {"accuracy": "open", "device": "open"}
    return origin


def states() -> dict[str, str]:
    return dict(Doubt.objects.values_list("kind", "state"))


def test_an_approval_says_that_nothing_is_wrong(doubted: Origin, zhao: User) -> None:
    approve_origin(origin=doubted, actor=zhao)
    assert states() == {"accuracy": "wrong", "device": "wrong"}
    assert set(Doubt.objects.values_list("closed_by", flat=True)) == {zhao.pk}
    look()
    assert rates(["accuracy"], county=YAZHOU) == ({"accuracy": Rate(0, 1)}, {"accuracy": Rate(0, 1)})


def test_a_return_says_which_are_right_and_leaves_the_others_open(doubted: Origin, zhao: User) -> None:
    return_origin(origin=doubted, reason="没有到地里", right={"device", "town"}, actor=zhao)
    assert states() == {"accuracy": "open", "device": "right"}
    assert history_of(doubted)[0].details == {"reason": "没有到地里", "doubts": "采集时不在现场"}
    look()
    here, everywhere = rates(["device"], county=LIANDU)
    assert (here["device"].words, everywhere["device"].words) == ("还没有判过", "判过 1 条，1 条属实（100%）")


def test_a_refused_decision_judges_nothing(doubted: Origin, sun: User) -> None:
    with pytest.raises(Refused):
        return_origin(origin=doubted, reason="不对", right={"device"}, actor=sun)
    assert states() == {"accuracy": "open", "device": "open"}


def test_many_are_judged_together(doubted: Origin, zhao: User) -> None:
    decide_origins(origins=Origin.objects.all(), verdict=Verdict.RETURN, reason="请重新定位", actor=zhao)
    assert states() == {"accuracy": "open", "device": "open"}
    Origin.objects.update(state="submitted")
    decide_origins(
        origins=Origin.objects.all(), verdict=Verdict.RETURN, reason="请重新定位", doubt="accuracy", actor=zhao
    )
    assert states() == {"accuracy": "right", "device": "open"}
    Origin.objects.update(state="submitted")
    decide_origins(origins=Origin.objects.all(), verdict=Verdict.APPROVE, actor=zhao)
    assert states() == {"accuracy": "right", "device": "wrong"}


def test_a_whole_picked_by_a_kind_of_doubt_confirms_that_kind(doubted: Origin, zhao: User) -> None:
    filters = OriginFilter.read({"doubt": "device"}, zhao)
    job = start_review_job(
        filters=filters.parameters(),
        description=filters.describe(),
        origins=filters.visible_to(zhao),
        until=Origin.objects.latest("updated_at").updated_at,
        verdict=Verdict.RETURN,
        reason="没有到地里",
        actor=zhao,
    )
    run_review_job(job.pk)
    assert ReviewJob.objects.get().decided == 1
    assert states() == {"accuracy": "open", "device": "right"}


def test_one_that_says_nothing_is_taken_away_and_stays_away(doubted: Origin, zhao: User, sun: User) -> None:
    doubt = Doubt.objects.get(kind="device")
    for reason, actor, code in (("", zhao, "reason_missing"), ("不对", sun, "outside_area")):
        with pytest.raises(Refused) as refusal:
            withdraw(doubt=doubt, reason=reason, actor=actor)
        assert refusal.value.code == code
        assert states()["device"] == "open"
    withdraw(doubt=doubt, reason="手机没有信号", actor=zhao)
    assert history_of(doubted)[0].action == "origin.doubt_withdrawn"
    look_at(doubted)
    assert states() == {"accuracy": "open", "device": "withdrawn"}
    with pytest.raises(Refused) as refusal:
        withdraw(doubt=doubt, reason="再来", actor=zhao)
    assert refusal.value.code == "doubt_closed"


@pytest.mark.parametrize(("asked", "found"), [("", 2), ("any", 1), ("none", 1), ("device", 1), ("town", 0)])
def test_list_api_and_map_find_them_alike(
    doubted: Origin, wang: User, zhao: User, cowpea: Product, asked: str, found: int
) -> None:
    from nongma.origins.tiles import tile

    plain = make_base(make_operator(region=YAZHOU), point=(LI_POINT[0] + Decimal("0.02"), LI_POINT[1]))
    make_origin(plain, cowpea, collected_by=wang)
    filters = OriginFilter.read({"doubt": asked}, zhao)
    assert filters.visible_to(zhao).count() == found
    assert len(api_of(zhao).get(f"/api/v1/origins?doubt={asked}").json()["items"]) == found
    assert bool(tile(filters, zhao, 8, 205, 114)) == bool(found)
    page = client_of(zhao).get(f"/origins/?doubt={asked}").content.decode()
    assert ("2 个疑点" in page) == (asked in {"", "any", "device"})


def test_a_grower_is_not_told(doubted: Origin, li: User) -> None:
    client = client_of(li)
    assert "疑点" not in client.get(f"/origins/{doubted.uid}").content.decode()
    assert "疑点" not in client.get("/origins/").content.decode()
    assert OriginFilter.read({"doubt": "none"}, li).visible_to(li).count() == 1
    assert client.get("/origins/doubts").status_code == 404


def test_the_record_tells_why_and_how_often_that_is_right(doubted: Origin, zhao: User) -> None:
    page = client_of(zhao).get(f"/origins/{doubted.uid}").content.decode()
    assert "定位精度 40 米，差于 15 米" in page
    assert "本县还没有判过；全部还没有判过" in page
    assert page.count('name="right"') == 2


def test_the_other_record_shows_only_where_it_may_be_seen(li_origin: Origin, cowpea: Product, sun: User) -> None:
    beside = make_base(make_operator(region=LIANDU, name="另一县的种植户"), region=LIANDU, point=LI_POINT)
    origin = make_origin(beside, cowpea, collected_by=sun)
    look_at(origin)
    (one,) = [one for one in rated(origin, sun) if one.doubt.kind == "other_point"]
    assert one.doubt.other == li_origin
    assert one.other is None
    page = client_of(sun).get(f"/origins/{origin.uid}").content.decode()
    assert "另一条记录不在您的管辖范围内" in page
    assert li_origin.operator.name not in page


def test_the_county_page_counts(doubted: Origin, zhao: User) -> None:
    client: Client = client_of(zhao)
    page = client.get("/origins/doubts").content.decode()
    assert "定位不准" in page
    assert "没有水面、城区数据" in page
    assert client.get(f"/origins/doubts?region={LIANDU}").status_code == 404


def test_the_page_returns_with_ticks_and_takes_away(doubted: Origin, zhao: User) -> None:
    client = client_of(zhao)
    doubt = Doubt.objects.get(kind="accuracy")
    client.post(f"/origins/doubts/{doubt.uid}/withdraw", {"reason": "山里信号差"})
    client.post(f"/origins/{doubted.uid}/return", {"reason": "没有到地里", "right": ["device"]})
    assert states() == {"accuracy": "withdrawn", "device": "right"}


def test_programs_read_the_doubts_of_a_record(doubted: Origin, zhao: User, li: User, sun: User) -> None:
    path = f"/api/v1/origins/{doubted.uid}/doubts"
    first = api_of(zhao).get(path).json()[0]
    assert (first["kind"], first["state"], first["everywhere"]) == ("accuracy", "open", {"judged": 0, "right": 0})
    assert api_of(li).get(path).json() == []
    assert api_of(sun).get(path).status_code == 404
