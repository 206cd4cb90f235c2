from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models import Func

GRAMS = """
CREATE FUNCTION registry_grams(name text) RETURNS text[] IMMUTABLE STRICT PARALLEL SAFE COST 1000 LANGUAGE sql
RETURN ARRAY(SELECT substr('^' || name, place, 2) FROM generate_series(1, length(name)) AS place)
"""


class NameGrams(Func):
    function = "registry_grams"
    output_field = ArrayField(models.TextField())


class Migration(migrations.Migration):
    """Find an operator by any part of its name without an extension: pairs of characters in a GIN index."""

    dependencies = [("registry", "0001_initial")]

    operations = [
        migrations.RunSQL(GRAMS, "DROP FUNCTION registry_grams(text)"),
        migrations.AddIndex("operator", GinIndex(NameGrams("name"), name="registry_operator_grams")),
    ]
