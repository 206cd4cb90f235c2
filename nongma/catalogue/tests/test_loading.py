from nongma.catalogue import loading
from nongma.catalogue.models import Ban, Product


def test_it_holds_the_12_key_products_with_their_thresholds(db):
    key = Product.objects.filter(is_key=True)
    assert {product.name: f"{product.threshold:f} {product.threshold_unit}" for product in key} == {
        "豇豆": "0.50 mu",
        "韭菜": "0.50 mu",
        "芹菜": "0.50 mu",
        "生猪": "30.00 head",
        "肉牛": "5.00 head",
        "肉羊": "50.00 head",
        "乌鸡": "1000.00 bird",
        "鸡蛋": "500.00 bird",
        "大口黑鲈": "10.00 mu",
        "乌鳢": "10.00 mu",
        "鳊鱼": "10.00 mu",
        "大黄鱼": "10.00 mu",
    }


def test_it_loads_again_without_a_change(db):
    before = [*Product.objects.order_by("code").values(), *Ban.objects.order_by("id").values()]
    loading.load()
    assert [*Product.objects.order_by("code").values(), *Ban.objects.order_by("id").values()] == before


def test_it_gives_every_name_to_one_product(db):
    names = [name for product in Product.objects.all() for name in (product.name, *product.aliases)]
    assert len(names) == len(set(names))


def test_it_claims_nothing_that_nobody_checked(db):
    assert not Product.objects.filter(verified=True).exists()
    assert not Product.objects.exclude(nyt3177_code=None).exists()
