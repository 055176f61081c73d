"""Photos of a shop, of its services and of its staff."""

from django.db import migrations, models

import noren.shops.tenancy
from noren.shops.tenancy import TenantTable


class Migration(migrations.Migration):
    dependencies = [("shops", "0002_daily_mail")]

    operations = [
        migrations.CreateModel(
            name="Photo",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("service_id", models.BigIntegerField(null=True)),
                ("staff_id", models.BigIntegerField(null=True)),
                ("texts", models.JSONField(default=dict)),
                ("digest", models.CharField(max_length=32)),
                ("sizes", models.JSONField()),
            ],
            options={"abstract": False, "base_manager_name": "objects"},
        ),
        migrations.CreateModel(
            name="PhotoFile",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("photo_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=4)),
                ("width", models.SmallIntegerField()),
                ("data", models.BinaryField()),
            ],
            options={"abstract": False, "base_manager_name": "objects"},
        ),
        TenantTable(
            "Photo",
            uniques=[("service_id", "staff_id")],
            foreign_keys=[("service_id", "shops_service"), ("staff_id", "shops_staff")],
        ),
        TenantTable(
            "PhotoFile", uniques=[("photo_id", "kind", "width")], foreign_keys=[("photo_id", "shops_photo")]
        ),
        # What is in them is packed already: the database need not try.
        migrations.RunSQL("ALTER TABLE shops_photofile ALTER COLUMN data SET STORAGE EXTERNAL"),
    ]
