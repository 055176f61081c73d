"""Running late: by how many minutes a booking may begin later, and still have its whole time."""

from dataclasses import replace

from noren.engine import availability, windows
from noren.engine.model import Grid, GridKind, Horizon, HorizonKind, ShopRules, TakenMap, Window


def window(rules: ShopRules, service_id: int, start: int, most: int) -> Window:
    """Return the window for the starts that are `most` minutes later at most."""
    return windows.of_starts(rules, service_id, start, start + most + 1)


def slack(
    rules: ShopRules,
    service_id: int,
    window: Window,
    taken: TakenMap,
    start: int,
    *,
    most: int,
    staff: int | None,
    party: int,
) -> int:
    """Return how many minutes later it may begin, `most` at most: until the next who needs what it takes, a
    block, or the end of the hours. `taken` is without its own claims.

    Asked as of 1970, no notice bars it, and nobody counts what is limited: she has booked already.
    """
    free = _at_any_minute(rules, service_id)
    offered = availability.starts(free, service_id, window, taken, now=0, staff=staff, party=party)
    return next((late for late in range(most) if start + late + 1 not in offered), most)


def _at_any_minute(rules: ShopRules, service_id: int) -> ShopRules:
    """Return the rules without grid and horizon: hours and buffers stay."""
    service, ever = rules.services[service_id], Horizon(HorizonKind.RANGE)
    service = replace(
        service,
        grid=Grid(GridKind.CLOCK, 1),
        horizon=ever,
        parts=tuple(replace(part, service=replace(part.service, horizon=ever)) for part in service.parts),
        bookable=True,
        party_min=1,
        party_max=1 << 15,
    )
    return replace(rules, services={**rules.services, service_id: service})
