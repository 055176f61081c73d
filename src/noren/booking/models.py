"""Who comes when. Rows of these tables are written by the SQL functions in `sql/`, never by `.save()`.

The sheets (`booking_sheet`) are no model: they are an index of the claims, written and read by SQL alone.
"""

from datetime import datetime
from typing import Any

from django.db import models

from noren.shops.tenancy import ShopModel


class Status(models.TextChoices):
    """Those that take capacity come first; the others take none, at once."""

    HELD = "held"  # -> confirmed, pending, released, expired
    PENDING = "pending"  # -> confirmed, declined, cancelled
    CONFIRMED = "confirmed"  # -> checked_in, no_show, cancelled
    CHECKED_IN = "checked_in"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    RELEASED = "released"  # a hold that was let go, or a booking whose customer did not check in
    EXPIRED = "expired"


STANDING = (Status.PENDING, Status.CONFIRMED, Status.CHECKED_IN, Status.NO_SHOW)
"""What is a booking and has not ended otherwise."""


class Attention(models.TextChoices):
    """Why a booking waits for somebody's look. The first is for the customer to answer, the others for the
    shop.
    """

    MOVED = "moved"  # its class was moved: keep or cancel
    CLOSED = "closed"  # the rules changed, and would not offer its time any more
    BLOCKED = "blocked"  # somebody was blocked over it
    STAFF = "staff"  # who serves it does not any more
    ZONE = "zone"  # the zone's clock was changed by law, and its instant with it


class Booking(ShopModel):
    """A hold is a booking row with status `held` and `expires_at`; it has no person yet."""

    service_id = models.BigIntegerField()
    session_id = models.BigIntegerField(null=True)
    staff_id = models.BigIntegerField(null=True)
    """Who serves: a resource of the service's first requirement."""
    asked_staff_id = models.BigIntegerField(null=True)
    """Whom the customer asked for (指名); null: any."""
    series_id = models.BigIntegerField(null=True)
    """The first booking's id, for all of one series or course."""
    start = models.DateTimeField()
    end = models.DateTimeField()
    wall = models.CharField(max_length=16)
    """The start on the shop's wall, "2026-11-23T10:00": what was meant, should the zone's rules change."""
    zone = models.CharField(max_length=40)
    party = models.IntegerField(default=1)
    status = models.CharField(max_length=12, choices=Status)
    takes = models.BooleanField()
    """Whether it takes capacity: as its status says; a pending one as the service says."""
    attention = models.CharField(max_length=12, default="", choices=Attention)
    """What somebody still has to look at: nothing vanishes, and nothing is changed silently."""
    expires_at = models.DateTimeField(null=True)
    person_id = models.UUIDField(null=True)
    locale = models.CharField(max_length=8, default="")
    generation = models.IntegerField(default=1)
    """Of the booking's link: a new one revokes the old."""
    changes = models.IntegerField(default=0)
    """How often it was moved or cancelled (an ICS file's SEQUENCE)."""
    idempotency = models.BinaryField(null=True)
    """A keyed hash of the Idempotency-Key, 32 bytes; the key itself is kept nowhere."""
    agreed = models.JSONField(default=dict)
    """What was agreed: price, tax, buffers, nights, deadlines, fees, version of the policy, consent;
    of a visit also of each of its `parts`."""
    reminder_job = models.BigIntegerField(null=True)
    rules_revision = models.BigIntegerField()
    created_at = models.DateTimeField()

    @property
    def parts(self) -> list[dict[str, Any]]:
        """Of a visit of several services what was agreed of each, in their order; else nothing."""
        parts: list[dict[str, Any]] = self.agreed.get("parts", [])
        return parts

    @property
    def services(self) -> tuple[int, ...]:
        """All that it is of, in their order."""
        return tuple(part["service"] for part in self.parts) or (self.service_id,)

    @property
    def also(self) -> tuple[int, ...]:
        """What it is of beside `service_id`, which is what she came for."""
        return tuple(each for each in self.services if each != self.service_id)

    @property
    def asked_at(self) -> datetime:
        """As of when notice and horizon count: of an offer it is when she joined the waiting list."""
        since: str | None = self.agreed.get("since")
        return self.created_at if since is None else datetime.fromisoformat(since)


class ClassSession(ShopModel):
    """One date of a class. Its resources are claimed once, by the session; bookings take seats."""

    service_id = models.BigIntegerField()
    staff_id = models.BigIntegerField(null=True)
    planned = models.DateTimeField()
    """The start it was made for: wherever it has been moved since, its timetable makes no second one."""
    start = models.DateTimeField()
    end = models.DateTimeField()
    capacity = models.IntegerField()
    booked = models.IntegerField(default=0)
    """Seats taken by bookings of all statuses that take capacity. Written by the SQL functions alone."""
    cancelled = models.BooleanField(default=False)
    decided_at = models.DateTimeField(null=True)
    """When it is cancelled if fewer seats are booked than its service needs; null: it takes place anyway."""


class WaitingState(models.TextChoices):
    WAITING = "waiting"  # -> offered, left, expired
    OFFERED = "offered"  # -> booked, passed, left; waiting again where the shop took the place away
    BOOKED = "booked"
    LEFT = "left"
    PASSED = "passed"  # she let an offer pass, by a word or by silence
    EXPIRED = "expired"  # the time came, and no place


LIVE = (WaitingState.WAITING, WaitingState.OFFERED)


class Waiting(ShopModel):
    """Somebody who waits for a place: on a day, or at a start. Who she is only the vault knows."""

    service_id = models.BigIntegerField()
    session_id = models.BigIntegerField(null=True)
    """The date of a class that is waited for: moved, it takes those who wait with it."""
    day = models.DateField()
    last_day = models.DateField()
    """Of a stay the day on which it would end; else the same."""
    start = models.DateTimeField(null=True)
    """null: any time of that day."""
    asked_staff_id = models.BigIntegerField(null=True)
    party = models.IntegerField()
    nights = models.IntegerField(default=0)
    person_id = models.UUIDField()
    locale = models.CharField(max_length=8)
    priority = models.SmallIntegerField(default=0)
    """The higher is asked first; then who joined first."""
    joined_at = models.DateTimeField()
    """Notice and horizon of an offer are as they were then."""
    ends_at = models.DateTimeField()
    """From then on nothing can be offered any more."""
    state = models.CharField(max_length=8, choices=WaitingState)
    hold_id = models.BigIntegerField(null=True)
    """The hold of the offer, then the booking."""
    offer_ends = models.DateTimeField(null=True)
    generation = models.IntegerField(default=1)
    """Of the entry's link: a new one revokes the old."""


class Block(ShopModel):
    """Time of a resource that cannot be booked: a pause, a day off, an external calendar's busy time."""

    resource_id = models.BigIntegerField()
    start = models.DateTimeField()
    end = models.DateTimeField()
    kind = models.CharField(max_length=8, default="block")
    by = models.CharField(max_length=80)
    why = models.CharField(max_length=40, default="")
    created_at = models.DateTimeField()


class Claim(ShopModel):
    """The truth of which the sheets are the index: what one booking, session or block takes of one resource
    on one UTC day. Minutes of that day; `core` without and `padded` with buffers; an empty core is [0, 0).
    """

    resource_id = models.BigIntegerField()
    day = models.DateField()
    units = models.SmallIntegerField()
    core_from = models.SmallIntegerField()
    core_to = models.SmallIntegerField()
    padded_from = models.SmallIntegerField()
    padded_to = models.SmallIntegerField()
    booking_id = models.BigIntegerField(null=True)
    session_id = models.BigIntegerField(null=True)
    block_id = models.BigIntegerField(null=True)


class Event(ShopModel):
    """What happened to a booking: who, when, what, why. No person's data: `why` is a code, no free text."""

    booking_id = models.BigIntegerField()
    at = models.DateTimeField()
    by = models.CharField(max_length=80)
    what = models.CharField(max_length=16)
    why = models.CharField(max_length=40, default="")
    facts = models.JSONField(default=dict)
