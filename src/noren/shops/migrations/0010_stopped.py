"""A shop stops a day's online bookings."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shops", "0009_questions")]

    operations = [
        migrations.AddField("shop", "stopped_until", models.DateTimeField(null=True)),
        migrations.AddField("shop", "stopped_at", models.DateTimeField(null=True)),
        migrations.AddField("shop", "stopped_by", models.CharField(max_length=80, blank=True, default="")),
    ]
