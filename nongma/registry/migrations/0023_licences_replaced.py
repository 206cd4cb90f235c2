import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

CURRENT = "registry_licence_one_current"


class Migration(migrations.Migration):
    """An operator changes the photo of its licence; earlier ones stay. Each index is built beside the running platform.

    A photo that nothing replaced has no time of that, so that there is nothing to fill.
    """

    atomic = False
    dependencies = [("registry", "0022_taken_back_claims")]

    operations = [
        migrations.AddField("licence", "replaced_at", models.DateTimeField("换下时间", null=True)),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    sql=[
                        f"DROP INDEX CONCURRENTLY IF EXISTS {CURRENT}",
                        f"CREATE UNIQUE INDEX CONCURRENTLY {CURRENT}"
                        " ON registry_licence (operator_id) WHERE replaced_at IS NULL",
                    ],
                    reverse_sql=f"DROP INDEX CONCURRENTLY IF EXISTS {CURRENT}",
                )
            ],
            state_operations=[
                migrations.AddConstraint(
                    "licence",
                    models.UniqueConstraint(condition=models.Q(replaced_at=None), fields=("operator",), name=CURRENT),
                )
            ],
        ),
        AddIndexConcurrently("licence", models.Index(fields=("operator", "id"), name="registry_licence_of_operator")),
        migrations.AlterField(
            "licence",
            "operator",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="licences",
                to="registry.operator",
                verbose_name="主体",
            ),
        ),
    ]
