"""Limits count the parts of a visit."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("booking", "0001_initial")]

    operations = [migrations.RunSQL((SQL / "0006_visits.sql").read_text(encoding="utf-8"))]
