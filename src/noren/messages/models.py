"""What was sent about which booking, by ids. Addresses, names and texts are not here."""

from django.db import models

from noren.shops.tenancy import ShopModel


class State(models.TextChoices):
    QUEUED = "queued"  # the worker has begun, or will try again -> sent, unknown, failed
    SENT = "sent"  # the mail server has taken it
    UNKNOWN = "unknown"  # a crash fell between its answer and the record: never sent again by itself
    FAILED = "failed"  # refused for good, tried too often, or come back


class Message(ShopModel):
    """One mail about one booking, or to one who waits. Only noren.messages.tasks writes it."""

    booking_id = models.BigIntegerField(null=True)
    waiting_id = models.BigIntegerField(null=True)
    # The further bookings of a series that the same mail tells of.
    others = models.JSONField(default=list)
    kind = models.CharField(max_length=12)
    # What the vault sends once: the same on every attempt, new for each change of the booking.
    key = models.CharField(max_length=80)
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    attempts = models.SmallIntegerField(default=0)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
