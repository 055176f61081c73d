"""Work that runs in steps, the bookings of a list that comes in, and how a list is read."""

from typing import Any

from django.db import migrations, models

import noren.shops.tenancy
from noren.shops.tenancy import TenantTable

_OPTIONS = {"abstract": False, "base_manager_name": "objects"}
_INDEXES = """
CREATE INDEX booking_work_made ON booking_work (shop_id, made_at);
CREATE INDEX booking_workline_state ON booking_workline (shop_id, work_id, state, line);
CREATE INDEX booking_workline_booking ON booking_workline (shop_id, booking_id) WHERE booking_id IS NOT NULL;
"""


def _of_a_shop() -> list[tuple[str, Any]]:
    shop_id = models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)
    return [("id", models.BigAutoField(primary_key=True, serialize=False)), ("shop_id", shop_id)]


class Migration(migrations.Migration):
    dependencies = [("booking", "0004_merge")]

    operations = [
        migrations.CreateModel(
            name="Work",
            fields=[
                *_of_a_shop(),
                ("kind", models.CharField(max_length=16)),
                ("by", models.CharField(max_length=80)),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Running"), ("stopped", "Stopped"), ("done", "Done")],
                        default="running",
                        max_length=8,
                    ),
                ),
                ("transfer", models.CharField(default="", max_length=16)),
                ("of_work_id", models.BigIntegerField(null=True)),
                ("total", models.IntegerField()),
                ("done", models.IntegerField(default=0)),
                ("odd", models.IntegerField(default=0)),
                ("facts", models.JSONField(default=dict)),
                ("made_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options=_OPTIONS,
        ),
        migrations.CreateModel(
            name="WorkLine",
            fields=[
                *_of_a_shop(),
                ("work_id", models.BigIntegerField()),
                ("line", models.IntegerField()),
                ("key", models.CharField(max_length=64)),
                ("service_id", models.BigIntegerField(null=True)),
                ("asked_staff_id", models.BigIntegerField(null=True)),
                ("start", models.DateTimeField(null=True)),
                ("person_id", models.UUIDField(null=True)),
                ("booking_id", models.BigIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("made", "Made"),
                            ("there", "There"),
                            ("odd", "Odd"),
                            ("undone", "Undone"),
                            ("kept", "Kept"),
                        ],
                        max_length=8,
                    ),
                ),
                ("why", models.CharField(default="", max_length=40)),
                ("near", models.JSONField(default=list)),
            ],
            options=_OPTIONS,
        ),
        migrations.CreateModel(
            name="Incoming",
            fields=[
                *_of_a_shop(),
                ("transfer", models.CharField(max_length=16)),
                ("reading", models.JSONField()),
                ("made_at", models.DateTimeField()),
            ],
            options=_OPTIONS,
        ),
        TenantTable("Work", foreign_keys=[("of_work_id", "booking_work")]),
        TenantTable(
            "WorkLine",
            foreign_keys=[
                ("work_id", "booking_work"),
                ("service_id", "shops_service"),
                ("asked_staff_id", "shops_resource"),
                ("booking_id", "booking_booking"),
            ],
        ),
        TenantTable("Incoming", uniques=[("transfer",)]),
        migrations.RunSQL(_INDEXES),
    ]
