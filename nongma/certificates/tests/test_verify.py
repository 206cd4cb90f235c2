import io
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from nongma.certificates.payload import packed, read
from nongma.certificates.services import revoke_certificate
from nongma.certificates.verification import Finding, verify
from nongma.lib import base45, signing


@pytest.fixture
def answer(certificate):
    """The certificate as the API gives it."""
    return json.dumps({"payload": certificate.payload, "signature": signing.encode_bytes(bytes(certificate.signature))})


@pytest.fixture
def published(client):
    """The keys as they stand on the net."""
    response = client.get("/.well-known/nongma-keys.json")
    assert response["Access-Control-Allow-Origin"] == "*"
    return signing.read_key_set(response.content.decode())


def test_anyone_can_check_it_with_the_published_keys(certificate, answer, published):
    for text in (answer, packed(certificate.payload, bytes(certificate.signature))):
        verdict = verify(text, published)
        assert verdict.genuine
        assert verdict.fields["code"] == certificate.code


def test_a_changed_word_is_forged(answer, published):
    assert verify(answer.replace("120.5", "920.5"), published).finding == Finding.FORGED


def test_another_platforms_key_is_unknown_even_under_our_name(certificate, answer):
    stranger = Ed25519PrivateKey.generate().public_key()
    claimed = json.dumps(
        {
            "keys": [
                {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "kid": certificate.key_id,
                    "x": signing.encode_bytes(stranger.public_bytes_raw()),
                }
            ]
        }
    )

    assert verify(answer, signing.read_key_set(claimed)).finding == Finding.UNKNOWN_KEY


def test_what_a_retired_key_signed_can_still_be_checked(settings, certificate, answer, monkeypatch):
    old = signing.public_keys()[certificate.key_id]
    fresh = Ed25519PrivateKey.generate()
    monkeypatch.setattr(signing, "_secret", lambda: (fresh, signing.key_id(fresh.public_key())))
    assert verify(answer, signing.public_keys()).finding == Finding.UNKNOWN_KEY

    settings.RETIRED_SIGNING_KEYS = [signing.encode_bytes(old.public_bytes_raw())]
    assert verify(answer, signing.public_keys()).genuine


def test_the_qr_form_is_shorter_and_says_the_same(certificate):
    text = packed(certificate.payload, bytes(certificate.signature))

    assert read(text) == (certificate.payload, bytes(certificate.signature))
    assert len(text) < 420


@given(st.text(max_size=200))
def test_any_text_at_all_gets_an_answer(text):
    for given_text in (text, f"NM1:{text}", json.dumps({"payload": text, "signature": text})):
        assert verify(given_text, {}).finding in {Finding.UNREADABLE, Finding.UNKNOWN_KEY}


@given(st.binary(max_size=200))
def test_base45_gives_back_what_it_took(data):
    assert base45.decode(base45.encode(data)) == data


@pytest.mark.parametrize(("data", "text"), [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581")])
def test_base45_as_in_the_standard(data, text):
    assert base45.encode(data) == text


@pytest.mark.parametrize("text", ["A", "GGW", "::", "ab", "ä0"])
def test_base45_refuses_what_it_can_not_have_made(text):
    with pytest.raises(ValueError, match="Base45"):
        base45.decode(text)


class TestCommand:
    def run(self, *args):
        output = io.StringIO()
        call_command("verify_certificate", *args, stdout=output)
        return output.getvalue()

    def test_it_checks_a_file_with_a_key_file_and_no_database(self, tmp_path, answer, client, django_db_blocker):
        (tmp_path / "keys.json").write_bytes(client.get("/.well-known/nongma-keys.json").content)
        (tmp_path / "certificate.json").write_text(answer)
        with django_db_blocker.block():
            said = self.run(str(tmp_path / "certificate.json"), "--keys", str(tmp_path / "keys.json"))

        assert "真" in said
        assert "豇豆" in said
        assert "120.5 千克" in said

    def test_it_looks_a_code_up(self, li, certificate):
        assert "当前状态：有效" in self.run(certificate.code)
        revoke_certificate(certificate=certificate, reason="数量写错", actor=li)
        with pytest.raises(CommandError, match="已作废"):
            self.run(certificate.code)

    def test_it_tells_a_false_code_and_a_code_of_something_else(self, db, lot):
        with pytest.raises(CommandError, match="不是本平台的码"):
            self.run("1" * 20)
        with pytest.raises(CommandError, match="不是合格证"):
            self.run(lot.code)

    def test_it_says_what_is_wrong_with_a_file(self, tmp_path, db):
        (tmp_path / "other.json").write_text("{}")
        (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
        (tmp_path / "large").write_bytes(b"x" * 70_000)
        for name, reason in (
            ("other.json", "读不懂"),
            ("binary", "不是文本"),
            ("large", "太大"),
            ("missing", "读不到"),
        ):
            with pytest.raises(CommandError, match=reason):
                self.run(str(tmp_path / name))
        with pytest.raises(CommandError, match="公钥文件"):
            self.run("NM1:X", "--keys", str(tmp_path / "other.json"))
