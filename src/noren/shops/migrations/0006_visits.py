"""What may be had in one visit: additions to a service, and what the shop keeps apart."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shops", "0005_embed_origins")]

    operations = [
        migrations.AddField(
            model_name="service",
            name="additions",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), default=list
            ),
        ),
        migrations.AddField(model_name="service", name="alone", field=models.BooleanField(default=True)),
        migrations.AddField(model_name="service", name="together", field=models.BooleanField(default=True)),
    ]
