"""Personal data gets a new key while it is in use (密钥轮换)."""

import os
import time
from base64 import b32encode
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection

from nongma.accounts.codes import fits
from nongma.accounts.models import Authenticator, User
from nongma.lib import fields, keys, rotation
from nongma.lib.fields import blind_index, blind_indexes, digest_of, encrypt
from nongma.testing import TOTP_KEY, one_time_code

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_keys")]
PHONE = "19900002449"


def _stored(user: User) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM accounts_user WHERE id = %s", [user.pk])
        return str(cursor.fetchone()[0])


def test_it_finds_and_reads_a_person_before_during_and_after(wang: User, own_keys: Path) -> None:
    wang.phone = PHONE
    wang.save()
    old, digest = fields.ring().newest, digest_of("x")
    Authenticator.objects.create(user=wang, name="手机", key=TOTP_KEY, confirmed=True)
    name = default_storage.save("imports/202601/a.xlsx", ContentFile(b"sheet"))
    assert rotation.begin()
    assert _stored(wang).startswith(f"{old}.")
    assert User.objects.get(phone_index__in=blind_indexes(PHONE)).phone == PHONE
    assert rotation.write_anew(lambda *_: None) == 0
    both = own_keys.read_text()
    with pytest.raises(CommandError, match="24 小时"):
        call_command("rotate_field_key", drop_old=True, verbosity=0)
    assert own_keys.read_text() == both
    _a_day_later(own_keys)
    call_command("rotate_field_key", drop_old=True, verbosity=0)
    assert len(own_keys.read_text().split()) == 1
    assert not _stored(wang).startswith(f"{old}.")
    assert User.objects.get(phone_index=blind_index(PHONE)).phone == PHONE
    assert Authenticator.objects.get(user=wang).bin_key == b"twenty bytes of test"
    with default_storage.open(name) as file:
        assert file.read() == b"sheet"
    fields._digest_key.cache_clear()
    assert digest_of("x") == digest


def _a_day_later(path: Path) -> None:
    """As if the key file had been written the day before yesterday."""
    then = time.time() - 2 * 86400
    os.utime(path, (then, then))


def test_it_reads_what_names_no_key(wang: User) -> None:
    wang.phone = PHONE
    wang.save()
    unnamed = _stored(wang).partition(".")[2]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET phone = %s WHERE id = %s", [unnamed, wang.pk])
    rotation.begin()
    assert User.objects.get(pk=wang.pk).phone == PHONE
    assert rotation.write_anew(lambda *_: None) == 0
    assert _stored(wang).startswith(f"{fields.ring().newest}.")


def test_it_goes_on_with_the_key_that_was_begun(own_keys: Path) -> None:
    assert rotation.begin()
    begun = own_keys.read_text()
    assert not rotation.begin()
    assert own_keys.read_text() == begun


def test_it_keeps_the_old_key_while_something_is_left(
    wang: User, own_keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wang.phone = PHONE
    wang.save()
    rotation.begin()
    _a_day_later(own_keys)
    before, stored = own_keys.read_text(), _stored(wang)
    monkeypatch.setattr(rotation, "_renew", lambda *_: 0)
    with pytest.raises(CommandError, match="旧密钥保留"):
        call_command("rotate_field_key", drop_old=True, verbosity=0)
    assert (own_keys.read_text(), _stored(wang)) == (before, stored)


def test_keys_of_the_environment_are_changed_there(
    wang: User, own_keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wang.phone = PHONE
    wang.save()
    old = own_keys.read_text()
    file = tmp_path / "new-key"
    file.write_text(keys.new_key())
    monkeypatch.setenv(f"{fields.FIELD_KEY}_FILE", str(file))
    monkeypatch.setenv(fields.OLD_KEYS, old)
    monkeypatch.setattr(fields, "_held", None)
    with pytest.raises(CommandError, match="NONGMA_DIGEST_KEY"):
        call_command("rotate_field_key", verbosity=0)
    assert not _stored(wang).startswith(f"{fields.ring().newest}.")
    monkeypatch.setenv(fields.DIGEST_KEY, old)
    call_command("rotate_field_key", verbosity=0)
    assert _stored(wang).startswith(f"{fields.ring().newest}.")
    with pytest.raises(CommandError, match="环境变量"):
        call_command("rotate_field_key", drop_old=True, verbosity=0)
    monkeypatch.delenv(fields.OLD_KEYS)
    monkeypatch.setattr(fields, "_held", None)
    assert User.objects.get(phone_index=blind_index(PHONE)).phone == PHONE
    assert own_keys.read_text() == old


def test_a_phone_enrolled_under_the_first_form_goes_on(wang: User) -> None:
    """The first form of accounts.0009 kept a secret as encrypted base32, and values named no key."""
    unnamed = encrypt(b32encode(b"twenty bytes of test").decode()).partition(".")[2]
    phone = Authenticator.objects.create(user=wang, name="手机", key=unnamed, confirmed=True)
    assert len(unnamed) == Authenticator._meta.get_field("key").max_length
    assert phone.bin_key == b"twenty bytes of test"
    rotation.begin()
    assert rotation.write_anew(lambda *_: None) == 0
    phone.refresh_from_db()
    assert phone.key.startswith(f"{fields.ring().newest}.")
    assert phone.bin_key == b"twenty bytes of test"
    assert fits(phone, one_time_code(phone))
