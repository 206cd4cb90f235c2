from datetime import timedelta
from typing import Any

import pypdfium2
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.handouts import slips
from nongma.accounts.handouts.retention import remove_old_sheets
from nongma.accounts.handouts.slips import Slip, clear_old_slips, slip_pdf
from nongma.accounts.handouts.tests.conftest import HandOut, station
from nongma.accounts.models import Handout, Membership, Role, User
from nongma.accounts.services import appoint, dismiss, hand_over, reset_password
from nongma.audit.models import Entry
from nongma.testing import HAINAN, LIANDU, client_of, make_official


def texts(pdf: bytes) -> list[str]:
    """The text of each page, without blanks: they come and go between Chinese and other letters."""
    document = pypdfium2.PdfDocument(pdf)
    return ["".join(page.get_textpage().get_text_bounded().split()) for page in document]


def printed(client: Client, handout: Handout, *, part: int = 0, order: str = "row") -> bytes:
    response = client.post(reverse("accounts:handout-slips", args=[handout.uid]), {"part": part, "order": order})
    assert response["Content-Type"] == "application/pdf", response.content.decode()
    assert "no-store" in response["Cache-Control"]
    return response.content


def test_a_slip_says_what_the_person_needs(gao: User, hand_out: HandOut, settings: Any) -> None:
    handout = hand_out(gao, [station(1), station(2)])
    client = client_of(gao)
    assert "2 张" in client.get(reverse("accounts:handout-slips", args=[handout.uid])).content.decode()
    (text,) = texts(printed(client, handout))
    for row in handout.rows.select_related("user", "agency"):
        assert row.user
        assert row.agency
        for said in (row.user.name, row.user.username, row.first_password, row.agency.name):
            assert said in text
    assert "高管理" in text
    assert settings.PUBLIC_URL in text
    entry = Entry.objects.get(action="handout.slips_printed")
    assert (entry.actor_id, entry.details) == (gao.pk, {"count": 2})


def test_slips_stand_by_agency_on_sheets_of_their_own(gao: User, hand_out: HandOut) -> None:
    other = station(2, village="城西村", agency="城西村监管站")
    handout = hand_out(gao, [station(1), other, station(3)])
    client = client_of(gao)
    assert len(texts(printed(client, handout))) == 1
    pages = texts(printed(client, handout, order="agency"))
    assert len(pages) == 2
    assert sorted("城西村监管站" in page for page in pages) == [False, True]


def test_ten_stand_on_a_sheet_and_parts_on_files(gao: User, hand_out: HandOut, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [Slip("站", f"周{number}", f"yzq{number:04}", "abcd-efgh-jkmn-pqrs") for number in range(21)]
    assert [page.count("abcd-efgh-jkmn-pqrs") for page in texts(slip_pdf(made, issuer=gao))] == [10, 10, 1]
    handout = hand_out(gao, [station(1), station(2), station(3)])
    monkeypatch.setattr(slips, "A_FILE", 2)
    assert [(part.number, part.slips) for part in slips.parts_of(handout, gao)] == [(0, 1), (1, 2)]
    assert "周0003" in texts(printed(client_of(gao), handout, part=1))[0]


def test_who_has_changed_the_password_has_no_slip(gao: User, hand_out: HandOut) -> None:
    handout = hand_out(gao, [station(1), station(2)])
    first = handout.rows.order_by("row")[0].user
    assert first
    reset_password(user=first, actor=gao)
    (text,) = texts(printed(client_of(gao), handout))
    assert "周0001" not in text
    assert "周0002" in text


def refused(client: Client, handout: Handout) -> bool:
    """Whether printing is refused, with nothing written and every first password left as it was."""
    before = list(handout.rows.order_by("row").values_list("first_password", flat=True))
    entries = Entry.objects.count()
    address = reverse("accounts:handout-slips", args=[handout.uid])
    assert "下载密码条 PDF" not in client.get(address).content.decode()
    response = client.post(address, {"part": 0, "order": "row"})
    assert list(handout.rows.order_by("row").values_list("first_password", flat=True)) == before
    assert Entry.objects.count() == entries
    return response.status_code == 422 and "PDF" not in response["Content-Type"]


def test_who_moves_to_another_county_prints_no_more(gao: User, hand_out: HandOut) -> None:
    handout = hand_out(gao, [station(1), station(2)])
    liandu = make_official("sun", "孙管理", Role.COLLECTOR, LIANDU).agency
    assert liandu
    dismiss(membership=gao.memberships.get(), actor=None)
    appoint(user=gao, agency=liandu, role=Role.ADMINISTRATOR, actor=None)
    gao = User.objects.get(pk=gao.pk)
    assert refused(client_of(gao), handout)
    assert slips.parts_of(handout, gao) == []
    assert "打印密码条" not in client_of(gao).get(handout.get_absolute_url()).content.decode()


def test_who_works_elsewhere_too_has_no_slip(gao: User, hand_out: HandOut) -> None:
    """Whoever signed in as that person would have the rights of the other post."""
    handout = hand_out(gao, [station(1), station(2)])
    first = handout.rows.order_by("row")[0].user
    province = make_official("sun", "孙采集", Role.COLLECTOR, HAINAN).agency
    assert first
    assert province
    post = Membership.objects.create(user=first, agency=province, role=Role.ANALYST, from_on=timezone.localdate())
    client = client_of(gao)
    (text,) = texts(printed(client, handout))
    assert "周0001" not in text
    assert "周0002" in text
    Membership.objects.filter(pk=post.pk).update(
        from_on=timezone.localdate() - timedelta(days=9), to_on=timezone.localdate() - timedelta(days=1)
    )
    assert "周0001" in texts(printed(client, handout))[0]


def test_a_hand_out_follows_the_post_without_its_slips(gao: User, hainan: User, hand_out: HandOut) -> None:
    handout = hand_out(gao, [station(1), station(2, roles="审核员")])
    assert gao.agency
    hu = make_official("hu", "胡接任", Role.REVIEWER, gao.agency.region_id)
    assert client_of(hu).get(handout.get_absolute_url()).status_code == 403
    hand_over(membership=gao.memberships.get(), to=hu, actor=hainan)
    later = hand_out(User.objects.get(pk=hu.pk), [station(3)])
    client = client_of(hu)
    listed = client.get(reverse("accounts:handouts")).content.decode()
    assert str(handout.uid) in listed
    assert str(later.uid) in listed
    assert "在这一级没有" in client.get(handout.get_absolute_url()).content.decode()
    assert refused(client, handout)
    assert "不归您打印" in client.get(reverse("accounts:handout-slips", args=[handout.uid])).content.decode()
    client.post(reverse("accounts:clear-slips", args=[handout.uid]))
    assert handout.rows.exclude(first_password="").count() == 1
    assert texts(printed(client, later))
    assert set(Handout.objects.visible_to(User.objects.get(pk=gao.pk))) == {handout}


def test_the_page_says_how_often_slips_were_printed(gao: User, hand_out: HandOut) -> None:
    handout = hand_out(gao, [station(1)])
    hand_out(gao, [station(2)])
    client = client_of(gao)
    assert "密码条还没打印" in client.get(handout.get_absolute_url()).content.decode()
    printed(client, handout)
    printed(client, handout)
    last = Entry.objects.filter(action="handout.slips_printed").latest("at").at
    said = f"打印过 2 次，最近 {timezone.localtime(last):%Y-%m-%d %H:%M}"
    assert said in client.get(handout.get_absolute_url()).content.decode()


def test_slips_are_cleared_by_hand(gao: User, hand_out: HandOut) -> None:
    handout = hand_out(gao, [station(1)])
    client = client_of(gao)
    client.post(reverse("accounts:clear-slips", args=[handout.uid]))
    assert not handout.rows.exclude(first_password="").exists()
    page = client.get(reverse("accounts:handout-slips", args=[handout.uid])).content.decode()
    assert "重设密码" in page
    response = client.post(reverse("accounts:handout-slips", args=[handout.uid]), {"part": 0, "order": "row"})
    assert response.status_code == 422
    assert Entry.objects.filter(action="handout.slips_printed").count() == 0
    client.post(reverse("accounts:clear-slips", args=[handout.uid]))
    assert Entry.objects.filter(action="handout.slips_cleared").count() == 1


def test_slips_and_sheets_go_by_themselves(gao: User, hand_out: HandOut) -> None:
    old, new = hand_out(gao, [station(1)]), hand_out(gao, [station(2)])
    past = timezone.now() - timedelta(days=15)
    Handout.objects.filter(pk=old.pk).update(created_at=past, finished_at=past)
    assert clear_old_slips() == 1
    assert clear_old_slips() == 0
    assert [bool(one.rows.get().first_password) for one in (old, new)] == [False, True]


def test_sheets_go_by_themselves(gao: User, hand_out: HandOut, settings: Any) -> None:
    handout = hand_out(gao, [station(1), station(2, kind="监督", email="wu")])
    before = handout.rows.get(row=3).faults
    assert all(fault["value"] for fault in before)
    storage, name = handout.file.storage, handout.file.name
    assert remove_old_sheets() == 0
    settings.KEEP_UPLOADS_DAYS = 0
    assert remove_old_sheets() >= 1
    handout.refresh_from_db()
    assert (bool(handout.file), storage.exists(name), handout.created) == (False, False, 1)
    assert Entry.objects.filter(action="handout.file_removed").count() == 1
    page = client_of(gao).get(handout.get_absolute_url()).content.decode()
    assert "已按保存期限删除" in page
    kept = [{name: told for name, told in fault.items() if name != "value"} for fault in before]
    assert handout.rows.get(row=3).faults == kept
    assert handout.rows.get(row=2).faults == []


def test_first_passwords_lie_encrypted(gao: User, hand_out: HandOut) -> None:
    from django.db import connection

    handout = hand_out(gao, [station(1)])
    with connection.cursor() as cursor:
        cursor.execute("SELECT first_password FROM accounts_handoutrow")
        (stored,) = cursor.fetchone()
    assert handout.rows.get().first_password not in stored
