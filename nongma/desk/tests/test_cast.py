def test_the_cast_has_a_lot_and_its_certificate(lot, certificate, li_operator):
    assert lot.operator == li_operator
    assert certificate.lot == lot
    assert certificate.revoked_at is None
