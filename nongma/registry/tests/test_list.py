"""The list of operators answers from indexes, whatever is asked of it."""

import io
import json

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from nongma.accounts.models import Role
from nongma.audit.models import Entry
from nongma.lib.pages import MOST_LISTED, PAGE_SIZE
from nongma.registry.models import Operator, OperatorKind
from nongma.testing import LIANDU, YAZHOU, YAZHOU_VILLAGE, client_of, make_official, make_operator

URL = "/operators/"
REASON = {"reason": "季度抽查"}
MANY = 12_000


@pytest.fixture
def many(zhao):
    """Enough operators, over many counties, that reading them all is the planner's worst choice."""
    kinds = [kind.value for kind in OperatorKind]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO registry_operator (
                uid, serial, kinds, name, region_id, contact, phone, phone_index, industries, created_by_id, id_number,
                address, status, review_note, created_at, due_on
            )
            SELECT gen_random_uuid(), 800000000000 + n, ARRAY[(%s::text[])[1 + n %% 12]],
                   chr(19968 + n::int %% 500) || chr(20968 + n::int %% 331)
                       || CASE WHEN n %% 100 = 0 THEN '春晖合作社' ELSE '农场' END,
                   place.code, '张三', '', sha256(n::text::bytea), ARRAY['planting'], %s, '', '',
                   CASE WHEN n %% 50 = 0 THEN 'submitted' ELSE 'approved' END, '', now() - n * interval '1 minute',
                   CASE WHEN n %% 50 = 0 THEN current_date + n::int %% 9 END
            FROM (SELECT code, row_number() OVER (ORDER BY code) AS n FROM regions_region
                  WHERE level = 4 ORDER BY code %% 9973 LIMIT %s) AS place
            """,
            [kinds, zhao.pk, MANY],
        )
        cursor.execute("ANALYZE registry_operator")


def needless_reads(plan, *, table="registry_operator", bounded=False):
    """Reads of a table from end to end that are not cut short, or that throw away what they read."""
    bounded = plan["Node Type"] == "Limit" or (bounded and plan["Node Type"] not in {"Sort", "Aggregate", "Hash"})
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] == table:
        thrown_away = plan.get("Rows Removed by Filter", 0)
        if not bounded or thrown_away > plan["Actual Rows"] / 4:
            yield plan
    for child in plan.get("Plans", ()):
        yield from needless_reads(child, table=table, bounded=bounded)


def plans_of(client, url=URL, *, table="registry_operator", **parameters):
    """The plans, as run, of every read of a table that a page makes."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url, parameters).status_code == 200
    # What is only explained, for an estimate, reads nothing.
    asked = (query["sql"] for query in captured if not query["sql"].startswith("EXPLAIN"))
    reads = [sql for sql in asked if table in sql]
    assert reads
    for sql in reads:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
            (answer,) = cursor.fetchone()
        yield (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]


ASKED = (
    {},
    {"page": "3"},
    {"kind": "cooperative"},
    {"kind": "wholesale_market", "status": "submitted"},
    {"status": "submitted"},
    {"status": "approved"},
    {"region": "460205"},
    {"region": "33", "kind": "household"},
    {"q": "春晖"},
    {"q": "春晖合作社", "region": "33", "status": "submitted"},
    {"q": "19900002449"},
    {"q": "91110000600037341L"},
    {"region": "331102", "sort": "name"},
    {"status": "submitted", "sort": "-created"},
    {"sort": "name"},
    {"sort": "-status"},
)


def test_it_never_reads_all_operators(many, ministry, monkeypatch):
    client = client_of(ministry)
    client.get(URL)  # loads the pages, which keep the cap that they find
    # A cap that is small beside the table, as ten thousand is beside a nation.
    monkeypatch.setattr("nongma.lib.pages.MOST_LISTED", 300)
    for asked in ASKED:
        for plan in plans_of(client, **asked):
            assert list(needless_reads(plan)) == [], asked


def test_what_waits_and_what_is_alike_is_read_by_index(many, zhao):
    nation = client_of(make_official("nation", "部审核", Role.REVIEWER, 0))
    for reviewer in (nation, client_of(zhao)):
        for plan in plans_of(reviewer, "/operators/review/"):
            assert list(needless_reads(plan)) == []
    waiting = Operator.objects.filter(status="submitted", name__contains="春晖")[0]
    for page in ("", "compare"):
        for plan in plans_of(nation, f"{waiting.get_absolute_url()}{page}"):
            assert list(needless_reads(plan)) == [], page


def test_it_lists_the_first_ten_thousand_and_says_so(many, ministry):
    answer = client_of(ministry).get(URL, {"page": "99999"})
    page = answer.context["page"]
    assert (page.paginator.count, page.paginator.is_capped) == (MOST_LISTED, True)
    assert page.number == MOST_LISTED // PAGE_SIZE
    assert "超过 10,000 条" in answer.content.decode()


def test_it_finds_operators_by_any_part_of_the_name(zhao):
    wanted = make_operator(name="崖州区春晖豇豆专业合作社")
    make_operator(name="崖州区禾丰豇豆专业合作社")
    make_operator(name="李明")
    for text in ("春晖", "晖豇", "崖州区春晖豇豆专业合作社", wanted.code, " 春晖 "):
        assert names(zhao, q=text) == [wanted.name], text
    assert names(zhao, q="李") == ["李明"]
    assert names(zhao, q="明") == []
    assert names(zhao, q="晖春") == []


def test_it_finds_an_operator_by_its_whole_phone_number_only(zhao):
    make_operator(name="李明", phone="19900002449")
    assert names(zhao, q="199 0000 2449") == ["李明"]
    assert names(zhao, q="2449") == []


def test_it_narrows_by_kind_status_and_region(zhao):
    make_operator(name="甲", kinds=["household", "purchaser"], status="submitted")
    make_operator(name="乙", region=YAZHOU_VILLAGE)
    assert names(zhao, kind="purchaser") == ["甲"]
    assert names(zhao, status="approved") == ["乙"]
    assert names(zhao, region=str(YAZHOU_VILLAGE)) == ["乙"]
    assert names(zhao, region="460205", sort="-name") == ["甲", "乙"]


def test_it_shows_nobody_elses_operators(zhao, sun, li, li_operator, chen_operator):
    assert names(zhao) == [li_operator.name]
    assert names(sun) == [chen_operator.name]
    assert names(zhao, region=str(LIANDU)) == []
    assert client_of(li).get(URL).url == li_operator.get_absolute_url()


def test_it_masks_personal_data(zhao, li_operator):
    text = client_of(zhao).get(URL).content.decode()
    assert "李**" in text
    assert li_operator.phone not in text


def test_an_export_is_the_filtered_list_masked_and_on_record(zhao, li_operator):
    make_operator(name="=1+1", status="submitted", contact="张三")
    answer = client_of(zhao).post("/operators/export", {"status": "submitted"} | REASON)
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    (heading, row) = book.active.iter_rows(values_only=True)
    values = dict(zip(heading, row, strict=True))
    assert (values["名称"], values["联系人"], values["手机"]) == ("=1+1", "张**", "199****5935")
    assert values["行政区划"].endswith("崖州区")
    assert Entry.objects.get(action="operator.exported").details["rows"] == 1
    assert Entry.objects.get(action="operator.exported").details["purpose"] == "季度抽查"
    assert book.active.oddHeader.left.text.endswith("导出，用途：季度抽查")
    assert zhao.name in book.active.oddHeader.left.text


@pytest.mark.parametrize("asked", [{"region": "999999"}, {"kind": "king"}, {"status": "lost"}])
def test_a_filter_that_makes_no_sense_finds_nothing_and_exports_nothing(zhao, li_operator, asked):
    client = client_of(zhao)
    answer = client.get("/operators/", asked)
    assert list(answer.context["form"].errors) == [*asked]
    assert not answer.context["page"].object_list
    assert "没有符合条件的主体" in answer.text
    assert "没有符合条件的主体可以导出" in client.post("/operators/export", asked | REASON, follow=True).text
    assert not Entry.objects.filter(action="operator.exported").exists()


def test_an_export_says_what_for(zhao, li_operator):
    client = client_of(zhao)
    for reason in ("", " ", "长" * 201):
        answer = client.post("/operators/export", {"reason": reason})
        assert answer.status_code == 302
    assert "请写明导出用途" in client.post("/operators/export", follow=True).text
    assert not Entry.objects.filter(action="operator.exported").exists()


def test_an_export_of_too_many_or_none_says_so(zhao, li_operator, monkeypatch):
    client = client_of(zhao)
    assert client.post("/operators/export", {"status": "returned"} | REASON).url == "/operators/?status=returned"
    monkeypatch.setattr("nongma.accounts.exporting.MOST_EXPORTED", 0)
    answer = client.post("/operators/export", REASON, follow=True)
    assert "请先缩小范围" in answer.content.decode()
    assert not Entry.objects.filter(action="operator.exported").exists()


def names(user, **parameters):
    page = client_of(user).get(URL, parameters).context["page"]
    return [operator.name for operator in page]


def test_it_costs_the_same_queries_for_any_number_of_rows(zhao, django_assert_max_num_queries):
    for _ in range(20):
        make_operator(region=YAZHOU)
    client = client_of(zhao)
    with django_assert_max_num_queries(14):
        client.get(URL)
    assert Operator.objects.count() == 20
