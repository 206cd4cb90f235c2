"""What is on file comes into the collection calendar by sweeps of whole divisions."""

from datetime import date

import pytest
from django.utils import timezone

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.origins.due.sweeping import run_sweeps, sweep
from nongma.origins.models import Due, DueSweep
from nongma.origins.tests.test_due_calendar import open_due, put
from nongma.registry.models import Base, Operator
from nongma.testing import YAZHOU_VILLAGE, make_base


def test_what_is_on_file_comes_into_the_calendar_without_a_past(li_base: Base, pigs: Product, wang: User) -> None:
    today = timezone.localdate()
    origin = put(li_base, pigs, wang, date(2024, 1, 10))
    Due.objects.all().delete()
    sweep(0)
    assert run_sweeps() == 1
    due = open_due(origin)
    assert due.opens_on == today.replace(day=1)
    assert not DueSweep.objects.exists()
    sweep(0)
    run_sweeps()
    assert Due.objects.get() == due


def test_a_sweep_goes_on_where_it_was_cut_off(
    li_operator: Operator, pigs: Product, wang: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        put(make_base(li_operator, region=YAZHOU_VILLAGE, point=None), pigs, wang, date(2024, 1, 10), state="to_locate")
    Due.objects.all().delete()
    monkeypatch.setattr("nongma.origins.due.sweeping.BATCH", 2)
    sweep(0)
    from nongma.origins.due import sweeping

    assert sweeping._step() == 2
    assert Due.objects.count() == 2
    assert DueSweep.objects.get().last_region == YAZHOU_VILLAGE
    run_sweeps()
    assert Due.objects.count() == 5
    assert not DueSweep.objects.exists()
