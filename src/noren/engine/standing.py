"""Whether a booking that is there would be offered still: by hours and holidays, who serves, how many.

Grid, notice, horizon and limits are aside: they say what may be booked, not what may stand. A booking keeps
the length and the buffers with which it was made, so it is asked by its own claims.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from noren.engine import hours, wall
from noren.engine.model import DAY, Claim, Hours, Requirement, Resource, Service, ShopRules, Why

# Business days that may reach into a day, and one more for hours written in another zone.
_MARGIN = hours.REACH + 1


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands: minutes since the epoch, `padded` with its buffers. No claims: nobody was chosen yet.

    `seated`: it has a place in a class, and `claims` are the class's. `parts` are the services of a visit,
    in its order, each with the minutes for which it was booked.
    """

    service_id: int
    start: int
    end: int
    padded: tuple[int, int]
    claims: tuple[Claim, ...] = ()
    party: int = 1
    staff: int | None = None
    nights: int = 0
    seated: bool = False
    parts: tuple[tuple[int, int], ...] = ()


class Judge:
    """Rules of one moment, and what was worked out from them while many bookings were asked about."""

    def __init__(self, rules: ShopRules) -> None:
        self.rules = rules
        # By the hours, which live as long as the rules, and the day.
        self._days: dict[tuple[int, int], list[hours.Stretch]] = {}

    def lacks(self, standing: Standing) -> frozenset[Why]:
        """Return why the rules would not offer it; nothing when they would."""
        parts = standing.parts or ((standing.service_id, standing.end - standing.start),)
        services = [self.rules.services.get(each) for each, _ in parts]
        found, begin = set(self._closed(standing)), standing.start
        for service, (_, minutes) in zip(services, parts, strict=True):
            if service is None or not service.bookable or (service.capacity is not None) != standing.seated:
                return frozenset({Why.NOT_OFFERED})
            found |= set(self._lacks(service, standing, begin, begin + minutes))
            begin += minutes
        return frozenset(found)

    def _closed(self, standing: Standing) -> Iterator[Why]:
        if not self._covers(None, self._edges(standing, *standing.padded)):
            day = wall.as_date(wall.local_day(self.rules.zone, standing.start))
            shut = not hours.merged(hours.of_shop(self.rules, day))
            yield Why.HOLIDAY if shut and day in self.rules.holidays else Why.HOURS

    def _lacks(self, service: Service, standing: Standing, begin: int, end: int) -> Iterator[Why]:
        """Return what a service lacks for its minutes `[begin, end)` of what stands: of a visit a part's."""
        if standing.parts:
            then = tuple(each for each in standing.claims if each.start < end and begin < each.end)
            wanted = self._edges(standing, begin, end)
            standing = replace(standing, claims=then)
        else:
            wanted = self._edges(standing, *standing.padded)
        if service.hours is not None and not self._covers(service.hours, wanted):
            yield Why.HOURS
        if not service.party_min <= standing.party <= service.party_max:
            yield Why.PARTY
        for need in service.requirements:
            if len(self._serving(need, standing)) < need.count:
                yield self._kind(need)

    def _serving(self, need: Requirement, standing: Standing) -> list[int]:
        """Return those of a pool who serve it: of what it has claimed, or of all where nothing is."""
        known = self.rules.resources
        claimed = {claim.resource_id for claim in standing.claims}
        asked = standing.staff if not claimed and standing.staff in need.pool else None
        return [
            each
            for each in need.pool
            if each in known
            and known[each].bookable
            and (asked is None or each == asked)
            and self._large_enough(known[each], standing)
            and (not claimed or leaves(known, each) <= claimed)
            and self._there(known[each], standing)
        ]

    @staticmethod
    def _large_enough(resource: Resource, standing: Standing) -> bool:
        return standing.seated or resource.seats is None or standing.party <= resource.seats

    def _there(self, resource: Resource, standing: Standing) -> bool:
        """Say whether a resource, and each part of a whole, is open for what is claimed of it."""
        own = leaves(self.rules.resources, resource.id)
        claims = [claim for claim in standing.claims if claim.resource_id in own]
        wanted = [self._edge(standing, claim) for claim in claims] or [standing.padded]
        spans = [span for begin, end in wanted for span in self._edges(standing, begin, end)]
        return all(
            keeper.hours is None or self._covers(keeper.hours, spans)
            for keeper in _keepers(self.rules, resource)
        )

    def _edge(self, standing: Standing, claim: Claim) -> tuple[int, int]:
        if self.rules.buffers_outside and claim.start < claim.end:
            return claim.start, claim.end
        if self.rules.buffers_outside:  # a piece of buffer alone
            return standing.start, standing.start + 1
        return claim.padded_start, claim.padded_end

    def _edges(self, standing: Standing, begin: int, end: int) -> list[tuple[int, int]]:
        """Return what must be open: all of it; of a stay both ends."""
        if standing.nights:
            return [(standing.start, standing.start + 1), (standing.end - 1, standing.end)]
        if self.rules.buffers_outside:
            return [(max(begin, standing.start), min(end, standing.end))]
        return [(begin, end)]

    def _covers(self, own: Hours | None, spans: Iterable[tuple[int, int]]) -> bool:
        """Say whether these hours, or None the shop's, hold over all of it."""
        return all(self._covered(own, begin, end) for begin, end in spans)

    def _covered(self, own: Hours | None, begin: int, end: int) -> bool:
        """Say whether [begin, end) is open without a gap; what touches is one."""
        first, last = begin // DAY - _MARGIN, (end - 1) // DAY + 2
        reached = begin
        for start, stop in sorted(s for day in range(first, last) for s in self._of(own, day)):
            if start > reached:
                break
            reached = max(reached, stop)
        return reached >= end

    def _of(self, own: Hours | None, day: int) -> list[hours.Stretch]:
        key = id(own), day
        if key not in self._days:
            self._days[key] = hours.stretches(self.rules, own, day, day + 1)
        return self._days[key]

    def _kind(self, need: Requirement) -> Why:
        pool = [self.rules.resources[each] for each in need.pool if each in self.rules.resources]
        return Why.STAFF if any(each.kind == "staff" for each in pool) else Why.ROOM


def leaves(resources: Mapping[int, Resource], resource_id: int) -> frozenset[int]:
    """Return what is claimed of a resource: itself, or the parts of a whole."""
    parts = resources[resource_id].parts
    found = (leaves(resources, part) for part in parts if part in resources)
    return frozenset().union(*found) if parts else frozenset({resource_id})


def _keepers(rules: ShopRules, resource: Resource) -> Iterator[Resource]:
    yield resource
    for part in resource.parts:
        if part in rules.resources:
            yield from _keepers(rules, rules.resources[part])


def beyond(places: int, taken: Iterable[tuple[int, int]]) -> set[int]:
    """Return whose (id, units) do not fit into so many places when they come in this order."""
    left = places
    found = set()
    for each, units in taken:
        if units <= left:
            left -= units
        else:
            found.add(each)
    return found


def beyond_stock(stock: int, claims: Sequence[tuple[int, Claim]]) -> set[int]:
    """Return whose claims of one resource do not fit into its stock when they come in this order."""
    minutes: dict[int, int] = {}
    found = set()
    for each, claim in claims:
        span = range(claim.start, claim.end)
        if any(minutes.get(minute, 0) + claim.units > stock for minute in span):
            found.add(each)
            continue
        for minute in span:
            minutes[minute] = minutes.get(minute, 0) + claim.units
    return found
