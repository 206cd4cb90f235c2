from django.db import migrations, models

# What was to an account keeps its name and, while it is the one that was named, its phone. One of several to a phone
# holds: the newest.
FILL = """
UPDATE registry_invitation AS invitation
SET name = person.name,
    phone = CASE WHEN person.phone_index = invitation.phone_index THEN person.phone ELSE '' END,
    role = coalesce((
        SELECT member.role FROM registry_operatormember AS member
        WHERE member.operator_id = invitation.operator_id AND member.user_id = invitation.user_id
        ORDER BY member.id DESC LIMIT 1
    ), 'staff')
FROM accounts_user AS person WHERE person.id = invitation.user_id;
UPDATE registry_invitation SET state = 'accepted' WHERE settled_at IS NOT NULL;
UPDATE registry_invitation AS invitation SET state = 'lapsed', settled_at = expires_at
WHERE state = 'waiting' AND (expires_at <= now() OR EXISTS (
    SELECT FROM registry_invitation AS later
    WHERE later.operator_id = invitation.operator_id AND later.phone_index = invitation.phone_index
        AND later.state = 'waiting' AND later.id > invitation.id
));
"""


class Migration(migrations.Migration):
    """What became of the invitations that are on file; one to a phone at a time."""

    dependencies = [("registry", "0020_invitations")]

    operations = [
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "invitation",
            models.UniqueConstraint(
                condition=models.Q(("state", "waiting")),
                fields=("phone_index", "operator"),
                name="registry_invitation_once",
            ),
        ),
        migrations.AddConstraint(
            "invitation",
            models.CheckConstraint(
                condition=models.Q(
                    models.Q(("settled_at", None), ("state", "waiting")),
                    models.Q(models.Q(("state", "waiting"), _negated=True), ("settled_at__isnull", False)),
                    _connector="OR",
                ),
                name="registry_invitation_settled",
            ),
        ),
        migrations.AddIndex(
            "invitation",
            models.Index(
                condition=models.Q(("user", None)), fields=["expires_at"], name="registry_invitation_age"
            ),
        ),
    ]
