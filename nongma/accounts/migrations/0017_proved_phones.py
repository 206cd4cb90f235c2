from django.db import migrations, models

FILL = """
UPDATE accounts_user AS person SET phone_proved_at = created_at
WHERE is_operator AND phone_index IS NOT NULL AND password LIKE '!%' AND username ~ '^u[a-z2-9]{12}$'
AND NOT EXISTS (
    SELECT FROM audit_entry WHERE target_kind = 'user' AND target_id = person.uid::text
    AND action = 'account.changed' AND details -> 'fields' ? 'phone'
)
"""


class Migration(migrations.Migration):
    """A phone signs in whom it was proved by; who registered by a code has proved it, unless it was changed since.

    The people are locked from the new column to the commit: at 5 million of them one statement reads all, looks each
    of those who registered by a code up in the log, by its index, and writes only these; the check reads all once more.
    Parts would lock it no shorter. Run it while nobody is served, as `nongma run` does; stopped half-way it leaves
    everything as it was.
    """

    dependencies = [("accounts", "0016_kept_for_a_time"), ("audit", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="phone_proved_at",
            field=models.DateTimeField(
                blank=True,
                help_text="本人用发到这个号码的验证码证实过；换号以后重新证实",
                null=True,
                verbose_name="手机证实时间",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("phone_proved_at", None), ("phone_index__isnull", False), _connector="OR"),
                name="accounts_user_proved_phone",
            ),
        ),
    ]
