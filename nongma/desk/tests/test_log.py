import re
from datetime import timedelta
from decimal import Decimal
from time import sleep
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nongma.accounts.models import Handout, User
from nongma.audit.labels import ACTIONS, actions_by_thing
from nongma.audit.models import Entry
from nongma.audit.services import Target, record, record_many
from nongma.certificates.models import Certificate
from nongma.desk.log.sentences import PHRASES
from nongma.desk.log.views import SHOWN
from nongma.lib.ids import uuid7
from nongma.origins.models import ImportJob, Origin
from nongma.registry.models import Base, Operator
from nongma.testing import HAINAN, LIANDU, YAZHOU, client_of, file_in
from nongma.tracing.services import record_loss, transfer_lot

LOG = "/audit/"
EXPORT = "/audit/export"
PURPOSE = {"reason": "年度检查"}


def shown(user: User, **query: Any) -> list[Entry]:
    entries: list[Entry] = client_of(user).get(LOG, query).context["slice"].entries
    return entries


def test_it_shows_the_own_area_newest_first(hainan: User, ministry: User, zhao: User, li: User) -> None:
    first = record("account.created", actor=zhao, target=li, region_code=YAZHOU)
    sleep(0.002)  # keys are in the order of milliseconds
    last = record("account.appointed", actor=zhao, target=li, region_code=YAZHOU)
    sleep(0.002)
    outside = record("account.created", actor=zhao, target=li, region_code=LIANDU)
    sleep(0.002)
    nowhere = record("account.created", actor=None, target=li)
    assert shown(hainan) == [last, first]
    assert shown(ministry) == [nowhere, outside, last, first]


def test_it_is_for_administrators(zhao: User, li: User) -> None:
    for user in (zhao, li):
        assert client_of(user).get(LOG).status_code == 403
        assert client_of(user).post(EXPORT).status_code == 403
    assert not Entry.objects.exists()


def test_it_is_narrowed_to_a_place(hainan: User, ministry: User, li: User) -> None:
    inside = record("account.created", actor=None, target=li, region_code=YAZHOU)
    record("account.created", actor=None, target=li, region_code=LIANDU)
    for user in (hainan, ministry):
        assert shown(user, region=HAINAN) == [inside]
        assert shown(user, region=YAZHOU) == [inside]
    assert shown(hainan, region=LIANDU) == []


def test_it_is_filtered(ministry: User, zhao: User, li: User, chen: User) -> None:
    one = record("account.created", actor=zhao, target=li, region_code=YAZHOU)
    other = record("account.failed", actor=None, target=chen)
    assert shown(ministry, who="zhao") == [one]
    assert shown(ministry, who="赵审核") == [one]
    assert shown(ministry, who="nobody") == []
    assert shown(ministry, action="account.failed") == [other]
    assert shown(ministry, kind="user", target=chen.uid) == [other]
    assert shown(ministry, kind="lot") == []
    yesterday = timezone.localdate() - timedelta(days=1)
    assert shown(ministry, from_on=yesterday, to_on=yesterday) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from_on": "2026-02-01", "to_on": "2026-01-01"}, "to_on"),
        ({"from_on": "2020-01-01", "to_on": "2026-01-01"}, "from_on"),
        ({"from_on": "yesterday"}, "from_on"),
        ({"action": "nonsense"}, "action"),
    ],
)
def test_it_says_what_is_wrong_with_a_search(ministry: User, query: dict[str, str], field: str) -> None:
    response = client_of(ministry).get(LOG, query)
    assert field in response.context["form"].errors
    assert response.context["slice"].entries == []
    assert client_of(ministry).post(f"{EXPORT}?{urlencode(query)}").status_code == 400
    assert not Entry.objects.exists()


def test_it_goes_back_page_by_page(ministry: User, li: User) -> None:
    record_many("origin.approved", actor=li, targets=[("origin", str(n), None, {}) for n in range(SHOWN * 2 + 1)])
    client, seen, before = client_of(ministry), [], ""
    for _ in range(3):
        found = client.get(LOG, {"before": before}).context["slice"]
        seen += [entry.pk for entry in found.entries]
        before = found.before
    assert before is None
    assert seen == list(Entry.objects.order_by("-id").values_list("pk", flat=True))
    assert client.get(LOG, {"before": "nonsense"}).status_code == 200


@pytest.fixture
def job(wang: User) -> ImportJob:
    """An import that runs."""
    return ImportJob.objects.create(
        user=wang, filename="崖州.xlsx", size_bytes=1, digest=b"", accepted=2, to_locate=1, started_at=timezone.now()
    )


def row_targets(job: ImportJob, *regions: int) -> list[Target]:
    """What an import puts on record of its rows, one in each of the regions."""
    return [("origin", str(row), code, {"import": str(job.uid), "row": row}) for row, code in enumerate(regions)]


def text_of(html: str) -> str:
    """What a page says, without marks, spaces folded."""
    return " ".join(re.sub(r"<[^>]*>", "", html).split())


def test_it_reads_as_sentences_that_lead_to_the_records(
    ministry: User,
    zhao: User,
    li: User,
    li_operator: Operator,
    li_base: Base,
    li_origin: Origin,
    certificate: Certificate,
) -> None:
    record("account.appointed", actor=zhao, target=li, agency="崖州站", role="reviewer", reason="调入")
    record("account.password_changed", actor=li, target=li)
    record("account.password_reset", actor=zhao, target=li)
    places = ["南滨", "大蛋", "东关", "雀信", "水南", "抱古"]
    record("third_party.authorised", actor=zhao, target=li, towns=places, from_on="2026-11-01", to_on="2026-12-01")
    changes = {"industries": [["planting"], ["planting", "fishery"]], "uscc": [None, "91460000MA5T00001X"]}
    fields = ["phone", "address", "industries", "uscc"]
    record("operator.changed", actor=li, target=li_operator, fields=fields, changes=changes)
    record("base.registered", actor=li, target=li_base, operator=str(li_operator.uid))
    record("origin.returned", actor=zhao, target=li_origin, region_code=YAZHOU, reason="坐标不对")
    record("origin.changed", actor=zhao, target=li_origin, fields=["scale", "on_sale_on"])
    transfer_lot(lot=certificate.lot, quantity=Decimal(20), buyer_name="早市", actor=li)
    record_loss(lot=certificate.lot, quantity=Decimal("1.5"), actor=li)
    html = client_of(ministry).get(LOG).text
    text = text_of(html)
    for sentence in (
        "赵审核 任命账号“李大山（li）”为崖州站的审核员，原因 调入",
        "李大山 修改自己的密码",
        "采集：南滨、大蛋、东关、雀信、水南等 6 个，2026-11-01 至 2026-12-01",
        "赵审核 重设账号“李大山（li）”的密码",
        "李大山 修改主体“李大山”的手机、地址、行业（种植业 → 种植业、渔业）、",
        "统一社会信用代码（空 → 91460000MA5T00001X）",
        "李大山 登记基地“李大山豇豆地”",
        "赵审核 审核产地信息“李大山 豇豆”：待审核 → 已退回，原因 坐标不对",
        "改正产地信息“李大山 豇豆”的种养规模、上市时间：已退回 → 待审核",
        f"李大山 开具合格证“豇豆 …{certificate.code[-6:]}”，",
        f"批次 {certificate.lot.code}",
        "依据 质量安全控制符合要求，数量 200 千克",
        f"李大山 交付批次“豇豆 …{certificate.lot.code[-6:]}”，数量 20 千克",
        f"李大山 登记批次“豇豆 …{certificate.lot.code[-6:]}”的损耗，数量 1.5 千克",
        "采收，登记批次“豇豆",
        "数量 500 千克",
        "时间（北京时间）",
    ):
        assert sentence in text
    for record_page in (li_operator, li_origin, certificate, certificate.lot):
        assert f'href="{record_page.get_absolute_url()}"' in html


def test_it_reads_well_where_little_is_known(
    ministry: User, zhao: User, wang: User, li: User, li_operator: Operator, li_origin: Origin
) -> None:
    record("account.failed", actor=None, target=li)
    record("account.locked", actor=None, target=li)
    record("operator.approved", actor=zhao, target=li_operator)
    record("operator.changed", actor=li, target=li_operator, fields=[], changes={})
    record("origin.changed", actor=wang, target=li_origin, fields=[], changes={})
    lines = client_of(ministry).get(LOG).context["lines"]
    assert [f"{line.actor} {line.sentence}".strip() for line in reversed(lines)][-5:] == [
        "有人登录账号“李大山（li）”，密码不对",
        "系统 锁定账号“李大山（li）”：连续输错密码",
        "赵审核 审核主体“李大山”：已通过",
        "李大山 保存主体“李大山”，内容没有改动",
        f"{wang.name} 重新提交产地信息“李大山 豇豆”，内容没有改动：已退回 → 待审核",
    ]
    record_many("origin.superseded", actor=wang, targets=[("origin", str(li_origin.uid), None, {})])
    assert f"{wang.name} 有了新的记录，代替产地信息“李大山 豇豆”" in text_of(
        client_of(ministry).get(LOG, {"action": "origin.superseded"}).text
    )


def test_every_action_has_a_sentence_and_a_name_of_its_own() -> None:
    assert set(PHRASES) == set(ACTIONS)
    assert len(set(ACTIONS.values())) == len(ACTIONS)


def test_a_record_that_is_unknown_goes_by_its_number(ministry: User) -> None:
    record_many(
        "origin.approved", actor=None, targets=[("origin", "nonsense-12345678", None, {}), ("x", "1", None, {})]
    )
    text = text_of(client_of(ministry).get(LOG).text)
    assert "系统 审核产地信息“12345678”" in text
    assert "系统 审核x“1”" in text


def test_the_rows_of_an_import_stand_under_it(ministry: User, wang: User, li_origin: Origin, job: ImportJob) -> None:
    rows = [("origin", str(li_origin.uid), YAZHOU, {"import": str(job.uid), "row": row}) for row in (2, 3)]
    record_many("origin.imported", actor=wang, targets=rows)
    record_many("origin.imported", actor=wang, targets=[("origin", "1", YAZHOU, {"import": "another", "row": 2})])
    finished = record("import.finished", actor=wang, target=job, accepted=2, to_locate=1)
    page = client_of(ministry).get(LOG)
    assert page.context["slice"].entries == [finished]
    assert "导入表格“崖州.xlsx”完成，已保存 2，待定位 1" in text_of(page.text)
    assert f"?job={job.uid}" in page.text
    assert "逐行记录 3 条" in page.text
    under = client_of(ministry).get(LOG, {"job": job.uid})
    assert sorted(entry.details["row"] for entry in under.context["slice"].entries) == [2, 3]
    assert "只看表格“崖州.xlsx”逐行导入的记录" in text_of(under.text)
    assert len(shown(ministry, action="origin.imported")) == 3


def test_the_rows_of_an_import_are_narrowed_like_the_rest(
    ministry: User, hainan: User, wang: User, zhao: User, job: ImportJob
) -> None:
    record_many("origin.imported", actor=wang, targets=row_targets(job, YAZHOU, LIANDU))
    assert len(shown(ministry, job=job.uid)) == 2
    assert [entry.region_code for entry in shown(hainan, job=job.uid)] == [YAZHOU]
    assert [entry.region_code for entry in shown(ministry, job=job.uid, region=LIANDU)] == [LIANDU]
    assert len(shown(ministry, job=job.uid, who="wang", kind="origin", action="origin.imported")) == 2
    yesterday = timezone.localdate() - timedelta(days=1)
    for others in (
        {"who": "zhao"},
        {"person": zhao.pk},
        {"action": "origin.approved"},
        {"kind": "lot"},
        {"from_on": yesterday, "to_on": yesterday},
    ):
        assert shown(ministry, job=job.uid, **others) == []
    assert shown(ministry, job=uuid7()) == []


def test_a_link_to_a_person_elsewhere_tells_no_name(hainan: User, ministry: User, chen: User, li: User) -> None:
    record("account.created", actor=chen, target=chen, region_code=LIANDU)
    record("account.created", actor=li, target=li, region_code=YAZHOU)
    for query in ({"kind": "user", "target": chen.uid}, {"person": chen.pk}):
        assert chen.name in client_of(ministry).get(LOG, query).text
        page = client_of(hainan).get(LOG, query).text
        assert chen.name not in page
        assert chen.username not in page
        assert "看全部" in page
    page = client_of(hainan).get(LOG, {"kind": "user", "target": li.uid}).text
    assert "只看账号“李大山（li）”的经过" in text_of(page)


def test_a_link_to_an_import_elsewhere_tells_no_name(hainan: User, ministry: User, wang: User, job: ImportJob) -> None:
    record_many("origin.imported", actor=wang, targets=row_targets(job, LIANDU))
    query = {"job": job.uid}
    assert job.filename in client_of(ministry).get(LOG, query).text
    assert job.filename not in client_of(hainan).get(LOG, query).text
    exported = client_of(hainan).post(f"{EXPORT}?{urlencode(query)}", PURPOSE)
    assert len(file_in(exported).decode().strip().splitlines()) == 2
    assert job.filename not in Entry.objects.get(action="audit.exported").details["filter"]


def test_a_person_is_followed_apart_from_namesakes(ministry: User, li: User, chen: User) -> None:
    User.objects.filter(pk=chen.pk).update(name=li.name)
    chen.refresh_from_db()
    own = record("account.created", actor=li, target=li, region_code=YAZHOU)
    record("account.created", actor=chen, target=chen, region_code=LIANDU)
    assert f"?person={li.pk}" in client_of(ministry).get(LOG).text
    page = client_of(ministry).get(LOG, {"person": li.pk})
    assert page.context["slice"].entries == [own]
    assert "只看李大山的操作" in text_of(page.text)
    assert len(shown(ministry, who=li.name)) == 2


def test_a_page_costs_the_same_however_many_records_it_names(
    ministry: User, zhao: User, li_origin: Origin, django_assert_num_queries: Any
) -> None:
    client = client_of(ministry)
    record("origin.approved", actor=zhao, target=li_origin, region_code=YAZHOU)
    with CaptureQueriesContext(connection) as few:
        client.get(LOG)
    for _ in range(20):
        record("origin.approved", actor=zhao, target=li_origin, region_code=YAZHOU)
    with django_assert_num_queries(len(few)):
        client.get(LOG)


def test_it_says_when_there_is_nothing(ministry: User) -> None:
    assert "这段时间没有记录" in client_of(ministry).get(LOG).content.decode()


def test_it_is_exported_for_spreadsheets_and_that_is_on_record(hainan: User, li: User) -> None:
    record("account.created", actor=li, target=li, region_code=YAZHOU, note="=1+1")
    Entry.objects.update(actor_name="=cmd()")
    answer = client_of(hainan).post(f"{EXPORT}?action=account.created", PURPOSE)
    text = file_in(answer).decode()
    assert unquote(answer["Content-Disposition"]).startswith("attachment; filename*=utf-8''审计记录-")
    assert text.startswith("\ufeff时间（北京时间）,操作人,")
    assert "'=cmd()" in text
    assert "建立账号“李大山（li）”（说明 =1+1）" in text
    assert "海南省" in text
    lines = text.strip().splitlines()
    assert len(lines) == 3
    assert lines[-1].startswith(hainan.name)
    assert lines[-1].endswith("导出，用途：年度检查")
    entry = Entry.objects.get(action="audit.exported")
    assert (entry.actor_id, entry.region_code, entry.details["rows"]) == (hainan.pk, HAINAN, 1)
    assert (entry.details["purpose"], entry.details["searched"]) == ("年度检查", False)
    assert "导出审计记录" in text_of(client_of(hainan).get(LOG).text)


def test_a_name_searched_for_stays_out_of_the_record(hainan: User, li: User) -> None:
    client_of(hainan).post(f"{EXPORT}?who={li.name}", PURPOSE)
    details = Entry.objects.get(action="audit.exported").details
    assert details["searched"] is True
    assert li.name not in details["filter"]


def test_it_is_not_exported_by_a_link(hainan: User) -> None:
    assert client_of(hainan).get(EXPORT).status_code == 405
    assert not Entry.objects.exists()


def test_the_rows_of_a_province_cost_the_page_nothing(ministry: User, zhao: User) -> None:
    record("account.password_changed", actor=zhao, target=zhao, region_code=YAZHOU)
    record_many("origin.imported", actor=zhao, targets=[("origin", str(n), YAZHOU, {}) for n in range(5000)])
    record("account.password_changed", actor=zhao, target=zhao, region_code=YAZHOU)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_entry")
    plan = Entry.objects.deeds().order_by("-id")[: SHOWN + 1].explain()
    assert "audit_entry_deeds" in plan
    assert len(shown(ministry)) == 2


def test_a_hand_out_that_did_nothing_says_so(hainan: User) -> None:
    sheet = Handout.objects.create(user=hainan, file="handouts/none.xlsx", filename="账号.xlsx", digest=b"1" * 32)
    for last_row in (0, 12):
        record("handout.failed", actor=hainan, target=sheet, region_code=HAINAN, reason="读不懂", last_row=last_row)
    text = text_of(client_of(hainan).get("/audit/").text)
    assert "没有处理任何一行" in text
    assert "处理到第几行 12" in text
    assert "处理到第几行 0" not in text
    record("handout.finished", actor=hainan, target=sheet, region_code=HAINAN, unchanged=4, changed=2)
    text = text_of(client_of(hainan).get("/audit/").text)
    assert "已有 4" in text
    assert "只加了机构或职务 2" in text


def test_the_actions_are_offered_by_what_they_are_about(hainan: User) -> None:
    page = client_of(hainan).get("/audit/").text
    assert '<optgroup label="机构">' in page
    offered = [action for _, group in actions_by_thing() for action, _ in group]
    assert sorted(offered) == sorted(ACTIONS)
    assert all(group for _, group in actions_by_thing())
