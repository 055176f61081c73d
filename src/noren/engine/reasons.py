"""Why a time is not offered: the deciding function itself is asked again with one rule lifted at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from noren.engine import hours, limits, paces, policy, sheet, stays, wall
from noren.engine.availability import Request, asked_need, options, serves, within
from noren.engine.model import (
    Claim,
    Grid,
    GridKind,
    Reason,
    Resource,
    ShopRules,
    Taken,
    TakenMap,
    Why,
    Window,
)
from noren.engine.plan import Need, plan


class BlockKind(StrEnum):
    BOOKING = "booking"
    HOLD = "hold"
    BLOCK = "block"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Block:
    """A claim that stands in the way, and whose it is: for a closer answer than the bits can give."""

    kind: BlockKind
    claim: Claim


def why_not(
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
    blocks: Iterable[Block] = (),
) -> Reason | None:
    """Return why a start is not offered, None when it is. The window must hold the start
    (`windows.of_start`).
    """
    found = [
        _why_not(request, start, nights, now, blocks)
        for each in paces.variants(rules, service_id, staff)
        for compiled in [plan(each, service_id, window, nights)]
        for request in [Request(each, compiled, taken, staff, party, used or {})]
    ]
    # Of several lengths any will do; of their reasons the one that is asked last is the closest.
    reasons = [each for each in found if each is not None]
    return None if len(reasons) < len(found) else max(reasons, key=lambda each: _ORDER[each.why])


_ORDER = {why: number for number, why in enumerate(Why)}


def _why_not(request: Request, start: int, nights: int, now: int, blocks: Iterable[Block]) -> Reason | None:
    refused = _wrong_length(request, start, nights) or _refused(request, start, now)
    if refused is not None or _offers(request, start):
        return refused
    empty = _lifted(request, taken={}, used={})
    if not _offers(empty, start):
        return _closed(empty, start)
    if not _offers(_lifted(request, taken={}), start):
        return Reason(Why.LIMIT)
    if _offers(_lifted(request), start):
        return Reason(Why.GRID)
    if _offers(_unbuffered(request), start):
        return Reason(Why.BUFFER)
    return _lacking(_lifted(request), start, blocks)


def _wrong_length(request: Request, start: int, nights: int) -> Reason | None:
    """Refuse a stay of too few or too many nights, and nights of what is no stay."""
    stay = request.plan.service.stay
    if stay is None:
        return Reason(Why.NIGHTS) if nights else None
    day = request.plan.calendar.day(start)
    return None if stays.may(stay, day, nights) else Reason(Why.NIGHTS)


def _refused(request: Request, start: int, now: int) -> Reason | None:
    """Return what refuses a start whatever is taken."""
    service = request.plan.service
    asked = request.staff is None or asked_need(request.plan, request.staff) is not None
    if not (service.bookable and asked and request.plan.needs):
        return Reason(Why.NOT_OFFERED)
    if not service.party_min <= request.party <= service.party_max:
        return Reason(Why.PARTY)
    return policy.why_not(request.rules, service, start, now)


def _offers(request: Request, start: int) -> bool:
    return start in within(request, sheet.span(request.plan.window, start, start + 1))


def _lifted(
    request: Request,
    *,
    taken: TakenMap | None = None,
    used: limits.UsedMap | None = None,
    own_hours: bool = False,
    buffers: bool = False,
) -> Request:
    """Return the request with rules lifted: any minute a start, nothing taken, resources always there."""
    rules = request.rules
    service = replace(request.plan.service, grid=Grid(GridKind.CLOCK, 1))
    if buffers:
        service = replace(service, before=0, after=0)
    resources: Mapping[int, Resource] = rules.resources
    if own_hours:
        resources = {each: replace(resource, hours=None) for each, resource in rules.resources.items()}
    changed = replace(rules, services={**rules.services, service.id: service}, resources=resources)
    return replace(
        request,
        plan=plan(changed, service.id, request.plan.window, request.plan.nights),
        taken=request.taken if taken is None else taken,
        used=request.used if used is None else used,
    )


def _unbuffered(request: Request) -> Request:
    bare = {
        each: tuple(Taken(plane.core, plane.core) for plane in planes)
        for each, planes in request.taken.items()
    }
    return _lifted(request, taken=bare, buffers=True)


def _closed(empty: Request, start: int) -> Reason:
    """Return which hours it is: the shop's, the holiday's, or those of staff and rooms."""
    if _offers(_lifted(empty, own_hours=True), start):
        return _lacking(empty, start, ())
    rules = empty.rules
    day = wall.as_date(wall.local_day(rules.zone, start))
    if day in rules.holidays and not hours.merged(hours.of_shop(rules, day)):
        return Reason(Why.HOLIDAY)
    return Reason(Why.HOURS)


def _lacking(request: Request, start: int, blocks: Iterable[Block]) -> Reason:
    """Return the first need that cannot be met at a start."""
    window, asked = request.plan.window, asked_need(request.plan, request.staff)
    for need in request.plan.needs:
        pool = options(need, request.staff if need is asked else None, request.party)
        able = [each for each in pool if sheet.has(serves(request, need, each), window, start)]
        missed = need is asked and request.staff not in [each.resource.id for each in able]
        if missed or len(able) < need.requirement.count:
            busy = tuple(each.resource.id for each in pool if each not in able)
            return Reason(_kind(request, need, start, blocks), need.requirement.role, busy)
    return Reason(Why.STAFF)


def _kind(request: Request, need: Need, start: int, blocks: Iterable[Block]) -> Why:
    leaves = {leaf.id for option in need.options for leaf in option.leaves}
    end = request.plan.end(start)
    kinds = {
        block.kind
        for block in blocks
        if block.claim.resource_id in leaves
        and block.claim.padded_start < end
        and start < block.claim.padded_end
    }
    if kinds == {BlockKind.HOLD}:
        return Why.HOLD
    if kinds == {BlockKind.EXTERNAL}:
        return Why.EXTERNAL
    resources = [option.resource for option in need.options]
    if any(each.kind == "staff" for each in resources):
        return Why.STAFF
    return Why.STOCK if any(each.stock > 1 for each in resources) else Why.ROOM
