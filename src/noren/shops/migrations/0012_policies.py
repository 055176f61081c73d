"""How bookings are treated, for all services but those that differ."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shops", "0011_by_staff")]

    operations = [
        migrations.AddField("shop", "policies", models.JSONField(default=dict)),
        migrations.AddField("service", "own_policy", models.BooleanField(default=True)),
    ]
