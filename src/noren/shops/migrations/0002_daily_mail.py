"""Whether a shop's owners are written to each morning."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shops", "0001_initial")]

    operations = [
        migrations.AddField(model_name="shop", name="daily_mail", field=models.BooleanField(default=True)),
    ]
