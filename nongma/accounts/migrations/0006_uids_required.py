from django.db import migrations, models

import nongma.lib.ids


class Migration(migrations.Migration):
    """People and posts have addresses of their own."""

    dependencies = [("accounts", "0005_fill_accounts")]

    operations = [
        migrations.AlterField(
            model,
            "uid",
            models.UUIDField("编号", unique=True, default=nongma.lib.ids.uuid7, editable=False),
        )
        for model in ("membership", "user")
    ]
