from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Find checks of the log that are past their time."""

    atomic = False

    dependencies = [
        ('audit', '0003_check'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='check',
            index=models.Index(fields=['finished_at'], name='audit_check_age'),
        ),
    ]
