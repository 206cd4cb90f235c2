"""Operators without a code in use as a list to walk along (走访名单)."""

import pytest
from pypdfium2 import PdfDocument

from nongma.accounts.models import Role, User
from nongma.audit.models import Entry
from nongma.regions.models import Region
from nongma.registry.directory.expected import expect
from nongma.registry.directory.settling import settle
from nongma.registry.models import DirectoryEntry
from nongma.registry.tests.test_directory import coop
from nongma.testing import LIANDU, YAZHOU_VILLAGE, client_of, file_in, make_official

pytestmark = pytest.mark.django_db
URL = "/operators/directory/visits.pdf"


def test_the_list_is_set_township_by_township() -> None:
    officer = make_official("nation", "部审核", Role.REVIEWER, 0)
    town = Region.objects.get(pk=YAZHOU_VILLAGE // 1000 * 1000)
    villages = Region.objects.filter(code__range=(LIANDU, LIANDU + 999_999), level=Region.Level.VILLAGE)
    away = villages.order_by("code")[0]
    coop(name="春晖合作社", status="imported", contact="孙军华", phone="19900002449")
    coop(name="用着码的合作社")
    expect(name="没有登记的合作社", region=away, source="走访", actor=officer)
    settle()
    DirectoryEntry.objects.filter(name="用着码的合作社").update(uncoded="")
    page = client_of(officer).get("/operators/directory/list?what=uncoded").text
    assert "打印走访名单" in page
    assert "打印走访名单" not in client_of(officer).get("/operators/directory/list").text
    answer = client_of(officer).post(URL, {"reason": "走访", "what": "uncoded"})
    assert answer.headers["Content-Type"] == "application/pdf"
    sheets = ["".join(one.get_textpage().get_text_bounded().split()) for one in PdfDocument(file_in(answer))]
    assert len(sheets) == 2
    (near,) = [sheet for sheet in sheets if "春晖合作社" in sheet]
    (far,) = [sheet for sheet in sheets if "没有登记的合作社" in sheet]
    assert town.full_name in near
    assert away.name in far
    assert "199****2449" in near
    assert "孙**" in near
    assert "19900002449" not in near
    assert "孙军华" not in near
    assert all(officer.name in sheet and "用途：走访" in sheet and "主体签字" in sheet for sheet in sheets)
    assert not any("用着码的合作社" in sheet for sheet in sheets)
    told = Entry.objects.get(action="directory.visits_printed")
    assert (told.details["rows"], told.details["purpose"]) == (2, "走访")


def test_it_refuses_without_a_purpose_and_past_its_bound(zhao: User, monkeypatch: pytest.MonkeyPatch) -> None:
    coop(name="春晖合作社", status="imported")
    coop(name="秋实合作社", status="imported")
    settle()
    monkeypatch.setattr("nongma.registry.directory.visits.MOST_VISITED", 1)
    for reason, why in (("", "请写明"), ("走访", "一次最多导出 1 条")):
        answer = client_of(zhao).post(URL, {"reason": reason}, follow=True)
        assert why in answer.text
    assert not Entry.objects.filter(action="directory.visits_printed").exists()
