"""The frame that every page stands in: navigation by role, start pages, error pages, help, headers."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

import pytest
from django.conf import LazySettings, settings
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.urls import get_resolver, reverse
from django.utils import timezone

from nongma.accounts.models import Role, User
from nongma.catalogue.models import Product
from nongma.certificates.models import Basis
from nongma.certificates.services import issue_certificate
from nongma.desk import errors
from nongma.desk import help as manual
from nongma.desk.queries import figures_of
from nongma.desk.templatetags.nongma import quantity, vendor_folder
from nongma.origins.models import ImportJob, Origin
from nongma.regions.models import Region
from nongma.registry.models import Base
from nongma.testing import COUNTRY, HAINAN, YAZHOU, YAZHOU_TOWN, YAZHOU_VILLAGE, client_of, make_official, make_origin
from nongma.tracing.services import harvest_lot

ROOT = Path(settings.ROOT)


def links_of(html: str) -> set[str]:
    return set(re.findall(r'href="(/[^"]*)"', html))


def test_it_sends_a_stranger_to_sign_in(db: None) -> None:
    answer = Client().get("/")
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("accounts:sign-in"))


def test_it_shows_each_role_its_own_sections(zhao: User, li: User, qian: User) -> None:
    reviewer, grower, laboratory = (client_of(user).get("/").text for user in (zhao, li, qian))
    assert reverse("origins:imports") in reviewer
    assert reverse("tracing:harvest") not in reviewer
    assert reverse("tracing:harvest") in grower
    assert reverse("origins:imports") not in grower
    assert reverse("origins:table") not in laboratory
    assert reverse("registry:operators") in laboratory


def marked(user: User, path: str) -> set[str]:
    """The labels of the sections marked as the page's own, in the top bar and in the tab bar."""
    html = client_of(user).get(path).text
    return set(re.findall(r'<a href="[^"]*" aria-current="page">(?:<svg.*?</svg>)?\s*([^<]+)</a>', html))


def test_it_marks_the_section_of_a_page(zhao: User, li: User, li_base: Base, cowpea: Product) -> None:
    lot = harvest_lot(
        base=li_base, product=cowpea, quantity=Decimal(5), unit="kg", harvested_on=timezone.localdate(), actor=li
    )
    job = ImportJob.objects.create(user=zhao, filename="a.xlsx", size_bytes=1, digest=b"")
    assert marked(li, reverse("tracing:harvest")) == {"登记采收", "采收"}
    assert marked(li, reverse("tracing:lot", args=[lot.code])) == {"批次"}
    assert marked(zhao, reverse("origins:import-job", args=[job.uid])) == {"导入表格"}
    assert marked(zhao, reverse("origins:table")) == {"产地信息", "产地", "一张表"}
    assert marked(zhao, "/no-such-page/") == set()


@pytest.mark.parametrize("who", ["zhao", "wang", "li", "qian", "officer", "ministry", "hainan"])
def test_every_link_of_a_start_page_leads_somewhere(who: str, request: pytest.FixtureRequest) -> None:
    client = client_of(request.getfixturevalue(who))
    html = client.get("/").text
    for link in links_of(html):
        if link.startswith("/static/"):
            continue
        assert client.get(link).status_code == 200, link


def test_it_tells_a_reviewer_what_waits(
    zhao: User, li_origin: Origin, li_base: Base, cowpea: Product, wang: User
) -> None:
    make_origin(li_base, cowpea, collected_by=wang, state=Origin.State.RETURNED, return_reason="坐标不对")
    html = client_of(zhao).get("/").text
    assert re.search(r"待审核\s*<b>1</b>", html)
    assert re.search(r"已退回\s*<b>1</b>", html)
    assert f"{reverse('origins:table')}?status=submitted" in html


def test_it_counts_nothing_of_other_counties(sun: User, li_origin: Origin) -> None:
    assert re.search(r"待审核\s*<b>0</b>", client_of(sun).get("/").text)


def test_it_adds_up_figures_by_child_region(li_origin: Origin, ministry: User) -> None:
    from nongma.origins.services.cells import rebuild_cells

    rebuild_cells()
    country, county = Region.objects.get(pk=COUNTRY), Region.objects.get(pk=YAZHOU)
    (hainan,) = figures_of(country)
    assert (hainan.region.name, hainan.total, hainan.submitted, hainan.approved) == ("海南省", 1, 1, 0)
    (village,) = figures_of(county)
    assert (village.name, village.region.code, village.total, village.share) == (
        "中和社区居委会",
        YAZHOU_VILLAGE,
        1,
        100,
    )
    assert figures_of(Region.objects.get(pk=YAZHOU_VILLAGE)) == [village]
    assert "海南省" in client_of(ministry).get("/").text


def test_figures_name_no_level_that_does_not_exist(li_base: Base, cowpea: Product, wang: User) -> None:
    from nongma.origins.services.cells import rebuild_cells

    make_origin(li_base, cowpea, collected_by=wang, region_id=YAZHOU_TOWN)
    make_origin(li_base, cowpea, collected_by=wang, region_id=469001100000)
    rebuild_cells()
    assert [figure.name for figure in figures_of(Region.objects.get(pk=YAZHOU))] == ["其他"]
    assert {figure.name for figure in figures_of(Region.objects.get(pk=HAINAN))} == {"三亚市", "五指山市"}


def test_a_start_page_costs_few_queries(zhao: User, li_origin: Origin, django_assert_max_num_queries: Any) -> None:
    client = client_of(zhao)
    with django_assert_max_num_queries(16):
        client.get("/")


def test_a_code_leads_to_the_shoppers_page(db: None) -> None:
    code = "12345678901234567890"
    for typed in (
        code,
        "1234 5678 9012 3456 7890",
        "１２３４５６７８９０１２３４５６７８９０",
        f"https://x.cn/t/{code}",
    ):
        assert Client().get(reverse("desk:code"), {"code": typed})["Location"] == f"/t/{code}"


def test_a_short_code_is_answered_with_a_sentence(zhao: User) -> None:
    answer = client_of(zhao).get(reverse("desk:code"), {"code": "123"}, follow=True)
    assert "您输入了 3 位" in answer.text


def test_somebody_signed_in_meets_an_error_inside_the_frame(zhao: User, hainan: User) -> None:
    client = client_of(zhao)
    missing, refused = client.get("/no-such-page/"), client.get("/audit/")
    assert (missing.status_code, refused.status_code) == (404, 403)
    for page in (missing, refused):
        assert 'aria-label="主导航"' in page.text
        assert reverse("origins:table") in page.text
        assert "请联系平台管理员 海南管理员（海南省监管机构）" in page.text
        assert "换一个账号" in page.text
    assert "“查审计记录”由平台管理员办理" in refused.text
    assert "您现在以 赵审核 登录，角色是审核员" in refused.text


def test_an_error_names_the_nearest_administrator_of_the_place(li: User, li_base: Base, hainan: User) -> None:
    client = client_of(li)
    assert "海南管理员" in client.get("/audit/").text
    make_official("yazhou", "崖州管理员", Role.ADMINISTRATOR, YAZHOU)
    assert "崖州管理员" in client.get("/audit/").text


def test_an_error_names_people_of_the_demo_in_the_demo_only(zhao: User, hainan: User, settings: LazySettings) -> None:
    User.objects.filter(pk=hainan.pk).update(is_demo=True)
    settings.DEMO = True
    assert "海南管理员" in client_of(zhao).get("/audit/").text
    settings.DEMO = False
    assert "请联系平台管理员" not in client_of(zhao).get("/audit/").text


def test_an_administrator_is_not_sent_to_a_stranger(sun: User, hainan: User) -> None:
    assert "请联系平台管理员" not in client_of(sun).get("/audit/").text


def test_an_error_page_stands_without_the_database(zhao: User) -> None:
    request = RequestFactory().get("/")
    request.user = zhao
    with patch("nongma.desk.errors.administrator_for", side_effect=OperationalError):
        page = errors.not_found(request)
    assert page.status_code == 404
    assert "可以这样做" in page.text
    assert "主导航" not in page.text


def test_error_pages_say_what_to_do_and_need_no_database() -> None:
    request = RequestFactory().get("/")
    for page, status in (
        (errors.bad_request(request), 400),
        (errors.forbidden(request), 403),
        (errors.not_found(request), 404),
        (errors.too_large(request), 413),
        (errors.server_error(request), 500),
        (errors.expired_form(request), 403),
    ):
        assert page.status_code == status
        assert "可以这样做" in page.text


def test_a_missing_page_is_ours(db: None) -> None:
    answer = Client().get("/no-such-page/")
    assert answer.status_code == 404
    assert "没有找到这个页面" in answer.text


def test_a_form_without_its_token_is_explained(zhao: User) -> None:
    client = client_of(zhao, enforce_csrf_checks=True)
    answer = client.post(reverse("accounts:sign-out"))
    assert answer.status_code == 403
    assert "页面已过期" in answer.text


def test_every_answer_carries_the_security_headers(zhao: User) -> None:
    for path in ("/", "/help/", "/no-such-page/", "/static/nongma/look.css"):
        policy = client_of(zhao).get(path)["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy


def test_vendored_files_are_kept_by_browsers_for_ever(db: None) -> None:
    answer = Client().get(f"/static/{vendor_folder('htmx')}/htmx.min.js", headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer["Cache-Control"]
    assert answer["Content-Encoding"] == "gzip"


def test_every_vendored_package_has_its_licence() -> None:
    for folder in (ROOT / "static" / "vendor").iterdir():
        assert (folder / "LICENSE").is_file(), folder


def templates() -> list[Path]:
    return sorted(ROOT.glob("nongma/*/templates/**/*.html"))


def test_every_icon_in_a_template_is_in_the_sprite() -> None:
    sprite = (ROOT / "static" / vendor_folder("tabler-icons") / "sprite.svg").read_text()
    known = set(re.findall(r'<symbol id="([\w-]+)"', sprite))
    used = {name for path in templates() for name in re.findall(r'{% icon ["\']([\w-]+)["\']', path.read_text())}
    assert used <= known, used - known


def test_no_template_has_inline_script_or_style() -> None:
    for path in templates():
        text = path.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text), path
        assert not re.search(r"\son[a-z]+=\"|javascript:", text), path
        if "public" not in path.parts:
            assert not re.search(r"<style|\sstyle=\"", text), path


def test_the_manual_has_every_page_and_every_link_and_image_in_it_exists(db: None) -> None:
    assert {"index", "collector", "reviewer", "grower", "shopper", "roles", "api"} <= set(manual.names())
    client = Client()
    for name in manual.names():
        page = manual.page(name)
        assert page is not None
        for link in links_of(page.html) | set(re.findall(r'src="(/[^"]*)"', page.html)):
            path, _, anchor = unquote(link).partition("#")
            if not path.startswith("/help/"):
                continue
            answer = client.get(path)
            assert answer.status_code == 200, f"{name}: {link}"
            if anchor:
                assert f'id="{anchor}"' in answer.text, f"{name}: {link}"


def test_help_opens_the_chapter_of_the_page(db: None) -> None:
    views = {f"{room}:{name}" for room, patterns in named_patterns().items() for name in patterns}
    for view, (name, anchor) in manual.BY_VIEW.items():
        page = manual.page(name)
        assert view in views, view
        assert page is not None
        assert anchor in [heading.anchor for heading in page.headings], f"{view}: {name}#{anchor}"


def named_patterns() -> dict[str, set[str]]:
    """The names of the views of each room."""
    rooms = get_resolver().namespace_dict
    return {room: {str(key) for key in resolver.reverse_dict} for room, (_, resolver) in rooms.items()}


def test_the_manual_is_not_a_way_into_other_files(db: None) -> None:
    for name in ("..%2Findex.md", "%2e%2e%2froles.md", "nothing.webp"):
        assert Client().get(f"/help/images/{name}").status_code == 404


def test_quantities_drop_useless_zeros() -> None:

    assert [quantity(Decimal(text)) for text in ("1250.500", "10.00", "100", "0.001")] == [
        "1,250.5",
        "10",
        "100",
        "0.001",
    ]


def test_it_shows_a_grower_the_own_lots_and_certificates(li: User, li_base: Base, cowpea: Product) -> None:
    client = client_of(li)
    assert "还没有批次" in client.get("/").text
    lot = harvest_lot(
        base=li_base,
        product=cowpea,
        quantity=Decimal("120.500"),
        unit="kg",
        harvested_on=timezone.localdate(),
        actor=li,
    )
    issue_certificate(lot=lot, quantity=Decimal(20), basis=Basis.QUALITY_CONTROL, actor=li)
    html = client.get("/").text
    assert "120.5 千克" in html
    assert reverse("certificates:issue", args=[lot.code]) in html
    assert "有效" in html
