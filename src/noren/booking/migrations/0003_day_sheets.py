"""Which lists of a day were put on paper; never what stood on them."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

import noren.shops.tenancy
from noren.shops.tenancy import TenantTable


class Migration(migrations.Migration):
    dependencies = [("booking", "0002_visits")]

    operations = [
        migrations.CreateModel(
            name="DaySheet",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop_id", models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False)),
                ("number", models.IntegerField()),
                ("day", models.DateField()),
                ("issued_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("by", models.CharField(max_length=80)),
                ("bookings", models.IntegerField()),
                ("persons", models.IntegerField()),
                ("fields", ArrayField(models.CharField(max_length=16), default=list)),
                ("entries", ArrayField(models.BigIntegerField(), default=list)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        TenantTable("DaySheet", uniques=[("number",)]),
    ]
