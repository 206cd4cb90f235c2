from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

BY_ROW = ("origin.imported", "origin.superseded", "operator.loaded", "operator.taken_back")


class Migration(migrations.Migration):
    """What a load of operators writes row by row is no deed of its own either."""

    atomic = False
    dependencies = [("audit", "0004_kept_for_a_time")]

    operations = [
        RemoveIndexConcurrently("entry", "audit_entry_deeds"),
        AddIndexConcurrently(
            "entry",
            models.Index(fields=["id"], condition=~models.Q(action__in=BY_ROW), name="audit_entry_deeds"),
        ),
    ]
