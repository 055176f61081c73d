"""A visit: several services one after the other, asked for and booked as one.

It is composed into a service, so that everything that can be asked of a service can be asked of a visit. The
order is the one in which the shop lists its services, additions after what they are added to. The same person
and the same chair serve all of it where they can; who can serve only a part serves that part.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from noren.engine.model import Pace, Part, Requirement, Resource, Segment, Service, ShopRules

MOST = 8
"""So many services make the longest visit."""
_CACHED = 256


def composed(rules: ShopRules, service_id: int, also: tuple[int, ...]) -> ShopRules:
    """Return the rules with the visit in the place of the service; unchanged for a service by itself.

    What may not be booked so is a service that is not bookable. All ids are known ones.
    """
    plain = not also and rules.services[service_id].alone
    return rules if plain else kept(rules, service_id, also)


@lru_cache(maxsize=_CACHED)
def kept(rules: ShopRules, service_id: int, also: tuple[int, ...]) -> ShopRules:
    """Return them as they were made before: what is compiled from them is then kept, too."""
    return _with(rules, service_id, also)


def _with(rules: ShopRules, service_id: int, also: tuple[int, ...]) -> ShopRules:
    first = rules.services[service_id]
    asked = (service_id, *also)
    visit = _composed(rules, service_id, ordered(rules, asked)) if also else first
    visit = replace(visit, bookable=visit.bookable and may(rules, asked))
    return replace(rules, services={**rules.services, service_id: visit})


def may(rules: ShopRules, asked: Sequence[int]) -> bool:
    """Say whether these may be booked in one visit."""
    services = [rules.services[each] for each in asked]
    if len(set(asked)) < len(asked) or len(asked) > MOST:
        return False
    if len(asked) > 1 and any(each.capacity is not None or each.stay is not None for each in services):
        return False
    mains = _mains(rules, asked)
    return all(each.alone for each in mains) and (len(mains) < 2 or all(each.together for each in mains))


def candidates(rules: ShopRules, asked: Sequence[int]) -> list[tuple[int, bool]]:
    """Return what may be added to a service or a visit: additions first, each with whether it is one."""
    others = [each.id for each in rules.services.values() if each.bookable and each.id not in asked]
    can = [each for each in others if may(rules, (*asked, each))]
    listed = {each for service_id in asked for each in rules.services[service_id].additions}
    return sorted(((each, each in listed) for each in can), key=lambda found: not found[1])


def ordered(rules: ShopRules, asked: Iterable[int]) -> list[int]:
    """Return the services of a visit in their order."""
    wanted, placed = set(asked), list[int]()
    listed = [each for each in rules.services if each in wanted]

    def place(service_id: int) -> None:
        if service_id not in placed:
            placed.append(service_id)
            for each in listed:
                if each in rules.services[service_id].additions:
                    place(each)

    for each in (*(main.id for main in _mains(rules, listed)), *listed):
        place(each)
    return placed


def _mains(rules: ShopRules, asked: Iterable[int]) -> list[Service]:
    """Return those that are no additions to another of them."""
    services = [rules.services[each] for each in asked]
    return [
        each
        for each in services
        if not any(each.id in other.additions and each.id != other.id for other in services)
    ]


def _composed(rules: ShopRules, service_id: int, order: Sequence[int]) -> Service:
    services = [rules.services[each] for each in order]
    needs, segments, parts = list[tuple[str, Requirement]](), list[Segment](), list[Part]()
    paces = list[Pace]()
    for number, service in enumerate(services, start=1):
        parts.append(Part(service, sum(each.minutes for each in segments)))
        roles = {need.role: _joined(rules, needs, need, number) for need in service.requirements}
        paces += _paces(service, roles, len(segments))
        segments += _segments(service, roles, segments)
    # What has no needs of its own leaves the buffer to what it prolongs.
    first, last = services[0], next((each for each in reversed(services) if each.requirements), services[-1])
    return Service(
        id=service_id,
        segments=tuple(segments),
        requirements=tuple(need for _, need in needs),
        before=first.before,
        after=last.after,
        grid=first.grid,
        party_min=max(each.party_min for each in services),
        party_max=min(each.party_max for each in services),
        bookable=all(each.bookable for each in services),
        parts=tuple(parts),
        paces=tuple(paces),
    )


def _paces(service: Service, roles: Mapping[str, str], before: int) -> Iterator[Pace]:
    """Give who takes another time for a part, after so many segments of the visit."""
    for pace in service.paces:
        if pace.role in roles:
            own = tuple((before + at, minutes) for at, minutes in pace.minutes)
            yield Pace(roles[pace.role], pace.staff, own)


def _segments(service: Service, roles: dict[str, str], before: Sequence[Segment]) -> Iterator[Segment]:
    """Give the stretches of a part; without needs of its own it keeps whom the one before occupies."""
    before_it = before[-1].roles if before and not service.requirements else ()
    for segment in service.segments:
        yield Segment(
            segment.minutes, before_it or tuple(roles[role] for role in segment.roles if role in roles)
        )


def _joined(rules: ShopRules, needs: list[tuple[str, Requirement]], need: Requirement, number: int) -> str:
    """Put a need among those of the visit, each beside its role in its own service; return its role there."""
    for at, (role, there) in enumerate(needs):
        both = _both(rules, there, need) if role == need.role else None
        if both is not None:
            needs[at] = role, both
            return both.role
    taken = any(role == need.role for role, _ in needs)
    needs.append((need.role, replace(need, role=f"{need.role} {number}") if taken else need))
    return needs[-1][1].role


def _both(rules: ShopRules, there: Requirement, need: Requirement) -> Requirement | None:
    """Return one need for both parts, where one choice can serve them; None: each has its own."""
    alike = (there.count, there.units, there.per_guest) == (need.count, need.units, need.per_guest)
    if not alike:
        return None
    pool = tuple(each for each in there.pool if each in need.pool and _serves(rules.resources.get(each)))
    return replace(there, pool=pool) if len(pool) >= need.count else None


def _serves(resource: Resource | None) -> bool:
    return resource is not None and resource.bookable
