from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.certificates.models import Certificate
from nongma.desk.demo import BUYER, MARKET, load_demo
from nongma.origins.models import ImportJob, Origin
from nongma.registry.models import Operator, OperatorMember
from nongma.tracing.models import Lot


def counted():
    return [
        model.objects.count() for model in (User, ImportJob, Origin, Operator, OperatorMember, Lot, Certificate, Entry)
    ]


def test_it_puts_the_county_on_file_once(db, settings, tmp_path):
    settings.MEDIA_ROOT, settings.DEMO, settings.TOTP_REQUIRED = tmp_path, True, False
    said = []
    load_demo(said.append)
    form, visits = ImportJob.objects.order_by("id")
    assert (form.status, form.accepted, form.rejected) == ("done", 500, 0)
    assert (visits.status, visits.accepted, visits.to_locate, visits.rejected) == ("done", 3, 6, 0)
    assert {"submitted", "approved", "returned"} == set(form.origins.values_list("state", flat=True))
    work = Origin.objects.visible_to(User.objects.get(username="collector"))
    assert work.filter(state="to_locate").count() == 6
    assert all(origin.return_reason for origin in work.filter(state="returned"))
    assert work.filter(state="returned", import_job=visits).count() == 3
    owners = {
        member.user.username: member.operator for member in OperatorMember.objects.select_related("user", "operator")
    }
    assert owners["grower"].kinds == ["household"]
    assert owners["coop"].kinds == ["cooperative"]
    assert (owners["buyer"].name, owners["market"].name) == (BUYER, MARKET)
    assert {operator.status for operator in owners.values()} == {"approved"}
    assert Certificate.objects.exclude(revoked_at=None).count() == 1
    assert Lot.objects.exclude(recalled_at=None).count() == 1
    assert Lot.objects.filter(operator=owners["buyer"]).exists()
    assert said

    before = counted()
    said.clear()
    load_demo(said.append)
    assert counted() == before
    assert said == []


def test_it_goes_on_where_a_run_was_cut_off(db, settings, tmp_path, monkeypatch):
    from nongma.desk import demo

    settings.MEDIA_ROOT, settings.DEMO, settings.TOTP_REQUIRED = tmp_path, True, False
    monkeypatch.setattr(demo, "_trade_as_coop", lambda *arguments: 1 / 0)
    try:
        load_demo(lambda line: None)
    except ZeroDivisionError:
        monkeypatch.undo()
    before = Lot.objects.count()
    load_demo(lambda line: None)
    assert ImportJob.objects.count() == 2
    assert Lot.objects.count() > before
