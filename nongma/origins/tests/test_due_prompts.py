"""Who is told what is to be collected: the collector, then the township, then the county, each once a day."""

import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from nongma.accounts.models import Membership, Role, User
from nongma.catalogue.models import Product
from nongma.lib.tests.workers import own_environment, wait_for
from nongma.notices.models import Notice
from nongma.origins.due.calendar import bring_up_to_date
from nongma.origins.due.prompts import prompt_all, prompt_day
from nongma.origins.due.terms import Terms
from nongma.origins.models import CollectionTerms, DuePrompt, Origin
from nongma.registry.models import Base, Operator
from nongma.testing import YAZHOU, YAZHOU_TOWN, YAZHOU_VILLAGE, make_base, make_official, make_origin

ROOT = Path(__file__).resolve().parents[3]
JANUARY, FEBRUARY = date(2026, 1, 10), date(2026, 2, 1)


def put(base: Base, product: Product, by: User, on: date, **fields: Any) -> Origin:
    values = {"scale": Decimal(2000), "on_sale_on": None, "off_sale_on": None} | fields
    origin = make_origin(base, product, collected_by=by, **values)
    Origin.objects.filter(pk=origin.pk).update(created_at=datetime.fromisoformat(f"{on}T12:00:00+08:00"))
    bring_up_to_date([origin.pk], today=on)
    return origin


def told(stage: str) -> dict[str, tuple[int, str]]:
    """Who has an unread notice of a stage: number and title."""
    notices = Notice.objects.unread().filter(about=f"dues.{stage}").select_related("user")
    return {notice.user.username: (notice.count, notice.heading) for notice in notices}


def test_the_collector_is_told_once_when_it_opens_and_once_on_the_last_day(
    li_base: Base, li_operator: Operator, pigs: Product, wang: User
) -> None:
    put(li_base, pigs, wang, JANUARY)
    put(make_base(li_operator, region=YAZHOU_VILLAGE, point=None), pigs, wang, JANUARY, state="to_locate")
    assert prompt_day(JANUARY) == 0
    assert prompt_day(FEBRUARY) == 1
    assert prompt_day(FEBRUARY) == 0
    assert told("opened") == {"wang": (2, "2 条产地信息要采集")}
    assert prompt_day(date(2026, 2, 27)) == 0
    assert prompt_day(date(2026, 2, 28)) == 1
    assert told("deadline") == {"wang": (2, "2 条产地信息今天是采集的最后一天")}


def test_what_is_left_alone_comes_round_each_month(li_base: Base, pigs: Product, wang: User) -> None:
    put(li_base, pigs, wang, JANUARY)
    assert prompt_day(date(2026, 3, 1)) == 1
    assert prompt_day(date(2026, 3, 31)) == 1
    assert set(told("deadline")) == {"wang"}


def test_township_and_county_are_told_of_what_is_overdue(
    li_base: Base, pigs: Product, wang: User, zhao: User, sun: User
) -> None:
    put(li_base, pigs, wang, JANUARY)
    assert prompt_day(date(2026, 3, 2)) == 0
    prompt_day(date(2026, 3, 3))
    assert told("town") == {"wang": (1, "辖区内 1 条产地信息逾期未采集")}
    assert told("county") == {}
    prompt_day(date(2026, 3, 10))
    assert told("county") == {"zhao": (1, "全县 1 条产地信息逾期未采集")}


def test_the_countys_own_terms_say_after_how_many_days(li_base: Base, pigs: Product, wang: User, zhao: User) -> None:
    terms = Terms(town_after=1, county_after=2)
    CollectionTerms.objects.create(region_id=YAZHOU, **vars(terms))
    put(li_base, pigs, wang, JANUARY)
    prompt_day(date(2026, 3, 1))
    assert set(told("town")) == {"wang"}
    assert set(told("county")) == set()
    prompt_day(date(2026, 3, 2))
    assert set(told("county")) == {"zhao"}


def test_what_somebody_left_behind_goes_to_who_collects_there_now(li_base: Base, pigs: Product, wang: User) -> None:
    put(li_base, pigs, wang, JANUARY)
    Membership.objects.filter(user=wang).update(to_on=date(2026, 1, 20))
    heir = make_official("heir", "新采集", Role.COLLECTOR, YAZHOU_TOWN)
    make_official("county-collector", "县采集", Role.COLLECTOR, YAZHOU)
    prompt_day(FEBRUARY)
    assert told("opened") == {heir.username: (1, "1 条产地信息要采集")}


def test_days_without_a_worker_are_made_up_for(li_base: Base, pigs: Product, wang: User) -> None:
    put(li_base, pigs, wang, JANUARY)
    DuePrompt.objects.create(day=date(2026, 1, 30), stage="opened", user=wang, number=1)
    assert prompt_all(date(2026, 2, 3)) == 1
    assert list(DuePrompt.objects.filter(day=FEBRUARY).values_list("stage", "user", "number")) == [
        ("opened", wang.pk, 1)
    ]
    assert prompt_all(date(2026, 2, 3)) == 0


def test_no_query_is_asked_for_each_person(
    li_operator: Operator, pigs: Product, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        collector = make_official(f"c{number}", f"采集{number}", Role.COLLECTOR, YAZHOU_TOWN)
        base = make_base(li_operator, region=YAZHOU_VILLAGE, point=None)
        put(base, pigs, collector, JANUARY, state="to_locate")
    with django_assert_max_num_queries(25):
        assert prompt_day(FEBRUARY) == 12


KILLED = """
import os, signal
from datetime import date
import django
django.setup()
from nongma.origins.due import prompts
prompts.BATCH = 5
tell, calls = prompts.notify_each, []
def then_die(**given):
    tell(**given)
    calls.append(1)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
prompts.notify_each = then_die
prompts.prompt_day(date(2026, 2, 1))
"""


@pytest.mark.slow
def test_a_worker_killed_in_between_leaves_nobody_out_and_tells_nobody_twice(
    transactional_db: None, wang: User, pigs: Product, li_operator: Operator
) -> None:
    for number in range(12):
        collector = make_official(f"c{number}", f"采集{number}", Role.COLLECTOR, YAZHOU_TOWN)
        base = make_base(li_operator, region=YAZHOU_VILLAGE, point=None)
        put(base, pigs, collector, JANUARY, state="to_locate")
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=ROOT, env=own_environment(), timeout=120)
    assert killed.returncode == -9
    # The second five were told and noted in a transaction that never ended: neither stands.
    wait_for(lambda: DuePrompt.objects.count() == 5)
    assert Notice.objects.filter(about="dues.opened").count() == 5
    Notice.objects.all().update(read_at="2026-02-01T09:00:00+08:00")
    assert prompt_day(FEBRUARY) == 7
    assert prompt_day(FEBRUARY) == 0
    users = Notice.objects.filter(about="dues.opened").values_list("user", flat=True)
    assert len(users) == len(set(users)) == 12
