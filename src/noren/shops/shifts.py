"""When each of them is there: the weeks of a pattern, and single days beside it.

Each deed is done inside `booking.changes.change`, and says whether anything differs.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from noren.engine import hours
from noren.engine.model import Hours, Range, ShopRules
from noren.shops import edits, rules
from noren.shops.models import OpeningHours
from noren.shops.reading import Ranges, Values
from noren.shops.serving import hours_of

Weeks = Sequence[Sequence[Ranges]]
_ONE_DAY = timedelta(days=1)


def set_pattern(resource_id: int, first: date, weeks: Weeks, holiday: Ranges | None = None) -> bool:
    """Give a resource these weeks in turn from a day on, the first of them in that day's week. No week: it
    is there when the shop is open. `holiday` are its hours on public holidays; None: as on the weekday.
    """
    row = hours_of(resource_id) or OpeningHours.objects.create(resource_id=resource_id, weekly=[])
    weekly, *alternate = weeks or [[]]
    new: Values = {"first": first.isoformat(), "weekly": list(weekly), "alternate": list(alternate)}
    new["holiday"] = holiday
    later = sorted([*(each for each in row.later if each["first"] != new["first"]), new], key=_first)
    if later == row.later:
        return False
    return OpeningHours.objects.filter(id=row.id).update(later=later) > 0


def drop_pattern(resource_id: int, first: date) -> bool:
    """Take the weeks away that were to begin on a day: those before them go on."""
    row = hours_of(resource_id)
    left = [] if row is None else [each for each in row.later if each["first"] != first.isoformat()]
    if row is None or left == row.later:
        return False
    return OpeningHours.objects.filter(id=row.id).update(later=left) > 0


def _first(plain: Values) -> str:
    return str(plain["first"])


def usual(own: Hours | None, on: date) -> tuple[Range, ...] | None:
    """Return the hours of a day without its exception; None: the shop's."""
    if own is None or hours.follows_shop(own, on):
        return None
    return hours.regular(own, on)


def given(own: Hours | None, on: date) -> tuple[Range, ...] | None:
    """Return the hours of a day as they are; None: the shop's."""
    if own is not None and on in own.overrides:
        return own.overrides[on]
    return usual(own, on)


def copy(resource_ids: Iterable[int], pairs: Sequence[tuple[date, date]]) -> bool:
    """Let each day be as another one was: (from, to). A day that has an exception already keeps it, and
    public holidays, and days on which somebody is not there yet or any more, are left out.
    """
    known = rules.read().rules
    changed = False
    for each in resource_ids:
        own = known.resources[each].hours
        for source, target in pairs:
            if not _both_there(known, own, source, target):
                continue
            wanted = given(own, source)
            if wanted is not None and _merged(wanted) != _merged(usual(own, target)):
                changed |= edits.set_day(
                    target, [list(one) for one in hours.merged(wanted)], resource_id=each
                )
    return changed


def _both_there(known: ShopRules, own: Hours | None, source: date, target: date) -> bool:
    if source in known.holidays or target in known.holidays:
        return False
    if own is None:
        return True
    there = hours.within(own, source) and hours.within(own, target)
    return there and target not in own.overrides


def _merged(ranges: tuple[Range, ...] | None) -> list[tuple[int, int]] | None:
    return None if ranges is None else hours.merged(ranges)


def week_before(monday: date, since: date) -> list[tuple[date, date]]:
    """Pair each day of a week, from `since` on, with the one a week before."""
    days = (monday + number * _ONE_DAY for number in range(7))
    return [(day - 7 * _ONE_DAY, day) for day in days if day >= since]


def month_before(first: date, since: date) -> list[tuple[date, date]]:
    """Pair each day of a month, from `since` on, with that of the month before: the second Tuesday with its
    second Tuesday. A fifth one that it did not have is left out.
    """
    before = {_place(day): day for day in month(first - _ONE_DAY)}
    return [(before[_place(day)], day) for day in month(first) if day >= since and _place(day) in before]


def month(on: date) -> Iterator[date]:
    """Return the days of a date's month."""
    day = on.replace(day=1)
    while day.month == on.month:
        yield day
        day += _ONE_DAY


def _place(day: date) -> tuple[int, int]:
    return day.weekday(), (day.day - 1) // 7
