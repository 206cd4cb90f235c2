from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Let what became of the rows of hand-outs go when they are past their time."""

    atomic = False

    dependencies = [
        ('accounts', '0015_roles_of_people'),
    ]

    operations = [
        migrations.AddField(
            model_name='handout',
            name='rows_removed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='逐行结果删除时间'),
        ),
        AddIndexConcurrently(
            model_name='handout',
            index=models.Index(condition=models.Q(('rows_removed_at', None)), fields=['finished_at'], name='accounts_handout_age'),
        ),
    ]
