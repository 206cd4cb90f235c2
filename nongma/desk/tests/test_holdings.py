"""An owner takes along all that is held about the operator."""

import io

import openpyxl
import pytest

from nongma.audit.models import Entry
from nongma.desk.holdings import HELD, holdings_of
from nongma.lib.refused import Refused
from nongma.registry.models import Operator
from nongma.registry.services import add_member, reveal_contact
from nongma.testing import client_of, make_user


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
    assert ("查看主体联系方式", zhao.name) in [row[1:] for row in sheets["操作记录"]]
    assert Entry.objects.get(action="operator.holdings_taken").actor_id == li.pk


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
