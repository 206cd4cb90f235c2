from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Records are collected while it is built.
    atomic = False

    dependencies = [("origins", "0013_drafts_photos")]

    operations = [
        AddIndexConcurrently(
            model_name="due",
            index=models.Index(
                fields=["due_on", "region", "id"],
                include=("opens_on", "collector", "rhythm", "product"),
                condition=models.Q(("outcome", "")),
                name="origins_due_soonest",
            ),
        ),
        RemoveIndexConcurrently(model_name="due", name="origins_due_late"),
    ]
