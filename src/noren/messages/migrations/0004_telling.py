"""What each member of a shop's team wishes to be told of, and how far she was told."""

from django.db import migrations, models

import noren.shops.tenancy
from noren.shops.tenancy import TenantTable


class Migration(migrations.Migration):
    dependencies = [("messages", "0003_wording")]

    operations = [
        migrations.CreateModel(
            name="Telling",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "shop_id",
                    models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False),
                ),
                ("handle", models.CharField(max_length=200)),
                ("own_only", models.BooleanField(null=True)),
                ("ways", models.JSONField(default=dict)),
                ("digest_hour", models.SmallIntegerField(default=8)),
                ("seen", models.BigIntegerField(default=0)),
            ],
            options={"abstract": False, "base_manager_name": "objects"},
        ),
        TenantTable("telling", uniques=[("handle",)]),
        migrations.CreateModel(
            name="TeamTold",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "shop_id",
                    models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False),
                ),
                ("about", models.BigIntegerField()),
                ("done", models.BigIntegerField(default=0)),
                ("upto", models.BigIntegerField(default=0)),
            ],
            options={"abstract": False, "base_manager_name": "objects"},
        ),
        TenantTable("teamtold", uniques=[("about",)]),
    ]
