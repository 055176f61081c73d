"""`noren doctor --repair`: the index is made anew from the truth: sheets from claims, seats from bookings.

What differs is looked at once more under the locks of the rows, so that bookings may go on meanwhile. What is
no index is left as it is: nobody can know which of a booking and its claims is right.
"""

from collections.abc import Iterator

from noren.booking import planes, referee
from noren.booking.models import ClassSession
from noren.booking.planes import Planes
from noren.engine import wall
from noren.shops.models import Resource
from noren.shops.tenancy import shop


def of_shop(shop_id: int) -> Iterator[str]:
    """Repair a shop and say for each sheet and each date of a class what has changed."""
    with shop(shop_id):
        resources = list(Resource.objects.order_by("id"))
        sessions = list(ClassSession.objects.order_by("id").values_list("id", flat=True))
    for resource in resources:
        yield from _sheets(resource)
    for session_id in sessions:
        yield from _seats(shop_id, session_id)


def _sheets(resource: Resource) -> Iterator[str]:
    with shop(resource.shop_id):
        days = _days(planes.differing(planes.of_claims(resource), planes.stored(resource)))
        if not days:
            return
        referee.lock_days(resource.id, days)
        before = planes.stored(resource)
        where = planes.differing(planes.of_claims(resource), before)
        referee.recompute(resource.id, days)
        after = planes.stored(resource)
    for day, plane in where:
        yield (
            f"shop {resource.shop_id} resource {resource.id} day {wall.as_date(day)} plane {plane}: "
            f"{_change(before, after, (day, plane))}"
        )


def _days(where: list[planes.Plane]) -> list[int]:
    return sorted({day for day, _ in where})


def _change(before: Planes, after: Planes, where: planes.Plane) -> str:
    """Count the minutes that are taken now and were not, and the other way round; with buffers."""
    nothing = (0, 0)
    (old_core, old), (new_core, new) = before.get(where, nothing), after.get(where, nothing)
    taken, freed = (new & ~old).bit_count(), (old & ~new).bit_count()
    core = f", {(old_core ^ new_core).bit_count()} in the core" if old_core != new_core else ""
    return f"{taken} minutes taken, {freed} freed{core}"


def _seats(shop_id: int, session_id: int) -> Iterator[str]:
    with shop(shop_id):
        before, after = referee.recount(session_id)
    if before != after:
        yield f"shop {shop_id} session {session_id}: {before} seats counted, now {after}"
