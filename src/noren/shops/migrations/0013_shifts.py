"""Who serves from when until when, other weeks from a date on, and the days that staff ask for."""

from django.db import migrations, models

import noren.shops.tenancy
from noren.shops.tenancy import TenantTable


class Migration(migrations.Migration):
    dependencies = [("shops", "0012_policies")]

    operations = [
        migrations.AddField("openinghours", "later", models.JSONField(default=list)),
        migrations.AddField("openinghours", "first", models.DateField(null=True)),
        migrations.AddField("openinghours", "last", models.DateField(null=True)),
        migrations.CreateModel(
            name="DayRequest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("staff_id", models.BigIntegerField()),
                ("first", models.DateField()),
                ("last", models.DateField()),
                ("ranges", models.JSONField(default=list)),
                ("why", models.CharField(max_length=16, blank=True, default="")),
                ("state", models.CharField(max_length=12, default="asked")),
                ("asked_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("answered_by", models.CharField(max_length=80, blank=True, default="")),
            ],
            options={"abstract": False, "base_manager_name": "objects"},
        ),
        TenantTable("DayRequest", foreign_keys=[("staff_id", "shops_staff")]),
    ]
