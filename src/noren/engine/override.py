"""What staff may insist on: any time, over whatever is there; said with a reason, and recorded."""

from collections.abc import Mapping
from dataclasses import replace

from noren.engine import availability, sheet
from noren.engine.availability import Request
from noren.engine.model import (
    Assignment,
    Deadline,
    Grid,
    GridKind,
    Horizon,
    HorizonKind,
    Hours,
    Load,
    Range,
    Requirement,
    ShopRules,
    TakenMap,
    Window,
)
from noren.engine.plan import Need, plan

_ALWAYS = Hours(((Range(0, 1440),),) * 7)


def lifted(rules: ShopRules, service_id: int) -> ShopRules:
    """Return rules that offer a service at any minute: no hours, notice, horizon, limit or grid."""
    service = replace(
        rules.services[service_id],
        grid=Grid(GridKind.CLOCK, 1),
        hours=None,
        lead=Deadline(),
        horizon=Horizon(HorizonKind.RANGE),
        limits=(),
        parts=(),
        bookable=True,
        capacity=None,
        party_min=1,
        party_max=1 << 15,
    )
    resources = {each: replace(known, hours=None, seats=None) for each, known in rules.resources.items()}
    services = {**rules.services, service_id: service}
    return replace(
        rules, hours=_ALWAYS, services=services, resources=resources, limits=(), buffers_outside=True
    )


def choose(
    rules: ShopRules,
    service_id: int,
    window: Window,
    taken: TakenMap,
    start: int,
    *,
    staff: int | None = None,
    party: int = 1,
    nights: int = 0,
    loads: Mapping[int, Load] | None = None,
) -> Assignment | None:
    """Return who and what serves a start, whatever is taken: those who are free first. None: nobody could."""
    free = lifted(rules, service_id)
    request = Request(free, plan(free, service_id, window, nights), taken, staff, party)
    needs = tuple(_narrowed(request, need, start) for need in request.plan.needs)
    service = replace(free.services[service_id], requirements=needs)
    free = replace(free, services={**free.services, service_id: service})
    return availability.choose(
        free, service_id, window, {}, start, now=0, staff=staff, party=party, nights=nights, loads=loads
    )


def now_free(
    rules: ShopRules,
    service_id: int,
    window: Window,
    taken: TakenMap,
    start: int,
    *,
    staff: int | None = None,
    party: int = 1,
    loads: Mapping[int, Load] | None = None,
) -> Assignment | None:
    """Return who and what serves who stands at the desk: at any minute, if free. None: nobody is."""
    free = lifted(rules, service_id)
    return availability.choose(
        free, service_id, window, taken, start, now=0, staff=staff, party=party, loads=loads
    )


def _narrowed(request: Request, need: Need, start: int) -> Requirement:
    """Keep those of a pool who are free, where there are enough of them."""
    asked = need is availability.asked_need(request.plan, request.staff)
    pool = availability.options(need, request.staff if asked else None, request.party)
    able = [
        option.resource.id
        for option in pool
        if sheet.has(availability.serves(request, need, option), request.plan.window, start)
    ]
    if len(able) < need.requirement.count or (asked and request.staff not in able):
        return need.requirement
    return replace(need.requirement, pool=tuple(able))
