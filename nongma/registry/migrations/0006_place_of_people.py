from django.db import migrations

FILL = """
UPDATE accounts_user AS person SET place = operator.region_id
FROM (
    SELECT DISTINCT ON (member.user_id) member.user_id, operator.region_id
    FROM registry_operatormember AS member JOIN registry_operator AS operator ON operator.id = member.operator_id
    ORDER BY member.user_id, member.id
) AS operator
WHERE operator.user_id = person.id AND person.is_operator
"""


class Migration(migrations.Migration):
    """People of operators are listed where their operator is."""

    dependencies = [("registry", "0005_shared_name_grams"), ("accounts", "0006_uids_required")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
