"""Who offers what. A JSON column holds the plain form of the engine's value of the same name (rules.py).

Whoever writes a row of these tables does so inside `rules.change()`: any change is a new revision. Photos
are no rules, and are written by photos.py alone.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from noren.shops.tenancy import ShopModel


class ShopDirectory(models.Model):
    """Global: which address is which shop. Nothing else about a shop stands here."""

    slug = models.CharField(max_length=40, unique=True)

    class Meta:
        db_table = "shops_directory"


def asked_for() -> list[str]:
    """Return what the team is written to of as a standard: of requests that wait for a yes."""
    return ["asked"]


class Shop(ShopModel):
    """One row a shop; its `shop_id` is its id in the directory."""

    published = models.BooleanField(default=True)
    """Whether anybody but its own people sees it (curtain.py). Once it is, it stays so."""
    texts = models.JSONField(default=dict)
    """{"name": {"ja", "en"}, "about": ..., "address": ..., "access": ..., "policy": ..., "privacy": ...}:
    public words.
    """
    legal = models.JSONField(default=dict)
    """{"seller": {"ja", "en"}, ..., "on_request": ["address", "phone"]}: what the law on trade asks for, in
    the shop's words (described_public.LEGAL). What is not there is said in the house's (web.legal).
    """
    embed_origins = ArrayField(models.CharField(max_length=200), default=list)
    """The sites in whose pages the shop's booking pages may be shown (origins.py)."""
    contact = models.JSONField(default=dict)
    """{"phone", "mail", "postcode"}: the shop's own, public."""
    zone = models.CharField(max_length=40, default="Asia/Tokyo")
    locale = models.CharField(max_length=8, default="ja")
    currency = models.CharField(max_length=3, default="JPY")
    rules_revision = models.BigIntegerField(default=1)
    policy_version = models.IntegerField(default=1)
    """Which wording of texts["policy"]; kept with each booking that agreed to it."""
    holiday_region = models.CharField(max_length=8, blank=True, default="")
    """Whose public holidays, as an ISO 3166 code: "JP". Empty: none."""
    holiday_rule = models.CharField(max_length=8, default="open")
    own_holidays = ArrayField(models.DateField(), default=list)
    holidays_seen = models.JSONField(default=dict)
    """{"region", "since", "until", "days"}: the public holidays as they were published when the bookings were
    last held against them. Written by booking.changes alone.
    """
    buffer_policy = models.CharField(max_length=8, default="shared")
    buffers_outside = models.BooleanField(default=False)
    align = models.SmallIntegerField(default=5)
    week_start = models.SmallIntegerField(default=0)
    hold_minutes = models.SmallIntegerField(default=10)
    reminder_minutes = models.IntegerField(default=1440)
    """How long before its start a booking is reminded of; 0: never."""
    more_reminders = ArrayField(models.IntegerField(), default=list)
    """The same of further reminders."""
    thanks_hours = models.SmallIntegerField(default=0)
    """How many hours after a visit somebody is thanked for it; 0: never."""
    told_at_once = ArrayField(models.CharField(max_length=12), default=asked_for)
    """Of what somebody of the team wants a mail at once (messages.telling.About); of nothing else a job is
    written.
    """
    limits = models.JSONField(default=list)
    """Of the shop as a whole: [{"of", "period", "most", "minutes"}]."""
    daily_mail = models.BooleanField(default=True)
    """Whether its owners are written to each morning, with the ledger's checkpoint."""
    stopped_until = models.DateTimeField(null=True)
    """No customer books a start before then: a midnight of the shop's. Null, or past: nothing is stopped."""
    stopped_at = models.DateTimeField(null=True)
    """When it was stopped or opened again last, and"""
    stopped_by = models.CharField(max_length=80, blank=True, default="")
    """by whom (Actor)."""
    policies = models.JSONField(default=dict)
    """What holds for the services that have no policy of their own: {"lead", "change", "cancel", "horizon",
    "fees", "check_in", "waiting", "limits"}, as Service has them. Empty: nobody has said so.
    """
    quiet = models.JSONField(default=dict)
    """{"from", "to"}: minutes of the day when nobody is disturbed and the clock of offers pauses."""
    questions = models.JSONField(default=list)
    """What everybody is asked who books: [{"key", "kind", "required", "health", "question": {"ja", "en"},
    "help": ..., "choices": [{"key", "words": {"ja", "en"}}]}] (questions.py).
    """
    questions_version = models.IntegerField(default=1)
    """Which wording of all questions, the services' too; kept with each booking that was asked."""
    guests = models.CharField(max_length=8, blank=True, default="")
    """Whether names of those who come are asked for (questions.Guests)."""


class Setup(ShopModel):
    """How far a shop is that its owner sets up in the console; one row a shop. No rule: no new revision."""

    answers = models.JSONField(default=dict)
    """What was answered, by step (setup.STEPS), in the plain values of a shop's file."""
    mail_asked = models.CharField(max_length=254, blank=True, default="")
    """The shop's own address to which a code was mailed last, and"""
    mail_person = models.UUIDField(null=True)
    """whose code the vault takes: a person of its hour, who is never kept."""
    mail_proved = models.CharField(max_length=254, blank=True, default="")
    """The address from which a code came back."""
    opened_at = models.DateTimeField(null=True)
    opened_by = models.CharField(max_length=80, blank=True, default="")


class Resource(ShopModel):
    """Staff, room, chair, court, equipment. A member of staff is the resource with the same id."""

    key = models.CharField(max_length=40)
    kind = models.CharField(max_length=16)
    texts = models.JSONField(default=dict)
    stock = models.SmallIntegerField(default=1)
    priority = models.SmallIntegerField(default=0)
    weight = models.SmallIntegerField(default=100)
    parts = ArrayField(models.BigIntegerField(), default=list)
    seats = models.IntegerField(null=True)
    bookable = models.BooleanField(default=True)
    visible = models.BooleanField(default=True)
    joined_at = models.DateTimeField(null=True)
    """When it became bookable in a shop that was open already; null: it was there from the beginning."""
    position = models.SmallIntegerField(default=0)


class Staff(ShopModel):
    """Somebody who serves. `id` is the id of her resource: a staff id and a resource id are one number."""

    key = models.CharField(max_length=40)
    """The first half of her handle: aoi in aoi.salon."""
    texts = models.JSONField(default=dict)
    """{"name", "title", "about"}: what the public page says."""
    fee = models.IntegerField(default=0)
    """指名料: added to the price when she is asked for, in the currency's smallest unit."""
    position = models.SmallIntegerField(default=0)


class Service(ShopModel):
    key = models.CharField(max_length=40)
    texts = models.JSONField(default=dict)
    segments = models.JSONField()
    requirements = models.JSONField()
    before = models.IntegerField(default=0)
    after = models.IntegerField(default=0)
    grid = models.JSONField(default=dict)
    lead = models.JSONField(default=dict)
    change = models.JSONField(default=dict)
    cancel = models.JSONField(default=dict)
    horizon = models.JSONField(default=dict)
    capacity = models.IntegerField(null=True)
    timetable = models.JSONField(default=list)
    """Of a class: [{"weekday": 0..6, "start": minute of the day, "staff": [ids], "capacity": n, "first",
    "last"}], all after start optional; first and last are dates, both included. Its dates become class
    sessions (booking.classes).
    """
    course = models.BooleanField(default=False)
    """A class whose dates are booked together, all that are still to come."""
    minimum = models.JSONField(default=dict)
    """Of a class: {"seats", "deadline"}: a date with fewer bookings then does not take place."""
    stay = models.JSONField(null=True)
    """A rental by nights: {"out", "least": [7], "most"}."""
    limits = models.JSONField(default=list)
    approval = models.CharField(max_length=8, blank=True, default="")
    """"": booked at once; "keeps": the shop approves, and the time is kept until then; "free": it is not."""
    fees = models.JSONField(default=dict)
    """What cancelling costs: {"tiers": [{"since", "percent"}], "free_minutes"}."""
    check_in = models.JSONField(default=dict)
    """{"opens_minutes", "release_minutes"}: from when before the start one checks in, and how long after it
    the time of those who have not is free again (absent: never).
    """
    waiting = models.JSONField(default=dict)
    """{"hours", "stop_minutes", "pass_over"}: how long a place is kept for who waits, until when before the
    start places are offered, and whether a smaller party may go first. Empty: nobody waits.
    """
    series = models.JSONField(default=dict)
    """{"most"}: how many dates a customer may book at once. Empty: one. A course is booked whole."""
    party_min = models.SmallIntegerField(default=1)
    party_max = models.SmallIntegerField(default=1)
    price = models.IntegerField(default=0)
    """Tax included, per guest (and night of a stay), in the currency's smallest unit."""
    tax_rate = models.SmallIntegerField(default=10)
    bookable = models.BooleanField(default=True)
    own_policy = models.BooleanField(default=True)
    """Whether it is treated as it says itself; if not, as the shop says (Shop.policies), which is written
    into its columns.
    """
    by_staff = models.JSONField(default=list)
    """Who takes another time for it, or costs another price when she is asked for: [{"staff": id, "minutes":
    [of each segment], "price"}], minutes and price optional.
    """
    visitors = models.CharField(max_length=8, blank=True, default="")
    """For whom it is: "" everybody, "first" who comes for the first time, "again" who has been here."""
    additions = ArrayField(models.BigIntegerField(), default=list)
    """Services that may be added to it in one visit: its options."""
    alone = models.BooleanField(default=True)
    """Whether it may be booked by itself, and not only as an addition."""
    together = models.BooleanField(default=True)
    """Whether it may be had in one visit with services that are no additions of each other."""
    position = models.SmallIntegerField(default=0)
    questions = models.JSONField(default=list)
    """As `Shop.questions`, asked after them."""
    guests = models.CharField(max_length=8, blank=True, default="")
    """As `Shop.guests`; empty: as the shop says."""


class OpeningHours(ShopModel):
    """The hours of a resource, of a service, or (neither) of the shop."""

    resource_id = models.BigIntegerField(null=True)
    service_id = models.BigIntegerField(null=True)
    weekly = models.JSONField()
    """Seven lists of [start, end], Monday first. Of all but the shop, none: as the shop's."""
    holiday = models.JSONField(null=True)
    """The eighth day; null: as on its weekday."""
    alternate = models.JSONField(default=list)
    since = models.DateField(null=True)
    closings = models.JSONField(default=list)
    zone = models.CharField(max_length=40, null=True)  # noqa: DJ001 - null is the shop's own zone
    later = models.JSONField(default=list)
    """[{"first": date, "weekly", "alternate", "holiday"}]: other weeks from a date on (engine.Later)."""
    first = models.DateField(null=True)
    """Of a resource: before it and after `last` there is nothing of it."""
    last = models.DateField(null=True)


class Override(ShopModel):
    """The hours of one date, in place of all others. No ranges: closed."""

    resource_id = models.BigIntegerField(null=True)
    service_id = models.BigIntegerField(null=True)
    date = models.DateField()
    ranges = models.JSONField(default=list)
    why = models.CharField(max_length=16, blank=True, default="")
    """What the public page says of it, as a code."""


class DayRequest(ShopModel):
    """Somebody who serves asks for days off, or for other hours. Why is a code: no free text about her."""

    staff_id = models.BigIntegerField()
    first = models.DateField()
    last = models.DateField()
    ranges = models.JSONField(default=list)
    """The hours she asks for on each of these days. None: off."""
    why = models.CharField(max_length=16, blank=True, default="")
    state = models.CharField(max_length=12, default="asked")
    """asked -> accepted, declined, withdrawn (day_requests.State)."""
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=80, blank=True, default="")
    """As a history says who of the shop did it (Actor)."""


class Photo(ShopModel):
    """What is shown of a service, of somebody who serves, or (neither) of the shop: one of each."""

    service_id = models.BigIntegerField(null=True)
    staff_id = models.BigIntegerField(null=True)
    texts = models.JSONField(default=dict)
    """{"alt": {"ja", "en"}}: what is seen on it, in words."""
    digest = models.CharField(max_length=32)
    """Of what its files show (redraw.digest): part of their addresses, so that each may be kept for ever."""
    sizes = models.JSONField()
    """[{"kind", "width", "height"}], from the smallest: its files, one row of PhotoFile each."""


class PhotoFile(ShopModel):
    photo_id = models.BigIntegerField()
    kind = models.CharField(max_length=4)
    width = models.SmallIntegerField()
    data = models.BinaryField()
