import pytest

from nongma.accounts.models import Role, User
from nongma.accounts.rollout.figures import recount_all
from nongma.testing import SANYA, YAZHOU, api_of, make_official

pytestmark = pytest.mark.django_db


def test_it_tells_the_progress_of_the_own_area(hainan: User) -> None:
    make_official("sanya", "三亚", Role.ADMINISTRATOR, SANYA)
    make_official("county", "县", Role.COLLECTOR, YAZHOU)
    recount_all()
    answer = api_of(hainan).get("/api/v1/rollout").json()
    assert (answer["total"]["name"], answer["total"]["agencies"], answer["total"]["people"]) == ("海南省", 3, 3)
    sanya = api_of(hainan).get("/api/v1/rollout?region=4602").json()
    assert [line["agencies"] for line in sanya["lines"] if line["name"] in {"本级", "崖州区"}] == [1, 1]
    assert sanya["missing_count"] == len(sanya["missing"]) == 3
    assert api_of(hainan).get("/api/v1/rollout?region=33").status_code == 404
