"""Until when a record is reviewed and corrected, and who was in time."""

from dataclasses import asdict
from datetime import date, timedelta

import pytest
from django.utils import timezone

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.lib.refused import Refused
from nongma.origins.due.terms import Terms, set_terms
from nongma.origins.filters import OriginFilter
from nongma.origins.forms import CorrectionForm
from nongma.origins.models import AnswerCount, Origin
from nongma.origins.reviewing.answers import answered, count_answers, overdue
from nongma.origins.services.locate import correct_origin
from nongma.origins.services.review import Verdict, approve_origin, decide_origins, return_origin
from nongma.origins.services.telling import prompt_of_overdue
from nongma.regions.models import Region
from nongma.regions.spans import EVERYWHERE
from nongma.registry.models import Base
from nongma.testing import YAZHOU, at_once, client_of, make_origin

USUAL = Terms()


def day(after: int) -> date:
    return timezone.localdate() + timedelta(days=after)


def correction_of(origin: Origin) -> dict[str, object]:
    form = CorrectionForm(origin=origin)
    return {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()} | {"scale": "9"}


def test_a_returned_record_has_a_deadline_and_an_approved_one_none(zhao: User, li_origin: Origin) -> None:
    return_origin(origin=li_origin, reason="点位不对", actor=zhao)
    li_origin.refresh_from_db()
    assert li_origin.due_on == day(USUAL.correct_days)
    Origin.objects.update(state="submitted", due_on=day(1))
    approve_origin(origin=li_origin, actor=zhao)
    li_origin.refresh_from_db()
    assert li_origin.due_on is None


def test_a_county_gives_its_own_days_to_what_comes_later(
    zhao: User, li_origin: Origin, li_base: Base, cowpea: Product, wang: User
) -> None:
    return_origin(origin=li_origin, reason="点位不对", actor=zhao)
    terms = Terms(**asdict(USUAL) | {"correct_days": 3})
    set_terms(region=Region.objects.get(pk=YAZHOU), terms=terms, actor=zhao)
    later = make_origin(li_base, cowpea, collected_by=wang)
    decide_origins(origins=Origin.objects.filter(pk=later.pk), verdict=Verdict.RETURN, reason="不对", actor=zhao)
    assert list(Origin.objects.order_by("pk").values_list("due_on", flat=True)) == [day(USUAL.correct_days), day(3)]


def test_a_corrected_record_waits_for_its_review_anew(zhao: User, wang: User, li_origin: Origin) -> None:
    return_origin(origin=li_origin, reason="规模不对", actor=zhao)
    Origin.objects.update(due_on=day(-1))
    li_origin.refresh_from_db()
    form = CorrectionForm(correction_of(li_origin), origin=li_origin)
    assert form.is_valid(), form.errors
    correct_origin(origin=li_origin, correction=form.correction(), actor=wang)
    li_origin.refresh_from_db()
    assert li_origin.due_on == day(USUAL.review_days)
    (late,) = AnswerCount.objects.filter(kind="correct")
    assert (late.user, late.on_time, late.late) == (wang, 0, 1)


def test_reviews_are_counted_by_whether_they_came_in_time(
    zhao: User, li_base: Base, cowpea: Product, wang: User
) -> None:
    for due_on in (day(0), day(-1), day(-9), None):
        make_origin(li_base, cowpea, collected_by=wang, due_on=due_on)
    decide_origins(origins=OriginFilter().visible_to(zhao), verdict=Verdict.APPROVE, actor=zhao)
    approve_origin(origin=make_origin(li_base, cowpea, collected_by=wang, due_on=day(2)), actor=zhao)
    (row,) = answered(zhao, EVERYWHERE, day(-40), day(0))
    assert (row.name, row.kind, row.on_time, row.late, row.rate) == (zhao.name, "审核", 3, 2, 60.0)


def test_a_refused_decision_counts_nothing(zhao: User, sun: User, li_origin: Origin) -> None:
    with pytest.raises(Refused):
        approve_origin(origin=li_origin, actor=sun)
    assert not AnswerCount.objects.exists()


def test_another_county_sees_none_of_it(zhao: User, sun: User, li_origin: Origin) -> None:
    Origin.objects.update(due_on=day(-1))
    assert overdue(zhao, EVERYWHERE) == {"review": 1, "correct": 0}
    assert overdue(sun, EVERYWHERE) == {"review": 0, "correct": 0}
    approve_origin(origin=li_origin, actor=zhao)
    assert answered(sun, EVERYWHERE, day(-40), day(0)) == []


@pytest.mark.django_db(transaction=True)
def test_two_who_count_at_once_count_both(zhao: User) -> None:
    def count() -> None:
        count_answers("review", [(zhao.pk, YAZHOU, None), (zhao.pk, YAZHOU, day(-1))])

    at_once(count, count, count)
    (row,) = AnswerCount.objects.all()
    assert (row.on_time, row.late) == (3, 3)


def test_who_is_late_is_told(zhao: User, wang: User, li_base: Base, cowpea: Product) -> None:
    make_origin(li_base, cowpea, collected_by=wang, due_on=day(-1))
    make_origin(li_base, cowpea, collected_by=wang, due_on=day(0))
    make_origin(li_base, cowpea, collected_by=wang, state="returned", return_reason="不对", due_on=day(-3))
    assert prompt_of_overdue() == 2
    assert "1 条产地信息过了审核期限" in client_of(zhao).get("/notices/").content.decode()
    assert "1 条退回的产地信息过了改正期限" in client_of(wang).get("/notices/").content.decode()
    Origin.objects.filter(state="returned").update(due_on=day(1))
    assert prompt_of_overdue() == 1
    assert "过了改正期限" not in client_of(wang).get("/notices/?unread=1").content.decode()


def test_the_pages_say_how_late_it_is(zhao: User, li_origin: Origin) -> None:
    Origin.objects.update(due_on=day(-4))
    client = client_of(zhao)
    assert "4 天" in client.get(li_origin.get_absolute_url()).content.decode()
    assert "过期限 4 天" in client.get("/origins/").content.decode()
    approve_origin(origin=li_origin, actor=zhao)
    page = client.get("/origins/dues/punctuality").content.decode()
    assert zhao.name in page
    assert "审核和改正" in page
