from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Find what people did between the rows of imports."""

    atomic = False

    dependencies = [("audit", "0001_initial")]

    operations = [
        AddIndexConcurrently(
            "entry",
            models.Index(
                fields=("id",),
                condition=~models.Q(action__in=("origin.imported", "origin.superseded")),
                name="audit_entry_deeds",
            ),
        ),
    ]
