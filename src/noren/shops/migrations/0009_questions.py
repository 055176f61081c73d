"""What a shop and its services ask of who books."""

from django.db import migrations, models


def _list() -> models.JSONField:
    return models.JSONField(default=list)


def _guests() -> "models.CharField[str, str]":
    return models.CharField(max_length=8, blank=True, default="")


class Migration(migrations.Migration):
    dependencies = [("shops", "0008_published")]

    operations = [
        migrations.AddField("shop", "questions", _list()),
        migrations.AddField("shop", "questions_version", models.IntegerField(default=1)),
        migrations.AddField("shop", "guests", _guests()),
        migrations.AddField("service", "questions", _list()),
        migrations.AddField("service", "guests", _guests()),
    ]
