"""The inquiry desk's saved answers."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("incidents", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="SavedAnswer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("title", models.CharField(max_length=80, unique=True)),
                ("ja", models.TextField()),
                ("en", models.TextField()),
                ("changed_at", models.DateTimeField()),
            ],
            options={"db_table": "incidents_savedanswer"},
        ),
        migrations.RunSQL(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON incidents_savedanswer TO noren_app, noren_worker"
        ),
        migrations.RunSQL(
            "GRANT USAGE, SELECT ON SEQUENCE incidents_savedanswer_id_seq TO noren_app, noren_worker"
        ),
    ]
