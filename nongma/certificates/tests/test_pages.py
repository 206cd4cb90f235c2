import pypdfium2
import pytest
import zxingcpp
from django.urls import reverse

from nongma.certificates.models import Certificate
from nongma.certificates.services import revoke_certificate
from nongma.testing import client_of


def page(name, certificate, *more):
    return reverse(f"certificates:{name}", args=[certificate.code, *more])


def scanned(document):
    return [
        found.text
        for sheet in pypdfium2.PdfDocument(document)
        for found in zxingcpp.read_barcodes(sheet.render(scale=4).to_pil())
    ]


def test_a_grower_issues_for_all_that_is_left(li, lot):
    browser = client_of(li)
    address = reverse("certificates:issue", args=[lot.code])
    form = browser.get(address).context["form"]
    assert form.initial["quantity"] == "500"

    answer = browser.post(address, {"quantity": "500", "basis": "quality_control", "promise": "on"})
    made = Certificate.objects.get()
    assert answer.url == made.get_absolute_url()
    shown = browser.get(answer.url).content.decode()
    for words in ("打印标签", "手机出示", "有效", "作废这张合格证"):
        assert words in shown
    assert "已全部开具" in browser.get(address).content.decode()


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"quantity": "501", "basis": "self_test", "promise": "on"}, "quantity"),
        ({"quantity": "", "basis": "self_test", "promise": "on"}, "quantity"),
        ({"quantity": "1", "basis": "hope", "promise": "on"}, "basis"),
        ({"quantity": "1", "basis": "self_test"}, "promise"),
    ],
)
def test_a_refusal_stands_beside_its_field(li, lot, data, field):
    answer = client_of(li).post(reverse("certificates:issue", args=[lot.code]), data)

    assert list(answer.context["form"].errors) == [field]
    assert not Certificate.objects.exists()


def test_a_frozen_lot_is_refused_on_top_of_the_form(li, zhao, lot):
    from nongma.tracing.recalls import freeze_lot

    freeze_lot(lot=lot, reason="待检", actor=zhao)
    answer = client_of(li).post(
        reverse("certificates:issue", args=[lot.code]), {"quantity": "1", "basis": "self_test", "promise": "on"}
    )

    assert "冻结" in answer.context["form"].non_field_errors()[0]
    assert not Certificate.objects.exists()


def test_others_find_nothing(chen, chen_operator, sun, zhao, lot, certificate):
    for name in ("certificate", "show", "revoke"):
        assert client_of(chen).get(page(name, certificate)).status_code == 404
    assert client_of(chen).get(reverse("certificates:issue", args=[lot.code])).status_code == 404
    assert client_of(chen).get(page("label", certificate, "pdf")).status_code == 404
    assert client_of(sun).get(page("certificate", certificate)).status_code == 404
    assert client_of(zhao).get(page("certificate", certificate)).status_code == 200
    assert client_of(zhao).post(page("revoke", certificate), {"reason": "x"}).status_code == 403
    answer = client_of(chen).post(reverse("certificates:labels"), {"code": [certificate.code]})
    assert answer.status_code == 302
    certificate.refresh_from_db()
    assert certificate.state == "valid"


def test_the_label_comes_in_every_form(li, certificate):
    browser = client_of(li)
    for form, kind, start in (
        ("pdf", "application/pdf", b"%PDF"),
        ("svg", "image/svg+xml", b"<svg"),
        ("zpl", "text/plain; charset=utf-8", b"^XA"),
    ):
        answer = browser.get(page("label", certificate, form), {"size": "60x40"})
        assert answer["Content-Type"] == kind
        assert answer.content.startswith(start)
    assert scanned(browser.get(page("label", certificate, "pdf")).content) == [certificate.url]
    assert len(scanned(browser.get(page("label", certificate, "pdf"), {"copies": 3, "sheet": "a4"}).content)) == 3


def test_an_odd_choice_is_told_on_the_page(li, certificate):
    browser = client_of(li)
    for choice in ({"size": "1x1"}, {"copies": "0"}, {"copies": "9999"}, {"size": "60x40", "signed": "on"}):
        answer = browser.get(page("label", certificate, "pdf"), choice, follow=True)
        assert answer.redirect_chain[-1][0] == certificate.get_absolute_url()
        assert list(answer.context["messages"])


def test_labels_of_several_certificates_in_one_file(li, lot, certificate):
    from decimal import Decimal

    from nongma.certificates.models import Basis
    from nongma.certificates.services import issue_certificate

    second = issue_certificate(lot=lot, quantity=Decimal(5), basis=Basis.SELF_TEST, actor=li)
    browser = client_of(li)

    answer = browser.post(
        reverse("certificates:labels"),
        {"code": [second.code, certificate.code, "1" * 20, second.code], "size": "70x50"},
    )
    assert scanned(answer.content) == [second.url, certificate.url]
    assert browser.post(reverse("certificates:labels"), {}).status_code == 302
    assert browser.get(reverse("certificates:labels")).status_code == 405


def test_the_phone_shows_a_symbol_that_scans(li, certificate):
    shown = client_of(li).get(page("show", certificate)).content.decode()

    assert shown.count("<path stroke") == 2
    assert certificate.code in shown.replace(" ", "")


def test_it_revokes_with_a_reason_and_prints_no_more(li, certificate):
    browser = client_of(li)
    assert "reason" in browser.post(page("revoke", certificate), {"reason": " "}).context["form"].errors
    assert browser.post(page("revoke", certificate), {"reason": "数量写错"}).url == certificate.get_absolute_url()

    shown = browser.get(page("certificate", certificate)).content.decode()
    assert "数量写错" in shown
    assert "打印标签" not in shown
    assert browser.get(page("label", certificate, "pdf")).status_code == 302
    assert "不能作为凭证" in browser.get(page("show", certificate)).content.decode()


def test_the_list_finds_by_code_state_and_product(li, zhao, lot, certificate):
    for browser in (client_of(li), client_of(zhao)):
        for query, found in (
            ({"q": certificate.code}, True),
            ({"q": lot.code}, True),
            ({"q": "豇豆", "sort": "quantity"}, True),
            ({"q": "黄瓜"}, False),
            ({"state": "valid"}, True),
            ({"state": "revoked"}, False),
        ):
            assert (certificate in browser.get("/certificates/", query).context["page"].object_list) is found
    revoke_certificate(certificate=certificate, reason="数量写错", actor=li)
    assert certificate in client_of(li).get("/certificates/", {"state": "revoked"}).context["page"].object_list


def test_an_empty_list_says_what_to_do_next(li, li_operator, zhao):
    assert "还没有合格证" in client_of(li).get("/certificates/").content.decode()
    assert "辖区内还没有合格证" in client_of(zhao).get("/certificates/").content.decode()
