from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('origins', '0011_deadlines'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='origin',
            index=models.Index(condition=models.Q(('due_on__isnull', False)), fields=['due_on', 'region'], include=('state',), name='origins_origin_due'),
        ),
    ]
