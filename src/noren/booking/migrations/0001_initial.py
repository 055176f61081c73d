from pathlib import Path

from django.db import migrations, models

import noren.shops.tenancy
from noren.shops.tenancy import TenantTable

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    initial = True

    dependencies = [("shops", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Block",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("resource_id", models.BigIntegerField()),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("kind", models.CharField(default="block", max_length=8)),
                ("by", models.CharField(max_length=80)),
                ("why", models.CharField(default="", max_length=40)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Booking",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("service_id", models.BigIntegerField()),
                ("session_id", models.BigIntegerField(null=True)),
                ("staff_id", models.BigIntegerField(null=True)),
                ("asked_staff_id", models.BigIntegerField(null=True)),
                ("series_id", models.BigIntegerField(null=True)),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("wall", models.CharField(max_length=16)),
                ("zone", models.CharField(max_length=40)),
                ("party", models.IntegerField(default=1)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("held", "Held"),
                            ("pending", "Pending"),
                            ("confirmed", "Confirmed"),
                            ("checked_in", "Checked In"),
                            ("no_show", "No Show"),
                            ("cancelled", "Cancelled"),
                            ("declined", "Declined"),
                            ("released", "Released"),
                            ("expired", "Expired"),
                        ],
                        max_length=12,
                    ),
                ),
                ("takes", models.BooleanField()),
                (
                    "attention",
                    models.CharField(
                        choices=[
                            ("moved", "Moved"),
                            ("closed", "Closed"),
                            ("blocked", "Blocked"),
                            ("staff", "Staff"),
                            ("zone", "Zone"),
                        ],
                        default="",
                        max_length=12,
                    ),
                ),
                ("expires_at", models.DateTimeField(null=True)),
                ("person_id", models.UUIDField(null=True)),
                ("locale", models.CharField(default="", max_length=8)),
                ("generation", models.IntegerField(default=1)),
                ("changes", models.IntegerField(default=0)),
                ("idempotency", models.BinaryField(null=True)),
                ("agreed", models.JSONField(default=dict)),
                ("reminder_job", models.BigIntegerField(null=True)),
                ("rules_revision", models.BigIntegerField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Claim",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("resource_id", models.BigIntegerField()),
                ("day", models.DateField()),
                ("units", models.SmallIntegerField()),
                ("core_from", models.SmallIntegerField()),
                ("core_to", models.SmallIntegerField()),
                ("padded_from", models.SmallIntegerField()),
                ("padded_to", models.SmallIntegerField()),
                ("booking_id", models.BigIntegerField(null=True)),
                ("session_id", models.BigIntegerField(null=True)),
                ("block_id", models.BigIntegerField(null=True)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="ClassSession",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("service_id", models.BigIntegerField()),
                ("staff_id", models.BigIntegerField(null=True)),
                ("planned", models.DateTimeField()),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("capacity", models.IntegerField()),
                ("booked", models.IntegerField(default=0)),
                ("cancelled", models.BooleanField(default=False)),
                ("decided_at", models.DateTimeField(null=True)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("booking_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("by", models.CharField(max_length=80)),
                ("what", models.CharField(max_length=16)),
                ("why", models.CharField(default="", max_length=40)),
                ("facts", models.JSONField(default=dict)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Waiting",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("service_id", models.BigIntegerField()),
                ("session_id", models.BigIntegerField(null=True)),
                ("day", models.DateField()),
                ("last_day", models.DateField()),
                ("start", models.DateTimeField(null=True)),
                ("asked_staff_id", models.BigIntegerField(null=True)),
                ("party", models.IntegerField()),
                ("nights", models.IntegerField(default=0)),
                ("person_id", models.UUIDField()),
                ("locale", models.CharField(max_length=8)),
                ("priority", models.SmallIntegerField(default=0)),
                ("joined_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("offered", "Offered"),
                            ("booked", "Booked"),
                            ("left", "Left"),
                            ("passed", "Passed"),
                            ("expired", "Expired"),
                        ],
                        max_length=8,
                    ),
                ),
                ("hold_id", models.BigIntegerField(null=True)),
                ("offer_ends", models.DateTimeField(null=True)),
                ("generation", models.IntegerField(default=1)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.RunSQL((SQL / "0001_tables.sql").read_text(encoding="utf-8")),
        TenantTable(
            "ClassSession",
            foreign_keys=[("service_id", "shops_service"), ("staff_id", "shops_resource")],
        ),
        TenantTable(
            "Booking",
            foreign_keys=[
                ("service_id", "shops_service"),
                ("session_id", "booking_classsession"),
                ("staff_id", "shops_resource"),
            ],
        ),
        TenantTable("Block", foreign_keys=[("resource_id", "shops_resource")]),
        TenantTable(
            "Claim",
            key=("resource_id", "day", "id"),
            foreign_keys=[
                ("resource_id", "shops_resource"),
                ("booking_id", "booking_booking"),
                ("session_id", "booking_classsession"),
                ("block_id", "booking_block"),
            ],
        ),
        TenantTable("Event", foreign_keys=[("booking_id", "booking_booking")]),
        TenantTable(
            "Waiting",
            foreign_keys=[
                ("service_id", "shops_service"),
                ("session_id", "booking_classsession"),
                ("hold_id", "booking_booking"),
            ],
        ),
        TenantTable(
            "sheet",
            key=("resource_id", "plane", "day"),
            foreign_keys=[("resource_id", "shops_resource")],
        ),
        migrations.RunSQL((SQL / "0002_sheets.sql").read_text(encoding="utf-8")),
        migrations.RunSQL((SQL / "0003_bookings.sql").read_text(encoding="utf-8")),
        migrations.RunSQL((SQL / "0004_sessions.sql").read_text(encoding="utf-8")),
        migrations.RunSQL((SQL / "0005_grants.sql").read_text(encoding="utf-8")),
    ]
