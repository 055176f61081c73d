"""Features of a shop and of a booking, each a small change of a plain shop: any two can be combined."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from noren.booking import (
    actions,
    availability,
    blocks,
    classes,
    reception,
    referee,
    report,
    series,
    waiting,
)
from noren.booking.models import Booking, ClassSession, Status
from noren.booking.transact import CUSTOMER
from noren.shops.tenancy import shop, write_in
from tests.booking.scene import NOW, TOKYO, House, found, person

FIRST, LAST = (
    NOW.astimezone(TOKYO).date() + timedelta(days=1),
    NOW.astimezone(TOKYO).date() + timedelta(days=9),
)
STAFF = "staff:aoi"


@dataclass
class Plan:
    """A shop to be made, and how somebody books there."""

    resources: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {"aoi": {}, "ren": {}, "chair": {"kind": "chair"}}
    )
    needs: dict[str, Any] = field(default_factory=lambda: {"staff": ["aoi", "ren"]})
    service: dict[str, Any] = field(default_factory=lambda: {"minutes": 60, "price": 5000})
    settings: dict[str, Any] = field(default_factory=dict)
    hours: tuple[tuple[int, int], ...] = ((540, 1080),)
    party: int = 1
    nights: int = 0
    staff: str | None = None
    override: str = ""
    known: UUID | None = None
    way: str = ""
    """How somebody comes by a booking: "series", "waiting", or simply."""
    before: list[Callable[["Life"], None]] = field(default_factory=list)
    after: list[Callable[["Life", Booking], None]] = field(default_factory=list)


@dataclass
class Life:
    """One combination, lived."""

    plan: Plan
    house: House
    now: datetime = NOW
    given: list[Callable[[], None]] = field(default_factory=list)
    """What is to be given back in the end."""
    series: int | None = None

    @property
    def service(self) -> int:
        return self.house.services["visit"]

    def offered(self, own: int | None = None) -> list[availability.Start]:
        days = availability.month(
            self.house.id,
            self.service,
            FIRST,
            LAST,
            now=self.now,
            staff=self.asked,
            party=self.plan.party,
            nights=self.plan.nights,
            person=self.plan.known,
            own=own,
        ).days
        return [start for those in days.values() for start in those]

    @property
    def asked(self) -> int | None:
        return None if self.plan.staff is None else self.house.resources[self.plan.staff]

    def wish(self, start: datetime) -> actions.HoldRequest:
        plan = self.plan
        return actions.HoldRequest(
            self.service,
            start,
            self.asked,
            plan.party,
            nights=plan.nights,
            person=plan.known,
            override=plan.override,
        )

    def book(self, start: datetime) -> list[Booking]:
        """Book in the way of the combination: of a series each of its dates, the first at `start`."""
        match self.plan.way:
            case "series":
                return self._series(start)
            case "waiting":
                return [self._waited(start)]
            case _:
                return [self._booked(start, STAFF if self.plan.override else CUSTOMER)]

    def _booked(self, start: datetime, by: str, who: UUID | None = None) -> Booking:
        held = actions.hold(self.house.id, self.wish(start), now=self.now, by=by)
        who = who or self.plan.known or person()
        return actions.confirm(self.house.id, held.id, who, now=self.now, locale="ja", consent=1, by=by)

    def _series(self, first: datetime) -> list[Booking]:
        """Three dates, as far from each other as a stay is long."""
        starts = [first]
        for start in self.offered():
            if start.at >= starts[-1] + timedelta(days=max(1, self.plan.nights)) and len(starts) < 3:
                starts.append(start.at)
        plan = self.plan
        asked = report.SeriesRequest(
            self.service, self.asked, plan.party, tuple(starts), nights=plan.nights, person=plan.known
        )
        held = series.hold_series(self.house.id, asked, now=self.now)
        self.series = held.id
        who = plan.known or person()
        return series.confirm_series(self.house.id, held.id, who, now=self.now, locale="ja", consent=1)

    def _waited(self, start: datetime) -> Booking:
        """Others take all there is; she waits, they leave, and she is offered it."""
        others = []
        while start in [each.at for each in self.offered()]:
            others.append(self._booked(start, STAFF, person()))
        plan = self.plan
        wish = waiting.JoinRequest(
            self.service, start=start, staff=self.asked, party=plan.party, nights=plan.nights
        )
        entry = waiting.join(self.house.id, wish, plan.known or person(), now=self.now).entry
        assert waiting.offer(self.house.id, now=self.now) == 0, "there is nothing to be offered yet"
        for other in others:
            self.cancel(other)
        assert waiting.offer(self.house.id, now=self.now) == 1
        assert others
        self.content()
        return waiting.accept(self.house.id, entry.id, now=self.now).booking

    def move(self, booking: Booking, start: datetime) -> Booking:
        return actions.move(
            self.house.id, booking.id, start, self.asked, now=self.now, by=STAFF, override=self.plan.override
        )

    def cancel_all(self, bookings: Sequence[Booking]) -> None:
        if self.series is None:
            for booking in bookings:
                self.cancel(booking)
        else:
            series.cancel_rest(self.house.id, self.series, NOW, now=self.now, by=STAFF)

    def cancel(self, booking: Booking) -> None:
        actions.cancel(self.house.id, booking.id, now=self.now, by=STAFF)

    def content(self) -> None:
        assert self.house.findings() == []


def _buffers(policy: str) -> Callable[[Plan], None]:
    def apply(plan: Plan) -> None:
        plan.settings["buffer_policy"] = policy
        plan.service |= {"before": 10, "after": 20}

    return apply


def _segments(plan: Plan) -> None:
    plan.needs["chair"] = ["chair"]
    roles = [*plan.needs]
    idle = [role for role in roles if role != "staff"]
    plan.service["segments"] = [
        {"minutes": 30, "roles": roles},
        {"minutes": 30, "roles": idle},
        {"minutes": 15, "roles": roles},
    ]


def _stock(plan: Plan) -> None:
    plan.resources["kit"] = {"kind": "equipment", "stock": 6}
    plan.needs["kit"] = {"pool": ["kit"], "units": 2}
    _occupy(plan, "kit")


def _per_guest(plan: Plan) -> None:
    plan.resources["mats"] = {"kind": "equipment", "stock": 9}
    plan.needs["mats"] = {"pool": ["mats"], "per_guest": True}
    _occupy(plan, "mats")


def _whole(plan: Plan) -> None:
    plan.resources |= {
        "court-a": {"kind": "court"},
        "court-b": {"kind": "court"},
        "hall": {"kind": "court", "parts": ["court-a", "court-b"]},
    }
    plan.needs["court"] = ["hall"]
    _occupy(plan, "court")


def _part_or_whole(plan: Plan) -> None:
    plan.resources |= {
        "lane-a": {"kind": "lane"},
        "lane-b": {"kind": "lane"},
        "pool": {"kind": "lane", "parts": ["lane-a", "lane-b"]},
    }
    plan.needs["lane"] = {"pool": ["lane-a", "lane-b", "pool"], "count": 1}
    _occupy(plan, "lane")


def _all_of(plan: Plan) -> None:
    plan.needs["staff"] = {"pool": ["aoi", "ren"], "count": 2}


def _occupy(plan: Plan, role: str) -> None:
    """A service of several segments needs it throughout."""
    for segment in plan.service.get("segments", ()):
        if role not in segment["roles"]:
            segment["roles"].append(role)


def _party(plan: Plan) -> None:
    plan.party = 3
    plan.service["party_max"] = 4


def _class(plan: Plan) -> None:
    daily = [{"weekday": day, "start": hour * 60} for day in range(7) for hour in (10, 14)]
    plan.service |= {"capacity": 4, "timetable": daily}
    plan.before.append(_scheduled)


def _scheduled(life: Life) -> None:
    assert classes.schedule(life.house.id, now=life.now).made


def _stay(plan: Plan) -> None:
    plan.nights = 2
    plan.service |= {
        "stay": {"out": 660, "least": [1] * 7, "most": 5},
        "grid": {"kind": "clock", "interval": 1440, "offset": 900},
    }


def _approval(kind: str) -> Callable[[Plan], None]:
    def apply(plan: Plan) -> None:
        plan.service["approval"] = kind
        plan.after.append(_approve)

    return apply


def _approve(life: Life, booking: Booking) -> None:
    if life.house.booking(booking.id).status == Status.PENDING:
        reception.approve(life.house.id, booking.id, now=life.now, by=STAFF)


def _limits(plan: Plan) -> None:
    plan.known = person()
    plan.service["limits"] = [
        {"of": "service", "period": "day", "most": 2},
        {"of": "staff", "period": "week", "most": 9},
        {"of": "customer", "period": "month", "most": 9},
    ]


def _packed(plan: Plan) -> None:
    plan.service["grid"] = {"kind": "packed", "interval": 30}
    plan.settings["align"] = 15


def _night(plan: Plan) -> None:
    """Open from eight in the evening to four in the morning."""
    plan.hours = ((1200, 1680),)


def _named(plan: Plan) -> None:
    plan.staff = "aoi"


def _check_in(plan: Plan) -> None:
    plan.service["check_in"] = {"opens_minutes": 30, "release_minutes": 15}


def _fees(plan: Plan) -> None:
    plan.service["fees"] = {"tiers": [{"since": {"minutes": 1440}, "percent": 50}], "free_minutes": 60}


def _override(plan: Plan) -> None:
    plan.override = "regular"


def _stale(plan: Plan) -> None:
    """Somebody else's hold of the same time has expired, and nobody has swept it."""

    def leave(life: Life) -> None:
        start = life.offered()[0].at
        other = actions.HoldRequest(life.service, start, life.asked, life.plan.party, nights=life.plan.nights)
        actions.hold(life.house.id, other, now=life.now)
        life.now += timedelta(minutes=30)

    plan.before.append(leave)


def _blocked(plan: Plan) -> None:
    """Somebody is away for an hour of the first morning, whoever is booked then."""

    def block(life: Life) -> None:
        start = datetime(FIRST.year, FIRST.month, FIRST.day, 9, tzinfo=TOKYO)
        block_id = blocks.block(
            life.house.id,
            life.house.resources["ren"],
            start,
            start + timedelta(hours=1),
            now=life.now,
            by=STAFF,
            reason="pause",
        )
        life.given.append(lambda: blocks.unblock(life.house.id, block_id))

    plan.before.append(block)


def _series(plan: Plan) -> None:
    plan.way = "series"


def _waiting(plan: Plan) -> None:
    plan.way = "waiting"
    plan.service["waiting"] = {"hours": 4, "stop_minutes": 20, "pass_over": False}


FEATURES: dict[str, Callable[[Plan], None]] = {
    "shared_buffers": _buffers("shared"),
    "added_buffers": _buffers("added"),
    "segments": _segments,
    "stock": _stock,
    "per_guest": _per_guest,
    "whole": _whole,
    "part_or_whole": _part_or_whole,
    "all_of": _all_of,
    "party": _party,
    "class": _class,
    "stay": _stay,
    "approval_keeps": _approval("keeps"),
    "approval_free": _approval("free"),
    "limits": _limits,
    "packed": _packed,
    "night": _night,
    "named": _named,
    "check_in": _check_in,
    "fees": _fees,
    "override": _override,
    "stale_hold": _stale,
    "block": _blocked,
    "series": _series,
    "waiting": _waiting,
}
APART = [
    {"shared_buffers", "added_buffers"},
    {"approval_keeps", "approval_free"},
    {"class", "stay"},
    {"class", "packed"},
    {"stay", "packed"},
    {"stay", "segments"},
    {"stay", "night"},
    {"all_of", "block"},
    {"class", "night"},
    {"class", "named"},
    {"series", "waiting"},
    {"series", "override"},
    {"waiting", "override"},
]
"""What excludes each other: one thing said twice, or a word that has no meaning beside the other."""


def together(names: set[str]) -> Life:
    """Make the shop of a combination. Features are applied in the order of FEATURES, whoever names them."""
    plan = Plan()
    for name, apply in FEATURES.items():
        if name in names:
            apply(plan)
    values = {"needs": plan.needs, **plan.service}
    if "segments" in values:
        values.pop("minutes")
    house = found(plan.resources, {"visit": values}, hours=plan.hours, **plan.settings)
    life = Life(plan, house)
    for deed in plan.before:
        deed(life)
    return life


def sessions_cancelled(house: House) -> None:
    """Dates of classes keep what they took: take them away, as a shop does that gives a class up."""
    with shop(house.id):
        ids = list(ClassSession.objects.filter(cancelled=False).values_list("id", flat=True))
    for session_id in ids:
        with write_in(house.id):
            referee.cancel_session(session_id, now=NOW, by=STAFF, why="shop", facts={})
