from datetime import date

from nongma.catalogue.queries import ProductIndex, find_product
from nongma.testing import api_of, client_of


def test_it_shows_products_key_ones_first(li):
    answer = client_of(li).get("/catalogue/")
    assert answer.status_code == 200
    assert [product.is_key for product in answer.context["page"]][:13] == [True] * 12 + [False]
    assert "未核实" in answer.content.decode()


def test_it_finds_a_product_by_any_of_its_names(li):
    for text in ("豇豆", "长豆角", "Yardlong", "v001"):
        found = client_of(li).get("/catalogue/", {"q": text}).context["page"].object_list
        assert [product.name for product in found] == ["豇豆"]


def test_it_narrows_and_sorts_products(li):
    answer = client_of(li).get("/catalogue/", {"industry": "fishery", "key": "on", "sort": "-name"})
    assert [product.name for product in answer.context["page"]] == ["鳊鱼", "大黄鱼", "大口黑鲈", "乌鳢"]


def test_it_says_what_to_do_when_nothing_is_found(li):
    assert "没有符合条件的产品" in client_of(li).get("/catalogue/", {"q": "龙须菜菜"}).content.decode()


def test_it_ignores_nonsense_in_the_address(li):
    client = client_of(li)
    assert client.get("/catalogue/", {"page": "x", "sort": "secret", "industry": "none"}).status_code == 200
    assert client.get("/catalogue/bans", {"page": "-1", "sort": "-x", "on": "2026-13-45"}).status_code == 200


def test_it_shows_the_rules_of_a_day(li):
    client = client_of(li)
    before = client.get("/catalogue/bans", {"q": "涕灭威", "on": "2026-05-31"}).context["page"].object_list
    after = client.get("/catalogue/bans", {"q": "涕灭威", "on": "2026-06-01"}).context["page"].object_list
    assert [ban.degree for ban in before] == ["restricted"]
    assert [ban.degree for ban in after] == ["banned"]


def test_it_sends_strangers_to_the_sign_in_page(client, db):
    assert client.get("/catalogue/").status_code == 302
    assert client.get("/api/v1/products").status_code == 401
    assert client.get("/api/v1/bans").status_code == 401


def test_it_lists_products_for_programs(li):
    answer = api_of(li).get("/api/v1/products", {"key": "true", "page_size": 5}).json()
    assert (answer["total"], answer["page"], answer["page_size"]) == (12, 1, 5)
    assert answer["items"][0]["scale_units"] == ["mu"]
    one = api_of(li).get("/api/v1/products/V001").json()
    assert (one["name"], one["threshold"], one["verified"], one["nyt3177_code"]) == ("豇豆", "0.50", False, None)
    assert api_of(li).get("/api/v1/products/V999").status_code == 404


def test_it_lists_bans_of_a_day_for_programs(li):
    answer = api_of(li).get("/api/v1/bans", {"on": "2026-06-01", "q": "涕灭威", "kind": "pesticide"}).json()
    (ban,) = answer["items"]
    assert (ban["substance"], ban["degree"], ban["verified"]) == ("涕灭威", "banned", False)
    assert api_of(li).get("/api/v1/bans", {"on": "yesterday"}).status_code == 422


def test_an_import_looks_products_up_in_one_query(db, django_assert_num_queries):
    with django_assert_num_queries(1):
        index = ProductIndex.load()
        for alias, name in {
            "西芹": "芹菜",
            "豆角": "豇豆",
            "武昌鱼": "鳊鱼",
            "加州鲈": "大口黑鲈",
            "黑鱼": "乌鳢",
            "泰和乌鸡": "乌鸡",
            "蛋鸡": "鸡蛋",
            "长豆角": "豇豆",
        }.items():
            assert index.named(alias) is None
            assert index.find(alias) == index.named(name)
        assert index.find("龙须菜菜") is None


def test_a_product_is_found_by_code_or_name(db):
    assert find_product("V001") == find_product("豇豆") != find_product("不是产品")


def test_a_rule_stands_on_its_first_and_last_day(db):
    from nongma.catalogue.models import Ban

    ban = Ban.objects.exclude(valid_to=None).first()
    assert ban in Ban.objects.standing(ban.valid_from)
    assert ban in Ban.objects.standing(ban.valid_to)
    assert ban not in Ban.objects.standing(date(1999, 1, 1))
