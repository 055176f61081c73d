"""Which UTC days must be read to answer for which starts."""

from datetime import date

from noren.engine import wall
from noren.engine.hours import REACH
from noren.engine.model import DAY, GridKind, ShopRules, Window


def of_dates(rules: ShopRules, service_id: int, first: date, last: date, nights: int = 0) -> Window:
    """Return the window for the starts of the shop's dates `first` to `last`, both included."""
    begin = wall.midnight(rules.zone, wall.number(first))
    end = wall.midnight(rules.zone, wall.number(last) + 1)
    return of_starts(rules, service_id, begin, end, nights)


def of_start(rules: ShopRules, service_id: int, start: int, nights: int = 0) -> Window:
    """Return the window for one start: its own local day, so that all starts of a day share what is
    compiled.
    """
    day = wall.local_day(rules.zone, start)
    begin, end = wall.midnight(rules.zone, day), wall.midnight(rules.zone, day + 1)
    return of_starts(rules, service_id, begin, end, nights)


def of_starts(rules: ShopRules, service_id: int, begin: int, end: int, nights: int = 0) -> Window:
    """Return the window for starts in [begin, end): wider by the service, its buffers, and a packed grid's
    anchors.

    A packed grid is anchored by what is busy since the opening, which may lie days back.
    """
    service = rules.services[service_id]
    reach = service.before + (REACH * DAY if service.grid.kind is GridKind.PACKED else 0)
    first = (begin - reach) // DAY
    length = service.longest if service.stay is None else (nights + 2) * DAY
    last = -(-(end + length + service.after) // DAY)
    return Window(first, last - first, begin, end)
