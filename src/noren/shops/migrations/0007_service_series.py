"""How many dates of a service a customer may book at once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shops", "0006_visits")]

    operations = [
        migrations.AddField(model_name="service", name="series", field=models.JSONField(default=dict)),
    ]
