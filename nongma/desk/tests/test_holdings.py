"""An owner takes along all that is held about the operator."""

import io
import json
from decimal import Decimal

import openpyxl
import pytest
from django.utils import timezone

from nongma.audit.models import Entry
from nongma.certificates.models import Basis
from nongma.certificates.services import issue_certificate
from nongma.desk.holdings import HELD, holdings_of
from nongma.lib.refused import Refused
from nongma.origins.models import Origin
from nongma.registry.bases.services import add_plot, change_base
from nongma.registry.certifications.services import add_certification
from nongma.registry.models import Operator
from nongma.registry.services import add_member, change_operator, reveal_contact
from nongma.registry.tests.test_bases import FIELD
from nongma.testing import client_of, make_user
from nongma.tracing.services import harvest_lot, transfer_lot


def test_every_record_of_an_operator_is_told():
    links = {link.get_accessor_name() for link in Operator._meta.related_objects}
    assert set(HELD) == links


def test_the_owner_reads_it_all(li, zhao, li_origin, certificate):
    operator = certificate.operator
    operator.id_number, operator.address = "360426199101010071", "中和村 8 号"
    operator.save()
    reveal_contact(operator=operator, actor=zhao)
    answer = client_of(li).post(f"/operators/{operator.code}/holdings")
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)), read_only=True)
    sheets = {sheet.title: [*sheet.iter_rows(values_only=True)] for sheet in book}
    (own,) = (dict(zip(sheets["主体"][0], row, strict=True)) for row in sheets["主体"][1:])
    assert (own["身份证号"], own["手机"], own["地址"]) == ("360426199101010071", operator.phone, "中和村 8 号")
    assert own["主体类型"] == "农户"
    told = {name: len(rows) - 1 for name, rows in sheets.items()}
    assert (told["基地"], told["批次"], told["人员"]) == (1, 1, 1)
    assert str(li_origin.uid) in str(sheets["产地信息"])
    assert li_origin.collector_phone not in str(sheets)
    assert str(certificate.uid) in str(sheets["合格证"])
    assert ("查看主体联系方式", f"赵**（{zhao.agency}）") in [row[1:] for row in sheets["操作记录"]]
    assert li.name in {row[2] for row in sheets["操作记录"]}
    assert Entry.objects.get(action="operator.holdings_taken").actor_id == li.pk


def sheets_of(operator, actor):
    """The sheets by name, each row by its headings."""
    book = openpyxl.load_workbook(holdings_of(operator=operator, actor=actor), read_only=True)
    rows = {sheet.title: [*sheet.iter_rows(values_only=True)] for sheet in book}
    return {name: [dict(zip(found[0], row, strict=True)) for row in found[1:]] for name, found in rows.items()}


def test_it_tells_of_the_land(li, li_base, cowpea):
    change_base(
        base=li_base,
        actor=li,
        soil="paddy",
        water="well",
        nearby=["road"],
        varieties="春晖 1 号",
        measures="防虫网",
        keeper="李大山",
    )
    add_plot(base=li_base, name="东头", outline=FIELD, product=cowpea, actor=li)
    sheets = sheets_of(li_base.operator, li)
    (base,), (plot,) = sheets["基地"], sheets["地块"]
    assert (base["土壤"], base["用水"], base["周边污染源"]) == ("水稻土", "井水", "公路干线、铁路")
    assert (base["品种"], base["技术措施"], base["责任人"]) == ("春晖 1 号", "防虫网", "李大山")
    assert (plot["基地"], plot["名称或编号"], plot["产品"]) == (li_base.name, "东头", "豇豆")
    assert json.loads(plot["轮廓"]) == FIELD
    assert plot["轮廓面积（亩）"] == "70.16"


def test_it_tells_in_words(li, li_base, cowpea, certificate, chen_operator):
    operator = certificate.operator
    add_certification(
        operator=operator,
        kind="geographical",
        number="AGI-1",
        products=[cowpea],
        from_on=timezone.localdate(),
        to_on=None,
        actor=li,
    )
    change_operator(operator=operator, actor=li, name="李大山豇豆", id_number="360426199101010071")
    Operator.objects.filter(pk=operator.pk).update(review_faults={"name": "和证件不一致"})
    sold = transfer_lot(lot=certificate.lot, quantity=Decimal(5), buyer=chen_operator, actor=li)
    sheets = sheets_of(operator, li)
    (own,), (held,), (asked,) = sheets["主体"], sheets["认证"], sheets["变更申请"]
    assert own["主体码"] == operator.code
    assert own["要改的项目"] == "名称：和证件不一致"
    assert held["认证产品"] == "豇豆"
    assert held["证书文件"] in {"", None}
    assert asked["改动的内容"] == "名称：李大山 → 李大山豇豆；身份证号：空 → 360426199101010071"
    assert asked["状态"] == "待审核"
    assert not any(
        "json" in str(cell).lower() or "{" in str(cell) for row in sheets["变更申请"] for cell in row.values()
    )
    (lot,), (promised,), (sale,) = sheets["批次"], sheets["合格证"], sheets["卖出"]
    assert (lot["批次码"], lot["状态"], lot["来自收购"]) == (certificate.lot.code, "正常", "否")
    assert lot["单位"] == certificate.lot.get_unit_display()
    assert (promised["承诺依据"], promised["状态"]) == (certificate.get_basis_display(), "有效")
    assert promised["批次"] == certificate.lot.code
    assert "签名内容" not in promised
    assert (sale["批次"], sale["购买方"]) == (certificate.lot.code, chen_operator.name)
    assert sale["状态"] == sold.get_state_display()


def test_others_are_told_masked(li, zhao, li_origin, certificate):
    operator = certificate.operator
    helper = make_user("helper", "李小山", is_operator=True)
    add_member(operator=operator, user=helper, actor=None)
    Operator.objects.filter(pk=operator.pk).update(reviewed_by=zhao)
    Origin.objects.filter(pk=li_origin.pk).update(state=Origin.State.APPROVED, reviewed_by=zhao)
    sheets = sheets_of(operator, li)
    told = str(sheets)
    assert "李小山" in told
    for name in (zhao.name, li_origin.grid_name, li_origin.collector_name, li_origin.collected_by.name):
        assert name not in told
    (own,) = sheets["主体"]
    assert own["审核人"] == f"赵**（{zhao.agency}）"
    (origin,) = sheets["产地信息"]
    assert (origin["网格员"], origin["信息采集员"]) == ("冯**", "卫**")


def test_it_asks_as_often_for_many_records_as_for_few(li, li_base, cowpea, certificate, django_assert_max_num_queries):
    operator = certificate.operator
    for _ in range(6):
        lot = harvest_lot(
            base=li_base,
            product=cowpea,
            quantity=Decimal(9),
            unit="kg",
            harvested_on=timezone.localdate(),
            actor=li,
        )
        issue_certificate(lot=lot, quantity=Decimal(1), basis=Basis.SELF_TEST, actor=li)
    with django_assert_max_num_queries(40):
        assert len(sheets_of(operator, li)["合格证"]) == 7


def test_nobody_else_takes_it(li_operator, li, zhao, chen):
    helper = make_user("helper", "李小山")
    add_member(operator=li_operator, user=helper, actor=None)
    for actor in (helper, zhao, chen):
        with pytest.raises(Refused) as refusal:
            holdings_of(operator=li_operator, actor=actor)
        assert refusal.value.code == "not_own_operator"
    url = f"/operators/{li_operator.code}/holdings"
    assert client_of(chen).post(url).status_code == 404
    assert client_of(li).get(url).status_code == 405
    assert "只有主体的负责人可以下载" in client_of(zhao).post(url, follow=True).text
    assert not Entry.objects.filter(action="operator.holdings_taken").exists()
