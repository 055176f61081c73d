"""Work by which bookings follow a change of the rules; and what a shop's file said when it came in last."""

from django.db import migrations, models

import noren.shops.tenancy
from noren.shops.tenancy import TenantTable

# What becomes of a booking is said once: the later change's word holds.
_ONCE = """
CREATE UNIQUE INDEX booking_workline_awaited ON booking_workline (shop_id, booking_id)
    WHERE state = 'waiting' AND booking_id IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("booking", "0005_work")]

    operations = [
        migrations.AddField("WorkLine", "choice", models.CharField(default="", max_length=16)),
        migrations.RunSQL(_ONCE),
        migrations.CreateModel(
            name="ShopFile",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("fields", models.JSONField(default=dict)),
            ],
            options={"abstract": False, "base_manager_name": "objects"},
        ),
        TenantTable("ShopFile", uniques=[()]),
    ]
