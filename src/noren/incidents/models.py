"""The public's notices, and the desk's saved answers. Global tables: words of the platform, nobody's data.

What was published is a row that is added and never changed: the application's logins may do no more.
"""

from django.db import models


class NoticeDraft(models.Model):
    """A text that operators write. `asked`: under which asking it waits (`alone`: for one's own passkey);
    `frozen` is then its canonical text.
    """

    notice = models.CharField(max_length=40)
    number = models.IntegerField()
    version = models.IntegerField()
    text = models.JSONField(default=dict)
    revision = models.IntegerField(default=1)
    asked = models.CharField(max_length=16, default="", blank=True)
    frozen = models.TextField(default="", blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "incidents_noticedraft"


class NoticeVersion(models.Model):
    """A text as it was published: its canonical form, and which entry of the ledger has its hash."""

    notice = models.CharField(max_length=40)
    number = models.IntegerField()
    version = models.IntegerField()
    text = models.TextField()
    entry = models.BigIntegerField()
    published_at = models.DateTimeField()
    alone = models.BooleanField()
    # The `.tlog-proof` of that moment: it holds for good, and is here when the vault is not.
    proof = models.TextField(default="", blank=True)

    class Meta:
        db_table = "incidents_noticeversion"


class SavedAnswer(models.Model):
    """An answer of the inquiry desk that is used again, in both languages; `{...}` are closed fields."""

    title = models.CharField(max_length=80, unique=True)
    ja = models.TextField()
    en = models.TextField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "incidents_savedanswer"
