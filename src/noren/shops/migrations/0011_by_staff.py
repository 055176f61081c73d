"""Who takes another time for a service, or costs another price when she is asked for; for whom it is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shops", "0010_stopped")]

    operations = [
        migrations.AddField("service", "by_staff", models.JSONField(default=list)),
        migrations.AddField("service", "visitors", models.CharField(max_length=8, blank=True, default="")),
    ]
