from django.contrib.postgres.indexes import GinIndex
from django.db import migrations

from nongma.lib.grams import NameGrams

GRAMS = """
CREATE FUNCTION registry_grams(name text) RETURNS text[] IMMUTABLE STRICT PARALLEL SAFE COST 1000 LANGUAGE sql
RETURN ARRAY(SELECT substr('^' || name, place, 2) FROM generate_series(1, length(name)) AS place)
"""


class Migration(migrations.Migration):
    """Operators are found by the same function as agencies and people."""

    dependencies = [("registry", "0004_encrypted_addresses"), ("accounts", "0003_name_grams")]

    operations = [
        migrations.RemoveIndex("operator", "registry_operator_grams"),
        migrations.RunSQL("DROP FUNCTION registry_grams(text)", GRAMS),
        migrations.AddIndex("operator", GinIndex(NameGrams("name"), name="registry_operator_grams")),
    ]
