from decimal import Decimal

import pytest

from nongma.accounts.models import Membership, Role, User
from nongma.audit.queries import history_of
from nongma.lib.quadkeys import cell
from nongma.origins.models import Origin
from nongma.registry.models import Base
from nongma.testing import LI_PHONE, LIANDU, YAZHOU, client_of, make_official, make_origin


def test_a_reviewer_sees_the_record_and_the_next_step(zhao: User, li_origin: Origin) -> None:
    page = client_of(zhao).get(li_origin.get_absolute_url()).content.decode()
    assert "审核通过" in page
    assert "109.158151,18.435040" in page
    assert "199****5935" in page
    assert LI_PHONE not in page
    for name, masked in (("李大山</dd>", "李**</dd>"), ("冯玉强", "冯**"), ("卫秀春", "卫**")):
        assert name not in page
        assert masked in page


def test_another_county_does_not_find_it(sun: User, chen: User, li_origin: Origin) -> None:
    for user in (sun, chen):
        assert client_of(user).get(li_origin.get_absolute_url()).status_code == 404
    assert client_of(sun).post(f"{li_origin.get_absolute_url()}/approve").status_code == 404
    li_origin.refresh_from_db()
    assert li_origin.state == "submitted"


def test_it_is_approved_from_its_page(zhao: User, li_origin: Origin) -> None:
    answer = client_of(zhao).post(f"{li_origin.get_absolute_url()}/approve", follow=True)
    assert "审核通过了" in answer.content.decode()
    again = client_of(zhao).post(f"{li_origin.get_absolute_url()}/approve", follow=True)
    assert "已由赵" in again.content.decode()
    assert len(history_of(li_origin)) == 1


def test_it_is_returned_with_a_reason_and_corrected(zhao: User, wang: User, li_origin: Origin) -> None:
    address = li_origin.get_absolute_url()
    assert "请填写退回原因" in client_of(zhao).post(f"{address}/return", {"reason": ""}).content.decode()
    client_of(zhao).post(f"{address}/return", {"reason": "规模不对"})
    collector = client_of(wang)
    assert "规模不对" in collector.get(address).content.decode()
    form = collector.get(f"{address}/correct").context["form"]
    given = {name: form[name].value() for name in form.fields}
    wrong = collector.post(f"{address}/correct", given | {"scale": "很多", "phone": "123"})
    assert set(wrong.context["form"].errors) == {"scale", "phone"}
    far = collector.post(f"{address}/correct", given | {"longitude": "119.874341", "latitude": "28.203296"})
    assert "点位不在所填的县" in far.content.decode()
    done = collector.post(f"{address}/correct", given | {"scale": "12.5"})
    assert done.status_code == 302
    li_origin.refresh_from_db()
    assert (li_origin.state, li_origin.scale) == ("submitted", Decimal("12.50"))
    assert (li_origin.phone, li_origin.collector_phone) == (LI_PHONE, "19900008499")


def test_a_correction_shows_no_phone_and_keeps_what_is_left_empty(wang: User, li_origin: Origin) -> None:
    Origin.objects.update(state="returned", return_reason="电话打不通")
    address = f"{li_origin.get_absolute_url()}/correct"
    client = client_of(wang)
    answer = client.get(address)
    page = answer.content.decode()
    for personal in (LI_PHONE, "19900004633", "19900008499", "冯玉强", "卫秀春"):
        assert personal not in page
    assert 'placeholder="199****5935"' in page
    assert "留空＝不改" in page
    form = answer.context["form"]
    given = {name: form[name].value() for name in form.fields}
    assert client.post(address, given | {"grid_phone": "19900001111", "grid_name": "冯小强"}).status_code == 302
    li_origin.refresh_from_db()
    assert (li_origin.phone, li_origin.grid_phone, li_origin.collector_phone) == (
        LI_PHONE,
        "19900001111",
        "19900008499",
    )
    assert (li_origin.contact, li_origin.grid_name, li_origin.collector_name) == ("李大山", "冯小强", "卫秀春")
    assert set(history_of(li_origin)[0].details["fields"]) == {"grid_name", "grid_phone"}


def test_a_draft_is_located_from_its_page(wang: User, li_origin: Origin) -> None:
    draft = make_origin(
        li_origin.base,
        li_origin.product,
        collected_by=wang,
        state="to_locate",
        longitude=None,
        latitude=None,
        quadkey=None,
    )
    address = f"{draft.get_absolute_url()}/locate"
    client = client_of(wang)
    assert client.get(address).status_code == 200
    wrong = client.post(address, {"longitude": "109.15", "latitude": "18.43"})
    assert "小数点后 6 位" in wrong.content.decode()
    client.post(address, {"longitude": "109.160001", "latitude": "18.430001"})
    draft.refresh_from_db()
    assert (draft.state, draft.point) == ("submitted", "109.160001,18.430001")


def test_names_and_phones_are_shown_to_who_needs_them(zhao: User, wang: User, hainan: User, li_origin: Origin) -> None:
    address = f"{li_origin.get_absolute_url()}/phones"
    for user in (zhao, wang):
        page = client_of(user).post(address).content.decode()
        assert all(whole in page for whole in (LI_PHONE, "冯玉强", "卫秀春"))
        entry = history_of(li_origin)[0]
        assert (entry.action, entry.actor_id) == ("origin.revealed", user.pk)
    assert client_of(hainan).post(address).status_code == 403
    assert len(history_of(li_origin)) == 2


def test_the_map_opens_on_the_own_place_and_says_what_stands_there(zhao: User, sun: User, li_origin: Origin) -> None:
    page = client_of(zhao).get("/origins/map", {"product": "豇豆"})
    west, south, east, north = (float(edge) for edge in page.context["bounds"].split(","))
    assert west < 109.158151 < east
    assert south < 18.435040 < north
    assert 'data-query="product=' in page.content.decode()
    assert li_origin.quadkey is not None
    here = f"/origins/here?cell=21/{cell(li_origin.quadkey, 21)}"
    assert "豇豆" in client_of(zhao).get(here).content.decode()
    assert "豇豆" in client_of(zhao).get(f"/origins/here?id={li_origin.uid}").content.decode()
    assert "豇豆" not in client_of(sun).get(here).content.decode()


@pytest.mark.parametrize("query", ["cell=99/1", "cell=x", "id=1", "cell=3/-1", "", "cell=21/1&on_sale=x"])
def test_a_place_that_makes_no_sense_is_not_found(zhao: User, query: str) -> None:
    assert client_of(zhao).get(f"/origins/here?{query}").status_code == 404


@pytest.fixture
def two_posts(db: None) -> User:
    """Who reviews in 莲都区 and only analyses in 崖州区."""
    user = make_official("both", "周两岗", Role.REVIEWER, LIANDU)
    post = make_official("analyst", "吴分析", Role.ANALYST, YAZHOU).memberships.get()
    Membership.objects.create(user=user, agency=post.agency, role=Role.ANALYST, from_on=post.from_on)
    return user


@pytest.mark.parametrize("state", ["submitted", "to_locate", "returned"])
def test_a_record_offers_nothing_that_the_post_there_does_not_allow(
    two_posts: User, li_origin: Origin, state: str
) -> None:
    where = {"longitude": None, "latitude": None, "quadkey": None} if state == "to_locate" else {}
    Origin.objects.update(state=state, return_reason="不对" if state == "returned" else "", **where)
    context = client_of(two_posts).get(li_origin.get_absolute_url()).context
    assert not any(context[name] for name in ("may_decide", "may_locate", "may_correct", "may_reveal"))
    client_of(two_posts).post(f"{li_origin.get_absolute_url()}/approve")
    client_of(two_posts).post(f"{li_origin.get_absolute_url()}/return", {"reason": "不对"})
    li_origin.refresh_from_db()
    assert li_origin.state == state
    assert not history_of(li_origin)


def test_the_next_one_is_one_that_the_reviewer_may_decide(
    two_posts: User, li_origin: Origin, chen_base: Base, wang: User
) -> None:
    client = client_of(two_posts)
    there = make_origin(chen_base, li_origin.product, collected_by=wang)
    assert client.get(li_origin.get_absolute_url()).context["next"] == there
    page = client.get(there.get_absolute_url())
    assert page.context["next"] is None
    assert page.context["may_decide"]
