"""Limits: how much of a service, a member of staff or a customer may be booked in a day, a week, a month.

What is used already is a value the caller counts (a move without the booking's own share). Days are business
days: 25:00 on Friday counts for Friday.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from noren.engine import hours, sheet, wall
from noren.engine.model import Limit, LimitOf, Period, Service, ShopRules, Window


@dataclass(frozen=True, slots=True)
class Tally:
    """What is counted: a limit's subject in one period. `period_start` is its first date.

    `subject` is a resource id for limits of staff, else 0 (the caller counts one customer's own).
    `service_id`
    is 0 where a limit of the shop counts all services.
    """

    of: LimitOf
    subject: int
    service_id: int
    period: Period
    period_start: date


@dataclass(frozen=True, slots=True)
class Used:
    count: int = 0
    minutes: int = 0


UsedMap = Mapping[Tally, Used]


def bound(rules: ShopRules, day: int) -> int:
    """Return the instant at which a business day begins: its midnight, or when the evening before has
    ended.
    """
    opens = wall.midnight(rules.zone, day)
    before = hours.stretches(rules, None, day - 1, day)
    return max([opens, *(end for _, end in before)])


def period_start(rules: ShopRules, period: Period, day: int) -> int:
    """Return the first day of the period in which a business day lies."""
    on = wall.as_date(day)
    match period:
        case Period.DAY:
            return day
        case Period.WEEK:
            return day - (on.weekday() - rules.week_start) % 7
        case Period.MONTH:
            return day - on.day + 1


def period_end(period: Period, first: int) -> int:
    """Return the day after a period."""
    match period:
        case Period.DAY:
            return first + 1
        case Period.WEEK:
            return first + 7
        case Period.MONTH:
            following = wall.as_date(first) + timedelta(days=31)
            return wall.number(following.replace(day=1))


def shares(rules: ShopRules, period: Period, start: int, end: int) -> Iterator[tuple[date, Used]]:
    """Split one booking over the periods it lies in: the count goes to the one in which it begins."""
    first = period_start(rules, period, hours.business_day(rules, start))
    count = 1
    while start < end or count:  # what takes no time counts, too
        following = period_end(period, first)
        cut = min(end, max(start, bound(rules, following)))
        yield wall.as_date(first), Used(count, cut - start)
        start, first, count = cut, following, 0


@dataclass(frozen=True, slots=True)
class Concern:
    """A limit that concerns a service or a visit: counted under which service (0: all of the shop), for which
    minutes of it; `service` is the one whose staff it counts.
    """

    limit: Limit
    service_id: int
    service: Service
    offset: int
    minutes: int


def of_service(rules: ShopRules, service: Service) -> Iterator[Concern]:
    """Return the limits that concern a service: its own, of a visit each part's own, and the shop's."""
    for part in service.stretches:
        # What has no needs of its own is served by who serves what it is added to.
        serving = part.service if part.service.requirements else service
        for limit in part.service.limits:
            yield Concern(limit, part.service.id, serving, part.offset, part.service.minutes)
    yield from (Concern(limit, 0, service, 0, service.minutes) for limit in rules.limits)


def closed(rules: ShopRules, service: Service, window: Window, used: UsedMap, *, subject: int = 0) -> int:
    """Return the starts at which a limit is reached: of one resource, or (subject 0) of service and
    customer.
    """
    bits = 0
    for concern in of_service(rules, service):
        if (concern.limit.of is LimitOf.STAFF) == bool(subject):
            bits |= closes(rules, concern, window, used, subject=subject)
    return bits


def closes(rules: ShopRules, concern: Concern, window: Window, used: UsedMap, *, subject: int) -> int:
    """Return the starts at which this one is reached."""
    bits, limit = 0, concern.limit
    for first, following in periods(rules, limit.period, window):
        tally = Tally(limit.of, subject, concern.service_id, limit.period, wall.as_date(first))
        held = used.get(tally, Used())
        bits |= _closed(concern, held, window, bound(rules, first), bound(rules, following))
    return bits


def contradictions(limits: Iterable[Limit]) -> list[tuple[Limit, Limit]]:
    """Return pairs in which a shorter period allows more than a longer one: settings to be refused."""
    order = list(Period)
    kept = list(limits)
    return [
        (short, long)
        for short in kept
        for long in kept
        if short.of is long.of
        and order.index(short.period) < order.index(long.period)
        and (_more(short.most, long.most) or _more(short.minutes, long.minutes))
    ]


def _more(short: int | None, long: int | None) -> bool:
    return short is not None and long is not None and short > long


def periods(rules: ShopRules, period: Period, window: Window) -> Iterator[tuple[int, int]]:
    """Return the periods that starts of a window may lie in: first day and the day after the last."""
    first = period_start(rules, period, wall.local_day(rules.zone, window.begin) - 1)
    last = window.day + window.days + 1
    while first < last:
        following = period_end(period, first)
        yield first, following
        first = following


def _closed(concern: Concern, used: Used, window: Window, begin: int, end: int) -> int:
    limit, minutes = concern.limit, concern.minutes
    begin, end = begin - concern.offset, end - concern.offset
    if limit.most is not None and used.count >= limit.most:
        return sheet.span(window, begin, end)
    if limit.minutes is not None:
        left = max(0, limit.minutes - used.minutes)
        if left < min(minutes, end - begin):
            # A start closes when more than `left` of its minutes would lie in the period.
            return sheet.span(window, begin - minutes + left + 1, end - left)
    return 0
