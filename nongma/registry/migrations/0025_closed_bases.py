from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Bases are registered while it is built.
    atomic = False

    dependencies = [("registry", "0024_outlined_bases")]

    operations = [
        AddIndexConcurrently(
            model_name="base",
            index=models.Index(
                condition=models.Q(("closed_on__isnull", False)),
                fields=["closed_on", "id"],
                name="registry_base_closed",
            ),
        ),
    ]
