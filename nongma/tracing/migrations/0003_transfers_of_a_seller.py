import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Sales are registered and looked up while the new index is built, so the old one goes last.
    atomic = False

    dependencies = [
        ("registry", "0003_remove_operator_registry_operator_grams_and_more"),
        ("tracing", "0002_lot_list_indexes"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="transfer",
            index=models.Index(fields=["seller", "-id"], name="tracing_transfer_seller"),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="seller",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sales",
                to="registry.operator",
                verbose_name="销售方",
            ),
        ),
    ]
