"""The shapes of the public API. They may grow; they do not change.

What a program sends is taken strictly: a number is no text, a day no instant, an unknown word is refused.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    TypeAdapter,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from noren.api.asking import AsksShown, Says, whole
from noren.booking.report import MOST, Mode
from noren.engine import visits
from noren.engine.series import Unit

LARGEST_ID = 2**63 - 1
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_COUNT = re.compile(r"0|[1-9]\d{0,2}", re.ASCII)
MOST_NIGHTS = 366
MOST_ALSO = visits.MOST - 1
_NUMBER = re.compile(r"[1-9]\d{0,18}", re.ASCII)


def _instant(given: Any) -> datetime:
    """Read an RFC 3339 instant. Seconds of 60 and years that no calendar has are refused as they stand."""
    if not isinstance(given, str) or not _INSTANT.fullmatch(given):
        raise PydanticCustomError("not_an_instant", "an instant with its offset, 2026-11-25T14:00:00+09:00")
    try:
        return datetime.fromisoformat(given.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("not_an_instant", "there is no such instant") from None


def _day(given: Any) -> date:
    if not isinstance(given, str) or not _DAY.fullmatch(given):
        raise PydanticCustomError("not_a_day", "a day, 2026-11-25")
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise PydanticCustomError("not_a_day", "there is no such day") from None


def _number(given: Any) -> int:
    """Read an id from a query: the digits alone, no sign, no blanks."""
    if not isinstance(given, str) or not _NUMBER.fullmatch(given) or int(given) > LARGEST_ID:
        raise PydanticCustomError("not_an_id", "an id from the list of services")
    return int(given)


def _numbers(given: Any) -> tuple[int, ...]:
    """Read ids from a query, a comma between two."""
    if not isinstance(given, str) or given.count(",") >= MOST_ALSO:
        raise PydanticCustomError("not_ids", "ids from the list of services: 3,4")
    return tuple(_number(each) for each in given.split(","))


def _count(given: Any) -> int:
    """Read a small number from a query."""
    if not isinstance(given, str) or not _COUNT.fullmatch(given) or int(given) > MOST_NIGHTS:
        raise PydanticCustomError("not_a_count", "a number of nights, 0 to 366")
    return int(given)


def _whom(given: Any) -> int | None:
    return None if given == "any" else _number(given)


_ID_SCHEMA = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}

Instant = Annotated[
    datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})
]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
QueryId = Annotated[int, BeforeValidator(_number), WithJsonSchema(_ID_SCHEMA)]
QueryStaff = Annotated[
    int | None,
    BeforeValidator(_whom),
    WithJsonSchema({"anyOf": [{"type": "string", "const": "any"}, _ID_SCHEMA], "default": "any"}),
]
QueryAlso = Annotated[
    tuple[int, ...],
    BeforeValidator(_numbers),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^[1-9][0-9]{{0,17}}(,[1-9][0-9]{{0,17}}){{0,{MOST_ALSO - 1}}}$",
            "description": "The other services of the same visit, a comma between two.",
        }
    ),
]
QueryNights = Annotated[
    int,
    BeforeValidator(_count),
    WithJsonSchema(
        {
            "type": "integer",
            "minimum": 0,
            "maximum": MOST_NIGHTS,
            "default": 0,
            "description": "Of a stay; 0 of everything else.",
        }
    ),
]
Id = Annotated[int, Field(strict=True, ge=1, le=LARGEST_ID), BeforeValidator(whole)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,38}$", min_length=2, max_length=39)]
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,80}$", min_length=1, max_length=80)]
IdempotencyKey = Annotated[
    str, StringConstraints(pattern=r"^[\x21-\x7e]{1,255}$", min_length=1, max_length=255)
]


class Strict(Schema):
    """What comes in: no word that we do not know."""

    model_config = ConfigDict(extra="forbid")


class Window(BaseModel):
    """What a month of free times is asked for."""

    service: QueryId
    first: Day = Field(alias="from")
    last: Day = Field(alias="to")
    staff: QueryStaff = None
    nights: QueryNights = 0
    also: QueryAlso = ()


class Customer(Strict):
    """Who comes. It goes to the vault, and no answer of this API ever tells it."""

    name: str = Field(min_length=1, max_length=200)
    mail: str = Field(min_length=3, max_length=254)
    kana: str = Field("", max_length=200)
    phone: str = Field("", max_length=40)
    note: str = Field("", max_length=2000)


Nights = Annotated[
    int,
    Field(strict=True, ge=0, le=MOST_NIGHTS, description="Of a stay; 0 of everything else."),
    BeforeValidator(whole),
]


class NewBooking(Says):
    service: Id
    start: Instant
    staff: Id | Literal["any"] = "any"
    party: Annotated[int, Field(strict=True, ge=1, le=1000), BeforeValidator(whole)] = 1
    nights: Nights = 0
    also: list[Id] = Field(
        [],
        max_length=MOST_ALSO,
        description="The other services of the same visit: one booking. The shop says in which order they "
        "are served; see `parts` of the answer.",
    )
    customer: Customer


class Repeat(Strict):
    """From the first start on, at the same time on the shop's wall. Either `count` or `until`."""

    unit: Unit = Field(
        description="month: on the same day of the month; month_weekday: on the same weekday of the month. "
        "A month without it is skipped."
    )
    every: Annotated[int, Field(strict=True, ge=1, le=99), BeforeValidator(whole)] = 1
    count: Annotated[int, Field(strict=True, ge=1, le=MOST), BeforeValidator(whole)] | None = Field(
        None, description="How many dates, the first included."
    )
    until: Day | None = Field(None, description="The last day, included.")


class SeriesWish(Strict):
    """Several dates of one service. Without `starts`: a course, all its dates that are still to come."""

    service: Id
    starts: list[Instant] = Field(
        [], max_length=MOST, description="All starts, or the first one with `repeat`."
    )
    repeat: Repeat | None = None
    staff: Id | Literal["any"] = "any"
    party: Annotated[int, Field(strict=True, ge=1, le=1000), BeforeValidator(whole)] = 1
    nights: Nights = 0


class NewSeries(SeriesWish, Says):
    mode: Mode = Field(
        Mode.ALL_OR_NOTHING,
        description="What becomes of dates that are not free: skip them, take the nearest start within three "
        "days, or book nothing. Of a course all or nothing.",
    )
    customer: Customer


class Moved(Strict):
    """Where a booking shall be moved."""

    start: Instant
    staff: Id | Literal["any"] | None = Field(
        None, description="Who shall serve; left out, or null: whoever was asked for before."
    )


class StaffShown(Schema):
    id: int
    name: str


class Party(Schema):
    min: int
    max: int


class StayShown(Schema):
    least: list[int] = Field(description="The fewest nights, by the weekday of check-in; Monday first.")
    most: int


class ServiceShown(Schema):
    id: int
    key: str
    name: str
    about: str
    minutes: int
    price: int = Field(
        description="Per guest, and per night of a stay; tax included, in the currency's smallest unit."
    )
    party: Party
    is_class: bool
    is_course: bool = Field(description="Its dates are booked together: see /series.")
    series_most: int = Field(description="How many dates are booked at once by /series; 1: one by one.")
    stay: StayShown | None = Field(description="Of a rental by nights.")
    approval: bool = Field(description="Whether the shop has to say yes: a booking is `pending` until then.")
    staff: list[StaffShown] = Field(description="Who may be asked for.")
    additions: list[int] = Field(description="What may be added to it in one visit: its options.")
    is_together: bool = Field(
        description="Whether it may be had in one visit with services that are no additions of each other."
    )
    asks: AsksShown


class Services(Schema):
    shop: str
    name: str
    zone: str
    currency: str
    services: list[ServiceShown]
    options: list[ServiceShown] = Field(
        description="What is booked only with a service that has it among its `additions`."
    )


class StartShown(Schema):
    at: datetime = Field(description="With the shop's offset at that time.")
    left: int | None = Field(None, description="Of a class: the places that are left.")


class DayShown(Schema):
    date: date
    starts: list[StartShown]


class Availability(Schema):
    shop: str
    service: int
    zone: str
    days: list[DayShown] = Field(description="Every day asked for, as the shop's calendar has it.")


Status = Literal[
    "held",
    "pending",
    "confirmed",
    "checked_in",
    "no_show",
    "cancelled",
    "declined",
    "released",
    "expired",
]
STATUS: TypeAdapter[Status] = TypeAdapter(Status)
STATUSES = (
    "`held`: a form is being filled. `pending`: the shop has still to say yes. `confirmed`: booked. "
    "`checked_in`: the customer is there. `no_show`: nobody came. `cancelled`: by the customer or the shop. "
    "`declined`: the shop said no. `released`: let go, or given free because nobody checked in. "
    "`expired`: the form was not finished in time."
)


class PartShown(Schema):
    """One service of a visit, as it was agreed; price for the whole party."""

    service: int
    minutes: int
    price: int


class BookingShown(Schema):
    shop: str
    service: int
    parts: list[PartShown] = Field(
        description="Of a visit of several services all of them, in the order in which they are served; else "
        "empty."
    )
    staff: int | None
    start: datetime
    end: datetime
    party: int
    nights: int = Field(description="Of a stay; 0 of everything else.")
    status: Status = Field(description=STATUSES)
    price: int
    currency: str
    cancel_until: datetime = Field(description="Until when, included, the customer may cancel.")
    cancel_fee: int = Field(
        description="What cancelling would cost now, by what was agreed; of a cancelled booking what it did "
        "cost. In the currency's smallest unit."
    )
    link: str = Field(description="The customer's own page. A secret: give it to the customer only.")
    token: str = Field(description="For /bookings/{token}.")


class DateShown(Schema):
    """A date that was asked for. `code`: why it is not free; null: it is."""

    wanted: datetime
    code: str | None = None
    nearest: datetime | None = Field(None, description="The nearest free start within three days.")


class SeriesReport(Schema):
    shop: str
    service: int
    dates: list[DateShown]


class DateBooked(DateShown):
    booking: BookingShown | None = Field(None, description="At `wanted`, or at `nearest` where it was taken.")


class SeriesBooked(Schema):
    shop: str
    service: int
    dates: list[DateBooked]


class NewWait(Strict):
    """Give `day` for any time of that day, or `start` for this very one."""

    service: Id
    day: Annotated[Day | None, Field()] = None
    start: Annotated[Instant | None, Field()] = None
    staff: Id | Literal["any"] = "any"
    party: Annotated[int, Field(strict=True, ge=1, le=1000), BeforeValidator(whole)] = 1
    nights: Annotated[int, Field(strict=True, ge=0, le=60), BeforeValidator(whole)] = 0
    customer: Customer


class Offer(Schema):
    """The place that is kept, and until when."""

    start: datetime
    end: datetime
    staff: int | None
    price: int
    currency: str
    until: datetime


class WaitingShown(Schema):
    shop: str
    service: int
    staff: int | None
    day: date
    start: datetime | None = Field(description="null: any time of that day.")
    party: int
    nights: int
    state: str = Field(description="waiting, offered, booked, left, passed or expired.")
    offer: Offer | None
    link: str = Field(description="The customer's own page. A secret: give it to the customer only.")
    token: str = Field(description="For /waiting/{token}.")


class FieldProblem(Schema):
    field: str
    reason: str


class Problem(Schema):
    """Every refusal. `fields` with 422 bad_field, `nearest` with 409 slot_taken and limit_reached, `dates`
    with 409 series_not_free.
    """

    status: int
    code: str
    message: str
    fields: list[FieldProblem] | None = None
    nearest: list[StartShown] | None = None
    dates: list[DateShown] | None = None
