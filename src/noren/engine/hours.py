"""Opening hours: from weekly hours, holidays, closings and overrides to open stretches of time."""

from datetime import date, timedelta

from noren.engine import wall
from noren.engine.model import Closing, HolidayRule, Hours, Later, Range, ShopRules, Week

REACH = 2
"""How many days after its business day a range may end."""

_ONE_DAY = timedelta(days=1)

Stretch = tuple[int, int]


def merged(ranges: tuple[Range, ...]) -> list[Stretch]:
    """Return the sound ranges in order, those that touch or overlap made one."""
    joined: list[Stretch] = []
    for start, end in sorted((each.start, each.end) for each in ranges if each.is_sound):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def regular(hours: Hours, day: date) -> tuple[Range, ...]:
    """Return the hours of a day as if there were no holidays and no overrides."""
    if any(_closes(closing, day) for closing in hours.closings):
        return ()
    weeks, since = _weeks(hours, day)
    index = 0 if since is None else (_monday(day) - _monday(since)).days // 7 % len(weeks)
    return weeks[index][day.weekday()]


def _weeks(hours: Hours, day: date) -> tuple[tuple[Week, ...], date | None]:
    """Return the weeks that take turns on a day, and since when."""
    later = _later(hours, day)
    if later is not None:
        return (later.weekly, *later.alternate), later.first
    return (hours.weekly, *hours.alternate), hours.since


def _later(hours: Hours, day: date) -> Later | None:
    return next((each for each in reversed(hours.later) if each.first <= day), None)


def within(hours: Hours, day: date) -> bool:
    """Say whether a day lies between the first and the last one."""
    return (hours.first is None or hours.first <= day) and (hours.last is None or day <= hours.last)


def of_shop(rules: ShopRules, day: date) -> tuple[Range, ...]:
    """Return the shop's own hours on a business day. An override wins over the holiday rule."""
    hours = rules.hours
    if day in hours.overrides:
        return hours.overrides[day]
    match rules.holiday_rule:
        case HolidayRule.CLOSED if day in rules.holidays:
            return ()
        case HolidayRule.OWN if day in rules.holidays:
            return _eighth(hours, day)
        case HolidayRule.SHIFT:
            return _shifted(rules, day)
        case _:
            return regular(hours, day)


def of_other(rules: ShopRules, hours: Hours, day: date) -> tuple[Range, ...]:
    """Return the hours of staff, a resource or a service: whether a holiday is kept is the shop's affair."""
    if not within(hours, day):
        return ()
    if day in hours.overrides:
        return hours.overrides[day]
    if follows_shop(hours, day):
        return of_shop(rules, day)
    return _eighth(hours, day) if day in rules.holidays else regular(hours, day)


def follows_shop(hours: Hours, day: date) -> bool:
    """Say whether a day has no hours of its own but the shop's."""
    return not _weeks(hours, day)[0][0]


def there(rules: ShopRules, own: Hours | None, day: date) -> list[Stretch]:
    """Return when staff or a resource is there on a business day: its own hours within the shop's."""
    whole = merged(of_shop(rules, day))
    if own is None:
        return whole
    theirs = merged(of_other(rules, own, day))
    pairs = ((max(a, c), min(b, d)) for a, b in whole for c, d in theirs)
    return [(start, end) for start, end in pairs if start < end]


def stretches(rules: ShopRules, hours: Hours | None, first: int, last: int) -> list[Stretch]:
    """Return when something is open, as instants, for the business days [first, last); None is the shop.

    One stretch for each merged range; stretches of neighbouring days may touch or overlap.
    """
    own = rules.hours if hours is None else hours
    calendar = wall.calendar(own.zone or rules.zone, first - REACH, last + REACH + 1)
    found: list[Stretch] = []
    for day in range(first, last):
        on = wall.as_date(day)
        ranges = of_shop(rules, on) if hours is None else of_other(rules, hours, on)
        for start, end in merged(ranges):
            begin, finish = calendar.instant(day, start), calendar.instant(day, end)
            if begin < finish:
                found.append((begin, finish))
    return found


def business_day(rules: ShopRules, minute: int) -> int:
    """Return the day to which an instant belongs: hours past midnight belong to the day on which they
    began.
    """
    day = wall.local_day(rules.zone, minute)
    for earlier in range(day - REACH, day):
        if any(begin <= minute < end for begin, end in stretches(rules, None, earlier, earlier + 1)):
            return earlier
    return day


def _eighth(hours: Hours, day: date) -> tuple[Range, ...]:
    later = _later(hours, day)
    own = hours.holiday if later is None else later.holiday
    return regular(hours, day) if own is None else own


def _shifted(rules: ShopRules, day: date) -> tuple[Range, ...]:
    hours = rules.hours
    if day in rules.holidays:
        usual = regular(hours, day)
        return _eighth(hours, day) if usual or hours.holiday is not None else _next_open(hours, day)
    before = day - _ONE_DAY
    while before in rules.holidays:
        if not regular(hours, before):
            return ()
        before -= _ONE_DAY
    return regular(hours, day)


def _next_open(hours: Hours, day: date) -> tuple[Range, ...]:
    """Return the hours of the next regular open day: for a holiday that is open and has no hours of its
    own.
    """
    following = (regular(hours, day + n * _ONE_DAY) for n in range(1, 15))
    return next((ranges for ranges in following if ranges), ())


def _monday(day: date) -> date:
    return day - day.weekday() * _ONE_DAY


def _closes(closing: Closing, day: date) -> bool:
    if day.weekday() != closing.weekday:
        return False
    if closing.nth:
        return (day.day - 1) // 7 + 1 in closing.nth
    if closing.every and closing.since is not None:
        return (_monday(day) - _monday(closing.since)).days % (7 * closing.every) == 0
    return False
