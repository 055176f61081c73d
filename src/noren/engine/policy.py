"""Deadlines and horizons: between which instants a start may be booked now."""

from noren.engine import hours, wall
from noren.engine.model import (
    DAY,
    Deadline,
    FeePolicy,
    Horizon,
    HorizonKind,
    Reason,
    Service,
    ShopRules,
    Why,
)

FOREVER = 1 << 40
"""A minute after every other."""
_LOOK_AHEAD = 3 * 366
"""For how many days open days are counted: a shop that never opens must not hang a page."""


def bookable(rules: ShopRules, service: Service, now: int) -> tuple[int, int]:
    """Return [earliest, latest): the starts which notice and horizon allow, those of each part of a visit.
    `now` in POSIX seconds.
    """
    parts = [part.service for part in service.stretches]
    horizons = [horizon(rules, each.horizon, now) for each in parts]
    leads = [earliest(rules, each.lead, now) for each in parts]
    return max(rules.stopped_until, *leads, *(opens for opens, _ in horizons)), min(
        closes for _, closes in horizons
    )


def earliest(rules: ShopRules, deadline: Deadline, now: int) -> int:
    """Return the first start that is neither past nor beyond the deadline. Equality is allowed."""
    soonest = _minute_up(now)
    if deadline.at is None:
        return max(soonest, _minute_up(now + deadline.minutes * 60))
    day = wall.local_day(rules.zone, soonest) + deadline.days - 1
    while _instant(rules, day - deadline.days, deadline.at) * 60 < now:
        day += 1
    return max(soonest, wall.midnight(rules.zone, day))


def last_moment(rules: ShopRules, deadline: Deadline, start: int) -> int:
    """Return the POSIX second until which (included) the deed is allowed for this start."""
    if deadline.at is None:
        return (start - deadline.minutes) * 60
    day = wall.local_day(rules.zone, start)
    return min(start, _instant(rules, day - deadline.days, deadline.at)) * 60


def fee_percent(rules: ShopRules, fees: FeePolicy, start: int, *, booked: int, now: int) -> int:
    """Return what percentage of the price cancelling costs now. `booked` and `now` in POSIX seconds.

    A tier holds from the second after its deadline; of several the latest that has begun is the one, and of
    all rules the cheapest: within the free minutes after booking nothing is due.
    """
    if now <= booked + fees.free_minutes * 60 and fees.free_minutes:
        return 0
    begun = (
        (-moment, tier.percent)
        for tier in fees.tiers
        if (moment := last_moment(rules, tier.since, start)) < now
    )
    return min(begun, default=(0, 0))[1]


def horizon(rules: ShopRules, rule: Horizon, now: int) -> tuple[int, int]:
    """Return [opens, closes) in minutes."""
    today = wall.local_day(rules.zone, now // 60)
    match rule.kind:
        case HorizonKind.DAYS:
            return 0, wall.midnight(rules.zone, today + rule.days)
        case HorizonKind.OPEN_DAYS:
            return 0, wall.midnight(rules.zone, _after_open_days(rules, today, rule.days))
        case HorizonKind.RANGE:
            opens = 0 if rule.first is None else wall.midnight(rules.zone, wall.number(rule.first))
            closes = FOREVER if rule.last is None else wall.midnight(rules.zone, wall.number(rule.last) + 1)
            return opens, closes
        case HorizonKind.RELEASE:
            released = _instant(rules, today, rule.at) * 60 <= now
            return 0, wall.midnight(rules.zone, today + rule.days + released)


def _after_open_days(rules: ShopRules, today: int, wanted: int) -> int:
    """Return the day after the `wanted`th open day from today."""
    seen = 0
    for day in range(today, today + _LOOK_AHEAD):
        if seen >= wanted:
            return day
        seen += bool(hours.merged(hours.of_shop(rules, wall.as_date(day))))
    return today + _LOOK_AHEAD


def _instant(rules: ShopRules, day: int, minute: int) -> int:
    return wall.around(rules.zone, day * DAY).instant(day, minute)


def _minute_up(seconds: int) -> int:
    return -(-seconds // 60)


def why_not(rules: ShopRules, service: Service, start: int, now: int) -> Reason | None:
    """Return why a start is too early or too late to be booked now."""
    if start < _minute_up(now):
        return Reason(Why.PAST)
    if start < rules.stopped_until:
        return Reason(Why.STOPPED)
    parts = [part.service for part in service.stretches]
    if any(start < earliest(rules, each.lead, now) for each in parts):
        return Reason(Why.NOTICE)
    horizons = [horizon(rules, each.horizon, now) for each in parts]
    return None if all(opens <= start < closes for opens, closes in horizons) else Reason(Why.HORIZON)
