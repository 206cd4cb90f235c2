import pytest

from nongma.audit.models import Entry
from nongma.certificates.models import Certificate
from nongma.certificates.services import revoke_certificate
from nongma.lib.refused import Refused
from nongma.tracing.recalls import freeze_lot, recall_lot, unfreeze_lot


def standing():
    return Certificate.objects.filter(revoked_at=None).count()


def test_it_takes_a_certificate_back_and_keeps_it_on_file(li, certificate):
    revoke_certificate(certificate=certificate, reason=" 数量写错 ", actor=li)

    certificate.refresh_from_db()
    assert (certificate.state, certificate.revoke_reason, certificate.revoked_by) == ("revoked", "数量写错", li)
    assert Entry.objects.get(action="certificate.revoked").details["reason"] == "数量写错"


def test_it_refuses_twice_without_a_reason_and_by_others(li, chen, certificate):
    for reason, actor, code in (("  ", li, "reason_missing"), ("不是我的", chen, "not_own_certificate")):
        with pytest.raises(Refused) as refusal:
            revoke_certificate(certificate=certificate, reason=reason, actor=actor)
        assert refusal.value.code == code
        assert standing() == 1

    revoke_certificate(certificate=certificate, reason="数量写错", actor=li)
    with pytest.raises(Refused) as refusal:
        revoke_certificate(certificate=certificate, reason="再次", actor=li)
    assert refusal.value.code == "revoked"
    assert Entry.objects.filter(action="certificate.revoked").count() == 1


def test_its_state_follows_its_lot(li, zhao, lot, certificate):
    def state():
        return Certificate.objects.select_related("lot").get(pk=certificate.pk).state

    def found_in():
        return [name for name in Certificate.State.values if Certificate.objects.in_state(name).exists()]

    assert (state(), found_in()) == ("valid", ["valid"])
    freeze_lot(lot=lot, reason="待检", actor=zhao)
    assert (state(), found_in()) == ("frozen", ["frozen"])
    unfreeze_lot(lot=lot, reason="合格", actor=zhao)
    assert (state(), found_in()) == ("valid", ["valid"])
    recall_lot(lot=lot, reason="不合格", actor=zhao)
    assert (state(), found_in()) == ("recalled", ["recalled"])
