"""A shop's own words in its mails, which of them a mail went in, and what was said of one that failed."""

from django.db import migrations, models

import noren.shops.tenancy
from noren.shops.tenancy import TenantTable

# What did not arrive is asked for on every page of today.
TROUBLE = (
    "CREATE INDEX messages_message_trouble ON messages_message (shop_id, changed_at) "
    "WHERE state IN ('failed', 'unknown') AND aside_at IS NULL"
)


class Migration(migrations.Migration):
    dependencies = [("messages", "0002_message_others")]

    operations = [
        migrations.AddField("message", "before", models.IntegerField(null=True)),
        migrations.AddField("message", "wording_id", models.BigIntegerField(null=True)),
        migrations.AddField("message", "words", models.CharField(default="", max_length=16)),
        migrations.AddField("message", "again", models.SmallIntegerField(default=0)),
        migrations.AddField("message", "aside_at", models.DateTimeField(null=True)),
        migrations.AddField("message", "aside_by", models.CharField(blank=True, default="", max_length=80)),
        migrations.CreateModel(
            name="Wording",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "shop_id",
                    models.BigIntegerField(default=noren.shops.tenancy.current_shop, editable=False),
                ),
                ("kind", models.CharField(max_length=12)),
                ("language", models.CharField(max_length=8)),
                ("version", models.IntegerField()),
                ("subject", models.CharField(blank=True, default="", max_length=200)),
                ("opening", models.TextField(blank=True, default="")),
                ("closing", models.TextField(blank=True, default="")),
                ("at", models.DateTimeField()),
                ("by", models.CharField(max_length=80)),
            ],
            options={"abstract": False, "base_manager_name": "objects"},
        ),
        TenantTable("wording", uniques=[("kind", "language", "version")]),
        migrations.RunSQL([TROUBLE]),
    ]
