from nongma.catalogue import loading
from nongma.catalogue.models import Product


def test_it_holds_the_12_key_products_with_their_thresholds(db):
    key = {
        p.name: (str(p.threshold.normalize()), p.get_threshold_unit_display())
        for p in Product.objects.filter(is_key=True)
    }
    assert {name: f"{value}{unit}" for name, (value, unit) in key.items()} == {
        "豇豆": "0.5亩",
        "韭菜": "0.5亩",
        "芹菜": "0.5亩",
        "生猪": "3E+1头",
        "肉牛": "5头",
        "肉羊": "5E+1头",
        "乌鸡": "1E+3只",
        "鸡蛋": "5E+2只",
        "大口黑鲈": "1E+1亩",
        "乌鳢": "1E+1亩",
        "鳊鱼": "1E+1亩",
        "大黄鱼": "1E+1亩",
    }


def test_it_loads_again_without_a_change(db):
    before = list(Product.objects.order_by("code").values())
    loading.load()
    assert list(Product.objects.order_by("code").values()) == before


def test_it_gives_every_name_to_one_product(db):
    names = [name for product in Product.objects.all() for name in (product.name, *product.aliases)]
    assert len(names) == len(set(names))


def test_it_claims_nothing_that_nobody_checked(db):
    assert not Product.objects.filter(verified=True).exists()
    assert not Product.objects.exclude(nyt3177_code=None).exists()
