from django.db import migrations

GRAMS = """
CREATE FUNCTION name_grams(name text) RETURNS text[] IMMUTABLE STRICT PARALLEL SAFE COST 1000 LANGUAGE sql
RETURN ARRAY(SELECT substr('^' || name, place, 2) FROM generate_series(1, length(name)) AS place)
"""


class Migration(migrations.Migration):
    """Find a name by any part of it without an extension."""

    dependencies = [("accounts", "0002_must_change_password")]

    operations = [migrations.RunSQL(GRAMS, "DROP FUNCTION name_grams(text)")]
