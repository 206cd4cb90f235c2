import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("registry", "0007_lifecycle_certifications_registration"),
    ]

    operations = [
        migrations.AddField(
            model_name="certification",
            name="confirmed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="核验人",
            ),
        ),
        migrations.AddField(
            model_name="certification",
            name="confirmed_on",
            field=models.DateField(blank=True, null=True, verbose_name="核验日期"),
        ),
    ]
