"""Who takes another time for a service than the others: the same service in as many variants as there are
lengths, each for those who take it. A list is what any of them offers; a write takes one of them.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import product

from noren.engine.model import Part, Requirement, Segment, Service, ShopRules

Minutes = tuple[tuple[int, int], ...]
_CACHED = 256


def variants(rules: ShopRules, service_id: int, staff: int | None = None) -> tuple[ShopRules, ...]:
    """Return the rules once for each length the service may have, with that variant in its place; with
    `staff` only for the lengths that she takes.

    Where nobody has a pace of her own these are the rules themselves.
    """
    service = rules.services[service_id]
    if not service.paces or service.stay is not None:
        return (rules,)
    kept = _kept(rules, service_id)
    return tuple(each for each in kept if _is_hers(each.services[service_id], staff)) or kept[:1]


def _is_hers(service: Service, staff: int | None) -> bool:
    need = next((need for need in service.requirements if staff in need.pool), None)
    return staff is None or (need is not None and (not need.among or staff in need.among))


@lru_cache(maxsize=_CACHED)
def _kept(rules: ShopRules, service_id: int) -> tuple[ShopRules, ...]:
    """Return them as they were made before: what is compiled from them is then kept, too."""
    service = rules.services[service_id]
    return tuple(_with(rules, each) for each in _variants(service))


def served(rules: ShopRules, service_id: int, resources: Mapping[str, tuple[int, ...]]) -> ShopRules:
    """Return the rules with the variant that those who were chosen serve. `resources` by role."""
    service = rules.services[service_id]
    own = _own(service)
    minutes = tuple(
        each for role, ids in resources.items() for one in ids for each in own.get((role, one), ())
    )
    return _with(rules, _paced(service, service.requirements, minutes)) if service.paces else rules


def _with(rules: ShopRules, service: Service) -> ShopRules:
    return replace(rules, services={**rules.services, service.id: service})


def _own(service: Service) -> dict[tuple[str, int], Minutes]:
    """Return the minutes of everybody who has her own, by role; of a visit those of all its parts."""
    roles = {need.role for need in service.requirements if need.count == 1}
    found: dict[tuple[str, int], Minutes] = {}
    for pace in service.paces:
        if pace.role in roles:
            found[pace.role, pace.staff] = found.get((pace.role, pace.staff), ()) + pace.minutes
    return found


def _variants(service: Service) -> list[Service]:
    own = _own(service)
    each_role = [_by_minutes(need, own) for need in service.requirements]
    return [
        _paced(
            service,
            tuple(need for need, _ in chosen),
            tuple(each for _, minutes in chosen for each in minutes),
        )
        for chosen in product(*each_role)
    ]


def _by_minutes(
    need: Requirement, own: Mapping[tuple[str, int], Minutes]
) -> list[tuple[Requirement, Minutes]]:
    """Return the need once for each length its role may take, narrowed to those who take it."""
    those: dict[Minutes, list[int]] = {}
    for each in need.pool:
        those.setdefault(own.get((need.role, each), ()), []).append(each)
    if len(those) <= 1:
        return [(need, next(iter(those), ()))]
    return [(replace(need, among=tuple(ids)), minutes) for minutes, ids in those.items()]


def _paced(service: Service, needs: tuple[Requirement, ...], minutes: Minutes) -> Service:
    own = dict(minutes)
    segments = tuple(
        replace(each, minutes=own.get(at, each.minutes)) for at, each in enumerate(service.segments)
    )
    parts = _placed(service.parts, segments)
    return replace(service, segments=segments, requirements=needs, parts=parts, paces=())


def _placed(parts: tuple[Part, ...], segments: tuple[Segment, ...]) -> tuple[Part, ...]:
    """Return the parts of a visit where they lie when its segments take so long."""
    found, at, offset = list[Part](), 0, 0
    for part in parts:
        its = segments[at : at + len(part.service.segments)]
        own = tuple(
            replace(each, minutes=timed.minutes)
            for each, timed in zip(part.service.segments, its, strict=True)
        )
        found.append(Part(replace(part.service, segments=own, paces=()), offset))
        at, offset = at + len(own), offset + sum(each.minutes for each in own)
    return tuple(found)
