"""A shopper scans a code and sees what it is, from where, and whether it is good."""

import itertools
import json
import re
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection, transaction

from nongma.certificates.models import Basis, Certificate
from nongma.certificates.services import issue_certificate, revoke_certificate
from nongma.codes.codec import encode
from nongma.codes.models import CodeRange
from nongma.codes.services import assign, void_range
from nongma.origins.models import Origin
from nongma.public.queries import MOST_LOTS_FOLLOWED, STATEMENT, parameters_of
from nongma.public.tests.asgi import BROWSER, eventually
from nongma.registry.bases.services import close_base
from nongma.registry.models import Base, Operator
from nongma.testing import make_origin
from nongma.tracing.models import Lot, LotLink
from nongma.tracing.recalls import freeze_lot, recall_lot, unfreeze_lot
from nongma.tracing.services import split_lot, transfer_lot

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_shows_what_a_certificate_promises(shopper, certificate: Certificate):
    page = shopper.get(f"/t/{certificate.code}", accept=BROWSER)
    assert page.status == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for words in (
        "合格证有效",
        "豇豆",
        "100.5 千克",
        str(certificate.lot.made_on),
        "未使用禁用农药",
        "自行检测合格",
        "崖州区",
        "李**",
    ):
        assert words in page.text
    assert "验证通过" in page.text
    assert certificate.code[:4] + "</span> <span>" + certificate.code[4:8] in page.text
    assert re.search(r'<svg [^>]*aria-label="海南省三亚市崖州区[^"]*"', page.text)


def test_it_gives_the_same_as_data(shopper, certificate: Certificate, lot: Lot):
    answer = shopper.data(f"/t/{certificate.code}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    data = answer.json
    assert (data["kind"], data["state"], data["product"]) == ("certificate", "valid", "豇豆")
    assert (data["quantity"], data["unit"]) == ("100.5", "kg")
    assert data["operator"]["name"] == "李**"
    assert "海南省三亚市崖州区" in data["origin"]["path"]
    assert data["lot"] == {"code": encode(lot.serial), "kind": "harvest", "made_on": lot.made_on.isoformat()}
    promise = data["certificate"]
    assert (promise["code"], promise["state"], promise["basis"]) == (certificate.code, "valid", "self_test")
    assert promise["issued_on"] == certificate.issued_on.isoformat()
    assert promise["signature_valid"] is True
    assert [step["step"] for step in data["journey"]] == ["harvested", "certified"]
    assert data["journey"][0]["on"] == lot.made_on.isoformat()


def test_it_tells_nobody_who_or_where_exactly_a_household_is(shopper, certificate: Certificate, li_base, li_operator):
    page, data = shopper.get(f"/t/{certificate.code}"), shopper.data(f"/t/{certificate.code}")
    for secret in ("李大山", li_operator.phone, str(li_base.longitude), str(li_base.latitude)):
        assert secret not in page.text
        assert secret not in data.text
    assert data.json["operator"]["phone"] == "199****5935"
    assert (data.json["origin"]["longitude"], data.json["origin"]["latitude"]) == ("109.16", "18.44")
    assert data.json["origin"]["base"] == ""


def test_it_names_a_co_op_in_full(shopper, chen, chen_operator: Operator, chen_base, cowpea):
    code = encode(chen_operator.serial)
    assert shopper.data(f"/t/{code}").json["operator"]["name"] == chen_operator.name
    base = shopper.data(f"/t/{encode(chen_base.serial)}").json
    assert (base["kind"], base["state"], base["origin"]["base"]) == ("base", "valid", chen_base.name)
    assert "莲都区" in base["origin"]["path"]


def test_a_bases_code_tells_of_the_base_and_that_it_is_closed(shopper, chen, chen_base):
    Base.objects.filter(pk=chen_base.pk).update(varieties="浙茄三号", measures="防虫网。有事打19900002449")
    page, data = shopper.get(f"/t/{chen_base.code}"), shopper.data(f"/t/{chen_base.code}").json
    assert (data["origin"]["varieties"], data["origin"]["measures"]) == ("浙茄三号", "防虫网。有事打199****2449")
    assert "浙茄三号" in page.text
    assert "199****2449" in page.text
    close_base(base=chen_base, reason="退租", actor=chen)
    eventually(lambda: shopper.get(f"/t/{chen_base.code}").status == 410)
    assert "基地已停用" in shopper.get(f"/t/{chen_base.code}").text
    assert shopper.data(f"/t/{chen_base.code}").json["state"] == "closed"


def test_it_speaks_english(shopper, certificate: Certificate):
    for page in (
        shopper.get(f"/t/{certificate.code}", query="lang=en"),
        shopper.get(f"/t/{certificate.code}", accept_language="en-GB,en;q=0.9,zh;q=0.4"),
    ):
        assert page.headers["content-language"] == "en"
        for words in ("Certificate valid", "100.5 kg", "No banned pesticide", "Harvested", "李**"):
            assert words in page.text
    assert "合格证有效" in shopper.get(f"/t/{certificate.code}", query="lang=zh", accept_language="en").text


def test_it_shows_the_lots_certificate_for_a_lot_and_an_item(shopper, certificate: Certificate, lot: Lot):
    items = assign(kind=CodeRange.Kind.ITEM, subject=lot.uid, count=1000)
    for serial, kind in ((lot.serial, "lot"), (items.start, "item"), (items.stop - 1, "item")):
        data = shopper.data(f"/t/{encode(serial)}").json
        assert (data["kind"], data["state"]) == (kind, "valid")
        assert data["certificate"]["code"] == certificate.code
    assert shopper.get(f"/t/{encode(items.stop)}").status == 404


def test_it_prefers_a_certificate_that_holds(shopper, certificate: Certificate, lot: Lot, li):
    later = issue_certificate(lot=lot, quantity=Decimal(5), basis=Basis.SELF_TEST, actor=li)

    def shown() -> str:
        return shopper.data(f"/t/{encode(lot.serial)}").json["certificate"]["code"]

    assert shown() == later.code
    revoke_certificate(certificate=later, reason="开错数量", actor=li)
    eventually(lambda: shown() == certificate.code, seconds=1)


def test_a_lot_without_a_certificate_says_so(shopper, lot: Lot):
    page = shopper.get(f"/t/{encode(lot.serial)}")
    assert page.status == 200
    assert "未开合格证" in page.text
    assert "合格证有效" not in page.text
    assert shopper.data(f"/t/{encode(lot.serial)}").json["certificate"] is None


def test_a_revocation_a_freeze_and_a_recall_show_at_once(shopper, certificate: Certificate, lot: Lot, li, zhao):
    path = f"/t/{certificate.code}"
    assert "合格证有效" in shopper.get(path).text
    freeze_lot(lot=lot, reason="抽检存疑", actor=zhao)
    eventually(lambda: "暂停销售" in shopper.get(path).text, seconds=1)
    assert "抽检存疑" not in shopper.get(path).text
    unfreeze_lot(lot=lot, reason="复检合格", actor=zhao)
    eventually(lambda: "合格证有效" in shopper.get(path).text, seconds=1)
    revoke_certificate(certificate=certificate, reason="数量填错", actor=li)
    eventually(lambda: shopper.get(path).status == 410, seconds=1)
    assert "合格证已作废" in shopper.get(path).text
    assert "数量填错" in shopper.get(path).text
    recall_lot(lot=lot, reason="农药残留超标", actor=li)
    eventually(lambda: "已召回，请勿食用" in shopper.get(path).text, seconds=1)
    problem = shopper.data(path)
    assert problem.status == problem.json["status"] == 410
    assert problem.headers["content-type"] == "application/problem+json"
    assert (problem.json["code"], problem.json["state"]) == ("recalled", "recalled")
    assert problem.json["detail"] == "农药残留超标"
    assert problem.json["certificate"]["state"] == "revoked"


def test_a_recall_reaches_what_was_split_and_sold(shopper, lot: Lot, li, chen, chen_operator):
    part, _ = split_lot(lot=lot, quantities=[Decimal(50), Decimal(50)], actor=li)
    sold = transfer_lot(lot=part, buyer=chen_operator, quantity=Decimal(20), actor=li)
    bought = Lot.objects.get(pk=sold.received_id)
    path = f"/t/{encode(bought.serial)}"
    data = shopper.data(path).json
    assert data["operator"]["name"] == chen_operator.name
    assert data["grower"]["name"] == "李**"
    assert "崖州区" in data["origin"]["path"]
    assert data["journey"][0]["step"] == "harvested"
    recall_lot(lot=lot, reason="农药残留超标", actor=li)
    eventually(lambda: shopper.get(path).status == 410, seconds=1)


def test_a_void_code_says_so(shopper, certificate: Certificate, lot: Lot, li):
    items = assign(kind=CodeRange.Kind.ITEM, subject=lot.uid, count=10)
    path = f"/t/{encode(items.start)}"
    assert shopper.get(path).status == 200
    void_range(code_range=items, reason="标签卷遗失", actor=li)
    eventually(lambda: shopper.get(path).status == 410, seconds=1)
    assert "此码已作废" in shopper.get(path).text
    assert shopper.get(f"/t/{certificate.code}").status == 200


@pytest.mark.parametrize(
    ("status", "http", "words"),
    [("submitted", 200, "登记信息待审核"), ("suspended", 200, "主体已停用"), ("cancelled", 410, "主体已注销")],
)
def test_an_operator_is_shown_as_it_stands(shopper, li_operator: Operator, status: str, http: int, words: str):
    Operator.objects.filter(pk=li_operator.pk).update(status=status)
    page = shopper.get(f"/t/{encode(li_operator.serial)}")
    assert page.status == http
    assert words in page.text


def test_an_operator_page_lists_what_it_grows(shopper, li_operator: Operator, li_base, cowpea, wang):
    make_origin(li_base, cowpea, collected_by=wang, state=Origin.State.APPROVED)
    for serial in (li_operator.serial, li_base.serial):
        assert shopper.data(f"/t/{encode(serial)}").json["products"] == ["豇豆"]


def test_a_false_code_never_reaches_the_database(shopper, resolver, certificate: Certificate, monkeypatch):
    def unexpected(*args, **kwargs):
        raise AssertionError("the database was asked")

    monkeypatch.setattr(resolver.pool, "connection", unexpected)
    wrong = str((int(certificate.code[-1]) + 1) % 10)
    code = certificate.code[:-1] + wrong
    page = shopper.get(f"/t/{code}")
    assert page.status == 404
    assert "假码" in page.text
    assert f'value="{code}"' in page.text
    assert len(page.body) == int(page.headers["content-length"])
    problem = shopper.data(f"/t/{code}")
    assert (problem.status, problem.json["code"]) == (404, "code_false")


def test_a_code_never_issued_is_unknown(shopper):
    code = encode(999_999_999_998)
    page = shopper.get(f"/t/{code}")
    assert page.status == 404
    assert "查无此码" in page.text
    assert shopper.data(f"/t/{code}").json["code"] == "code_unknown"


def test_a_range_whose_subject_is_missing_is_unknown(shopper, li_operator: Operator):
    codes = assign(kind=CodeRange.Kind.LOT, subject=li_operator.uid)
    assert shopper.get(f"/t/{encode(codes.start)}").status == 404


@pytest.mark.parametrize(
    "path",
    ["/t/abc", "/t/" + "1" * 19, "/t/" + "9" * 5000, "/t/<script>", "/t/\udcff\x00", "/t/../../etc/passwd", "/t/١٢٣"],
)
def test_anything_else_is_no_code(shopper, path: str):
    page = shopper.get(path)
    assert page.status == 404
    assert "不是农码" in page.text
    assert "<script" not in page.text
    assert shopper.data(path).json["code"] == "code_malformed"


def test_a_person_may_type_the_code(shopper, certificate: Certificate):
    assert shopper.get("/t/").status == 200
    assert "<form" in shopper.get("/t").text
    code = certificate.code
    spaced = " ".join(code[start : start + 4] for start in range(0, 20, 4))
    wide = code.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    for typed in (spaced.replace(" ", "+"), spaced.replace(" ", "-"), code):
        assert "合格证有效" in shopper.get("/t/", query=f"code={typed}").text
    assert "合格证有效" in shopper.get(f"/t/{wide}/").text
    assert 'value="&quot;&gt;&lt;b"' in shopper.get("/t/", query="code=%22%3E%3Cb").text
    for query in ("code=" + "%", "&" * 400, "lang=%ff", "a=" * 200):
        assert shopper.get("/t/", query=query).status in {200, 404}


def test_a_gs1_digital_link_leads_to_the_same_page(shopper, certificate: Certificate, lot: Lot):
    items = assign(kind=CodeRange.Kind.ITEM, subject=lot.uid, count=10)
    item, code = encode(items.start), encode(lot.serial)
    for path in (
        f"/01/06901234567892/10/{code}/21/{item}",
        f"/01/6901234567892/21/{item}",
        f"/01/06901234567892/10/{code}",
    ):
        assert "合格证有效" in shopper.get(path).text
    other = encode(certificate.serial + 10**6)
    assert "假码" in shopper.get(f"/01/06901234567892/10/{other}/21/{item}").text
    for path in ("/01/06901234567892", f"/01/06901234567891/21/{item}", "/01/x/21/1", "/01/"):
        assert shopper.get(path).status == 404


def test_it_answers_get_and_head_alone(shopper, certificate: Certificate):
    path = f"/t/{certificate.code}"
    head, page = shopper.get(path, method="HEAD"), shopper.get(path)
    assert head.body == b""
    assert {**head.headers, "content-length": ""} == {**page.headers, "content-length": ""}
    for other in (f"/t/{'1' * 20}", "/t/x"):
        assert shopper.get(other, method="HEAD").body == b""
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
        answer = shopper.get(path, method=method)
        assert answer.status == 405
        assert answer.headers["allow"] == "GET, HEAD"
        assert answer.json["code"] == "method_not_allowed"


def test_a_changed_row_does_not_pass_for_what_was_signed(shopper, certificate: Certificate):
    Certificate.objects.filter(pk=certificate.pk).update(quantity=Decimal(999))
    page = shopper.get(f"/t/{certificate.code}")
    assert "验证不通过" in page.text
    assert shopper.data(f"/t/{certificate.code}").json["certificate"]["signature_valid"] is False


def test_a_page_is_light_and_asks_for_nothing_else(shopper, certificate: Certificate):
    for path in (f"/t/{certificate.code}", f"/t/{'1' * 20}", "/t/x"):
        page = shopper.get(path)
        assert len(page.body) < 60 * 1024
        assert "<script" not in page.text
        assert not re.search(r"(src|href|url\()\s*=?\s*[\"'(]?(https?:)?//", page.text)
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        for header in ("x-content-type-options", "referrer-policy", "cache-control", "vary"):
            assert page.headers[header]


def test_a_fault_shows_a_page_and_not_a_trace(shopper, certificate: Certificate, monkeypatch, caplog):
    from nongma.public import pages

    monkeypatch.setattr(pages, "subject_answer", lambda *args: 1 / 0)
    page = shopper.get(f"/t/{certificate.code}")
    assert page.status == 500
    assert "查询出错" in page.text
    assert "ZeroDivisionError" not in page.text
    assert "ZeroDivisionError" in caplog.text
    assert shopper.data(f"/t/{certificate.code}").json["code"] == "code_error"


def test_a_table_that_is_locked_makes_nobody_wait_for_long(shopper, certificate: Certificate):
    """As while a column is added: the page says to come back in a moment."""
    shopper.running.do(_give_up_after(shopper.application.pool, "200ms"))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE codes_coderange")
        page = shopper.get(f"/t/{certificate.code}")
        assert page.status == 503
        assert page.headers["retry-after"] == "5"
        assert "暂时查不到" in page.text
    assert shopper.get(f"/t/{certificate.code}").status == 200


async def _give_up_after(pool, timeout: str) -> None:
    async with pool.connection() as one:
        await one.execute(f"SET statement_timeout = '{timeout}'")


def test_one_statement_reads_it_all(resolver, certificate: Certificate, shopper):
    """No sequential scan of a table that grows: every relation in the plan is reached by an index."""
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("EXPLAIN " + STATEMENT, parameters_of(certificate.serial))
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert not re.search(r"Seq Scan on (?!catalogue|certificates_certificatetemplate)\w+", plan), plan
    assert settings.HELPLINES[0] in shopper.get(f"/t/{certificate.code}").text


def test_a_mix_of_mixes_is_followed_no_further_than_shown(shopper, lot: Lot, li):
    """Five times a hundred lots, each mixed from all of the last hundred: 40,000 links, of which a scan reads few."""
    levels = [split_lot(lot=lot, quantities=[Decimal(1)] * 100, actor=li)]
    for level in range(1, 5):
        alike = [_like(made, 950_000_000_000 + 100 * level + number) for number, made in enumerate(levels[0])]
        levels.append(Lot.objects.bulk_create(alike))
    LotLink.objects.bulk_create(
        LotLink(parent=parent, child=child, quantity=Decimal("0.001"))
        for above, below in itertools.pairwise(levels)
        for parent, child in itertools.product(above, below)
    )
    last = levels[-1][-1]
    CodeRange.objects.create(start=last.serial, stop=last.serial + 1, kind=CodeRange.Kind.LOT, subject=last.uid)

    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + STATEMENT, parameters_of(last.serial))
        (plan,) = cursor.fetchone()
    (walk,) = [
        node
        for node in _nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
        if node["Node Type"] == "Recursive Union"
    ]
    assert walk["Actual Rows"] == MOST_LOTS_FOLLOWED
    assert shopper.get(f"/t/{encode(last.serial)}").status == 200


def _like(lot: Lot, serial: int) -> Lot:
    return Lot(
        serial=serial,
        operator=lot.operator,
        product=lot.product,
        unit=lot.unit,
        kind=Lot.Kind.MIX,
        region_id=lot.region_id,
        base=lot.base,
        made_on=lot.made_on,
        created_by=lot.created_by,
    )


def _nodes(plan):
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)
