import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.lib.gcj02 import from_wgs84
from nongma.lib.quadkeys import quadkey
from nongma.origins.doubts.looking import look
from nongma.origins.doubts.marks import mark
from nongma.origins.models import AreaLayer, Doubt, ImportJob, Origin
from nongma.registry.models import Base
from nongma.testing import LI_POINT, YAZHOU_VILLAGE, make_base, make_operator, make_origin


def looked(*origins: Origin) -> dict[str, str]:
    """Look at the records, and what stands open about the last."""
    mark(origin.pk for origin in origins)
    look()
    return dict(Doubt.objects.open().filter(origin=origins[-1]).values_list("kind", "text"))


def scattered(place: int) -> tuple[Decimal, Decimal]:
    """Points hundreds of metres apart, at no equal steps."""
    x, y = (
        LI_POINT[0] + Decimal(place % 7) * Decimal("0.001513") + Decimal(place * place) * Decimal("0.0000037"),
        LI_POINT[1] + Decimal(place // 7) * Decimal("0.000919") + Decimal(place * place) * Decimal("0.0000013"),
    )
    return x.quantize(Decimal("0.000001")), y.quantize(Decimal("0.000001"))


@pytest.fixture
def job(wang: User) -> ImportJob:
    return ImportJob.objects.create(
        user=wang, file="imports/none.xlsx", filename="表.xlsx", size_bytes=1, digest=b"1" * 32
    )


def many(number: int, product: Product, collector: User, **fields: Any) -> list[Origin]:
    """Records of as many operators; a field may be told by its place."""
    made = []
    for place in range(number):
        own = {name: value(place) if callable(value) else value for name, value in fields.items()}
        point = own.pop("point", scattered(place))
        base = make_base(make_operator(region=YAZHOU_VILLAGE, phone=""), point=point)
        values = {"scale": Decimal(8 + place % 5), "contact": f"户主{place}"} | own
        made.append(make_origin(base, product, collected_by=collector, **values))
    return made


# 规模


def test_it_doubts_a_scale_out_of_all_proportion(cowpea: Product, wang: User) -> None:
    *others, last = many(31, cowpea, wang)
    Origin.objects.filter(pk=last.pk).update(scale=Decimal(9600))
    found = looked(*others, last)
    assert set(found) == {"scale"}
    assert "规模 9,600 亩，是本县豇豆 31 条记录中间值（10 亩）的 960 倍" in found["scale"]
    assert Doubt.objects.count() == 1


@pytest.mark.parametrize(("number", "scale"), [(31, "95"), (28, "9600")])
def test_it_leaves_a_larger_one_and_asks_nothing_of_few(cowpea: Product, wang: User, number: int, scale: str) -> None:
    *_, last = many(number, cowpea, wang)
    Origin.objects.filter(pk=last.pk).update(scale=Decimal(scale))
    assert looked(last) == {}


# 时间


def test_it_doubts_a_harvest_before_planting_and_one_without_end(cowpea: Product, wang: User) -> None:
    (one,) = many(1, cowpea, wang, planted_on=date(2026, 5, 1))
    assert "移栽定植（2026-05-01）在上市（2026-04-01）以后" in looked(one)["season"]
    Origin.objects.update(planted_on=date(2026, 2, 1))
    assert looked(one) == {}
    Origin.objects.update(off_sale_on=date(2026, 4, 1) + timedelta(331))
    assert "在市 331 天" in looked(one)["season"]
    Origin.objects.update(off_sale_on=date(2026, 4, 1) + timedelta(330))
    assert looked(one) == {}


def test_it_doubts_a_month_in_which_nobody_else_sells(cowpea: Product, wang: User) -> None:
    *_, near, far = many(32, cowpea, wang)
    Origin.objects.filter(pk=far.pk).update(on_sale_on=date(2026, 10, 1), off_sale_on=date(2026, 12, 1))
    Origin.objects.filter(pk=near.pk).update(on_sale_on=date(2026, 5, 1))
    assert looked(near) == {}
    assert "9 至 11 月上市的另外只有 0 条" in looked(far)["season"]


# 表格


def test_it_doubts_points_at_equal_steps(cowpea: Product, wang: User, job: ImportJob) -> None:
    def grid(place: int) -> tuple[Decimal, Decimal]:
        return LI_POINT[0] + place * Decimal("0.001111"), LI_POINT[1]

    rows = many(5, cowpea, wang, import_job=job, import_row=lambda place: place + 2, point=grid)
    assert set(looked(*rows)) == {"grid"}
    assert "第 2 至 6 行" in Doubt.objects.filter(kind="grid")[0].text
    assert Doubt.objects.filter(kind="grid").count() == 5


def test_it_leaves_four_in_a_row_and_a_grid_of_no_sheet(cowpea: Product, wang: User, job: ImportJob) -> None:
    def grid(place: int) -> tuple[Decimal, Decimal]:
        return LI_POINT[0] + place * Decimal("0.001111"), LI_POINT[1]

    rows = many(4, cowpea, wang, import_job=job, import_row=lambda place: place + 2, point=grid)
    assert looked(*rows) == {}


@pytest.mark.parametrize(("point", "kinds"), [("109.158000,18.435000", {"grid"}), ("109.158000,18.435010", set())])
def test_it_doubts_decimals_that_were_padded(cowpea: Product, wang: User, point: str, kinds: set[str]) -> None:
    x, y = map(Decimal, point.split(","))
    assert set(looked(*many(1, cowpea, wang, point=(x, y)))) == kinds


@pytest.mark.parametrize(
    ("rows", "fields", "said"),
    [
        (5, {"contact": "李大山"}, "联系人（第 2 至 6 行）"),
        (4, {"contact": "李大山"}, ""),
        (10, {"scale": Decimal("7.35")}, "规模（第 2 至 11 行）"),
        (9, {"scale": Decimal("7.35")}, ""),
    ],
)
def test_it_doubts_values_copied_down(
    cowpea: Product, wang: User, job: ImportJob, rows: int, fields: dict[str, Any], said: str
) -> None:
    made = many(rows, cowpea, wang, import_job=job, import_row=lambda place: place + 2, **fields)
    found = looked(*made)
    assert set(found) == ({"column"} if said else set())
    assert said in found.get("column", "")


def test_one_operators_own_rows_are_no_copy(li_base: Base, cowpea: Product, wang: User, job: ImportJob) -> None:
    rows = [
        make_origin(
            li_base,
            cowpea,
            collected_by=wang,
            import_job=job,
            import_row=place + 2,
            longitude=(point := scattered(place))[0],
            latitude=point[1],
            quadkey=quadkey(float(point[0]), float(point[1])),
        )
        for place in range(12)
    ]
    assert looked(*rows) == {}


# 火星坐标


def moved(origin: Origin, x: float, y: float) -> None:
    Origin.objects.filter(pk=origin.pk).update(
        longitude=Decimal(f"{x:.6f}"), latitude=Decimal(f"{y:.6f}"), quadkey=quadkey(x, y)
    )


def test_it_doubts_a_point_of_a_phone_map(li_base: Base, li_origin: Origin) -> None:
    x, y = from_wgs84(float(LI_POINT[0]), float(LI_POINT[1]))
    moved(li_origin, x, y)
    found = looked(li_origin)
    assert set(found) == {"gcj02"}
    assert "换算回来只差 0 米" in found["gcj02"]


def test_it_leaves_another_point_as_far_away(li_base: Base, li_origin: Origin) -> None:
    x, y = from_wgs84(float(LI_POINT[0]), float(LI_POINT[1]))
    moved(li_origin, 2 * float(LI_POINT[0]) - x, y)
    assert looked(li_origin) == {}


# 水面、城区


@pytest.fixture
def pond(tmp_path: Path) -> Path:
    x, y = float(LI_POINT[0]), float(LI_POINT[1])
    ring = [
        [x - 0.01, y - 0.01],
        [x + 0.01, y - 0.01],
        [x + 0.01, y + 0.01],
        [x - 0.01, y + 0.01],
        [x - 0.01, y - 0.01],
    ]
    feature = {
        "type": "Feature",
        "properties": {"name": "水库"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    file = tmp_path / "pond.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return file


TOLD = {"source": "测绘成果", "licence": "内部使用", "dated": date(2026, 3, 1)}


def test_it_doubts_a_point_on_water_and_in_a_town(li_origin: Origin, pond: Path) -> None:
    assert looked(li_origin) == {}
    call_command("load_areas", pond, kind="water", **TOLD)
    call_command("load_areas", pond, kind="urban", **TOLD)
    found = looked(li_origin)
    assert set(found) == {"water", "urban"}
    assert "1.1 公里" in found["water"]
    assert "测绘成果（2026-03-01）" in found["water"]


def test_fish_may_live_in_water_and_a_shore_is_not_far_in(li_origin: Origin, pond: Path, wang: User) -> None:
    call_command("load_areas", pond, kind="water", **TOLD)
    moved(li_origin, float(LI_POINT[0]) + 0.0095, float(LI_POINT[1]))
    assert looked(li_origin) == {}
    fish = Product.objects.filter(industry="fishery")[0]
    (one,) = many(1, fish, wang, on_sale_on=None, off_sale_on=None, methods=[])
    assert looked(one) == {}


def test_it_loads_what_is_shipped_and_refuses_what_is_no_layer(db: None, tmp_path: Path) -> None:
    call_command("load_areas")
    layer = AreaLayer.objects.get()
    assert (layer.kind, layer.licence) == ("water", "公有领域")
    assert layer.areas.count() > 100
    bad = tmp_path / "bad.geojson"
    for text, words in (("[]", "不是能读的"), ('{"features": []}', "没有多边形")):
        bad.write_text(text)
        with pytest.raises(CommandError, match=words):
            call_command("load_areas", bad, **TOLD)
    with pytest.raises(CommandError, match="来源"):
        call_command("load_areas", bad, dated=date(2026, 3, 1))
    with pytest.raises(CommandError, match="数据日期"):
        call_command("load_areas", bad)
    assert AreaLayer.objects.get() == layer
