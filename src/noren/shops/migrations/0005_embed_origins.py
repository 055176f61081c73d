"""In which sites' pages a shop's booking pages may be shown."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shops", "0004_legal")]

    operations = [
        migrations.AddField(
            model_name="shop",
            name="embed_origins",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=200), default=list
            ),
        ),
    ]
