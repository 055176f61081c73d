"""A message to many: what is written, to whom, and which mail is of it."""

from typing import Any

from django.db import migrations, models

import noren.shops.tenancy
from noren.shops.tenancy import TenantTable

_OPTIONS = {"abstract": False, "base_manager_name": "objects"}
_INDEXES = """
CREATE INDEX messages_addressed_left ON messages_addressed (shop_id, many_id, id) WHERE NOT done;
CREATE INDEX messages_message_many ON messages_message (shop_id, many_id) WHERE many_id IS NOT NULL;
"""


def _of_a_shop() -> list[tuple[str, Any]]:
    shop_id = models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)
    return [("id", models.BigAutoField(primary_key=True, serialize=False)), ("shop_id", shop_id)]


class Migration(migrations.Migration):
    dependencies = [("messages", "0004_telling"), ("booking", "0005_work")]

    operations = [
        migrations.AddField("message", "many_id", models.BigIntegerField(null=True)),
        migrations.CreateModel(
            name="ToMany",
            fields=[
                *_of_a_shop(),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("service_id", models.BigIntegerField(null=True)),
                ("staff_id", models.BigIntegerField(null=True)),
                ("words", models.JSONField(default=dict)),
                ("version", models.IntegerField(default=0)),
                ("made_at", models.DateTimeField()),
                ("made_by", models.CharField(max_length=80)),
                ("work_id", models.BigIntegerField(null=True)),
            ],
            options=_OPTIONS,
        ),
        migrations.CreateModel(
            name="Addressed",
            fields=[
                *_of_a_shop(),
                ("many_id", models.BigIntegerField()),
                ("booking_id", models.BigIntegerField()),
                ("others", models.JSONField(default=list)),
                ("done", models.BooleanField(default=False)),
            ],
            options=_OPTIONS,
        ),
        TenantTable("tomany", foreign_keys=[("work_id", "booking_work")]),
        TenantTable(
            "addressed",
            uniques=[("many_id", "booking_id")],
            foreign_keys=[("many_id", "messages_tomany"), ("booking_id", "booking_booking")],
        ),
        migrations.RunSQL(_INDEXES),
    ]
