from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Operators are registered while it is built.
    atomic = False

    dependencies = [("registry", "0012_directory")]

    operations = [
        AddIndexConcurrently(
            model_name="operator",
            index=models.Index(condition=models.Q(('large_for', ''), _negated=True), fields=['region', 'id'], name='registry_operator_large'),
        ),
    ]
