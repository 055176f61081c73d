"""The one function that decides. A list shows what `starts` gives; a write takes what `choose` gives, from
`starts`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from noren.engine import assign, grid, limits, paces, policy, sheet, stays, wall
from noren.engine.model import (
    Assignment,
    BufferPolicy,
    Claim,
    GridKind,
    Load,
    ShopRules,
    Taken,
    TakenMap,
    Window,
)
from noren.engine.plan import Leaf, Need, Option, Plan, Use, plan

NOTHING = Taken()


@dataclass(frozen=True, slots=True)
class Starts:
    """The starts that are offered, as a sheet; and for each role the starts each of its resources can
    serve.
    """

    window: Window
    mask: int
    by_role: Mapping[str, Mapping[int, int]]
    calendar: wall.Calendar
    points: tuple[tuple[int, int, int], ...] | None = None
    lengths: tuple[tuple[int, int], ...] = ()
    """Where some take longer than others: how long, and the starts they can serve, the longest first."""

    def __contains__(self, minute: int) -> bool:
        return sheet.has(self.mask, self.window, minute)

    def __iter__(self) -> Iterator[int]:
        return iter(self.minutes())

    def minutes(self) -> tuple[int, ...]:
        """Return the starts, ascending."""
        if not self.mask:
            return ()
        if self.points is None:
            return sheet.minutes_of(self.mask, self.window)
        raw = self.mask.to_bytes(self.window.size >> 3, "big")
        return tuple([minute for minute, byte, bit in self.points if raw[byte] & bit])

    def who(self, minute: int, role: str | None = None) -> tuple[int, ...]:
        """Return the resources that can serve a start, of this role or of the first requirement."""
        by_resource = next(iter(self.by_role.values()), {}) if role is None else self.by_role[role]
        return tuple(each for each, bits in by_resource.items() if sheet.has(bits, self.window, minute))

    def longest(self, minute: int) -> int | None:
        """Return how long it takes at most from this start; None where all take as long as the service."""
        return next((long for long, bits in self.lengths if sheet.has(bits, self.window, minute)), None)

    def by_date(self) -> dict[date, tuple[int, ...]]:
        """Return the starts by the shop's calendar dates; dates without any are left out."""
        days: dict[int, list[int]] = {}
        of_day: list[int] = []
        next_day = 0
        for minute in self.minutes():
            if minute >= next_day:
                day = self.calendar.day(minute)
                next_day = self.calendar.instant(day + 1)
                of_day = days.setdefault(day, [])
            of_day.append(minute)
        return {wall.as_date(day): tuple(minutes) for day, minutes in days.items()}


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, of what. `staff` (any resource of a pool) means this one; None means any."""

    rules: ShopRules
    plan: Plan
    taken: TakenMap
    staff: int | None = None
    party: int = 1
    used: limits.UsedMap = field(default_factory=dict)


def starts(
    rules: ShopRules,
    service_id: int,
    window: Window,
    taken: TakenMap,
    *,
    now: int,
    staff: int | None = None,
    party: int = 1,
    nights: int = 0,
    used: limits.UsedMap | None = None,
) -> Starts:
    """Return the starts in the window that may be booked now (POSIX seconds).

    For a move, and for the owner of a hold, `taken` is made without the booking's own claims
    (`sheet.planes` of
    those that remain): bits cannot be subtracted, two bookings may share a buffer.
    """
    those = paces.variants(rules, service_id, staff)
    found = [
        _offered(Request(each, plan(each, service_id, window, nights), taken, staff, party, used or {}), now)
        for each in those
    ]
    if those[0] is rules:
        return found[0]
    return _any_of(found, [each.services[service_id].minutes for each in those])


def _any_of(found: Sequence[Starts], minutes: Sequence[int]) -> Starts:
    """Return what any of the variants of a service offers; each takes so many minutes."""
    lengths = [(long, one.mask) for long, one in zip(minutes, found, strict=True)]
    by_role: dict[str, dict[int, int]] = {}
    for one in found:
        for role, bits_of in one.by_role.items():
            role_found = by_role.setdefault(role, {})
            for each, bits in bits_of.items():
                # What is served by nobody of this length is not offered by it.
                role_found[each] = role_found.get(each, 0) | (bits & one.mask)
    mask = sheet.at_least(1, tuple(one.mask for one in found))
    lengths.sort(reverse=True)
    return Starts(found[0].window, mask, by_role, found[0].calendar, None, tuple(lengths))


def between(rules: ShopRules, service_id: int, window: Window, *, now: int) -> tuple[int, int]:
    """Return [first, last): the minutes of the window in which a start may be booked now. This is all that an
    answer takes from the clock.
    """
    earliest, latest = policy.bookable(rules, rules.services[service_id], now)
    return max(window.begin, earliest), min(window.end, latest)


def choose(
    rules: ShopRules,
    service_id: int,
    window: Window,
    taken: TakenMap,
    start: int,
    *,
    now: int,
    staff: int | None = None,
    party: int = 1,
    nights: int = 0,
    used: limits.UsedMap | None = None,
    loads: Mapping[int, Load] | None = None,
) -> Assignment | None:
    """Return who and what serves this start, or None when it is not offered (`reasons.why_not` tells why)."""
    able = [
        (request.plan, chosen)
        for each in paces.variants(rules, service_id)
        for request in [
            Request(each, plan(each, service_id, window, nights), taken, staff, party, used or {})
        ]
        if (chosen := _one_of(request, start, now, loads or {})) is not None
    ]
    if not able:
        return None
    best, chosen = able[0] if len(able) == 1 else _preferred(rules, able, loads or {})
    return assign.assignment(best, chosen, start, party)


def _one_of(
    request: Request, start: int, now: int, loads: Mapping[int, Load]
) -> dict[str, tuple[int, ...]] | None:
    offered = _offered(request, now)
    return _solve(request, offered, start, loads) if start in offered else None


def _preferred(
    rules: ShopRules, able: Sequence[tuple[Plan, dict[str, tuple[int, ...]]]], loads: Mapping[int, Load]
) -> tuple[Plan, dict[str, tuple[int, ...]]]:
    """Return the one of several variants whose resources come first, as if all took equally long."""
    those = {each for _, chosen in able for ids in chosen.values() for each in ids}
    place = {each: number for number, each in enumerate(assign.ranked(rules, those, loads))}
    return min(able, key=lambda found: [place[each] for ids in found[1].values() for each in ids])


def _offered(request: Request, now: int) -> Starts:
    service, window, party = request.plan.service, request.plan.window, request.party
    first, last = between(request.rules, service.id, window, now=now)
    is_whole = (first, last) == (window.begin, window.end)
    when = request.plan.asked if is_whole else sheet.span(window, first, last)
    by_night = service.stay is not None or not request.plan.nights
    if not (service.bookable and by_night and service.party_min <= party <= service.party_max):
        when = 0
    return within(request, when)


def within(request: Request, when: int) -> Starts:
    """Return the starts among the minutes `when`."""
    compiled = request.plan
    asked = asked_need(compiled, request.staff)
    mask = when if compiled.needs and (request.staff is None or asked is not None) else 0
    if request.used:
        mask &= ~limits.closed(request.rules, compiled.service, compiled.window, request.used)
    by_role: dict[str, dict[int, int]] = {}
    for need in compiled.needs:
        found = by_role.setdefault(need.requirement.role, {})
        if not mask:
            continue
        for option in options(need, request.staff if need is asked else None, request.party):
            bits = serves(request, need, option) & mask
            if bits:
                found[option.resource.id] = bits
        mask = sheet.at_least(need.requirement.count, tuple(found.values()))
        if need is asked:
            mask &= found.get(request.staff or 0, 0)
    answer = Starts(compiled.window, mask, by_role, compiled.calendar, compiled.points)
    if not (compiled.shares and mask):
        return answer
    solved = (minute for minute in answer if _solve(request, answer, minute, {}) is not None)
    return replace(answer, mask=sheet.marks(compiled.window, solved))


def asked_need(compiled: Plan, staff: int | None) -> Need | None:
    """Return the first need whose pool holds the one that is asked for."""
    if staff is None:
        return None
    return next((need for need in compiled.needs if staff in need.requirement.pool), None)


def options(need: Need, staff: int | None, party: int) -> list[Option]:
    """Return who of the pool may be considered: bookable, large enough, and visible where there is a
    choice. Where several are wanted, whom somebody asks for is one of them.
    """
    alone = need.requirement.count == 1
    choice = len(need.requirement.pool) > need.requirement.count
    return [
        option
        for option in need.options
        if option.resource.bookable
        and (option.resource.visible or not choice or option.resource.id == staff)
        and (option.resource.seats is None or party <= option.resource.seats)
        and (staff is None or not alone or option.resource.id == staff)
    ]


def serves(request: Request, need: Need, option: Option) -> int:
    """Return the starts at which one resource can serve a need: hours, grid, and what is taken."""
    bits = option.allowed
    for leaf in option.leaves:
        taken = _plane(request, leaf, need.units(leaf, request.party))
        if taken is None:
            return 0
        if taken.padded:
            bits = _clear_uses(request, need, taken, bits)
    rules, compiled = request.rules, request.plan
    packs = compiled.service.grid.kind is GridKind.PACKED and compiled.ends is None
    if packs and need is compiled.needs[0]:
        rule = compiled.service.grid
        bits = grid.packed(
            rule, compiled.window, bits, option.seams, align=rules.align, calendar=compiled.calendar
        )
    if request.used:
        subject = option.resource.id
        bits &= ~limits.closed(rules, compiled.service, compiled.window, request.used, subject=subject)
    return bits


def _plane(request: Request, leaf: Leaf, units: int) -> Taken | None:
    """Return the plane that must be free for `units`: n-k+1 of n; None when there are not so many."""
    if units > leaf.stock:
        return None
    planes = request.taken.get(leaf.id, ())
    return planes[leaf.stock - units] if leaf.stock - units < len(planes) else NOTHING


def _clear_uses(request: Request, need: Need, taken: Taken, bits: int) -> int:
    """Return the starts among `bits` at which a plane is free for all that a need wants of it."""
    compiled = request.plan
    if compiled.ends is not None:
        added = request.rules.buffer_policy is BufferPolicy.ADDED
        return stays.free(compiled.service, compiled.window, compiled.ends, bits, taken, added)
    for use in need.uses:
        bits &= _clear(request, taken, use)
    return bits


def _clear(request: Request, taken: Taken, use: Use) -> int:
    """Return the starts of the service at which a plane is free for a use, as the buffer policy says."""
    full = request.plan.full
    if request.rules.buffer_policy is BufferPolicy.ADDED:
        return sheet.fit(full ^ taken.padded, use.padded) >> use.before << use.offset
    # The use itself meets buffers, and its buffers meet services. A service lies within its own buffers, so
    # what the buffers meet can be moved next to the use and reach as far as the use does: one pass for all.
    met = taken.padded
    for far in _steps(use.after, use.minutes):
        met |= taken.core << far
    for far in _steps(use.before, use.minutes):
        met |= taken.core >> far
    return sheet.fit(full ^ met, use.minutes) << use.offset


def _steps(buffer: int, minutes: int) -> Iterator[int]:
    """Go to the far end of a buffer, never further at once than a use is long."""
    yield from range(minutes, buffer, minutes)
    if buffer:
        yield buffer


def _solve(
    request: Request, offered: Starts, start: int, loads: Mapping[int, Load]
) -> dict[str, tuple[int, ...]] | None:
    """Return resources by role for a start, the preferred first; None when no combination works."""
    asked = asked_need(request.plan, request.staff)
    ranked = [
        (need, assign.ranked(request.rules, offered.who(start, need.requirement.role), loads))
        for need in request.plan.needs
    ]
    for need, ids in ranked:
        if need is asked:
            ids.sort(key=lambda each: each != request.staff)
    if not request.plan.shares:
        return {need.requirement.role: tuple(ids[: need.requirement.count]) for need, ids in ranked}

    def works(chosen: dict[str, tuple[int, ...]]) -> bool:
        if asked is not None and request.staff not in chosen.get(asked.requirement.role, (request.staff,)):
            return False
        return _together(request, assign.claims(request.plan, chosen, start, request.party), start)

    return assign.search(ranked, works)


def _together(request: Request, claims: list[Claim], start: int) -> bool:
    """Say whether claims of one booking on the same leaf are free at once, where they meet in time."""
    for claim in claims:
        meeting = [
            other.units
            for other in claims
            if other.resource_id == claim.resource_id and other.start < claim.end and claim.start < other.end
        ]
        if len(meeting) > 1:
            stock = request.rules.resources[claim.resource_id].stock
            taken = _plane(request, Leaf(claim.resource_id, stock, None), sum(meeting))
            use = Use(
                claim.start - start,
                claim.end - claim.start,
                claim.start - claim.padded_start,
                claim.padded_end - claim.end,
            )
            if taken is None or not sheet.has(_clear(request, taken, use), request.plan.window, start):
                return False
    return True
