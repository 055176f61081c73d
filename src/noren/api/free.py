"""The free starts of some weeks as the API tells them: the one answer that is asked for again and again.

The JSON is written here and not by way of objects: a month of ten staff is some hundred starts, and making a
value of each would cost more than finding them.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from noren.booking import availability, sheets
from noren.engine import windows
from noren.engine.availability import Starts
from noren.engine.model import DAY
from noren.errors import ServiceUnknown
from noren.shops.rules import known
from noren.shops.tenancy import shop

# Nothing is offered so far ahead or in the past: such days are answered without being looked at.
AHEAD = timedelta(days=732)
BEHIND = timedelta(days=2)

_CLOCK = tuple(f"T{minute // 60:02}:{minute % 60:02}:00" for minute in range(DAY))
Days = Mapping[date, str]


def answer(
    slug: str, shop_id: int, service_id: int, first: date, last: date, *, now: datetime, staff: int | None
) -> bytes:
    """Return the body of the answer (schemas.Availability). ShopUnknown, ServiceUnknown."""
    from_, to = max(first, (now - BEHIND).date()), min(last, (now + AHEAD).date())
    with shop(shop_id):
        state = sheets.state(now)
        rules = known(state.revision).rules
        service = rules.services.get(service_id)
        if service is None:
            raise ServiceUnknown
        days: Days = {}
        if from_ > to:
            pass
        elif service.capacity is not None:
            days = _classes(availability.month(shop_id, service_id, from_, to, now=now, staff=staff))
        else:
            window = windows.of_dates(rules, service_id, from_, to)
            days = _slots(availability.starts(rules, service_id, window, state, now=now, staff=staff))
    listed = ",".join(_day(day, days.get(day, "")) for day in _dates(first, last))
    head = f'{{"shop":"{slug}","service":{service_id},"zone":"{rules.zone}","days":['
    return f"{head}{listed}]}}".encode()


def _dates(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _day(day: date, starts: str) -> str:
    return f'{{"date":"{day.isoformat()}","starts":[{starts}]}}'


def _slots(found: Starts) -> Days:
    return {day: _starts(found, day, minutes) for day, minutes in found.by_date().items()}


def _starts(found: Starts, day: date, minutes: tuple[int, ...]) -> str:
    """Write a day's starts as the shop's wall shows them; on almost every day under one offset."""
    calendar, written = found.calendar, day.isoformat()
    offset = calendar.offset(minutes[0])
    if offset == calendar.offset(minutes[-1]):
        head, tail = f'{{"at":"{written}', f'{_offset(offset)}"}}'
        return ",".join([f"{head}{_CLOCK[(minute + offset) % DAY]}{tail}" for minute in minutes])
    told = []
    for minute in minutes:
        offset = calendar.offset(minute)
        told.append(f'{{"at":"{written}{_CLOCK[(minute + offset) % DAY]}{_offset(offset)}"}}')
    return ",".join(told)


def _classes(found: availability.Availability) -> Days:
    return {
        day: ",".join(f'{{"at":"{start.at.isoformat()}","left":{start.left}}}' for start in starts)
        for day, starts in found.days.items()
    }


def _offset(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
