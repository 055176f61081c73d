"""The account: a global table without personal data."""

from django.db import migrations, models

GRANT = "GRANT SELECT, INSERT, UPDATE ON accounts_account TO noren_app"


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("session_epoch", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.RunSQL(GRANT, "REVOKE ALL ON accounts_account FROM noren_app"),
    ]
