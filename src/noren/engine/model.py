"""The values the engine computes with. Nothing here knows a database, a clock or a person.

Time: an instant is an `int`, minutes since the epoch in UTC; `now` is POSIX seconds (deadlines are exact to
the second). A *sheet* is an `int`, one bit a minute, the EARLIEST minute of its window the HIGHEST bit; 1 =
taken. A window is made of whole UTC days, so the binary form of PostgreSQL's `bit(1440)` is joined day by
day and read by `int.from_bytes(joined, "big")`. Weekdays count from Monday = 0. Dates are the shop's, never
the viewer's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

DAY = 1440


@dataclass(frozen=True, slots=True)
class Range:
    """Opening hours `[start, end)` in minutes of wall time from the local midnight of their business day.

    `end` may pass 1440: Range(1380, 1560) is 23:00-26:00 and belongs wholly to the day on which it began. A
    range that ends before it starts, or reaches past 48:00, is ignored (old data must not break a page).
    """

    start: int
    end: int

    @property
    def is_sound(self) -> bool:
        return 0 <= self.start < self.end <= 2 * DAY


Week = tuple[tuple[Range, ...], ...]
"""Seven entries, Monday first; each the ranges of that day, in any order, possibly overlapping. None at all:
as the shop's (Hours).
"""


@dataclass(frozen=True, slots=True)
class Closing:
    """A regular closing: every nth `weekday` of the month (第2火曜: nth=(2,)), or every `every` weeks counted
    from `since`.

    A month without a fifth weekday skips it.
    """

    weekday: int
    nth: tuple[int, ...] = ()
    every: int = 0
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Other weeks from a date on, until the next of these begins. Their rotation begins in the week of
    `first`.
    """

    first: date
    weekly: Week
    alternate: tuple[Week, ...] = ()
    holiday: tuple[Range, ...] | None = None


@dataclass(frozen=True, slots=True)
class Hours:
    """When something is open. Shop, staff, resource and service each have hours; they intersect. Of all but
    the shop an empty `weekly` (also a later one) is the shop's own.

    `holiday` is the eighth day (祝日); None means "as on its weekday". `alternate` are the further weeks of a
    rotation that begins in the week of `since`. An override replaces everything else for its date; an empty
    tuple closes it. `zone` is only for hours written in another zone than the shop's.

    `first` and `last` are the days between which there is anything at all, both included: who has not begun
    yet or has left serves nobody, whatever an override says. The shop itself has neither.
    """

    weekly: Week
    holiday: tuple[Range, ...] | None = None
    overrides: Mapping[date, tuple[Range, ...]] = field(default_factory=dict)
    alternate: tuple[Week, ...] = ()
    since: date | None = None
    closings: tuple[Closing, ...] = ()
    zone: str | None = None
    later: tuple[Later, ...] = ()
    """In the order of their dates."""
    first: date | None = None
    last: date | None = None


class HolidayRule(StrEnum):
    """What the shop does on a public holiday. An override for the date wins over each."""

    OPEN = "open"
    """As on its weekday."""
    CLOSED = "closed"
    OWN = "own"
    """The eighth day's hours."""
    SHIFT = "shift"
    """A holiday on a regular closing day is open, with the eighth day's hours; the next plain day is not."""


class BufferPolicy(StrEnum):
    SHARED = "shared"
    """The larger of two gaps is kept: new core & padded = 0, and new padded & core = 0."""
    ADDED = "added"
    """Both gaps are kept: new padded & padded = 0."""


@dataclass(frozen=True, slots=True)
class Resource:
    """Staff, room, chair, court, equipment.

    `stock` is the number of equal units (n thermometer planes). A *whole* has `parts` and no sheet of its
    own: it claims them all. `seats` is the largest party it serves. `priority`: higher first. `weight`:
    share among equals, 100 is usual.
    """

    id: int
    kind: str
    hours: Hours | None = None
    stock: int = 1
    priority: int = 0
    weight: int = 100
    parts: tuple[int, ...] = ()
    seats: int | None = None
    bookable: bool = True
    visible: bool = True
    """A bookable resource that is not visible serves those who ask for it, and is never chosen as "any"."""
    joined: int | None = None
    """Since when it may be chosen, in minutes: what others were given before is not to be caught up with."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a service needs in one `role`: `count` resources of `pool`, `units` of each one's stock.

    "This one": a pool of one. "Any of these": count 1. "n of these": count n. "All of these": count ==
    len(pool). With `per_guest` the units are multiplied by the party.
    """

    role: str
    pool: tuple[int, ...]
    count: int = 1
    units: int = 1
    per_guest: bool = False
    among: tuple[int, ...] = ()
    """Only these of the pool are considered: those who take equally long (paces.py). None: all of it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a service and the roles it occupies. 放置時間 is a segment without the staff's role."""

    minutes: int
    roles: tuple[str, ...]


class GridKind(StrEnum):
    CLOCK = "clock"
    """From the local midnight."""
    OPENING = "opening"
    """From the start of each open range of the service's first requirement."""
    PACKED = "packed"
    """As `opening`, and anew from the end of each busy block, rounded up to the shop's `align`."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Where a start may lie. `interval` and `offset` in minutes."""

    kind: GridKind = GridKind.OPENING
    interval: int = 30
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last moment for a deed on a booking: `minutes` before its start, or `at` (minute of the day)
    `days` days before.

    Relative when `at` is None. Allowed at equality.
    """

    minutes: int = 0
    days: int = 0
    at: int | None = None


class HorizonKind(StrEnum):
    DAYS = "days"
    """`days` calendar days, today included."""
    OPEN_DAYS = "open_days"
    """`days` days on which the shop opens, today included when it is one."""
    RANGE = "range"
    """From `first` to `last`, both included."""
    RELEASE = "release"
    """Each day is released `days` days before, at minute `at` (一斉受付)."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far ahead one may book. Edges lie at the shop's midnight."""

    kind: HorizonKind = HorizonKind.DAYS
    days: int = 90
    at: int = 0
    first: date | None = None
    last: date | None = None


class Period(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class LimitOf(StrEnum):
    """Whose bookings are counted. A customer is counted where she is known."""

    SERVICE = "service"
    STAFF = "staff"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many bookings, or minutes of them, of one service, staff or customer in a period."""

    of: LimitOf
    period: Period
    most: int | None = None
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Stay:
    """A rental by nights: from a start on its first day to `out`, a minute of its last day.

    Its length follows from the nights and the clock, so the minutes of its one segment are not used. Opening
    hours hold at both ends and not between them. `least`: the fewest nights by the weekday of the first
    day, Monday first.
    """

    out: int
    least: tuple[int, ...] = (1,) * 7
    most: int = 30


@dataclass(frozen=True, slots=True)
class Pace:
    """Somebody of a role takes another time than the service says: her minutes of some of its segments, each
    by its place.
    """

    role: str
    staff: int
    minutes: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class FeeTier:
    """From the deadline on, cancelling costs `percent` of the price."""

    since: Deadline
    percent: int


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """What cancelling costs. Within `free_minutes` after booking it costs nothing."""

    tiers: tuple[FeeTier, ...] = ()
    free_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """What is booked. `before` and `after` are buffers in minutes: cleaning before the start and after the
    end.

    `capacity` is set for classes: their starts are sessions, each with its own capacity (this one is the
    default). `stay` is set for rentals by nights.
    """

    id: int
    segments: tuple[Segment, ...]
    requirements: tuple[Requirement, ...]
    before: int = 0
    after: int = 0
    grid: Grid = Grid()
    hours: Hours | None = None
    lead: Deadline = Deadline()
    change: Deadline = Deadline()
    cancel: Deadline = Deadline()
    horizon: Horizon = Horizon()
    capacity: int | None = None
    party_min: int = 1
    party_max: int = 1
    limits: tuple[Limit, ...] = ()
    bookable: bool = True
    stay: Stay | None = None
    additions: tuple[int, ...] = ()
    """What may be added to it (options): other services. One without needs of its own prolongs it."""
    alone: bool = True
    """Whether it may be booked by itself; an option that may not is booked with what it is an addition to."""
    together: bool = True
    """Whether it may be had in one visit with services that are no additions of each other."""
    parts: tuple["Part", ...] = ()
    """Of a visit (visits.py): the services it is composed of, in their order; of a service none."""
    paces: tuple[Pace, ...] = ()
    """Who takes another time for it than the others."""

    @property
    def minutes(self) -> int:
        return sum(segment.minutes for segment in self.segments)

    @property
    def longest(self) -> int:
        """No shorter than whoever takes longest for it."""
        more = sum(max(0, minutes - self.segments[at].minutes) for at, minutes in self._most().items())
        return self.minutes + more

    def _most(self) -> dict[int, int]:
        most: dict[int, int] = {}
        for at, minutes in (each for pace in self.paces for each in pace.minutes):
            most[at] = max(minutes, most.get(at, 0))
        return most

    @property
    def stretches(self) -> tuple["Part", ...]:
        """Its parts; of what is no visit itself, as the only one. Hours, notice, horizon and limits are each
        part's own.
        """
        return self.parts or (Part(self, 0),)


@dataclass(frozen=True, slots=True)
class Part:
    """One service of a visit, and how many minutes after the visit it begins."""

    service: Service
    offset: int


@dataclass(frozen=True, slots=True)
class ShopRules:
    """All rules of one shop at one revision. Any change of any of them is a new revision.

    `holidays` is a value given to the engine (published dates, substitute days included, plus the shop's
    own).
    """

    shop_id: int
    revision: int
    zone: str
    hours: Hours
    resources: Mapping[int, Resource]
    services: Mapping[int, Service]
    holidays: frozenset[date] = frozenset()
    holiday_rule: HolidayRule = HolidayRule.OPEN
    buffer_policy: BufferPolicy = BufferPolicy.SHARED
    buffers_outside: bool = False
    """Whether buffers may reach outside opening hours."""
    align: int = 5
    week_start: int = 0
    """0 = Monday, 6 = Sunday: for limits by week."""
    limits: tuple[Limit, ...] = ()
    """Limits of the shop as a whole, beside each service's own."""
    stopped_until: int = 0
    """No start before this minute is offered to customers: what the desk asks is asked without it."""

    def __hash__(self) -> int:
        """Equal rules compare deeply and hash cheaply: what is compiled from them is cached by value."""
        return hash((self.shop_id, self.revision))


@dataclass(frozen=True, slots=True)
class Window:
    """`days` whole UTC days from day number `day` (days since the epoch); starts are wanted in `[begin,
    end)`, minutes.

    The days reach further than the starts, by the service and its buffers (see `windows.of_dates`).
    """

    day: int
    days: int
    begin: int
    end: int

    @property
    def first(self) -> int:
        """The first minute of the sheet."""
        return self.day * DAY

    @property
    def last(self) -> int:
        """The minute after the sheet."""
        return (self.day + self.days) * DAY

    @property
    def size(self) -> int:
        return self.days * DAY


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken of one plane of a resource in a window, without (`core`) and with (`padded`) buffers."""

    core: int = 0
    padded: int = 0


TakenMap = Mapping[int, tuple[Taken, ...]]
"""By resource id: its planes, lowest first. Plane j (index j-1) holds the minutes with at least j units
taken. Absent = free.
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """`units` of one resource for `[start, end)`; with buffers `[padded_start, padded_end)`. Minutes since
    the epoch.
    """

    resource_id: int
    units: int
    start: int
    end: int
    padded_start: int
    padded_end: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who and what serves one start. `resources` by role; `claims` in ascending resource id (the order in
    which to lock).
    """

    service_id: int
    start: int
    end: int
    resources: Mapping[str, tuple[int, ...]]
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """How much a resource has been given already in the shop's period, for "any of these".

    `credit` is what a newcomer is counted as having had (see `assign.credit`), `last` the instant it was
    last assigned (minutes).
    """

    count: int = 0
    last: int | None = None
    credit: int = 0


@dataclass(frozen=True, slots=True)
class Session:
    """One date of a class. `booked` counts seats of all statuses that take capacity."""

    id: int
    service_id: int
    start: int
    end: int
    capacity: int
    booked: int = 0

    @property
    def left(self) -> int:
        return max(0, self.capacity - self.booked)


class Why(StrEnum):
    """Why a time is not offered, in the order in which it is asked."""

    NOT_OFFERED = "not_offered"
    PARTY = "party"
    NIGHTS = "nights"
    """Fewer or more nights than a stay that begins on this day may have."""
    PAST = "past"
    STOPPED = "stopped"
    """Online bookings are stopped until later."""
    NOTICE = "notice"
    HORIZON = "horizon"
    HOLIDAY = "holiday"
    HOURS = "hours"
    GRID = "grid"
    LIMIT = "limit"
    STAFF = "staff"
    ROOM = "room"
    STOCK = "stock"
    BUFFER = "buffer"
    HOLD = "hold"
    EXTERNAL = "external"
    SEATS = "seats"


@dataclass(frozen=True, slots=True)
class Reason:
    """`role` and `resources` say what lacks, where it is a matter of resources."""

    why: Why
    role: str = ""
    resources: tuple[int, ...] = ()
