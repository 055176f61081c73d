"""What staff may insist on: any time, over whatever is there; said with a reason, and recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from noren.engine import availability, paces, sheet
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
    requests = [
        Request(each, plan(each, service_id, window, nights), taken, staff, party)
        for each in paces.variants(free, service_id, staff)
    ]
    needs = tuple(
        _narrowed(requests, number, need, start)
        for number, need in enumerate(free.services[service_id].requirements)
    )
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


def _narrowed(requests: Sequence[Request], number: int, need: Requirement, start: int) -> Requirement:
    """Keep those of a pool who are free for as long as each takes, where there are enough of them."""
    able = dict.fromkeys(
        each for request in requests for each in _able(request, request.plan.needs[number], start)
    )
    staff = requests[0].staff
    asked = requests[0].plan.needs[number] is availability.asked_need(requests[0].plan, staff)
    if len(able) < need.count or (asked and staff not in able):
        return need
    return replace(need, pool=tuple(able))


def _able(request: Request, need: Need, start: int) -> list[int]:
    asked = need is availability.asked_need(request.plan, request.staff)
    pool = availability.options(need, request.staff if asked else None, request.party)
    return [
        option.resource.id
        for option in pool
        if sheet.has(availability.serves(request, need, option), request.plan.window, start)
    ]
