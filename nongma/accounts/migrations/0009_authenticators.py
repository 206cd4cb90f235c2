from binascii import unhexlify

from django.db import migrations
from django.db.migrations.state import StateApps

from nongma.lib.fields import encrypt_bytes

PLAIN_LETTERS = 40


def encrypt_secrets(apps: StateApps, schema_editor: object) -> None:
    """What lies open is 20 bytes in hex; encrypted, it is twice as long."""
    devices = apps.get_model("otp_totp", "TOTPDevice").objects
    for device in devices.all().iterator():
        if len(device.key) == PLAIN_LETTERS:
            device.key = encrypt_bytes(unhexlify(device.key))
            device.save(update_fields=["key"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_rollout_and_contacts"), ("otp_totp", "0003_add_timestamps")]

    operations = [
        migrations.CreateModel(
            name="Authenticator",
            fields=[],
            options={
                "verbose_name": "动态口令",
                "verbose_name_plural": "动态口令",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("otp_totp.totpdevice",),
        ),
        migrations.RunPython(encrypt_secrets, migrations.RunPython.noop),
    ]
