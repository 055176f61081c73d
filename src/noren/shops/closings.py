"""When the shop is closed beside its week: public holidays, closings that come back, single days.

Each deed is done inside `booking.changes.change`, and says whether anything differs.
"""

from datetime import date

from noren.shops.models import OpeningHours, Override, Shop
from noren.shops.reading import Ranges, Values


def hours_of_shop() -> OpeningHours:
    """Return the row of the shop's hours; one that is always open has none yet."""
    row = OpeningHours.objects.filter(resource_id=None, service_id=None).first()
    return row or OpeningHours.objects.create(weekly=[[[0, 1440]]] * 7, holiday=[[0, 1440]])


def set_holidays(region: str, rule: str, eighth: Ranges | None) -> bool:
    """Say whose public holidays are kept, what the shop does on them, and its hours then (None: as on the
    weekday).
    """
    row = hours_of_shop()
    values = {"holiday_region": region, "holiday_rule": rule}
    changed = Shop.objects.exclude(**values).update(**values) > 0
    if row.holiday != eighth:
        OpeningHours.objects.filter(id=row.id).update(holiday=eighth)
        return True
    return changed


def add_closing(weekday: int, nth: list[int]) -> bool:
    """Close the shop on every nth weekday of the month."""
    row, new = hours_of_shop(), {"weekday": weekday, "nth": sorted(nth)}
    return new not in row.closings and _close(row, [*row.closings, new])


def drop_closing(closing: Values) -> bool:
    """Take one of these closings away; again does nothing."""
    row = hours_of_shop()
    left = [each for each in row.closings if each != closing]
    return left != row.closings and _close(row, left)


def _close(row: OpeningHours, closings: list[Values]) -> bool:
    return OpeningHours.objects.filter(id=row.id).update(closings=closings) > 0


def unset_days(first: date, last: date) -> bool:
    """Give all these days of the shop their usual hours."""
    rows = Override.objects.filter(resource_id=None, service_id=None, date__gte=first, date__lte=last)
    gone, _ = rows.delete()
    return gone > 0
