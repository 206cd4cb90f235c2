from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from nongma.accounts.models import Membership, Role, User
from nongma.audit.models import Entry
from nongma.audit.queries import history_of
from nongma.catalogue.models import Product
from nongma.lib.refused import Refused
from nongma.origins.filters import OriginFilter
from nongma.origins.models import DirtyCell, Origin, ReviewJob
from nongma.origins.services.review import (
    Verdict,
    approve_origin,
    decide_origins,
    return_origin,
    run_review_job,
    start_review_job,
)
from nongma.registry.models import Base
from nongma.testing import LIANDU, YAZHOU, at_once, make_official, make_origin


@pytest.fixture
def ten(li_base: Base, cowpea: Product, wang: User) -> list[Origin]:
    return [make_origin(li_base, cowpea, collected_by=wang) for _ in range(10)]


@pytest.fixture
def chen_origin(chen_base: Base, cowpea: Product, sun: User) -> Origin:
    return make_origin(chen_base, cowpea, collected_by=sun)


def states() -> list[str]:
    return list(Origin.objects.order_by("pk").values_list("state", flat=True))


def test_it_approves(zhao: User, li_origin: Origin) -> None:
    approved = approve_origin(origin=li_origin, actor=zhao)
    li_origin.refresh_from_db()
    assert approved.state == li_origin.state == "approved"
    assert li_origin.reviewed_by == zhao
    assert history_of(li_origin)[0].action == "origin.approved"
    assert DirtyCell.objects.count() == 1


def test_it_returns_with_a_reason(zhao: User, li_origin: Origin) -> None:
    return_origin(origin=li_origin, reason=" 点位在  海里 ", actor=zhao)
    li_origin.refresh_from_db()
    assert (li_origin.state, li_origin.return_reason) == ("returned", "点位在 海里")
    assert history_of(li_origin)[0].details == {"reason": "点位在 海里"}


@pytest.mark.parametrize(
    ("reason", "code"), [("", "reason_missing"), ("  ", "reason_missing"), ("长" * 201, "reason_too_long")]
)
def test_it_returns_nothing_without_a_good_reason(zhao: User, li_origin: Origin, reason: str, code: str) -> None:
    for act in (
        lambda: return_origin(origin=li_origin, reason=reason, actor=zhao),
        lambda: decide_origins(origins=Origin.objects.all(), verdict=Verdict.RETURN, reason=reason, actor=zhao),
    ):
        with pytest.raises(Refused) as refusal:
            act()
        assert refusal.value.code == code
    assert states() == ["submitted"]
    assert not history_of(li_origin)


def test_the_second_reviewer_is_told_who_was_first(zhao: User, hainan_reviewer: User, li_origin: Origin) -> None:
    approve_origin(origin=li_origin, actor=zhao)
    with pytest.raises(Refused) as refusal:
        return_origin(origin=li_origin, reason="不对", actor=hainan_reviewer)
    assert refusal.value.code == "already_decided"
    assert zhao.name in refusal.value.message
    assert "审核通过" in refusal.value.message
    assert states() == ["approved"]
    assert len(history_of(li_origin)) == 1


def test_it_refuses_another_county_and_a_draft(sun: User, zhao: User, li_origin: Origin) -> None:
    with pytest.raises(Refused, match="管辖范围") as refusal:
        approve_origin(origin=li_origin, actor=sun)
    assert refusal.value.code == "outside_area"
    Origin.objects.update(state="to_locate")
    with pytest.raises(Refused) as refusal:
        approve_origin(origin=li_origin, actor=zhao)
    assert refusal.value.code == "not_submitted"
    assert states() == ["to_locate"]
    assert not DirtyCell.objects.exists()


def test_it_refuses_who_does_not_review(wang: User, li_origin: Origin) -> None:
    with pytest.raises(Refused) as refusal:
        approve_origin(origin=li_origin, actor=wang)
    assert refusal.value.code == "not_reviewer"
    assert states() == ["submitted"]


def test_it_approves_a_filtered_whole_and_passes_over_the_rest(
    zhao: User, ten: list[Origin], chen_origin: Origin
) -> None:
    approve_origin(origin=ten[0], actor=zhao)
    done = decide_origins(origins=OriginFilter().visible_to(zhao), verdict=Verdict.APPROVE, actor=zhao)
    assert (done.decided, done.passed_over) == (9, 1)
    assert states() == ["approved"] * 10 + ["submitted"]
    assert Entry.objects.filter(action="origin.approved").count() == 10
    assert DirtyCell.objects.count() == 2


def test_a_selection_never_reaches_beyond_the_area(zhao: User, chen_origin: Origin) -> None:
    done = decide_origins(origins=Origin.objects.all(), verdict=Verdict.APPROVE, actor=zhao)
    assert (done.decided, done.passed_over) == (0, 1)
    assert states() == ["submitted"]


@pytest.mark.django_db(transaction=True)
def test_two_reviewers_at_once_decide_once(zhao: User, hainan_reviewer: User, li_origin: Origin) -> None:
    results = at_once(
        lambda: return_origin(origin=li_origin, reason="看过", actor=zhao) and "decided",
        lambda: return_origin(origin=li_origin, reason="也看过", actor=hainan_reviewer) and "decided",
    )
    assert sorted(results) == ["already_decided", "decided"]
    assert len(history_of(li_origin)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_wholes_at_once_decide_each_record_once(
    zhao: User, hainan_reviewer: User, li_base: Base, cowpea: Product, wang: User
) -> None:
    for _ in range(60):
        make_origin(li_base, cowpea, collected_by=wang)

    def decide(reviewer: User, verdict: Verdict) -> int:
        origins = Origin.objects.visible_to(reviewer)
        return decide_origins(origins=origins, verdict=verdict, reason="重来", actor=reviewer).decided

    counts = at_once(lambda: decide(zhao, Verdict.APPROVE), lambda: decide(hainan_reviewer, Verdict.RETURN))
    assert sum(counts) == 60
    assert Entry.objects.filter(action__in=("origin.approved", "origin.returned")).count() == 60


def test_a_job_decides_what_stood_there_when_it_was_asked(zhao: User, ten: list[Origin], wang: User) -> None:
    Origin.objects.filter(pk=ten[0].pk).update(updated_at=timezone.now() + timedelta(minutes=1))
    filters = OriginFilter()
    job = start_review_job(
        filters=filters.parameters(),
        description=filters.describe(),
        origins=filters.visible_to(zhao),
        until=timezone.now(),
        verdict=Verdict.APPROVE,
        actor=zhao,
    )
    assert job.total == 9
    run_review_job(job.pk)
    run_review_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.decided) == (ReviewJob.Status.DONE, 9)
    assert states() == ["submitted"] + ["approved"] * 9


def test_a_job_of_who_lost_the_post_decides_nothing(zhao: User, ten: list[Origin]) -> None:
    job = start_review_job(
        filters={},
        description="",
        origins=Origin.objects.visible_to(zhao),
        until=timezone.now(),
        verdict=Verdict.RETURN,
        reason="不全",
        actor=zhao,
    )
    zhao.memberships.update(to_on=timezone.localdate() - timedelta(days=1))
    run_review_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.decided) == (ReviewJob.Status.FAILED, 0)
    assert states() == ["submitted"] * 10


def test_a_job_whose_filter_went_stale_ends_with_a_sentence(zhao: User, ten: list[Origin]) -> None:
    job = start_review_job(
        filters={"region": "469999000000"},
        description="",
        origins=Origin.objects.visible_to(zhao),
        until=timezone.now(),
        verdict=Verdict.APPROVE,
        actor=zhao,
    )
    run_review_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.decided) == (ReviewJob.Status.FAILED, 0)
    assert job.message == "筛选条件已经失效：没有这个行政区划，请填 12 位区划代码。请重新筛选"
    assert job.finished_at
    assert states() == ["submitted"] * 10


@pytest.fixture
def two_posts(db: None) -> User:
    """Who reviews in 莲都区 and only analyses in 崖州区."""
    user = make_official("both", "周两岗", Role.REVIEWER, LIANDU)
    post = make_official("analyst", "吴分析", Role.ANALYST, YAZHOU).memberships.get()
    Membership.objects.create(user=user, agency=post.agency, role=Role.ANALYST, from_on=post.from_on)
    return user


def test_who_holds_two_posts_reviews_where_the_post_is(two_posts: User, li_origin: Origin, chen_origin: Origin) -> None:
    for act in (
        lambda: approve_origin(origin=li_origin, actor=two_posts),
        lambda: return_origin(origin=li_origin, reason="不对", actor=two_posts),
    ):
        with pytest.raises(Refused) as refusal:
            act()
        assert refusal.value.code == "outside_area"
    assert states() == ["submitted"] * 2
    seen = Origin.objects.visible_to(two_posts)
    assert seen.count() == 2
    job = start_review_job(
        filters={}, description="", origins=seen, until=timezone.now(), verdict=Verdict.APPROVE, actor=two_posts
    )
    assert job.total == 1
    done = decide_origins(origins=seen, verdict=Verdict.APPROVE, actor=two_posts)
    assert (done.decided, done.passed_over) == (1, 1)
    li_origin.refresh_from_db()
    assert li_origin.state == "submitted"


def test_a_decision_is_told_to_the_shoppers_pages(
    zhao: User, sun: User, ten: list[Origin], li_base: Base, chen_origin: Origin, told: Callable[[], set[str]]
) -> None:
    with pytest.raises(Refused):
        approve_origin(origin=ten[0], actor=sun)
    assert not told()
    approve_origin(origin=chen_origin, actor=sun)
    assert told() == {str(chen_origin.base.uid), str(chen_origin.operator.uid)}
    decide_origins(origins=OriginFilter().visible_to(zhao), verdict=Verdict.RETURN, reason="重来", actor=zhao)
    assert {str(li_base.uid), str(li_base.operator.uid)} <= told()
