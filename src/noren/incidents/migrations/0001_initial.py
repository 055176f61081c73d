"""The notices: drafts that are written, and versions that are only ever added."""

from django.db import migrations, models

PLACE_CHECK = "CHECK (notice ~ '^[a-z0-9][a-z0-9-]{2,39}$' AND number > 0 AND version > 0)"
UNIQUE = "UNIQUE (notice, number, version)"
STATEMENTS = [
    f"ALTER TABLE incidents_noticedraft ADD CONSTRAINT incidents_noticedraft_place {PLACE_CHECK}",
    f"ALTER TABLE incidents_noticedraft ADD CONSTRAINT incidents_noticedraft_key {UNIQUE}",
    f"ALTER TABLE incidents_noticeversion ADD CONSTRAINT incidents_noticeversion_place {PLACE_CHECK}",
    f"ALTER TABLE incidents_noticeversion ADD CONSTRAINT incidents_noticeversion_key {UNIQUE}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON incidents_noticedraft TO noren_app, noren_worker",
    # Added, and never changed or taken away.
    "GRANT SELECT, INSERT ON incidents_noticeversion TO noren_app, noren_worker",
]


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="NoticeDraft",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("notice", models.CharField(max_length=40)),
                ("number", models.IntegerField()),
                ("version", models.IntegerField()),
                ("text", models.JSONField(default=dict)),
                ("revision", models.IntegerField(default=1)),
                ("asked", models.CharField(blank=True, default="", max_length=16)),
                ("frozen", models.TextField(blank=True, default="")),
                ("changed_at", models.DateTimeField()),
            ],
            options={"db_table": "incidents_noticedraft"},
        ),
        migrations.CreateModel(
            name="NoticeVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("notice", models.CharField(max_length=40)),
                ("number", models.IntegerField()),
                ("version", models.IntegerField()),
                ("text", models.TextField()),
                ("entry", models.BigIntegerField()),
                ("published_at", models.DateTimeField()),
                ("alone", models.BooleanField()),
                ("proof", models.TextField(blank=True, default="")),
            ],
            options={"db_table": "incidents_noticeversion"},
        ),
        *(migrations.RunSQL(each) for each in STATEMENTS),
    ]
