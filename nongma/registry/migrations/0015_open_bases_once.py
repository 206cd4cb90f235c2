from django.db import migrations, models


class Migration(migrations.Migration):
    """A closed base leaves its place to another one; the index is built beside the running platform."""

    atomic = False
    dependencies = [("registry", "0014_bases_and_plots")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    sql=[
                        "DROP INDEX CONCURRENTLY IF EXISTS registry_base_open_once",
                        "CREATE UNIQUE INDEX CONCURRENTLY registry_base_open_once"
                        " ON registry_base (operator_id, region_id, quadkey) WHERE closed_on IS NULL",
                    ],
                    reverse_sql="DROP INDEX CONCURRENTLY IF EXISTS registry_base_open_once",
                )
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name="base",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("closed_on", None)),
                        fields=("operator", "region", "quadkey"),
                        name="registry_base_open_once",
                    ),
                )
            ],
        ),
        migrations.RemoveConstraint(model_name="base", name="registry_base_once"),
    ]
