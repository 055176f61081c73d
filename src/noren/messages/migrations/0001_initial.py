"""The messages: one row a mail, once a key."""

from django.db import migrations, models

import noren.shops.tenancy
from noren.shops.tenancy import TenantTable

STATE_CHECK = (
    "ALTER TABLE messages_message ADD CONSTRAINT messages_message_state_check "
    "CHECK (state IN ('queued', 'sent', 'unknown', 'failed'))"
)
OWNER_CHECK = (
    "ALTER TABLE messages_message ADD CONSTRAINT messages_message_owner_check "
    "CHECK (num_nonnulls(booking_id, waiting_id) = 1)"
)
INDEX = "CREATE INDEX messages_message_booking ON messages_message (shop_id, booking_id)"


class Migration(migrations.Migration):
    initial = True
    dependencies = [("booking", "0001_initial"), ("shops", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "shop_id",
                    models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False),
                ),
                ("booking_id", models.BigIntegerField(null=True)),
                ("waiting_id", models.BigIntegerField(null=True)),
                ("kind", models.CharField(max_length=12)),
                ("key", models.CharField(max_length=80)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("sent", "Sent"),
                            ("unknown", "Unknown"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("attempts", models.SmallIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
            ],
            options={"abstract": False, "base_manager_name": "objects"},
        ),
        TenantTable(
            "message",
            uniques=[("key",)],
            foreign_keys=[("booking_id", "booking_booking"), ("waiting_id", "booking_waiting")],
        ),
        migrations.RunSQL([STATE_CHECK, OWNER_CHECK, INDEX]),
    ]
