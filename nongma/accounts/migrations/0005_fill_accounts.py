from django.db import migrations

FILL = """
UPDATE accounts_user SET uid = gen_random_uuid() WHERE uid IS NULL;
UPDATE accounts_membership SET uid = gen_random_uuid() WHERE uid IS NULL;
UPDATE accounts_agency SET department = CASE kind WHEN 'enforcement' THEN 'enforcement' ELSE 'quality_safety' END;
UPDATE accounts_user AS person SET agency_id = post.agency_id, place = post.region_id
FROM (
    SELECT DISTINCT ON (membership.user_id) membership.user_id, agency.id AS agency_id, agency.region_id
    FROM accounts_membership AS membership JOIN accounts_agency AS agency ON agency.id = membership.agency_id
    ORDER BY membership.user_id, (membership.to_on IS NULL) DESC, agency.level, membership.id
) AS post
WHERE post.user_id = person.id AND NOT person.is_operator;
UPDATE accounts_user SET has_totp = true
WHERE EXISTS (SELECT FROM otp_totp_totpdevice AS device WHERE device.user_id = accounts_user.id AND device.confirmed);
UPDATE accounts_agency AS agency SET administrator_id = post.user_id
FROM (
    SELECT DISTINCT ON (agency_id) agency_id, user_id FROM accounts_membership
    WHERE role = 'administrator' AND to_on IS NULL ORDER BY agency_id, id
) AS post
WHERE post.agency_id = agency.id AND agency.administrator_id IS NULL;
"""


class Migration(migrations.Migration):
    """Each account belongs to the agency of its widest post; each agency names the administrator that it has."""

    dependencies = [("accounts", "0004_agencies_in_full"), ("otp_totp", "0001_initial")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
