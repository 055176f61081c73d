"""Shops that are not public yet, and how far their owners are with setting them up."""

from django.db import migrations, models

import noren.shops.tenancy
from noren.shops.tenancy import TenantTable


class Migration(migrations.Migration):
    dependencies = [("shops", "0007_service_series")]

    operations = [
        migrations.AddField(model_name="shop", name="published", field=models.BooleanField(default=True)),
        migrations.CreateModel(
            name="Setup",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("answers", models.JSONField(default=dict)),
                ("mail_asked", models.CharField(blank=True, default="", max_length=254)),
                ("mail_person", models.UUIDField(null=True)),
                ("mail_proved", models.CharField(blank=True, default="", max_length=254)),
                ("opened_at", models.DateTimeField(null=True)),
                ("opened_by", models.CharField(blank=True, default="", max_length=80)),
            ],
            options={"abstract": False, "base_manager_name": "objects"},
        ),
        TenantTable("Setup", uniques=[()]),
    ]
