"""The figures are those that somebody counts who goes through the bookings one by one."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noren.booking import actions, blocks, referee
from noren.booking.figures import CAME, Asked, Figures
from noren.booking.models import Booking, Status
from noren.errors import NorenError
from noren.shops.models import OpeningHours, Shop
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import Salon, salon
from tests.servers import AppDatabase

BERLIN = ZoneInfo("Europe/Berlin")
# The clock goes back on the 25th of October: that Sunday has 25 hours.
FIRST, LAST = date(2026, 10, 20), date(2026, 11, 2)
BEFORE = datetime(2026, 10, 1, tzinfo=UTC)
AFTER = datetime(2026, 11, 20, tzinfo=UTC)
PEOPLE = [UUID(int=number + 1) for number in range(4)]


@pytest.fixture(scope="module")
def made(module_app_db: AppDatabase) -> Salon:
    """A salon in Berlin that is open until two at night."""
    assert module_app_db
    made = salon("berlin")
    with shop(made.id), change():
        Shop.objects.update(zone="Europe/Berlin")
        OpeningHours.objects.update(weekly=[[[600, 1560]]] * 7)
    return made


def book(made: Salon, at: datetime, person: UUID, status: str) -> int | None:
    """Book a cut with anybody; what is taken is not booked."""
    try:
        held = actions.hold(made.id, actions.HoldRequest(made.cut, at, None, 1), now=BEFORE)
    except NorenError:
        return None
    actions.confirm(made.id, held.id, person, now=BEFORE, locale="ja", consent=1)
    with shop(made.id):
        if status == Status.CANCELLED:
            referee.end(held.id, [Status.CONFIRMED], Status.CANCELLED, now=BEFORE, by="system")
        elif status != Status.CONFIRMED:
            Booking.objects.filter(id=held.id).update(status=status)
    return held.id


def naive(made: Salon, asked: Asked) -> dict[str, object]:
    """Minute by minute, booking by booking."""
    taken, came, missed = Counter[tuple[int, int]](), defaultdict(set), Counter[int]()
    with shop(made.id):
        rows = [row for row in Booking.objects.all() if row.status in (*CAME, Status.NO_SHOW)]
    firsts: dict[UUID, datetime] = {}
    for row in rows:
        local = row.start.astimezone(BERLIN)
        minute = row.start
        while minute < row.end:
            shows = minute.astimezone(BERLIN)
            if asked.first <= shows.date() <= asked.last:
                taken[shows.weekday(), shows.hour] += 1
            minute += timedelta(minutes=1)
        if row.status in CAME and row.person_id is not None:
            firsts[row.person_id] = min(row.start, firsts.get(row.person_id, row.start))
        if not asked.first <= local.date() <= asked.last:
            continue
        if row.status == Status.NO_SHOW:
            missed[local.weekday()] += 1
        else:
            came[local.date()].add(row.person_id)
    return {"taken": dict(taken), "came": came, "firsts": firsts, "missed": dict(missed)}


starts = st.integers(-3 * 24 * 4, 17 * 24 * 4).map(
    lambda quarter: datetime(2026, 10, 20, tzinfo=BERLIN).astimezone(UTC) + timedelta(minutes=15 * quarter)
)
statuses = st.sampled_from([Status.CONFIRMED, Status.CHECKED_IN, Status.NO_SHOW, Status.CANCELLED])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(starts, st.sampled_from(PEOPLE), statuses), min_size=3, max_size=12))
def test_it_counts_what_somebody_counts_by_hand(
    made: Salon, wishes: list[tuple[datetime, UUID, str]]
) -> None:
    for at, person, status in wishes:
        book(made, at, person, status)
    asked = Asked(FIRST, LAST)
    told, counted = Figures(made.id, asked, made.staff, now=AFTER), naive(made, asked)
    assert {cell: s.taken for cell, s in told.occupancy.items() if s.taken} == counted["taken"]
    _check_comers(told, counted)
    whole, days, kinds = told.missed()
    assert {day: each.missed for day, each in days.items() if each.missed} == counted["missed"]
    assert whole.of == len(told.visits) == sum(each.of for each in kinds.values())
    assert len(told.visits_of(None, None, missed=True)) == whole.missed


def _check_comers(told: Figures, counted: dict[str, object]) -> None:
    came, firsts = counted["came"], counted["firsts"]
    assert isinstance(came, dict)
    assert isinstance(firsts, dict)
    for each in told.comers([(FIRST, date(2026, 10, 25)), (date(2026, 10, 26), LAST)]):
        there = set().union(*(those for day, those in came.items() if each.first <= day <= each.last))
        new = {one for one in there if firsts[one].astimezone(BERLIN).date() >= each.first}
        assert (each.new, each.returning) == (len(new), len(there - new))
        for is_new, number in ((True, each.new), (False, each.returning)):
            ids = told.came_in(each.first, each.last, new=is_new)
            assert bool(ids) == bool(number)


def test_offered_is_what_was_open_less_what_was_blocked(made: Salon) -> None:
    """Three stylists from ten to two at night; on the long Sunday the night's hour is there twice."""
    at = datetime(2026, 10, 28, 14, tzinfo=BERLIN).astimezone(UTC)
    told = Figures(made.id, Asked(FIRST, LAST), made.staff, now=AFTER).occupancy
    blocked = blocks.block(made.id, made.staff[2], at, at + timedelta(minutes=30), now=BEFORE, by="staff:1")
    less = Figures(made.id, Asked(FIRST, LAST), made.staff, now=AFTER).occupancy
    blocks.unblock(made.id, blocked)
    # Two weeks, three who serve: six hours of each hour of the week.
    assert told[0, 12].offered == 6 * 60
    assert (2, 5) not in told
    assert told[2, 14].offered - less[2, 14].offered == 30
    # Saturday's night ends on Sunday at 2:00, before the clock goes back at 3:00.
    assert told[6, 1].offered == 6 * 60
    one = Figures(made.id, Asked(FIRST, LAST, staff=made.staff[0]), made.staff, now=AFTER).occupancy
    assert one[0, 12].offered == 2 * 60


def test_what_stands_behind_an_hour_took_something_of_it(made: Salon) -> None:
    at = datetime(2026, 10, 30, 23, 30, tzinfo=BERLIN).astimezone(UTC)
    booked = book(made, at, PEOPLE[0], Status.CONFIRMED)
    assert booked is not None
    told = Figures(made.id, Asked(FIRST, LAST), made.staff, now=AFTER)
    assert booked in told.taken_in(4, 23)
    assert booked in told.taken_in(5, 0)
    assert booked not in told.taken_in(5, 1)
    assert booked in told.taken_in(None, None)
    none = Figures(made.id, Asked(FIRST, LAST, service=made.lesson), made.staff, now=AFTER)
    assert booked not in none.taken_in(None, None)


def test_what_is_to_come_is_nobodys_visit_yet(made: Salon) -> None:
    at = datetime(2026, 11, 1, 20, tzinfo=BERLIN).astimezone(UTC)
    booked = book(made, at, PEOPLE[1], Status.CONFIRMED)
    told = Figures(made.id, Asked(FIRST, LAST), made.staff, now=at - timedelta(hours=1))
    assert booked not in [each.id for each in told.visits]


def test_it_asks_as_often_for_many_as_for_one(made: Salon) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as caught:
            told = Figures(made.id, Asked(FIRST, LAST), made.staff, now=AFTER)
            assert told.occupancy
            told.comers([(FIRST, LAST)])
            told.missed()
        return len(caught)

    asked()
    one = asked()
    for hour in range(5):
        book(made, datetime(2026, 10, 29, 10 + hour, tzinfo=BERLIN).astimezone(UTC), PEOPLE[2], "confirmed")
    assert asked() == one
