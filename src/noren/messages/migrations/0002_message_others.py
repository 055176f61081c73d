from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messages", "0001_initial")]

    operations = [
        migrations.AddField("message", "others", models.JSONField(default=list)),
    ]
