"""What every unfiltered tile asks of each map cell, as columns that the database keeps."""

import django.db.models.fields.json
import django.db.models.functions.comparison
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('origins', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='origincell',
            name='approved',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast(django.db.models.fields.json.KeyTextTransform('sapproved', 'counts'), models.IntegerField()), models.Value(0)), output_field=models.IntegerField(), verbose_name='已通过'),
        ),
        migrations.AddField(
            model_name='origincell',
            name='returned',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast(django.db.models.fields.json.KeyTextTransform('sreturned', 'counts'), models.IntegerField()), models.Value(0)), output_field=models.IntegerField(), verbose_name='已退回'),
        ),
        migrations.AddField(
            model_name='origincell',
            name='submitted',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast(django.db.models.fields.json.KeyTextTransform('ssubmitted', 'counts'), models.IntegerField()), models.Value(0)), output_field=models.IntegerField(), verbose_name='待审核'),
        ),
        migrations.AddField(
            model_name='origincell',
            name='whole',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast(django.db.models.fields.json.KeyTextTransform('', 'counts'), models.IntegerField()), models.Value(0)), output_field=models.IntegerField(), verbose_name='全部'),
        ),
    ]
