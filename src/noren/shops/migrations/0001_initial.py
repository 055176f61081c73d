import django.contrib.postgres.fields
from django.db import migrations, models

import noren.shops.tenancy
from noren.shops.tenancy import TenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="OpeningHours",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("resource_id", models.BigIntegerField(null=True)),
                ("service_id", models.BigIntegerField(null=True)),
                ("weekly", models.JSONField()),
                ("holiday", models.JSONField(null=True)),
                ("alternate", models.JSONField(default=list)),
                ("since", models.DateField(null=True)),
                ("closings", models.JSONField(default=list)),
                ("zone", models.CharField(max_length=40, null=True)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Override",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("resource_id", models.BigIntegerField(null=True)),
                ("service_id", models.BigIntegerField(null=True)),
                ("date", models.DateField()),
                ("ranges", models.JSONField(default=list)),
                ("why", models.CharField(blank=True, default="", max_length=16)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Resource",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("key", models.CharField(max_length=40)),
                ("kind", models.CharField(max_length=16)),
                ("texts", models.JSONField(default=dict)),
                ("stock", models.SmallIntegerField(default=1)),
                ("priority", models.SmallIntegerField(default=0)),
                ("weight", models.SmallIntegerField(default=100)),
                (
                    "parts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("seats", models.IntegerField(null=True)),
                ("bookable", models.BooleanField(default=True)),
                ("visible", models.BooleanField(default=True)),
                ("joined_at", models.DateTimeField(null=True)),
                ("position", models.SmallIntegerField(default=0)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Service",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("key", models.CharField(max_length=40)),
                ("texts", models.JSONField(default=dict)),
                ("segments", models.JSONField()),
                ("requirements", models.JSONField()),
                ("before", models.IntegerField(default=0)),
                ("after", models.IntegerField(default=0)),
                ("grid", models.JSONField(default=dict)),
                ("lead", models.JSONField(default=dict)),
                ("change", models.JSONField(default=dict)),
                ("cancel", models.JSONField(default=dict)),
                ("horizon", models.JSONField(default=dict)),
                ("capacity", models.IntegerField(null=True)),
                ("timetable", models.JSONField(default=list)),
                ("course", models.BooleanField(default=False)),
                ("minimum", models.JSONField(default=dict)),
                ("stay", models.JSONField(null=True)),
                ("limits", models.JSONField(default=list)),
                ("approval", models.CharField(blank=True, default="", max_length=8)),
                ("fees", models.JSONField(default=dict)),
                ("check_in", models.JSONField(default=dict)),
                ("waiting", models.JSONField(default=dict)),
                ("party_min", models.SmallIntegerField(default=1)),
                ("party_max", models.SmallIntegerField(default=1)),
                ("price", models.IntegerField(default=0)),
                ("tax_rate", models.SmallIntegerField(default=10)),
                ("bookable", models.BooleanField(default=True)),
                ("position", models.SmallIntegerField(default=0)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Shop",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("texts", models.JSONField(default=dict)),
                ("contact", models.JSONField(default=dict)),
                ("zone", models.CharField(default="Asia/Tokyo", max_length=40)),
                ("locale", models.CharField(default="ja", max_length=8)),
                ("currency", models.CharField(default="JPY", max_length=3)),
                ("rules_revision", models.BigIntegerField(default=1)),
                ("policy_version", models.IntegerField(default=1)),
                ("holiday_region", models.CharField(blank=True, default="", max_length=8)),
                ("holiday_rule", models.CharField(default="open", max_length=8)),
                (
                    "own_holidays",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DateField(), default=list, size=None
                    ),
                ),
                ("holidays_seen", models.JSONField(default=dict)),
                ("buffer_policy", models.CharField(default="shared", max_length=8)),
                ("buffers_outside", models.BooleanField(default=False)),
                ("align", models.SmallIntegerField(default=5)),
                ("week_start", models.SmallIntegerField(default=0)),
                ("hold_minutes", models.SmallIntegerField(default=10)),
                ("reminder_minutes", models.IntegerField(default=1440)),
                ("limits", models.JSONField(default=list)),
                ("quiet", models.JSONField(default=dict)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="ShopDirectory",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.CharField(max_length=40, unique=True)),
            ],
            options={
                "db_table": "shops_directory",
            },
        ),
        migrations.CreateModel(
            name="Staff",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("key", models.CharField(max_length=40)),
                ("texts", models.JSONField(default=dict)),
                ("fee", models.IntegerField(default=0)),
                ("position", models.SmallIntegerField(default=0)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        TenantTable("Shop", uniques=[()]),
        migrations.RunSQL(
            "ALTER TABLE shops_shop ADD CONSTRAINT shops_shop_directory_fkey "
            "FOREIGN KEY (shop_id) REFERENCES shops_directory (id)"
        ),
        TenantTable("Resource", uniques=[("key",)]),
        TenantTable("Staff", uniques=[("key",)], foreign_keys=[("id", "shops_resource")]),
        TenantTable("Service", uniques=[("key",)]),
        TenantTable(
            "OpeningHours",
            uniques=[("resource_id", "service_id")],
            foreign_keys=[("resource_id", "shops_resource"), ("service_id", "shops_service")],
        ),
        TenantTable(
            "Override",
            uniques=[("resource_id", "service_id", "date")],
            foreign_keys=[("resource_id", "shops_resource"), ("service_id", "shops_service")],
        ),
        migrations.RunSQL("GRANT SELECT, INSERT ON shops_directory TO noren_app"),
        migrations.RunSQL("GRANT SELECT ON shops_directory TO noren_worker"),
    ]
