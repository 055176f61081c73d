"""Small shops for tests, and the words to ask them: dates and wall times as text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from noren.engine import availability, sheet, windows
from noren.engine.model import (
    Assignment,
    Claim,
    Grid,
    GridKind,
    Horizon,
    HorizonKind,
    Hours,
    Load,
    Range,
    Requirement,
    Resource,
    Segment,
    Service,
    ShopRules,
    Taken,
    Week,
    Window,
)

LONG_BEFORE = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())
ANY_DAY = Horizon(HorizonKind.RANGE)


def ranges(text: str) -> tuple[Range, ...]:
    """Read "10:00-12:30 23:00-26:00"."""

    def minute(part: str) -> int:
        hour, _, rest = part.partition(":")
        return int(hour) * 60 + int(rest)

    pairs = (each.split("-") for each in text.split())
    return tuple(Range(minute(start), minute(end)) for start, end in pairs)


def daily(text: str) -> Week:
    return (ranges(text),) * 7


def weekly(**days: str) -> Week:
    """`weekly(mon="10:00-12:00")`: days not named are closed."""
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return tuple(ranges(days.get(name, "")) for name in names)


def hours(text: str = "00:00-24:00", **more: Any) -> Hours:
    return Hours(daily(text), **more)


def service(minutes: int = 60, **more: Any) -> Service:
    """A service of one segment that needs one of resource 1."""
    interval = more.pop("interval", minutes)
    kind = more.pop("grid", GridKind.OPENING)
    standard: dict[str, Any] = {
        "segments": (Segment(minutes, ("staff",)),),
        "requirements": (Requirement("staff", (1,)),),
        "grid": Grid(kind, interval, more.pop("offset", 0)),
        "horizon": ANY_DAY,
    }
    return Service(more.pop("id", 1), **{**standard, **more})


def staff(number: int, text: str | None = None, **more: Any) -> Resource:
    return Resource(number, more.pop("kind", "staff"), None if text is None else hours(text), **more)


@dataclass
class Desk:
    """A shop with its claims. Instants are text in the shop's zone: "2026-12-01 10:00"."""

    rules: ShopRules
    claims: list[Claim] = field(default_factory=list)
    now: int = LONG_BEFORE

    def at(self, text: str, fold: int = 0) -> int:
        local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(self.rules.zone), fold=fold)
        return int(local.timestamp()) // 60

    def clock(self, text: str) -> int:
        """POSIX seconds."""
        return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(self.rules.zone)).timestamp())

    def wall(self, minute: int) -> datetime:
        return datetime.fromtimestamp(minute * 60, ZoneInfo(self.rules.zone))

    def taken(self, window: Window) -> dict[int, tuple[Taken, ...]]:
        return {
            each: sheet.planes(
                window, resource.stock, [claim for claim in self.claims if claim.resource_id == each]
            )
            for each, resource in self.rules.resources.items()
            if not resource.parts
        }

    def busy(self, resource: int, start: str, end: str) -> None:
        """An external busy block: no buffers of its own."""
        begin, stop = self.at(start), self.at(end)
        self.claims.append(Claim(resource, 1, begin, stop, begin, stop))

    def offered(self, first: str, last: str | None = None, **asked: Any) -> availability.Starts:
        number = asked.pop("service", 1)
        window = windows.of_dates(
            self.rules,
            number,
            date.fromisoformat(first),
            date.fromisoformat(last or first),
            asked.get("nights", 0),
        )
        now = asked.pop("now", self.now)
        return availability.starts(self.rules, number, window, self.taken(window), now=now, **asked)

    def times(self, first: str, last: str | None = None, **asked: Any) -> list[str]:
        """The starts as "HH:MM", with the date before when several dates are asked for."""
        shape = "%H:%M" if last is None else "%m-%d %H:%M"
        return [f"{self.wall(minute):{shape}}" for minute in self.offered(first, last, **asked)]

    def choose(
        self, start: str | int, loads: Mapping[int, Load] | None = None, **asked: Any
    ) -> Assignment | None:
        number = asked.pop("service", 1)
        minute = self.at(start) if isinstance(start, str) else start
        window = windows.of_start(self.rules, number, minute, asked.get("nights", 0))
        now = asked.pop("now", self.now)
        return availability.choose(
            self.rules, number, window, self.taken(window), minute, now=now, loads=loads, **asked
        )

    def book(self, start: str | int, **asked: Any) -> Assignment:
        """Take a start; it must be offered."""
        assignment = self.choose(start, **asked)
        assert assignment is not None, f"{start} is not offered"
        self.claims.extend(assignment.claims)
        return assignment

    def with_(self, **changes: Any) -> "Desk":
        return Desk(replace(self.rules, **changes), list(self.claims), self.now)


def desk(
    *services: Service,
    resources: Sequence[Resource] = (),
    text: str = "00:00-24:00",
    zone: str = "UTC",
    **more: Any,
) -> Desk:
    """A shop open as `text` says, each day, with one member of staff unless `resources` are given."""
    kept = resources or (staff(1),)
    rules = ShopRules(
        shop_id=1,
        revision=1,
        zone=zone,
        hours=more.pop("hours", None) or hours(text),
        resources={each.id: each for each in kept},
        services={each.id: each for each in (services or (service(),))},
        **more,
    )
    return Desk(rules)
