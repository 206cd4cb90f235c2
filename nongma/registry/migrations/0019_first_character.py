from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Left


class Migration(migrations.Migration):
    # Operators are registered while it is built.
    atomic = False

    dependencies = [("registry", "0018_sendings")]

    operations = [
        AddIndexConcurrently(
            model_name="operator",
            index=models.Index(Left("name", 1), models.F("region"), models.F("id"), name="registry_operator_first"),
        ),
    ]
