"""Pages of a list that may be as long as a nation's."""

import pytest

from nongma.lib import pages
from nongma.regions.models import Region

NATURAL = ("level", "code")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_LISTED", 120)
    monkeypatch.setattr(pages, "MOST_FOUND", 70)


@pytest.mark.django_db
@pytest.mark.parametrize("sort", ["name", "-name"])
def test_another_order_is_over_the_first_of_the_natural_one(sort: str) -> None:
    first = list(Region.objects.order_by(*NATURAL)[:120])
    shown = [
        region
        for number in (1, 2, 3)
        for region in pages.page_of(Region.objects.all(), (sort, "code"), number, natural=NATURAL).object_list
    ]
    assert {region.pk for region in shown} == {region.pk for region in first}
    ordered = list(Region.objects.filter(pk__in=[region.pk for region in first]).order_by(sort, "code"))
    assert shown == ordered
    page = pages.page_of(Region.objects.all(), (sort, "code"), 1, natural=NATURAL)
    assert (page.paginator.count, page.paginator.is_capped) == (120, True)


@pytest.mark.django_db
def test_another_order_of_a_short_list_is_over_all_of_it() -> None:
    short = Region.objects.filter(level=1)
    page = pages.page_of(short, ("-name", "code"), 1, natural=NATURAL)
    assert list(page.object_list) == list(short.order_by("-name", "code")[:50])
    assert (page.paginator.count, page.paginator.is_capped) == (short.count(), False)


@pytest.mark.django_db
def test_a_search_shows_the_first_found_and_says_that_there_are_more() -> None:
    everywhere = Region.objects.filter(name__contains="中")
    page = pages.page_of(everywhere, NATURAL, 2, natural=NATURAL, is_search=True)
    assert (page.paginator.count, page.paginator.is_capped, len(page.object_list)) == (70, True, 20)
    few = Region.objects.filter(level=1)
    page = pages.page_of(few, ("-name", "code"), 1, natural=NATURAL, is_search=True)
    assert list(page.object_list) == list(few.order_by("-name", "code"))
    assert (page.paginator.count, page.paginator.is_capped) == (few.count(), False)
