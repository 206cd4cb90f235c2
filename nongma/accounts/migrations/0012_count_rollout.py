from django.db import migrations

COUNT = """
INSERT INTO accounts_figures
    (region_code, agencies, agencies_with_account, towns_with_agency, people, people_in_use, people_trained, counted_at)
SELECT place.code, coalesce(agency.total, 0), coalesce(agency.manned, 0), coalesce(agency.towns, 0),
    coalesce(person.total, 0), coalesce(person.in_use, 0), coalesce(person.trained, 0), now()
FROM (
    SELECT region_id / 1000000 * 1000000 AS code FROM accounts_agency
    UNION SELECT place / 1000000 * 1000000 FROM accounts_user WHERE agency_id IS NOT NULL AND place IS NOT NULL
) AS place
LEFT JOIN (
    SELECT agency.region_id / 1000000 * 1000000 AS code, count(*) AS total,
        count(*) FILTER (WHERE administrator.is_active) AS manned,
        count(DISTINCT agency.region_id / 1000) FILTER (WHERE agency.level >= 4) AS towns
    FROM accounts_agency AS agency
    LEFT JOIN accounts_user AS administrator ON administrator.id = agency.administrator_id
    WHERE agency.suspended_at IS NULL GROUP BY 1
) AS agency ON agency.code = place.code
LEFT JOIN (
    SELECT place / 1000000 * 1000000 AS code, count(*) AS total, count(last_login) AS in_use,
        count(trained_on) AS trained
    FROM accounts_user WHERE agency_id IS NOT NULL AND is_active GROUP BY 1
) AS person ON person.code = place.code
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    """The roll-out figures of a platform that has agencies already."""

    dependencies = [("accounts", "0011_posts_end_at_once")]

    operations = [migrations.RunSQL(COUNT, migrations.RunSQL.noop)]
