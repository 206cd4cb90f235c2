from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Find notices, messages and digests that are past their time."""

    atomic = False

    dependencies = [
        ('notices', '0003_recipient_index_of_all'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='digest',
            index=models.Index(fields=['day'], name='notices_digest_age'),
        ),
        AddIndexConcurrently(
            model_name='notice',
            index=models.Index(fields=['created_at'], name='notices_notice_age'),
        ),
        AddIndexConcurrently(
            model_name='outgoing',
            index=models.Index(condition=models.Q(('body', ''), _negated=True), fields=['created_at'], name='notices_outgoing_age'),
        ),
    ]
