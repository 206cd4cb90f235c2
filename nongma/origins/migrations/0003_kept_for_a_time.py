from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Let the faults of imports go when they are past their time, and find reviews of a whole that are."""

    atomic = False

    dependencies = [
        ('origins', '0002_counted_columns'),
    ]

    operations = [
        migrations.AddField(
            model_name='importjob',
            name='rows_removed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='逐行问题删除时间'),
        ),
        AddIndexConcurrently(
            model_name='importjob',
            index=models.Index(condition=models.Q(('rows_removed_at', None)), fields=['finished_at'], name='origins_import_age'),
        ),
        AddIndexConcurrently(
            model_name='reviewjob',
            index=models.Index(fields=['finished_at'], name='origins_review_age'),
        ),
    ]
