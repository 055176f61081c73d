"""A change of the rules over a thousand bookings: how long the shop's page waits for it, and what follows.

`change_list` is what the page lists before anything is saved, `change_keep`, `change_move` and
`change_cancel` what it takes to save it with one answer for all of them: rules, answers and histories.
`follow_move` and `follow_cancel` are what one booking takes that follows by steps, jobs and all. Each figure
is said as soon as it is known. The bookings are written as rows, past the engine.
"""

# First, since it sets Django up.
from tests.environment import GIVEN, PATHS  # isort: split

import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bench import measure
from bench.salon import Salon, salon
from noren.booking import actions, changes, work
from noren.booking.changes import Choice, Choices, Done
from noren.booking.models import Booking, Claim, Status, WorkState
from noren.errors import ChangeTouchesBookings
from noren.shops import edits
from noren.shops.models import Staff
from noren.shops.reading import Ranges
from noren.shops.tenancy import shop
from tests.servers import app_database, embedded, serve_app

BOOKINGS = 1_000
DAYS = 60
LATE: Ranges = [[840, 1200]]
"""14:00-20:00: as the week's hours are, without the morning, in which all are booked."""
BY = "staff:aoi.salon"
LIMIT = 10_000
"""Milliseconds for whoever waits on the page."""
LIMIT_EACH = 100
"""The same for one booking that follows."""
ROUNDS = 3
FIRST = 1_000
"""The number of the first booking that is written past the engine."""


def main() -> None:
    with embedded(PATHS, vault=False), serve_app(GIVEN) as server, app_database(server):
        house = salon()
        agreed = _agreed(house)
        with shop(house.id):
            _fill(house, list(Staff.objects.order_by("id").values_list("id", flat=True)), agreed)
        _said("change_list", [_timed(lambda: _listed(house)) for _ in range(ROUNDS)])
        _said("change_keep", [_saved(house, Choice.KEEP) for _ in range(ROUNDS)])
        _said("change_move", [_saved(house, Choice.MOVE) for _ in range(ROUNDS)])
        _said("change_cancel", [_saved(house, Choice.CANCEL) for _ in range(ROUNDS)])
        # Once each: who is cancelled is not there for another round.
        measure.figure("follow_move", _followed(house, Choice.MOVE, LATE), "ms", limit=f"<={LIMIT_EACH}")
        measure.figure("follow_cancel", _followed(house, Choice.CANCEL, []), "ms", limit=f"<={LIMIT_EACH}")


def _said(name: str, taken: list[float]) -> None:
    measure.figure(name, statistics.median(taken), "ms", limit=f"<={LIMIT}")


def _changed(house: Salon, choices: Choices, hours: Ranges | None) -> Done:
    """Have these hours on all of the days, or (None) those of the week again."""
    first, now = house.first.date(), _now(house)

    def write() -> bool:
        for number in range(DAYS):
            on = first + timedelta(days=number)
            if hours is None:
                edits.unset_day(on)
            else:
                edits.set_day(on, hours)
        return True

    return changes.change(house.id, write, choices, now=now, by=BY)


def _now(house: Salon) -> datetime:
    return house.first - timedelta(hours=12)


def _listed(house: Salon) -> None:
    with suppress(ChangeTouchesBookings):
        _changed(house, changes.NONE, LATE)
        raise AssertionError("nothing is touched")


def _saved(house: Salon, choice: Choice) -> float:
    """Save it, and have all as it was."""
    begun = time.perf_counter()
    touched = _changed(house, choice, LATE).touched
    taken = 1000 * (time.perf_counter() - begun)
    assert len(touched) >= BOOKINGS, len(touched)
    _changed(house, changes.NONE, None)
    return taken


def _followed(house: Salon, choice: Choice, hours: Ranges) -> float:
    """Do all steps of it as the worker does; give the time of one. Who has moved has the afternoon."""
    done = _changed(house, choice, hours)
    assert done.work_id is not None
    begun = time.perf_counter()
    while (one := work.one(house.id, done.work_id)).state == WorkState.RUNNING:
        work.step(house.id, one.id, now=_now(house))
    taken = 1000 * (time.perf_counter() - begun)
    assert (one.done, one.odd) == (len(done.touched), 0), (one.done, one.odd)
    _changed(house, changes.NONE, None)
    return taken / one.total


def _timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - begun)


def _agreed(house: Salon) -> dict[str, Any]:
    """Return what is agreed with who books a cut; the booking goes again."""
    wish = actions.HoldRequest(house.service, house.first + timedelta(days=5, hours=7), None, 1)
    held = actions.hold(house.id, wish, now=_now(house))
    said: dict[str, Any] = {"now": _now(house), "locale": "ja", "consent": 1}
    made = actions.confirm(house.id, held.id, UUID(int=BOOKINGS + 1), **said)
    actions.cancel(house.id, made.id, now=_now(house), by=BY)
    return {**made.agreed}


def _fill(house: Salon, staff: list[int], agreed: dict[str, Any]) -> None:
    """Twenty cuts a day of ten stylists, each with its claim. In the shop."""
    rows, claims = [], []
    for number in range(BOOKINGS):
        day, place = divmod(number, 2 * len(staff))
        minute, serves = 120 * (place // len(staff)), staff[place % len(staff)]
        at = house.first + timedelta(days=day, minutes=minute)  # 9:00 or 11:00 there
        rows.append(
            Booking(
                id=number + FIRST,
                service_id=house.service,
                staff_id=serves,
                start=at,
                end=at + timedelta(hours=1),
                wall=f"{at + timedelta(hours=9):%Y-%m-%dT%H:%M}",
                zone="Asia/Tokyo",
                status=Status.CONFIRMED,
                takes=True,
                person_id=UUID(int=number + 1),
                agreed=agreed,
                rules_revision=1,
                created_at=at - timedelta(days=90),
            )
        )
        claims.append(
            Claim(
                resource_id=serves,
                day=at.date(),
                units=1,
                core_from=minute,
                core_to=minute + 60,
                padded_from=minute,
                padded_to=minute + 70,
                booking_id=number + FIRST,
            )
        )
    Booking.objects.bulk_create(rows, batch_size=1000)
    Claim.objects.bulk_create(claims, batch_size=1000)


if __name__ == "__main__":
    main()
