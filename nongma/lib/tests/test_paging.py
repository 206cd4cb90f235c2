import pytest
from pydantic import ValidationError

from nongma.lib.paging import Paging, paged, total_of
from nongma.regions.models import Region

HAINAN = Region.objects.filter(code__range=(460000000000, 469999999999)).order_by("code")


@pytest.mark.django_db
def test_it_cuts_a_list_into_pages() -> None:
    first = paged(HAINAN, Paging(page=1, page_size=3))
    second = paged(HAINAN, Paging(page=2, page_size=3), make=lambda region: region.code)
    assert [region.code for region in first["items"]] == list(HAINAN.values_list("code", flat=True)[:3])
    assert second["items"] == list(HAINAN.values_list("code", flat=True)[3:6])
    assert first["total"] == HAINAN.count()
    assert (second["page"], second["page_size"]) == (2, 3)


@pytest.mark.django_db
def test_it_is_empty_past_the_end() -> None:
    assert paged(HAINAN, Paging(page=100_000, page_size=200))["items"] == []


@pytest.mark.parametrize("wrong", [{"page": 0}, {"page": 100_001}, {"page_size": 0}, {"page_size": 201}])
def test_it_refuses_pages_that_do_not_exist(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Paging(**wrong)


@pytest.mark.django_db
def test_it_estimates_what_is_too_much_to_count() -> None:
    everything = Region.objects.order_by("code")
    assert total_of(everything, exact=100) > 500_000
    assert total_of(everything.filter(code__range=(460000000000, 469999999999)), exact=10) > 10


@pytest.mark.django_db
def test_it_estimates_nothing_of_an_impossible_filter() -> None:
    assert total_of(Region.objects.filter(pk__in=()), exact=10) == 0
