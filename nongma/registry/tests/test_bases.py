"""Bases as they are drawn, described, changed and closed; what hangs on them stays where it was."""

import json
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nongma.accounts.models import Role
from nongma.audit.models import Entry
from nongma.lib.outlines import outline_mu
from nongma.lib.quadkeys import quadkey
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.registry.bases.queries import bases_of, doubts_of, plots_of, supervisor_of
from nongma.registry.bases.services import (
    add_base,
    add_plot,
    change_base,
    change_plot,
    close_base,
    close_plot,
    export_bases,
    reopen_base,
    version_of,
)
from nongma.registry.bulk import NewBase, enrol_bases
from nongma.registry.models import Base, Operator, Plot
from nongma.testing import (
    CHEN_POINT,
    LI_POINT,
    LIANDU,
    YAZHOU,
    YAZHOU_VILLAGE,
    api_of,
    at_once,
    client_of,
    make_base,
    make_official,
    make_origin,
)
from nongma.tracing.services import harvest_lot

FIELD = {
    "type": "Polygon",
    "coordinates": [[[109.158, 18.435], [109.16, 18.435], [109.16, 18.437], [109.158, 18.437], [109.158, 18.435]]],
}
HALF = {
    "type": "Polygon",
    "coordinates": [[[109.158, 18.435], [109.159, 18.435], [109.159, 18.437], [109.158, 18.437], [109.158, 18.435]]],
}
FAR = {
    "type": "Polygon",
    "coordinates": [[[116.39, 39.9], [116.391, 39.9], [116.391, 39.901], [116.39, 39.9]]],
}
TYPED = "109.158,18.435\n109.16,18.435\n109.16,18.437\n109.158,18.437"


@pytest.fixture
def base(li_operator):
    return Base.objects.get(pk=make_base(li_operator, region=YAZHOU_VILLAGE).pk)


def region():
    return Region.objects.get(pk=YAZHOU_VILLAGE)


def refusal_of(call, *args, **kwargs):
    with pytest.raises(Refused) as refused:
        call(*args, **kwargs)
    return refused.value.code


def test_a_base_with_an_outline_is_measured_and_gets_its_point(li, li_operator):
    base = add_base(operator=li_operator, name="东头地", region=region(), outline=FIELD, actor=li)
    base.refresh_from_db()
    assert base.outline_mu == outline_mu(FIELD) == Decimal("70.16")
    assert (base.longitude, base.latitude) == (Decimal("109.159000"), Decimal("18.436000"))
    assert base.quadkey == quadkey(109.159, 18.436)
    assert doubts_of(base, []) == ["点位不到 6 位小数，可能不是现场测的。"]


def test_it_refuses_an_outline_elsewhere_or_broken_and_writes_nothing(li, li_operator, base):
    for outline, code in ((FAR, "outside_county"), ({"type": "Polygon"}, "outline_unreadable")):
        assert refusal_of(add_base, operator=li_operator, name="地", region=region(), outline=outline, actor=li) == code
        assert refusal_of(change_base, base=base, outline=outline, actor=li) == code
    assert Base.objects.count() == 1
    assert not Base.objects.exclude(outline=None).exists()
    assert not Entry.objects.exists()


def test_what_is_given_changes_and_the_rest_stays(li, base):
    version = version_of(base)
    change_base(base=base, outline=FIELD, soil="loam", nearby=[], measures=" 轮作 \n\n黄板诱虫", seen=version, actor=li)
    base.refresh_from_db()
    assert (base.name, base.area_mu, base.soil, base.nearby) == ("李大山基地", Decimal("10.80"), "loam", [])
    assert base.measure_lines == ["轮作", "黄板诱虫"]
    assert (base.longitude, base.latitude) == LI_POINT
    entry = Entry.objects.get(action="base.changed")
    assert set(entry.details["fields"]) == {"outline", "soil", "nearby", "measures"}
    assert entry.details["changes"]["soil"] == ["", "loam"]
    change_base(base=base, outline=None, actor=li)
    base.refresh_from_db()
    assert (base.outline, base.outline_mu) == (None, None)


def test_a_moved_base_leaves_approved_origins_where_they_are(li, base, cowpea):
    origin = make_origin(base, cowpea, collected_by=li, state="approved")
    before = (origin.longitude, origin.latitude, origin.quadkey)
    point = (Decimal("109.159111"), Decimal("18.436222"))
    change_base(base=base, point=point, actor=li)
    base.refresh_from_db()
    origin.refresh_from_db()
    assert base.quadkey == quadkey(*map(float, point))
    assert (origin.longitude, origin.latitude, origin.quadkey) == before
    assert Entry.objects.get(action="base.changed").details["stayed"] == 1
    page = client_of(li).get(f"{base.get_absolute_url()}change").content.decode()
    assert "有 1 条已通过的产地信息" in page


@pytest.mark.parametrize("field", ["soil", "water", "facility"])
def test_it_refuses_a_choice_that_there_is_not(li, base, field):
    assert refusal_of(change_base, base=base, actor=li, **{field: "moon"}) == "choice_unknown"
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_second_of_two_saves_is_told_of_the_first(li, base):
    version = version_of(base)
    results = at_once(
        *(lambda soil=soil: change_base(base=base, soil=soil, seen=version, actor=li).soil for soil in ("loam", "clay"))
    )
    assert sorted(map(str, results))[0] == "changed_meanwhile"
    base.refresh_from_db()
    assert base.soil in results
    assert Entry.objects.filter(action="base.changed").count() == 1


def test_others_and_staff_change_nothing(chen, sun, base):
    for actor, code in ((chen, "not_own_operator"), (sun, "outside_area")):
        assert refusal_of(change_base, base=base, name="别人的", actor=actor) == code
        assert refusal_of(close_base, base=base, reason="不种了", actor=actor) == code
        assert refusal_of(add_plot, base=base, name="1", actor=actor) == code
    assert not Entry.objects.exists()
    assert not Plot.objects.exists()


def test_a_stopped_operator_changes_no_base(li, li_operator, base):
    Operator.objects.update(status=Operator.Status.SUSPENDED)
    assert refusal_of(change_base, base=base, name="新名", actor=li) == "not_active"
    assert refusal_of(add_plot, base=base, name="1", actor=li) == "not_active"
    assert not Entry.objects.exists()
    assert "修改" not in client_of(li).get(base.get_absolute_url()).content.decode().split("card-body")[0]


def test_a_closed_base_takes_nothing_new_and_leaves_its_place(li, li_operator, base, cowpea):
    assert refusal_of(close_base, base=base, reason=" ", actor=li) == "reason_missing"
    waiting = make_origin(base, cowpea, collected_by=li, state="submitted")
    assert refusal_of(close_base, base=base, reason="土地到期", actor=li) == "origins_waiting"
    waiting.state = "approved"
    waiting.save()
    close_base(base=base, reason="土地到期", actor=li)
    base.refresh_from_db()
    assert (base.closed_on, base.closed_for) == (timezone.localdate(), "土地到期")
    assert refusal_of(close_base, base=base, reason="再停", actor=li) == "base_closed"
    assert refusal_of(change_base, base=base, name="新名", actor=li) == "base_closed"
    harvest = {"product": cowpea, "quantity": Decimal(1), "unit": "kg", "harvested_on": timezone.localdate()}
    assert refusal_of(harvest_lot, base=base, actor=li, **harvest) == "base_closed"
    row = NewBase(li_operator.pk, base.name, base.region_id, base.longitude, base.latitude, base.quadkey)
    (number,) = enrol_bases([row])
    assert number != base.pk
    assert enrol_bases([row]) == [number]
    assert refusal_of(reopen_base, base=base, actor=li) == "already_registered"
    page = client_of(li).get(li_operator.get_absolute_url()).content.decode()
    assert "已停用" in page
    assert "使用中" in page


def test_a_closed_base_is_reopened(li, base):
    close_base(base=base, reason="休耕", actor=li)
    reopen_base(base=base, actor=li)
    base.refresh_from_db()
    assert (base.closed_on, base.closed_for) == (None, "")
    assert refusal_of(reopen_base, base=base, actor=li) == "base_open"


def test_the_database_holds_the_rules(base):
    for columns in ({"outline": FIELD}, {"closed_on": timezone.localdate()}, {"area_mu": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Base.objects.filter(pk=base.pk).update(**columns)


def test_plots_are_added_up_beside_the_base(li, base, cowpea):
    change_base(base=base, outline=FIELD, area_mu=Decimal(70), actor=li)
    one = add_plot(base=base, name="1 号地", outline=HALF, product=cowpea, actor=li)
    assert one.outline_mu == Decimal("35.08")
    base.refresh_from_db()
    assert "地块合计 35.08 亩和基地面积 70.00 亩相差超过 10%。" in doubts_of(base, list(plots_of(base)))
    two = add_plot(base=base, name="2 号地", area_mu=Decimal(34), actor=li)
    assert doubts_of(base, list(plots_of(base))) == []
    assert refusal_of(add_plot, base=base, name="1 号地", actor=li) == "already_registered"
    version = version_of(Plot.objects.get(pk=two.pk))
    change_plot(plot=two, area_mu=Decimal(20), seen=version, actor=li)
    assert refusal_of(change_plot, plot=two, area_mu=Decimal(5), seen=version, actor=li) == "changed_meanwhile"
    close_plot(plot=one, actor=li)
    assert refusal_of(close_plot, plot=one, actor=li) == "plot_closed"
    add_plot(base=base, name="1 号地", actor=li)
    assert [entry.details["plot"] for entry in Entry.objects.filter(action="base.plot_added").order_by("id")] == [
        "1 号地",
        "2 号地",
        "1 号地",
    ]


def test_doubts(li, base):
    assert doubts_of(base, []) == []
    change_base(base=base, outline=HALF, area_mu=Decimal(90), point=(Decimal("109.1595"), Decimal("18.4365")), actor=li)
    base.refresh_from_db()
    outside = Plot(base=base, name="坡地", outline=FIELD, outline_mu=outline_mu(FIELD))
    assert doubts_of(base, [outside]) == [
        "点位不到 6 位小数，可能不是现场测的。",
        "点位在轮廓外面。",
        "填写的面积 90.00 亩和轮廓面积 35.08 亩相差超过 10%。",
        "地块合计 70.16 亩和基地面积 90.00 亩相差超过 10%。",
        "地块“坡地”有一部分在基地轮廓外面。",
    ]


def test_the_nearest_agency_supervises(base, zhao, wang):
    assert supervisor_of(base) == wang.agency.name
    wang.agency.suspended_at = timezone.now()
    wang.agency.save()
    assert supervisor_of(base) == zhao.agency.name


PAGE = {"name": "东头地", "region": str(YAZHOU_VILLAGE), "longitude": "", "latitude": ""}


def test_the_pages_keep_what_was_typed(li, li_operator):
    client, url = client_of(li), f"{li_operator.get_absolute_url()}bases"
    crossed = "109.158,18.435\n109.16,18.437\n109.16,18.435\n109.158,18.437"
    page = client.post(url, PAGE | {"outline": crossed, "varieties": "美蕉豇豆"}).content.decode()
    assert "交叉" in page
    assert crossed.splitlines()[1] in page
    assert "美蕉豇豆" in page
    assert not Base.objects.exists()
    assert client.post(url, PAGE | {"outline": TYPED}).status_code == 302
    assert Base.objects.get().outline_mu == Decimal("70.16")


def test_a_file_is_read_into_the_text(li, li_operator):
    client, url = client_of(li), f"{li_operator.get_absolute_url()}bases"
    file = SimpleUploadedFile("地.geojson", json.dumps({"type": "Feature", "geometry": FIELD}).encode())
    assert client.post(url, PAGE | {"outline_file": file}).status_code == 302
    assert Base.objects.get().outline_mu == Decimal("70.16")
    for content, said in ((b"PK\x03\x04\xff\xfe", "文件读不懂"), (b"1" * 200_001, "文件太大")):
        page = client.post(url, PAGE | {"outline_file": SimpleUploadedFile("地.kml", content)}).content.decode()
        assert said in page
    assert Base.objects.count() == 1


def test_the_page_of_a_base_and_its_forms(li, sun, chen, base, cowpea):
    client, url = client_of(li), base.get_absolute_url()
    client.post(f"{url}plots/add", {"name": "1 号地", "outline": TYPED, "product": cowpea.pk})
    plot = Plot.objects.get()
    page = client.get(url).content.decode()
    assert "70.16" in page
    assert "相差超过 10%" in page
    seen = {"seen": version_of(base), "name": "西头地", "region": YAZHOU_VILLAGE, "outline": TYPED}
    form = seen | {"longitude": base.longitude, "latitude": base.latitude, "nearby": ["nothing"]}
    assert client.post(f"{url}change", form).status_code == 302
    told = client.post(f"{url}change", form | {"name": "北头地"}).content.decode()
    assert "改过了" in told
    assert "北头地" in told
    base.refresh_from_db()
    assert (base.name, base.nearby) == ("西头地", [])
    assert version_of(base) in told
    plot_form = {"name": "南地", "outline": "", "seen": version_of(plot)}
    assert client.post(f"{url}plots/{plot.uid}/change", plot_form).status_code == 302
    assert client.post(f"{url}plots/{plot.uid}/close").status_code == 302
    assert client.post(f"{url}close", {"reason": "到期"}).status_code == 302
    assert client.post(f"{url}reopen").status_code == 302
    assert [client_of(one).get(url).status_code for one in (sun, chen)] == [404, 404]
    history = client.get(url).content.decode()
    for deed in ("登记地块", "恢复使用基地"):
        assert deed in history


def test_an_address_of_a_household_is_not_told_and_not_lost(li, zhao, base):
    change_base(base=base, address="崖州村三组十二号", actor=li)
    client, url = client_of(zhao), f"{base.get_absolute_url()}change"
    page = client.get(url).content.decode()
    assert "三组十二号" not in page
    assert "三组十二号" not in client.get(base.get_absolute_url()).content.decode()
    form = {"name": "新名", "region": YAZHOU_VILLAGE, "longitude": LI_POINT[0], "latitude": LI_POINT[1]}
    assert client.post(url, form).status_code == 302
    base.refresh_from_db()
    assert (base.name, base.address) == ("新名", "崖州村三组十二号")


def test_the_api_changes_closes_and_marks_out(li, base, cowpea, chen):
    client, url = api_of(li), f"/api/v1/operators/{base.operator.code}/bases/{base.code}"
    got = client.get(url).json()
    send = {"content_type": "application/json"}
    changed = client.patch(url, {"outline": FIELD, "version": got["version"]}, **send).json()
    assert (changed["outline_mu"], changed["name"]) == ("70.16", got["name"])
    assert changed["doubts"] == ["填写的面积 10.80 亩和轮廓面积 70.16 亩相差超过 10%。"]
    late = client.patch(url, {"name": "晚了", "version": got["version"]}, **send)
    assert (late.status_code, late.json()["code"]) == (409, "changed_meanwhile")
    broken = client.patch(url, {"outline": {"type": "Polygon", "coordinates": [[[0, 0]]]}}, **send)
    assert broken.status_code == 422
    plot = client.post(f"{url}/plots", {"name": "1", "outline": HALF, "product": cowpea.code}, **send)
    assert plot.status_code == 201
    assert client.get(f"{url}/plots").json()["items"] == [plot.json()]
    one = f"{url}/plots/{plot.json()['uid']}"
    assert client.patch(one, {"product": None}, **send).json()["product"] is None
    assert client.patch(one, {"closed": True}, **send).json()["closed_on"] == str(timezone.localdate())
    assert client.post(f"{url}/close", {"reason": "到期"}, **send).json()["closed_for"] == "到期"
    assert api_of(chen).patch(url, {"name": "别人的"}, **send).status_code == 404


def test_bases_go_out_as_geojson_with_what_for(li, zhao, sun, base):
    change_base(base=base, outline=FIELD, address="三组十二号", actor=li)
    add_plot(base=base, name="1 号地", outline=HALF, actor=li)
    url = f"{base.operator.get_absolute_url()}bases/export"
    assert client_of(zhao).post(url, {"reason": ""}).status_code == 302
    assert not Entry.objects.filter(action="operator.bases_exported").exists()
    answer = client_of(zhao).post(url, {"reason": "画图"})
    file = b"".join(answer.streaming_content).decode()
    assert "画图" in json.loads(file)["mark"]
    found = json.loads(file)["features"]
    assert [feature["properties"]["kind"] for feature in found] == ["base", "plot"]
    assert found[0]["properties"]["outline_mu"] == 70.16
    assert "三组" not in file
    assert Entry.objects.get(action="operator.bases_exported").details["purpose"] == "画图"
    assert refusal_of(export_bases, operator=base.operator, reason="画图", actor=sun) == "outside_area"
    collector = make_official("field", "吴采集", Role.COLLECTOR, YAZHOU)
    assert refusal_of(export_bases, operator=base.operator, reason="画图", actor=collector) == "not_allowed"
    assert Entry.objects.filter(action="operator.bases_exported").count() == 1


def test_a_base_in_another_county_is_seen_by_that_county_only(zhao, sun, li_operator, base):
    far = make_base(li_operator, region=LIANDU, point=CHEN_POINT)
    listed = {one.pk for one in bases_of(li_operator, zhao)}
    assert listed == {base.pk}
    assert far.code not in client_of(zhao).get(li_operator.get_absolute_url()).text


def test_the_same_place_is_refused_when_a_base_moves_there(li, li_operator, base):
    other = make_base(li_operator, region=YAZHOU_VILLAGE, point=(Decimal("109.161111"), Decimal("18.436222")))
    assert refusal_of(change_base, base=other, point=LI_POINT, actor=li) == "already_registered"
    assert refusal_of(change_base, base=other, point=CHEN_POINT, actor=li) == "outside_county"
    assert not Entry.objects.exists()


def test_a_list_asks_as_often_for_many_bases_as_for_one(li, li_operator):
    def asked(expected):
        with CaptureQueriesContext(connection) as asked:
            found = api_of(li).get(f"/api/v1/operators/{li_operator.code}/bases").json()
        assert (found["total"], len(found["items"])) == (expected, min(expected, 50))
        assert all(any("一部分在基地轮廓外面" in doubt for doubt in one["doubts"]) for one in found["items"])
        return len(asked)

    def add(number):
        point = Decimal("109.158") + number * Decimal("0.0002"), Decimal("18.436")
        base = add_base(
            operator=li_operator, name=f"第 {number} 块地", region=region(), outline=HALF, point=point, actor=li
        )
        for name in "甲乙":
            add_plot(base=base, name=name, outline=FIELD, actor=li)

    add(1)
    first = asked(1)
    for number in range(2, 54):
        add(number)
    assert asked(53) == first
