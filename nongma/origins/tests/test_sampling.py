"""Drawing some of many records before the rest is decided."""

import hashlib

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.catalogue.models import Product
from nongma.lib.refused import Refused
from nongma.origins.filters import OriginFilter
from nongma.origins.models import Origin, ReviewJob, ReviewSample, SampledOrigin
from nongma.origins.reviewing.estimate import share_at_most
from nongma.origins.reviewing.sampling import (
    decide_rest,
    draw_sample,
    drop_sample,
    note_right,
    note_wrong,
    standing_of,
)
from nongma.origins.services.review import Verdict, approve_origin, run_review_job
from nongma.registry.models import Base
from nongma.testing import at_once, client_of, make_origin


@pytest.fixture
def waiting(li_base: Base, cowpea: Product, wang: User) -> list[Origin]:
    return [make_origin(li_base, cowpea, collected_by=wang) for _ in range(12)]


def draw(actor: User, size: int = 5) -> ReviewSample:
    return draw_sample(filters=OriginFilter(), until=timezone.now(), size=size, actor=actor)


def test_it_draws_what_its_seed_says(zhao: User, waiting: list[Origin]) -> None:
    sample = draw(zhao)
    ordered = sorted(waiting, key=lambda one: hashlib.md5(f"{sample.seed}{one.uid}".encode()).hexdigest())
    assert [one.origin for one in sample.drawn.all()] == ordered[:5]
    assert sample.total == 12
    assert Entry.objects.get(action="origin.sample_drawn").details["drawn"] == 5


def test_it_draws_all_of_few(zhao: User, waiting: list[Origin]) -> None:
    assert draw(zhao, size=50).drawn.count() == 12


def test_it_draws_only_what_waits_in_the_own_area(zhao: User, sun: User, waiting: list[Origin]) -> None:
    for one in waiting[:3]:
        approve_origin(origin=one, actor=zhao)
    assert draw(zhao, size=50).drawn.count() == 9
    with pytest.raises(Refused) as refusal:
        draw(sun)
    assert refusal.value.code == "nothing_waiting"
    assert ReviewSample.objects.count() == 1


@pytest.mark.parametrize("size", [0, 4, 201])
def test_it_refuses_to_draw_too_few_or_too_many(zhao: User, waiting: list[Origin], size: int) -> None:
    with pytest.raises(Refused) as refusal:
        draw(zhao, size=size)
    assert refusal.value.code == "size_invalid"
    assert not ReviewSample.objects.exists()


def test_who_does_not_review_draws_nothing(wang: User, waiting: list[Origin]) -> None:
    with pytest.raises(Refused) as refusal:
        draw(wang)
    assert refusal.value.code == "not_reviewer"
    assert not ReviewSample.objects.exists()


def test_the_rest_is_approved_when_all_drawn_are_looked_at(zhao: User, waiting: list[Origin]) -> None:
    sample = draw(zhao)
    drawn = list(sample.drawn.all())
    with pytest.raises(Refused) as refusal:
        decide_rest(sample=sample, verdict=Verdict.APPROVE, actor=zhao)
    assert refusal.value.code == "sample_unfinished"
    assert not ReviewJob.objects.exists()
    note_wrong(drawn=drawn[0], reason="点位在路上", actor=zhao)
    for one in drawn[1:]:
        note_right(drawn=one, actor=zhao)
    run_review_job(decide_rest(sample=sample, verdict=Verdict.APPROVE, actor=zhao).pk)
    states = dict(Origin.objects.values_list("pk", "state"))
    assert states.pop(drawn[0].origin_id) == "returned"
    assert set(states.values()) == {"approved"}
    sample.refresh_from_db()
    assert (sample.status, sample.verdict) == ("decided", "approve")
    told = Entry.objects.get(action="origin.sample_decided").details
    assert (told["drawn"], told["wrong"]) == (5, 1)


def test_the_rest_can_be_returned_at_any_time(zhao: User, waiting: list[Origin]) -> None:
    sample = draw(zhao)
    run_review_job(decide_rest(sample=sample, verdict=Verdict.RETURN, reason="整批重采", actor=zhao).pk)
    assert set(Origin.objects.values_list("state", "return_reason")) == {("returned", "整批重采")}


def test_what_somebody_else_decided_says_nothing(zhao: User, waiting: list[Origin]) -> None:
    sample = draw(zhao)
    first, second = sample.drawn.all()[:2]
    approve_origin(origin=first.origin, actor=zhao)
    approve_origin(origin=second.origin, actor=zhao)
    note_wrong(drawn=first, reason="不对", actor=zhao)
    note_right(drawn=second, actor=zhao)
    assert Origin.objects.filter(state="returned").count() == 0
    standing = standing_of(sample)
    assert (standing.gone, standing.looked, standing.left) == (2, 0, 3)
    assert standing.percent_at_most == 100


def test_a_record_is_looked_at_once(zhao: User, waiting: list[Origin]) -> None:
    drawn = draw(zhao).drawn.get(place=1)
    note_right(drawn=drawn, actor=zhao)
    with pytest.raises(Refused) as refusal:
        note_wrong(drawn=drawn, reason="不对", actor=zhao)
    assert refusal.value.code == "looked_already"
    assert Origin.objects.filter(state="returned").count() == 0


def test_a_return_without_reason_changes_nothing(zhao: User, waiting: list[Origin]) -> None:
    drawn = draw(zhao).drawn.get(place=1)
    with pytest.raises(Refused) as refusal:
        note_wrong(drawn=drawn, reason=" ", actor=zhao)
    assert refusal.value.code == "reason_missing"
    drawn.refresh_from_db()
    assert drawn.finding == ""
    assert Origin.objects.filter(state="returned").count() == 0


def test_a_dropped_draw_decides_nothing(zhao: User, waiting: list[Origin]) -> None:
    sample = draw(zhao)
    drop_sample(sample=sample, actor=zhao)
    for act in (
        lambda: decide_rest(sample=sample, verdict=Verdict.RETURN, reason="不对", actor=zhao),
        lambda: note_right(drawn=sample.drawn.get(place=1), actor=zhao),
        lambda: drop_sample(sample=sample, actor=zhao),
    ):
        with pytest.raises(Refused) as refusal:
            act()
        assert refusal.value.code == "sample_over"
    assert not ReviewJob.objects.exists()
    assert set(Origin.objects.values_list("state", flat=True)) == {"submitted"}


@pytest.mark.django_db(transaction=True)
def test_two_who_conclude_at_once_make_one_decision(zhao: User, li_base: Base, cowpea: Product, wang: User) -> None:
    make_origin(li_base, cowpea, collected_by=wang)
    sample = draw(zhao)
    note_right(drawn=sample.drawn.get(), actor=zhao)

    def conclude() -> str:
        decide_rest(sample=sample, verdict=Verdict.APPROVE, actor=zhao)
        return "done"

    assert sorted(at_once(conclude, conclude)) == ["done", "sample_over"]
    assert ReviewJob.objects.count() == 1


def test_the_pages_lead_from_the_filter_to_the_decision(zhao: User, waiting: list[Origin]) -> None:
    client = client_of(zhao)
    until = timezone.now().isoformat()
    page = client.post("/origins/decide", {"scope": "whole", "verdict": "approve", "until": until})
    assert "先抽查一些再通过" in page.content.decode()
    client.post("/origins/samples", {"size": "5", "until": until})
    sample = ReviewSample.objects.get()
    for one in sample.drawn.all()[:4]:
        address = reverse("origins:look", args=[sample.uid, one.origin.uid])
        assert f"抽查第 {one.place} 条" in client.get(address).content.decode()
        client.post(address, {"finding": "right"})
    last = reverse("origins:look", args=[sample.uid, sample.drawn.get(place=5).origin.uid])
    refused = client.post(last, {"finding": "wrong"})
    assert 'id="id_reason_error"' in refused.content.decode()
    assert SampledOrigin.objects.filter(finding="").count() == 1
    after = client.post(last, {"finding": "wrong", "reason": "点位在海里"}, follow=True).content.decode()
    assert "看了 5 条：没有问题 4 条，有问题 1 条" in after
    assert "不超过 66%" in after
    client.post(reverse("origins:conclude", args=[sample.uid]), {"verdict": "approve"})
    run_review_job(ReviewJob.objects.get().pk)
    assert Origin.objects.filter(state="approved").count() == 11
    assert "其余的通过" in client.get(sample.get_absolute_url()).content.decode()
    assert sample.description in client.get("/origins/samples").content.decode()


def test_a_draw_that_makes_no_sense_is_refused_in_words(zhao: User, waiting: list[Origin]) -> None:
    page = client_of(zhao).post("/origins/samples", {"size": "many"}, follow=True)
    assert "抽查条数请填 5 到 200" in page.content.decode()
    assert not ReviewSample.objects.exists()


def test_an_answer_that_is_none_decides_nothing(zhao: User, waiting: list[Origin]) -> None:
    sample = draw(zhao)
    client = client_of(zhao)
    first = reverse("origins:look", args=[sample.uid, sample.drawn.get(place=1).origin.uid])
    for answer in ({}, {"finding": "bogus"}):
        assert "没有记下" in client.post(first, answer, follow=True).content.decode()
    for one in sample.drawn.all():
        note_right(drawn=one, actor=zhao)
    for answer in ({}, {"verdict": "bogus"}):
        told = client.post(reverse("origins:conclude", args=[sample.uid]), answer, follow=True).content.decode()
        assert "没有办理" in told
    assert not ReviewJob.objects.exists()
    sample.refresh_from_db()
    assert sample.status == "looking"


def test_another_sees_no_draw_of_mine(zhao: User, hainan_reviewer: User, waiting: list[Origin]) -> None:
    sample = draw(zhao)
    assert client_of(hainan_reviewer).get(sample.get_absolute_url()).status_code == 404


def test_none_wrong_of_thirty_leaves_room_for_ten_percent() -> None:
    """Hanley and Lippman-Hand 1983: "rule of three", 3 / n; exactly 1 - 0.05 ** (1 / n)."""
    assert share_at_most(0, 30) == pytest.approx(1 - 0.05 ** (1 / 30), abs=1e-9)
    assert share_at_most(0, 0) == share_at_most(3, 3) == 1.0


@given(st.integers(1, 200).flatmap(lambda looked: st.tuples(st.integers(0, looked), st.just(looked))))
def test_the_share_is_never_below_what_was_seen(seen: tuple[int, int]) -> None:
    wrong, looked = seen
    assert wrong / looked <= share_at_most(wrong, looked) <= 1
