"""What was sent about which booking, by ids, and a shop's own words in it. No address, no name is here."""

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
    before = models.IntegerField(null=True)
    """Of a reminder: how many minutes before the start it was to go, where there are several."""
    many_id = models.BigIntegerField(null=True)
    """Of which message to many (ToMany) it is; null: of none."""
    wording_id = models.BigIntegerField(null=True)
    """In which of the shop's own words it went last; null: in the house's."""
    words = models.CharField(max_length=16, default="")
    """A hash of the words, their {fields} still open, with which it went last."""
    again = models.SmallIntegerField(default=0)
    """How often somebody had it sent once more under a new key, because nobody knows whether it arrived."""
    aside_at = models.DateTimeField(null=True)
    """Since when nobody need look at it any more, though it did not arrive, and"""
    aside_by = models.CharField(max_length=80, blank=True, default="")
    """who said so (Actor)."""
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()


class Wording(ShopModel):
    """A shop's own words in the mails of one kind and language. No row is changed: a later version holds.

    Empty: the house's words. With their {fields} open they are the same for everybody, and about nobody.
    """

    kind = models.CharField(max_length=12)
    language = models.CharField(max_length=8)
    version = models.IntegerField()
    subject = models.CharField(max_length=200, blank=True, default="")
    opening = models.TextField(blank=True, default="")
    closing = models.TextField(blank=True, default="")
    at = models.DateTimeField()
    by = models.CharField(max_length=80)


class Telling(ShopModel):
    """What one member of the team wishes to be told of. Who has none is told as telling.standard says."""

    handle = models.CharField(max_length=200)
    own_only = models.BooleanField(null=True)
    """Whether only of bookings that she serves; null: as is standard for her."""
    ways = models.JSONField(default=dict)
    """{"new": "mail", ...}: by telling.About how (telling.Way); what is not there is standard."""
    digest_hour = models.SmallIntegerField(default=8)
    """At which hour of the shop's wall her digest goes."""
    seen = models.BigIntegerField(default=0)
    """The event (booking.models.Event) up to which she has looked at the list."""


class TeamTold(ShopModel):
    """How far the team was written to of one booking, or of one series."""

    about = models.BigIntegerField()
    """The booking; of a series its first."""
    done = models.BigIntegerField(default=0)
    """The last event of which everybody was told, and"""
    upto = models.BigIntegerField(default=0)
    """that up to which they are being told: a killed worker's successor tells of the same."""


class ToMany(ShopModel):
    """One message to the customers of bookings that a shop picks: a draft, until its work begins.

    The bookings are those that are to come and touch the stretch, of the service and of whom it names. The
    words with their {fields} open are the same for everybody, and about nobody.
    """

    since = models.DateTimeField()
    until = models.DateTimeField()
    service_id = models.BigIntegerField(null=True)
    """null: any."""
    staff_id = models.BigIntegerField(null=True)
    """null: anybody."""
    words = models.JSONField(default=dict)
    """{"ja": {"subject": ..., "opening": ...}, ...}: by language; what is not there is not written."""
    version = models.IntegerField(default=0)
    """Counted up with each change."""
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=80)
    work_id = models.BigIntegerField(null=True)
    """What sends it (booking.models.Work); from then on nothing of it is changed."""


class Addressed(ShopModel):
    """One person to whom a message to many goes: by her first booking, and the others that it tells of."""

    many_id = models.BigIntegerField()
    booking_id = models.BigIntegerField()
    others = models.JSONField(default=list)
    done = models.BooleanField(default=False)
    """The worker has been at it. What became of it stands in its Message; without one it was true no more."""
