"""Further reminders, a word of thanks after a visit, and of what the team is written to at once."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

from noren.shops.models import asked_for


class Migration(migrations.Migration):
    dependencies = [("shops", "0013_shifts")]

    operations = [
        migrations.AddField(
            "shop", "more_reminders", ArrayField(models.IntegerField(), default=list, size=None)
        ),
        migrations.AddField("shop", "thanks_hours", models.SmallIntegerField(default=0)),
        migrations.AddField(
            "shop",
            "told_at_once",
            ArrayField(models.CharField(max_length=12), default=asked_for, size=None),
        ),
    ]
