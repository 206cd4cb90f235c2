from decimal import Decimal

import pypdfium2
import pytest
import zxingcpp
from django.urls import reverse

from nongma.certificates.models import Basis, Certificate, CertificateTemplate
from nongma.certificates.services import issue_certificate, revoke_certificate
from nongma.registry.models import Operator, OperatorMember
from nongma.testing import LIANDU, YAZHOU, YAZHOU_VILLAGE, client_of, make_user


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


def test_a_lot_that_can_not_be_certified_says_why_and_offers_no_form(li, zhao, lot):
    from nongma.tracing.recalls import freeze_lot
    from nongma.tracing.services import record_loss

    browser, address = client_of(li), reverse("certificates:issue", args=[lot.code])
    issue_certificate(lot=lot, quantity=Decimal(500), basis=Basis.SELF_TEST, actor=li)
    assert_stopped(browser, address, "可开具 0：已全部开具")
    record_loss(lot=lot, quantity=Decimal(500), actor=li)
    assert_stopped(browser, address, "可开具 0：批次已没有余量")
    freeze_lot(lot=lot, reason="待检", actor=zhao)
    assert_stopped(browser, address, "这个批次已冻结")


def assert_stopped(browser, address, words):
    shown = browser.get(address).content.decode()
    assert words in shown
    assert "field-page" not in shown


def test_the_lots_page_offers_the_step_that_is_next(li, lot):
    browser = client_of(li)
    assert (
        f'btn-primary btn-lg" href="{reverse("certificates:issue", args=[lot.code])}"'
        in browser.get(lot.get_absolute_url()).content.decode()
    )

    issue_certificate(lot=lot, quantity=Decimal(500), basis=Basis.SELF_TEST, actor=li)
    shown = browser.get(lot.get_absolute_url()).content.decode()
    assert "可开具 0：已全部开具" in shown
    assert reverse("certificates:issue", args=[lot.code]) not in shown
    assert f'btn-primary btn-lg" href="{reverse("tracing:transfer", args=[lot.code])}"' in shown


def test_the_grower_is_shown_the_phone_as_it_will_be_printed(li, li_operator, lot):
    address = reverse("certificates:issue", args=[lot.code])
    shown = client_of(li).get(address).content.decode()
    assert f"勾选印 {li_operator.phone}，不勾选印 {li_operator.masked_phone}" in shown

    Operator.objects.filter(pk=li_operator.pk).update(phone="", phone_index=None)
    answer = client_of(li).get(address)
    assert "show_phone" not in answer.context["form"].fields
    assert "没有登记手机号" in answer.content.decode()


def test_wording_that_nobody_checked_says_so(li, lot, certificate, monkeypatch):
    words, issue = "该样式文字未经核对", reverse("certificates:issue", args=[lot.code])
    browser = client_of(li)
    assert not CertificateTemplate.objects.filter(verified=True).exists()
    assert words in browser.get(page("certificate", certificate)).content.decode()
    assert words in browser.get(issue).content.decode()

    CertificateTemplate.objects.filter(pk=certificate.template_id).update(verified=True)
    assert words not in browser.get(page("certificate", certificate)).content.decode()
    # The wording in force is kept in memory for a minute.
    checked = CertificateTemplate.objects.get(pk=certificate.template_id)
    monkeypatch.setattr("nongma.certificates.views.template_in_force", lambda: checked)
    assert words not in browser.get(issue).content.decode()


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


def test_staff_are_not_told_the_owners_phone(li, li_operator, lot):
    staff = make_user("xiaoshan", "李小山", is_operator=True)
    OperatorMember.objects.create(operator=li_operator, user=staff, role=OperatorMember.Role.STAFF)

    shown = client_of(staff).get(reverse("certificates:issue", args=[lot.code])).text
    assert li_operator.phone not in shown
    assert f"勾选印完整的手机号，不勾选印 {li_operator.masked_phone}" in shown


def test_a_reviewer_narrows_the_list_by_any_division_of_the_area(zhao, certificate):
    browser, address = client_of(zhao), reverse("certificates:list")
    for region, seen in ((YAZHOU, True), (certificate.region_id, True), (YAZHOU_VILLAGE, False)):
        answer = browser.get(address, {"region": region, "state": "valid"})
        assert not answer.context["form"].errors
        assert (certificate in answer.context["page"].object_list) is seen, region


@pytest.mark.parametrize("asked", [{"region": LIANDU}, {"state": "lost"}])
def test_a_filter_that_makes_no_sense_says_so_and_shows_nothing(zhao, certificate, asked):
    answer = client_of(zhao).get(reverse("certificates:list"), {"q": "豇豆"} | asked)

    assert list(answer.context["form"].errors) == [*asked]
    assert not answer.context["page"].object_list
    assert "没有符合条件的合格证" in answer.text


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
