"""What the law on trade asks a shop to say of itself."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shops", "0003_photos")]

    operations = [
        migrations.AddField(model_name="shop", name="legal", field=models.JSONField(default=dict)),
    ]
