"""What a lot's page tells: who it went to and came from, what happened to it, what state every lot is in."""

from decimal import Decimal

import pytest

from nongma.accounts.models import Role
from nongma.certificates.services import issue_certificate, revoke_certificate
from nongma.registry.models import Operator
from nongma.testing import YAZHOU, client_of, make_official, make_operator, make_user
from nongma.tracing.models import Transfer
from nongma.tracing.recalls import recall_lot
from nongma.tracing.services import split_lot, transfer_lot
from nongma.tracing.tests.factories import harvest


@pytest.fixture
def lot(li, li_base, cowpea):
    return harvest(li_base, cowpea, li)


def part(text, title):
    """One section of the page, by the id of its heading."""
    return text.split(f'aria-labelledby="{title}"')[1].split("</section>")[0]


def page(user, lot):
    return client_of(user).get(lot.get_absolute_url()).content.decode()


def test_the_seller_reads_who_a_lot_went_to(li, lot, chen_operator):
    transfer_lot(lot=lot, quantity=Decimal(200), buyer=chen_operator, actor=li)
    transfer_lot(lot=lot, quantity=Decimal(10), buyer_name="崖城市场 3 号摊", actor=li)

    shown = page(li, lot)
    for section in ("trace", "ledger", "history"):
        assert chen_operator.name in part(shown, section)
        assert "崖城市场 3 号摊" in part(shown, section)


def test_the_buyer_reads_who_a_lot_came_from_and_a_person_stays_masked(li, li_operator, lot, chen, chen_operator):
    received = transfer_lot(lot=lot, quantity=Decimal(200), buyer=chen_operator, actor=li).received

    shown = page(chen, received)
    for section in ("trace", "ledger", "history"):
        assert "李**" in part(shown, section)
    assert li_operator.name not in shown


def test_a_household_that_buys_is_masked_before_the_seller_and_named_to_its_authority(li, lot, zhao):
    buyer = make_operator(make_user("wu", "吴小河", is_operator=True), name="吴小河", region=YAZHOU)
    transfer_lot(lot=lot, quantity=Decimal(1), buyer=buyer, actor=li)

    assert "吴**" in page(li, lot)
    assert "吴小河" not in part(page(li, lot), "trace")
    assert f'href="{buyer.get_absolute_url()}">吴小河' in part(page(zhao, lot), "ledger")


def test_a_written_name_is_told_to_who_may_recall_the_lot(li, lot, zhao, qian):
    transfer_lot(lot=lot, quantity=Decimal(1), buyer_name="孙大山", actor=li)

    assert "孙大山" in page(zhao, lot)
    assert "孙大山" not in page(qian, lot)
    assert "孙**" in page(qian, lot)


def test_the_history_lists_certificates_with_their_links(li, lot):
    made = issue_certificate(lot=lot, quantity=Decimal(200), basis="self_test", actor=li)
    revoke_certificate(certificate=made, reason="数量填错", actor=li)

    history = part(page(li, lot), "history")
    assert history.count(f'href="{made.get_absolute_url()}"') == 2
    for words in ("开具合格证", "合格证作废", "原因：数量填错", "登记采收", "李大山"):
        assert words in history


def test_the_history_of_a_part_tells_where_it_came_from(li, lot):
    (made,) = split_lot(lot=lot, quantities=[Decimal(5)], actor=li)

    assert f'href="{lot.get_absolute_url()}"' in part(page(li, made), "history")


def test_every_lot_of_a_recall_says_so_whoever_looks(li, lot, chen, chen_operator):
    received = transfer_lot(lot=lot, quantity=Decimal(200), buyer=chen_operator, actor=li).received
    recall_lot(lot=lot, reason="抽检不合格", actor=li)

    sold, bought = page(li, lot), page(chen, received)
    assert part(sold, "trace").count("已召回") == part(bought, "trace").count("已召回") == 2
    assert "1 个批次一起召回" in sold
    assert "已召回" in client_of(chen).get("/lots/").content.decode().split("<tbody>")[1]


def test_a_recall_is_told_once_and_in_red(li, lot):
    answer = client_of(li).post(f"{lot.get_absolute_url()}/recall", {"reason": "抽检不合格"}, follow=True)

    assert "alert-success" not in answer.content.decode()
    assert answer.content.decode().count("alert-danger") == 1


def test_the_page_of_a_lot_sold_often_takes_a_fixed_number_of_statements(
    li, lot, chen_operator, django_assert_max_num_queries
):
    for _ in range(12):
        transfer_lot(lot=lot, quantity=Decimal(1), buyer=chen_operator, actor=li)
        transfer_lot(lot=lot, quantity=Decimal(1), buyer_name="早市", actor=li)
    browser = client_of(li)
    with django_assert_max_num_queries(32):
        shown = browser.get(lot.get_absolute_url()).content.decode()
    assert part(shown, "ledger").count("早市") == 12


def test_transfers_are_seen_from_both_sides_only(li, lot, zhao, sun, chen, chen_operator):
    made = transfer_lot(lot=lot, quantity=Decimal(1), buyer=chen_operator, actor=li)
    stranger = make_user("gu", "顾外人", is_operator=True)
    make_operator(stranger, name="顾家合作社", kinds=[Operator.Kind.COOPERATIVE])
    elsewhere = make_official("ye", "叶审核", Role.REVIEWER, 460107000000)

    for user in (li, chen, zhao, sun):
        assert list(Transfer.objects.visible_to(user)) == [made]
    for user in (stranger, elsewhere):
        assert not Transfer.objects.visible_to(user).exists()


def test_who_may_not_see_certificates_reads_neither_their_names_nor_links(li, lot, qian, zhao):
    certificate = issue_certificate(lot=lot, quantity=Decimal(200), basis="quality_control", actor=li)
    revoke_certificate(certificate=certificate, reason="写错了", actor=li)

    shown = page(qian, lot)
    assert part(shown, "history").count("合格证") >= 2
    assert certificate.get_absolute_url() not in shown
    assert 'aria-labelledby="certificates"' not in shown
    assert certificate.get_absolute_url() in part(page(zhao, lot), "history")
