import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import nongma.lib.fields

STATES = [
    ("waiting", "待本人同意"),
    ("accepted", "已同意"),
    ("declined", "没有同意"),
    ("withdrawn", "已撤回"),
    ("lapsed", "已过期"),
]


class Migration(migrations.Migration):
    """An invitation is to a phone and is answered; until now it was to an account, which was in already."""

    dependencies = [
        ("registry", "0019_first_character"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RenameField("invitation", "used_at", "settled_at"),
        migrations.AlterField(
            "invitation", "settled_at", models.DateTimeField(null=True, verbose_name="答复或撤回时间")
        ),
        migrations.AlterField(
            "invitation",
            "user",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="同意的人",
            ),
        ),
        migrations.AlterField(
            "invitation", "phone_index", models.BinaryField(max_length=16, null=True, verbose_name="手机索引")
        ),
        migrations.AddField(
            "invitation",
            "role",
            models.CharField(
                choices=[("owner", "负责人"), ("staff", "员工")], default="staff", max_length=8, verbose_name="角色"
            ),
        ),
        migrations.AddField(
            "invitation", "name", models.CharField(blank=True, default="", max_length=60, verbose_name="姓名")
        ),
        migrations.AddField(
            "invitation",
            "phone",
            nongma.lib.fields.EncryptedTextField(blank=True, default="", verbose_name="手机"),
        ),
        migrations.AddField(
            "invitation",
            "state",
            models.CharField(choices=STATES, default="waiting", max_length=10, verbose_name="状态"),
        ),
    ]
