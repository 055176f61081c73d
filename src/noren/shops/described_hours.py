"""Opening hours as a file describes them: days of a week, the eighth day, closings, single dates."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from noren.shops.reading import WEEKDAYS, Ranges, Reader, Values


@dataclass(frozen=True, slots=True)
class HoursGiven:
    """Columns of `OpeningHours`, and the hours of single dates."""

    columns: Values
    dates: dict[date, Ranges]


def hours(parent: Reader, *, needed: bool = False) -> HoursGiven | None:
    """Read `hours`: `hours = "10:00-19:00"` is each day; a table names the days.

    `[[hours.alternate]]` are the further weeks of a rotation that begins in the week of `since`. `zone` is
    for hours that are written in another zone than the shop's. Of staff, resources and services `first` and
    `last` are the days between which there is anything, and `[[hours.later]]` other weeks from `first` on.
    """
    if not parent.has("hours"):
        if needed:
            parent.wrong("hours", "is missing; write [hours] with mon to sun")
        return None
    if isinstance(parent.values["hours"], str):
        return HoursGiven(_columns([parent.ranges("hours")] * 7), {})
    table = parent.table("hours")
    weekly = _week(table)
    holiday = table.ranges("holiday") if table.has("holiday") else None
    closings = [_closing(each) for each in table.tables("closings")]
    dates = table.table("dates")
    columns = _columns(weekly, holiday, closings) | _rotation(table) | _zone(table)
    if not needed:
        columns |= _dated(table)
    table.done()
    return HoursGiven(columns, _dates(dates))


def _week(table: Reader) -> list[Ranges]:
    return [table.ranges(day) if table.has(day) else [] for day in WEEKDAYS]


def _rotation(table: Reader) -> Values:
    weeks = []
    for each in table.tables("alternate"):
        weeks.append(_week(each))
        each.done()
    since = table.day("since")
    if weeks and since is None:
        table.wrong("since", "is missing; write a date in the week with which the rotation begins")
    if since is not None and not weeks:
        table.wrong("alternate", "is missing beside since; write the other weeks as [[hours.alternate]]")
    return {"alternate": weeks, "since": since}


def _dated(table: Reader) -> Values:
    first, last = table.day("first"), table.day("last")
    if first is not None and last is not None and last < first:
        table.wrong("last", f"{last} is before first, {first}")
    later = []
    for each in table.tables("later"):
        begins = each.day("first")
        if begins is None:
            each.wrong("first", "is missing; write the date from which these weeks hold")
        weeks = [_week(week) for week in each.tables("alternate")]
        entry: Values = {"first": begins and begins.isoformat(), "weekly": _week(each), "alternate": weeks}
        later.append(entry | {"holiday": each.ranges("holiday") if each.has("holiday") else None})
        each.done()
    return {"first": first, "last": last, "later": later}


def _zone(table: Reader) -> Values:
    zone = table.text("zone", "")
    try:
        return {"zone": ZoneInfo(zone).key if zone else None}
    except (ZoneInfoNotFoundError, ValueError, OSError):
        table.wrong("zone", f'{zone!r} is no time zone; write one like "Asia/Tokyo"')
        return {"zone": None}


def _columns(weekly: list[Ranges], holiday: Ranges | None = None, closings: Iterable[Values] = ()) -> Values:
    plain: Values = {"weekly": weekly, "holiday": holiday, "closings": list(closings)}
    plain |= {"alternate": [], "since": None, "zone": None}
    return plain | {"later": [], "first": None, "last": None}


def _closing(table: Reader) -> Values:
    weekday = WEEKDAYS.index(table.choice("weekday", WEEKDAYS))
    nth = table.values.get("nth", []) if table.has("nth") else []
    if not isinstance(nth, list) or not all(each in (1, 2, 3, 4, 5) for each in nth):
        table.wrong("nth", "is not a list of 1 to 5; the second and fourth are nth = [2, 4]")
        nth = []
    closing: Values = {"weekday": weekday, "nth": nth}
    if table.has("every"):
        since = table.day("since")
        closing |= {"every": table.number("every", least=2, most=8), "since": since and since.isoformat()}
        if since is None:
            table.wrong("since", "is missing; write a date in one of the weeks that are closed")
    elif not nth:
        table.wrong("nth", "is missing; write nth = [3] for the third, or every = 2 with since")
    table.done()
    return closing


def _dates(table: Reader) -> dict[date, Ranges]:
    found: dict[date, Ranges] = {}
    for key in table.values:
        try:
            day = date.fromisoformat(key)
        except ValueError:
            table.wrong(key, "is not a date; write 2026-12-31")
            table.has(key)
        else:
            found[day] = table.ranges(key)
    return found


ALWAYS = HoursGiven(_columns([[[0, 1440]]] * 7), {})
