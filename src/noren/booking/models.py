"""Who comes when. Rows of these tables are written by the SQL functions in `sql/`, never by `.save()`.

The sheets (`booking_sheet`) are no model: they are an index of the claims, written and read by SQL alone.
"""

from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from noren.shops.tenancy import ShopModel


class Status(models.TextChoices):
    """Those that take capacity come first; the others take none, at once."""

    HELD = "held"  # -> confirmed, pending, released, expired
    PENDING = "pending"  # -> confirmed, declined, cancelled
    CONFIRMED = "confirmed"  # -> checked_in, no_show, cancelled
    CHECKED_IN = "checked_in"  # -> confirmed, where that was a mistake
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


class DaySheet(ShopModel):
    """A day's list on paper: that it was made, by whom, of how many. What stood on it is kept nowhere."""

    number = models.IntegerField()
    """Counted up in the shop."""
    day = models.DateField()
    issued_at = models.DateTimeField()
    until = models.DateTimeField()
    """When it is over, and is to be destroyed."""
    by = models.CharField(max_length=80)
    bookings = models.IntegerField()
    persons = models.IntegerField()
    fields = ArrayField(models.CharField(max_length=16), default=list)
    """Which of the vault's fields stood on it."""
    entries = ArrayField(models.BigIntegerField(), default=list)
    """By which entries of the ledger they were told."""


class Tag(ShopModel):
    """A word by which a shop marks customers: of a short list of its own, about nobody. Who has it is the
    vault's to know.
    """

    word = models.CharField(max_length=20)
    position = models.SmallIntegerField(default=0)


class MergeState(models.TextChoices):
    MERGING = "merging"  # -> merged, dropped; what the vault says decides
    MERGED = "merged"  # -> undoing
    UNDOING = "undoing"  # -> undone; merged, where the vault has not parted them
    UNDONE = "undone"
    DROPPED = "dropped"  # the vault has not joined them


MERGES_OVER = (MergeState.UNDONE, MergeState.DROPPED)
JOINED = (MergeState.MERGED, MergeState.UNDOING)
"""Whoever books as the one books as the other."""


class Merge(ShopModel):
    """Two records of one customer that were joined: whose bookings are whose, by opaque ids (merging.py)."""

    double = models.UUIDField()
    kept = models.UUIDField()
    state = models.CharField(max_length=8, choices=MergeState)
    begun_at = models.DateTimeField()
    begun_by = models.CharField(max_length=80)
    until = models.DateTimeField(null=True)
    """Until when the vault can part them again."""
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=80, blank=True, default="")
    bookings = ArrayField(models.BigIntegerField(), default=list)
    """What was the other's, and what was booked as the other since: that is what goes back."""
    places = ArrayField(models.BigIntegerField(), default=list)
    """The same of the waiting list."""


class WorkState(models.TextChoices):
    RUNNING = "running"  # -> stopped, done
    STOPPED = "stopped"  # -> running
    DONE = "done"


class Work(ShopModel):
    """Something long that a shop asked for: it runs in small steps, and each step is kept as it is done."""

    kind = models.CharField(max_length=16)
    by = models.CharField(max_length=80)
    state = models.CharField(max_length=8, choices=WorkState, default=WorkState.RUNNING)
    transfer = models.CharField(max_length=16, default="")
    """The list in the vault that it belongs to."""
    of_work_id = models.BigIntegerField(null=True)
    """What it undoes."""
    total = models.IntegerField()
    done = models.IntegerField(default=0)
    odd = models.IntegerField(default=0)
    """How many of those done were not done as they were wished."""
    facts = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)


class LineState(models.TextChoices):
    WAITING = "waiting"  # -> made, there, odd; of a change also kept
    MADE = "made"  # -> undone, kept; of a change it is moved or cancelled, and that is all
    THERE = "there"  # the same booking came in earlier
    ODD = "odd"  # it did not fit; `why` says how
    UNDONE = "undone"
    KEPT = "kept"  # somebody has touched it since, so neither undo nor change does


class WorkLine(ShopModel):
    """One booking of a list that comes in, or that has to follow a change of the rules. Without a person's
    data: who it is for is an id.
    """

    work_id = models.BigIntegerField()
    line = models.IntegerField()
    """Of the file, its heading included; of a change's bookings the place in their order."""
    key = models.CharField(max_length=64)
    """A keyed hash of which booking it is: the same list again makes no second one. None of a change."""
    choice = models.CharField(max_length=16, default="")
    """Of a change: what becomes of it (changes.Choice)."""
    service_id = models.BigIntegerField(null=True)
    asked_staff_id = models.BigIntegerField(null=True)
    start = models.DateTimeField(null=True)
    person_id = models.UUIDField(null=True)
    person_key = models.CharField(max_length=64, default="")
    """While the vault has not brought her in: a keyed hash of whom of the list it is for."""
    booking_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=8, choices=LineState)
    why = models.CharField(max_length=40, default="")
    """What did not fit; of a change, until it is done, why it is touched."""
    near = models.JSONField(default=list)
    """The nearest free starts when it was tried."""


class ShopFile(ShopModel):
    """What a shop's file said when it came in last (`noren shop import`): one row a shop."""

    fields = models.JSONField(default=dict)
    """By field a digest of its value (shops.importing.Fields)."""


class Incoming(ShopModel):
    """How the file of a list that was asked for is to be read when it is taken: words of closed lists and
    numbers (people.columns.Reading), and nothing of what stands in it.
    """

    transfer = models.CharField(max_length=16)
    reading = models.JSONField()
    made_at = models.DateTimeField()
