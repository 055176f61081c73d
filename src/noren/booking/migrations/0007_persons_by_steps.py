"""Lines of bookings whose customers come in by steps: until then each knows hers by a keyed hash."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("booking", "0006_work_of_changes")]

    operations = [
        migrations.AddField("WorkLine", "person_key", models.CharField(default="", max_length=64)),
    ]
