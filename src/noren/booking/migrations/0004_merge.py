"""Tags of a shop, and records of one customer that were joined."""

from pathlib import Path

import django.contrib.postgres.fields
from django.db import migrations, models

import noren.shops.tenancy
from noren.shops.tenancy import TenantTable

SQL = Path(__file__).parent.parent / "sql"


def _numbers() -> "django.contrib.postgres.fields.ArrayField[list[int], list[int]]":
    return django.contrib.postgres.fields.ArrayField(
        base_field=models.BigIntegerField(), default=list, size=None
    )


class Migration(migrations.Migration):
    dependencies = [("booking", "0003_day_sheets")]

    operations = [
        migrations.CreateModel(
            name="Tag",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("word", models.CharField(max_length=20)),
                ("position", models.SmallIntegerField(default=0)),
            ],
            options={"abstract": False, "base_manager_name": "objects"},
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("double", models.UUIDField()),
                ("kept", models.UUIDField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("merging", "Merging"),
                            ("merged", "Merged"),
                            ("undoing", "Undoing"),
                            ("undone", "Undone"),
                            ("dropped", "Dropped"),
                        ],
                        max_length=8,
                    ),
                ),
                ("begun_at", models.DateTimeField()),
                ("begun_by", models.CharField(max_length=80)),
                ("until", models.DateTimeField(null=True)),
                ("undone_at", models.DateTimeField(null=True)),
                ("undone_by", models.CharField(blank=True, default="", max_length=80)),
                ("bookings", _numbers()),
                ("places", _numbers()),
            ],
            options={"abstract": False, "base_manager_name": "objects"},
        ),
        TenantTable("Tag", uniques=[("word",)]),
        TenantTable("Merge"),
        migrations.RunSQL((SQL / "0007_merge.sql").read_text(encoding="utf-8")),
        migrations.RunSQL((SQL / "0005_grants.sql").read_text(encoding="utf-8")),
    ]
