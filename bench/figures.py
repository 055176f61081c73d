"""A year of a shop in figures: 20,000 bookings of ten stylists, read and counted.

`figures_year` is all that the page of figures counts (three statements, the rest in this process), and
`figures_year_own` this process's part of it, whatever else the machine does; `figures_month` the same of four
weeks of that year; `figures_hour` finds the bookings behind one hour of the week. The bookings are written as
rows, past the engine: what is measured is reading.
"""

# First, since it sets Django up.
from tests.environment import GIVEN, PATHS  # isort: split

import random
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from bench import measure
from bench.salon import Salon, salon
from noren.booking.figures import Asked, Figures
from noren.booking.models import Booking, Claim
from noren.shops.models import Staff
from noren.shops.tenancy import shop
from tests.servers import app_database, embedded, serve_app

BOOKINGS = 20_000
CUSTOMERS = 4_000
LAST = date(2026, 10, 31)
YEAR = Asked(LAST - timedelta(days=364), LAST)
MONTH = Asked(LAST - timedelta(days=27), LAST)
NOW = datetime(2026, 11, 2, tzinfo=UTC)
LIMIT = 1000
"""Milliseconds of this process for a year."""


def main() -> None:
    with embedded(PATHS, vault=False), serve_app(GIVEN) as server, app_database(server):
        house = salon()
        with shop(house.id):
            staff = list(Staff.objects.values_list("id", flat=True))
            _fill(house, staff)
        taken = measure.interleaved(
            {
                "year": lambda: _timed(lambda: _counted(house, staff, YEAR)),
                "own": lambda: _timed(lambda: _counted(house, staff, YEAR), time.process_time),
                "month": lambda: _timed(lambda: _counted(house, staff, MONTH)),
                "hour": lambda: _timed(lambda: Figures(house.id, YEAR, staff, now=NOW).taken_in(1, 10)),
            }
        )
    measure.figure("figures_year", taken["year"], "ms")
    measure.figure("figures_year_own", taken["own"], "ms", limit=f"<={LIMIT}")
    measure.figure("figures_month", taken["month"], "ms")
    measure.figure("figures_hour", taken["hour"], "ms")


def _counted(house: Salon, staff: list[int], asked: Asked) -> None:
    told = Figures(house.id, asked, staff, now=NOW)
    assert told.occupancy
    assert told.comers([(asked.first, asked.last)])[0].new
    assert told.missed()[0].of


def _timed(act: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    begun = clock()
    act()
    return 1000 * (clock() - begun)


def _fill(house: Salon, staff: list[int]) -> None:
    """A year's cuts of an hour at random, each with its claim; one in twenty did not come. In the shop."""
    dice = random.Random(7)
    first = datetime(YEAR.first.year, YEAR.first.month, YEAR.first.day, tzinfo=UTC)
    rows, claims = [], []
    for number in range(1, BOOKINGS + 1):
        at = first + timedelta(days=dice.randrange(365), minutes=30 * dice.randrange(20))
        serves, minute = dice.choice(staff), at.hour * 60 + at.minute
        rows.append(
            Booking(
                id=number,
                service_id=house.service,
                staff_id=serves,
                start=at,
                end=at + timedelta(hours=1),
                wall=f"{at:%Y-%m-%dT%H:%M}",
                zone="Asia/Tokyo",
                status="no_show" if dice.random() < 0.05 else "checked_in",
                takes=True,
                person_id=UUID(int=dice.randrange(1, CUSTOMERS)),
                rules_revision=1,
                created_at=at,
            )
        )
        ends = min(minute + 60, 1440)
        claims.append(
            Claim(
                resource_id=serves,
                day=at.date(),
                units=1,
                core_from=minute,
                core_to=ends,
                padded_from=minute,
                padded_to=ends,
                booking_id=number,
            )
        )
    Booking.objects.bulk_create(rows, batch_size=2000)
    Claim.objects.bulk_create(claims, batch_size=2000)


if __name__ == "__main__":
    main()
