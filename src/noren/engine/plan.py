"""What can be said of a service in a window before anything is known to be taken: compiled once, cached by
value.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from noren.engine import grid, hours, sheet, stays, wall
from noren.engine.model import GridKind, Hours, Part, Requirement, Resource, Service, ShopRules, Window

_CACHED = 256


@dataclass(frozen=True, slots=True)
class Use:
    """A stretch `[offset, offset + minutes)` of a service in which a role is occupied.

    The service's buffers belong to its two ends: `before` where the use begins with the service, `after`
    where
    it ends with it.
    """

    offset: int
    minutes: int
    before: int
    after: int

    @property
    def padded(self) -> int:
        return self.before + self.minutes + self.after


@dataclass(frozen=True, slots=True)
class Leaf:
    """A resource with sheets of its own. `units` is None where all of its stock is wanted (a part of a
    whole).
    """

    id: int
    stock: int
    units: int | None


@dataclass(frozen=True, slots=True)
class Option:
    """A resource of a pool. `allowed`: the starts at which hours, and a grid that is fixed, let it serve."""

    resource: Resource
    leaves: tuple[Leaf, ...]
    allowed: int
    seams: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Need:
    requirement: Requirement
    uses: tuple[Use, ...]
    options: tuple[Option, ...]

    def uses_at(self, plan: "Plan", start: int) -> tuple[Use, ...]:
        """Return the stretches it occupies of a booking that begins at `start`: of a stay, all of it."""
        if plan.ends is None:
            return self.uses
        service = plan.service
        return (Use(0, plan.ends[start] - start, service.before, service.after),)

    def units(self, leaf: Leaf, party: int) -> int:
        """Return how many units of a leaf's stock one booking takes."""
        if leaf.units is None:
            return leaf.stock
        return leaf.units * party if self.requirement.per_guest else leaf.units


@dataclass(frozen=True, slots=True)
class Plan:
    service: Service
    window: Window
    calendar: wall.Calendar
    full: int
    asked: int
    """The minutes of the window in which a start is wanted."""
    needs: tuple[Need, ...]
    shares: bool
    """Whether two choices may want the same leaf, so that a start must be solved and not only intersected."""
    points: tuple[tuple[int, int, int], ...] | None
    """(minute, byte, bit) of each start a fixed grid allows; None for a packed one."""
    ends: Mapping[int, int] | None = None
    """Of a stay: when each start that may have so many nights ends."""
    nights: int = 0

    def end(self, start: int) -> int:
        """Return when a booking ends that begins at `start`, one of those that are offered."""
        return start + self.service.minutes if self.ends is None else self.ends[start]


@lru_cache(maxsize=_CACHED)
def plan(rules: ShopRules, service_id: int, window: Window, nights: int = 0) -> Plan:
    """Compile. The cache holds by value: equal rules, window and nights, equal plan."""
    return _compiled(rules, rules.services[service_id], window, nights)


def _compiled(rules: ShopRules, service: Service, window: Window, nights: int) -> Plan:
    calendar = wall.calendar(rules.zone, window.day, window.day + window.days)
    stay = service.stay
    ends = None if stay is None else stays.ends(stay, service.grid, window, calendar, nights)
    shop = _Opening(rules, service, window, calendar, ends)
    needs = tuple(
        Need(requirement, uses(service, requirement.role), shop.options(requirement, leads=index == 0))
        for index, requirement in enumerate(service.requirements)
    )
    points = None
    if service.grid.kind is not GridKind.PACKED and needs:
        points = _points(window, (option.allowed for option in needs[0].options))
    asked = sheet.span(window, window.begin, window.end)
    return Plan(
        service, window, calendar, sheet.full(window), asked, needs, _shares(needs), points, ends, nights
    )


def uses(service: Service, role: str) -> tuple[Use, ...]:
    """Return the stretches of a service in which a role is occupied, neighbouring segments made one."""
    found: list[tuple[int, int]] = []
    at = 0
    for segment in service.segments:
        if role in segment.roles:
            if found and found[-1][1] == at:
                found[-1] = (found[-1][0], at + segment.minutes)
            else:
                found.append((at, at + segment.minutes))
        at += segment.minutes
    return tuple(
        Use(start, end - start, service.before if start == 0 else 0, service.after if end == at else 0)
        for start, end in found
    )


def _stretch(service: Service, part: Part) -> Use:
    """Return the minutes of a part; the buffers of a visit belong to its two ends."""
    last = part.offset + part.service.minutes == service.minutes
    before = 0 if part.offset else service.before
    return Use(part.offset, part.service.minutes, before, service.after if last else 0)


class _Opening:
    """Opening hours over a window, and where each open range began, be it before the window."""

    def __init__(
        self,
        rules: ShopRules,
        service: Service,
        window: Window,
        calendar: wall.Calendar,
        ends: Mapping[int, int] | None = None,
    ) -> None:
        self.rules, self.service, self.window, self.calendar = rules, service, window, calendar
        self.ends = ends
        self.base, self.seams = self._open(None)
        self.own: list[tuple[int, Use]] = []
        for part in service.stretches:
            if part.service.hours is not None and part.service.minutes:
                bits, seams = self._open(part.service.hours)
                self.own.append((bits, _stretch(service, part)))
                # The grid is the first one's, and so is what anchors it.
                self.seams = [*self.seams, *([] if part.offset else seams)]

    def options(self, requirement: Requirement, *, leads: bool) -> tuple[Option, ...]:
        """Return the pool's resources. The first requirement leads: its resources' hours anchor the grid."""
        those = requirement.among or requirement.pool
        known = [self.rules.resources[each] for each in those if each in self.rules.resources]
        whole = Use(0, self.service.minutes, self.service.before, self.service.after)
        fits = self._fits(self.base, whole)
        for bits, use in self.own:
            fits &= self._fits(bits, use) << use.offset
        own_uses = uses(self.service, requirement.role)
        return tuple(self._option(each, requirement, own_uses, fits, leads=leads) for each in known)

    def _option(
        self,
        resource: Resource,
        requirement: Requirement,
        own_uses: tuple[Use, ...],
        fits: int,
        *,
        leads: bool,
    ) -> Option:
        seams = list(self.seams)
        for keeper in (resource, *self._parts(resource)):
            if keeper.hours is not None:
                bits, more = self._open(keeper.hours)
                seams += more
                for use in own_uses:
                    fits &= self._fits(bits, use) << use.offset
        seams.sort()
        allowed = fits & sheet.full(self.window)
        if leads and self.ends is None:
            allowed &= self._grid(seams)
        return Option(resource, self._leaves(resource, requirement), allowed, tuple(seams))

    def _grid(self, seams: list[int]) -> int:
        rule = self.service.grid
        match rule.kind:
            case GridKind.CLOCK:
                return grid.clock(rule, self.window, self.calendar)
            case GridKind.OPENING:
                return grid.opening(rule, self.window, seams)
            case GridKind.PACKED:  # depends on what is taken
                return sheet.full(self.window)

    def _open(self, own: Hours | None) -> tuple[int, list[int]]:
        first, last = self.window.day - hours.REACH - 1, self.window.day + self.window.days + 1
        found = hours.stretches(self.rules, own, first, last)
        bits = 0
        for start, end in found:
            bits |= sheet.span(self.window, start, end)
        return bits, [start for start, _ in found]

    def _fits(self, is_open: int, use: Use) -> int:
        if self.ends is not None:
            return stays.at_both_ends(is_open, self.window, self.ends)
        if self.rules.buffers_outside:
            return sheet.fit(is_open, use.minutes)
        return sheet.fit(is_open, use.padded) >> use.before

    def _parts(self, resource: Resource) -> list[Resource]:
        """Return the parts of a whole, and theirs."""
        found: list[Resource] = []
        for each in resource.parts:
            part = self.rules.resources[each]
            found += [part, *self._parts(part)]
        return found

    def _leaves(self, resource: Resource, requirement: Requirement) -> tuple[Leaf, ...]:
        if not resource.parts:
            return (Leaf(resource.id, resource.stock, requirement.units),)
        leaves = {part.id: part.stock for part in self._parts(resource) if not part.parts}
        return tuple(Leaf(leaf, stock, None) for leaf, stock in sorted(leaves.items()))


def _shares(needs: tuple[Need, ...]) -> bool:
    """Say whether a leaf can be reached in two ways by one booking."""
    seen: set[int] = set()
    for need in needs:
        inside: set[int] = set()
        for option in need.options:
            own = {leaf.id for leaf in option.leaves}
            if own & seen or (need.requirement.count > 1 and own & inside):
                return True
            inside |= own
        seen |= inside
    return False


def _points(window: Window, allowed: Iterable[int]) -> tuple[tuple[int, int, int], ...]:
    union = sheet.at_least(1, tuple(allowed)) & sheet.span(window, window.begin, window.end)
    return tuple(
        (minute, (minute - window.first) >> 3, 128 >> (minute & 7))
        for minute in sheet.minutes_of(union, window)
    )
