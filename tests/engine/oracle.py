"""The rules again, minute by minute: no bits, nothing compiled, nothing of the engine but its values."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from noren.engine.model import BufferPolicy, Claim, GridKind, Hours, Requirement, Service, ShopRules

DAY = 1440
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Oracle:
    """Answers for the starts of one local date."""

    rules: ShopRules
    service: Service
    claims: list[Claim]
    first: date
    last: date
    walls: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        zone = ZoneInfo(self.rules.zone)
        low = (self.first - date(1970, 1, 1)).days * DAY - 5 * DAY
        high = (self.last - date(1970, 1, 1)).days * DAY + 6 * DAY
        self.walls = {}
        for minute in range(low, high):
            local = (EPOCH + timedelta(minutes=minute)).astimezone(zone).replace(tzinfo=UTC)
            self.walls[minute] = (local - EPOCH) // timedelta(minutes=1)
        earliest = self.first - timedelta(days=2)
        self.near = [m for m in self.walls if earliest <= self.date_of(m) <= self.last]
        self.layers = [self.stretches(self.rules.hours)]
        if self.service.hours is not None:
            self.layers.append(self.stretches(self.service.hours))

    def starts(self) -> dict[int, tuple[int, ...]]:
        """By start: those of the first requirement's pool that can serve it."""
        wanted = [minute for minute in self.near if self.date_of(minute) >= self.first]
        tables = [
            self.serving(need, leads=index == 0) for index, need in enumerate(self.service.requirements)
        ]
        found: dict[int, tuple[int, ...]] = {}
        for minute in wanted:
            able = [[each for each, starts in table.items() if minute in starts] for table in tables]
            needs = self.service.requirements
            if all(len(ids) >= need.count for ids, need in zip(able, needs, strict=True)):
                found[minute] = tuple(able[0])
        return found

    def date_of(self, minute: int) -> date:
        return date(1970, 1, 1) + timedelta(days=self.walls[minute] // DAY)

    def stretches(self, hours: Hours) -> list[tuple[int, int]]:
        found = []
        day = self.first - timedelta(days=4)
        while day <= self.last + timedelta(days=3):
            ranges = hours.overrides.get(day, hours.weekly[day.weekday()])
            base = (day - date(1970, 1, 1)).days * DAY
            minutes = sorted({m for each in ranges if each.is_sound for m in range(each.start, each.end)})
            found += [(self.instant(base + a), self.instant(base + b)) for a, b in runs(minutes)]
            day += timedelta(days=1)
        return [(a, b) for a, b in found if a < b]

    def instant(self, wall: int) -> int:
        """Return the first instant at which the clock shows this, or later. No zone is 15 hours from UTC."""
        low = max(wall - 15 * 60, next(iter(self.walls)))
        return next(minute for minute in count(low) if self.walls[minute] >= wall)

    def serving(self, need: Requirement, *, leads: bool) -> dict[int, set[int]]:
        return {each: set(self.of_resource(each, need, leads=leads)) for each in need.pool}

    def of_resource(self, number: int, need: Requirement, *, leads: bool) -> Iterator[int]:
        own = self.rules.resources[number].hours
        mine = [] if own is None else [self.stretches(own)]
        shop_open, own_open = covered(self.layers), covered(mine) if mine else None
        free = self.is_free(number, need)
        # A packed grid is anchored by what was busy up to two days before.
        near = (m for m in self.near if m in shop_open)
        possible = [m for m in near if self.is_open(m, need.role, shop_open, own_open) and free(m)]
        seams = {start for layer in [*self.layers, *mine] for start, _ in layer}
        both = sorted(shop_open if own_open is None else shop_open & own_open)
        grid = self.grid(both, possible, seams) if leads else set(possible)
        return (minute for minute in possible if minute in grid)

    def uses(self, role: str) -> list[tuple[int, int, int, int]]:
        """(start, end, before, after) of each stretch in which the role is occupied."""
        at, minutes = 0, []
        for segment in self.service.segments:
            if role in segment.roles:
                minutes += list(range(at, at + segment.minutes))
            at += segment.minutes
        return [
            (a, b, self.service.before if a == 0 else 0, self.service.after if b == at else 0)
            for a, b in runs(minutes)
        ]

    def is_open(self, start: int, role: str, shop: set[int], own: set[int] | None) -> bool:
        service, inside = self.service, not self.rules.buffers_outside
        whole = [(0, service.minutes, service.before, service.after)]
        wanted = [(shop, whole)] + ([] if own is None else [(own, self.uses(role))])
        return all(
            is_open.issuperset(range(start + a - before * inside, start + b + after * inside))
            for is_open, uses in wanted
            for a, b, before, after in uses
        )

    def is_free(self, number: int, need: Requirement) -> Callable[[int], bool]:
        """Return the question whether the resource is free for a start."""
        left = self.rules.resources[number].stock - need.units
        cores: Counter[int] = Counter()
        pads: Counter[int] = Counter()
        for claim in self.claims:
            if claim.resource_id == number:
                for _ in range(claim.units):
                    cores.update(range(claim.start, claim.end))
                    pads.update(range(claim.padded_start, claim.padded_end))
        no_core = {minute for minute, units in pads.items() if units > left}
        added = self.rules.buffer_policy is BufferPolicy.ADDED
        no_pad = no_core if added else {minute for minute, units in cores.items() if units > left}
        uses = self.uses(need.role)

        def free(start: int) -> bool:
            return all(
                no_core.isdisjoint(range(start + a, start + b))
                and no_pad.isdisjoint(range(start + a - before, start + b + after))
                for a, b, before, after in uses
            )

        return free

    def grid(self, is_open: list[int], possible: list[int], seams: set[int]) -> set[int]:
        rule = self.service.grid
        if rule.kind is GridKind.CLOCK:
            return {
                minute
                for minute, wall in self.walls.items()
                if wall % DAY >= rule.offset and (wall % DAY - rule.offset) % rule.interval == 0
            }
        found: set[int] = set()
        for begin, end in runs(is_open if rule.kind is GridKind.OPENING else possible):
            anchor = begin + rule.offset
            if rule.kind is GridKind.PACKED and begin not in seams:
                anchor = begin + -self.walls[begin] % self.rules.align
            for minute in range(begin, end):
                if minute in seams and minute > begin:
                    anchor = minute + rule.offset
                if minute >= anchor and (minute - anchor) % rule.interval == 0:
                    found.add(minute)
        return found


def runs(minutes: list[int]) -> list[tuple[int, int]]:
    """Make stretches [start, end) of ascending minutes."""
    found: list[tuple[int, int]] = []
    for minute in minutes:
        if found and found[-1][1] == minute:
            found[-1] = (found[-1][0], minute + 1)
        else:
            found.append((minute, minute + 1))
    return found


def covered(layers: list[list[tuple[int, int]]]) -> set[int]:
    """Return the minutes that every layer covers."""
    sets = [{minute for start, end in layer for minute in range(start, end)} for layer in layers]
    return set.intersection(*sets)
