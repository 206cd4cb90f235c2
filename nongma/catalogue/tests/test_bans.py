from datetime import date

from nongma.catalogue.models import Ban


def standing(on, **filters):
    return set(Ban.objects.standing(on).filter(**filters).values_list("substance__name", flat=True))


def test_it_bans_four_more_pesticides_from_june_2026(db):
    four = {"氧乐果", "克百威", "灭多威", "涕灭威"}
    before = standing(date(2026, 5, 31), kind="pesticide", degree="banned")
    after = standing(date(2026, 6, 1), kind="pesticide", degree="banned")
    assert after - before == four
    assert four <= standing(date(2026, 5, 31), kind="pesticide", degree="restricted")
    assert not four & standing(date(2026, 6, 1), kind="pesticide", degree="restricted")


def test_it_knows_the_21_items_of_notice_250(db):
    assert Ban.objects.filter(notice="农业农村部公告第250号").count() == 21
    assert not standing(date(2019, 12, 26), notice="农业农村部公告第250号")


def test_it_keeps_a_substance_apart_by_its_use(db):
    assert set(
        Ban.objects.standing(date(2026, 7, 1)).filter(substance__name="克百威").values_list("kind", "degree")
    ) == {
        ("pesticide", "banned"),
        ("veterinary", "banned"),
    }


def test_it_marks_every_rule_as_unverified(db):
    assert Ban.objects.exists()
    assert not Ban.objects.filter(verified=True).exists()
