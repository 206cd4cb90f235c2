import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from nongma.certificates.models import Certificate
from nongma.certificates.verification import verify
from nongma.lib import signing
from nongma.testing import api_of


def post(user, path, data, **headers):
    return api_of(user).post(f"/api/v1/certificates{path}", data, content_type="application/json", headers=headers)


def test_a_program_issues_and_anyone_verifies(li, lot, client):
    answer = post(li, "", {"lot": lot.code, "quantity": "120.5", "basis": "self_test"})

    assert answer.status_code == 201
    told = answer.json()
    made = Certificate.objects.get()
    assert (told["code"], told["url"], told["state"], told["quantity"]) == (made.code, made.url, "valid", "120.500")
    assert (told["template"], told["template_verified"]) == ("2026", False)
    keys = client.get("/.well-known/nongma-keys.json").json()["keys"]
    (key,) = [each for each in keys if each["kid"] == told["key_id"]]
    Ed25519PublicKey.from_public_bytes(signing.decode_bytes(key["x"])).verify(
        signing.decode_bytes(told["signature"]), told["payload"].encode()
    )
    assert verify(told["qr_text"], signing.public_keys()).genuine
    assert verify(answer.content.decode(), signing.public_keys()).genuine


def test_the_same_key_issues_once(li, lot):
    body = {"lot": lot.code, "quantity": "300", "basis": "quality_control"}
    answers = [post(li, "", body, **{"Idempotency-Key": "issue-1"}).json() for _ in range(2)]

    assert answers[0] == answers[1]
    assert Certificate.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"quantity": "500.5"}, 409, "over_balance"),
        ({"quantity": "-1"}, 422, "not_positive"),
        ({"quantity": "1e400"}, 422, "invalid"),
        ({"lot": "1" * 20}, 422, "invalid"),
        ({"basis": "hope"}, 422, "invalid"),
    ],
)
def test_it_says_what_is_wrong(li, lot, change, status, code):
    answer = post(li, "", {"lot": lot.code, "quantity": "1", "basis": "self_test"} | change)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Certificate.objects.exists()


def test_others_are_told_nothing(chen, chen_operator, sun, wang, client, certificate):
    path = f"/api/v1/certificates/{certificate.code}"
    assert client.get(path).status_code == 401
    assert api_of(wang).get(path).status_code == 403
    for user in (chen, sun):
        for suffix in ("", "/label.pdf", "/label.svg", "/label.zpl"):
            assert api_of(user).get(path + suffix).status_code == 404
        assert api_of(user).get("/api/v1/certificates").json()["total"] == 0
    assert post(chen, f"/{certificate.code}/revoke", {"reason": "x"}).status_code == 404
    assert post(chen, "", {"lot": certificate.lot.code, "quantity": "1", "basis": "self_test"}).status_code == 422
    assert Certificate.objects.filter(revoked_at=None).count() == 1


def test_the_label_comes_in_every_form(li, certificate):
    path = f"/api/v1/certificates/{certificate.code}/label"
    for form, start in (("pdf", b"%PDF"), ("svg", b"<svg"), ("zpl", b"^XA")):
        answer = api_of(li).get(f"{path}.{form}?size=60x40")
        assert answer.status_code == 200
        assert answer.content.startswith(start)
    assert api_of(li).get(f"{path}.pdf?size=1x1").status_code == 422
    assert api_of(li).get(f"{path}.pdf?size=60x40&signed=true").json()["code"] == "no_room"
    assert api_of(li).get(f"{path}.png").status_code == 404


def test_it_revokes(li, zhao, certificate):
    answer = post(li, f"/{certificate.code}/revoke", {"reason": "数量写错"})
    assert (answer.json()["state"], answer.json()["revoke_reason"]) == ("revoked", "数量写错")
    assert post(li, f"/{certificate.code}/revoke", {"reason": "再次"}).json()["code"] == "revoked"
    assert api_of(li).get(f"/api/v1/certificates/{certificate.code}/label.pdf").json()["code"] == "not_valid"

    for query, total in (("", 1), ("?state=valid", 0), ("?state=revoked", 1), (f"?lot={certificate.lot.code}", 1)):
        assert api_of(zhao).get(f"/api/v1/certificates{query}").json()["total"] == total


def test_the_list_is_narrowed_by_region(zhao, certificate):
    program = api_of(zhao)
    for region, total in (("46", 1), ("460200000000", 1), ("33", 0)):
        assert program.get("/api/v1/certificates", {"region": region}).json()["total"] == total
    answer = program.get("/api/v1/certificates", {"region": "460"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "region")
