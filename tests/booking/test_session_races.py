"""Dates of classes that change while others book, cancel and answer; each race with its control."""

import random
import threading
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from noren.booking import actions, classes, referee, sessions
from noren.booking.models import Booking, Status
from noren.errors import NotOffered
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.booking.rush import at_once, before_first, met, until_somebody_waits, without
from tests.booking.scene import NOW, House, found, later, person, when
from tests.booking.test_classes import WEDNESDAY, seats, studio
from tests.booking.test_sessions import TEN, TWO, move, session
from tests.servers import AppDatabase

pytestmark = pytest.mark.usefixtures("module_app_db")
ELEVEN = "2026-11-04 11:00"
UNSEEN = (
    "IF booking_attending(p_shop, p_id) <@ ids THEN\n                RETURN booking_attending(p_shop, p_id);",
    "IF true THEN\n                RETURN ids;",
)
SECOND_LOOK = ("ids := booking_attending(p_shop, p_id);\n", "")
AS_DECIDED = ("AND s.start = p_start AND NOT s.cancelled", "")


def call_off(house: House, at: str) -> Callable[[], object]:
    return partial(sessions.cancel_session, house.id, session(house, at).id, now=NOW, by="staff:1")


def hold(house: House, at: str = TEN) -> Callable[[], object]:
    return partial(actions.hold, house.id, house.wish("yoga", at), now=NOW)


def test_who_comes_in_while_a_date_is_called_off_does_not_stay(
    module_app_db: AppDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = studio()
    answers = met(module_app_db, monkeypatch, "noren.booking.jobs.expire", hold(house), call_off(house, TEN))
    assert [type(each).__name__ for each in answers] == ["Hold", "list"]
    assert isinstance(answers[0], actions.Hold)
    assert house.booking(answers[0].id).status == Status.RELEASED
    assert house.findings() == []


def test_who_comes_in_while_a_date_is_moved_does_not_stay(
    module_app_db: AppDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = studio()
    deed = partial(move, house, TEN, TWO)
    answers = met(module_app_db, monkeypatch, "noren.booking.jobs.expire", hold(house), deed)
    assert isinstance(answers[0], actions.Hold)
    assert house.booking(answers[0].id).status == Status.RELEASED
    assert seats(house, TWO) == 0
    assert house.findings() == []


def test_control_without_a_second_look_who_has_come_in_stays(
    module_app_db: AppDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = studio()
    with (
        without(module_app_db, "booking_lock_session", UNSEEN),
        without(module_app_db, "booking_cancel_session", SECOND_LOOK),
    ):
        answers = met(
            module_app_db, monkeypatch, "noren.booking.jobs.expire", hold(house), call_off(house, TEN)
        )
    assert isinstance(answers[0], actions.Hold)
    assert house.booking(answers[0].id).status == Status.HELD, "this test cannot see the race"
    assert [each.what for each in house.findings()] == ["session_differs"]


def test_nobody_is_booked_where_she_did_not_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """The date is moved after a hold was decided on and before it is written."""
    house = studio()
    deed = partial(move, house, TEN, TWO)
    given = before_first(monkeypatch, "noren.booking.referee.hold", deed, referee.hold)
    with pytest.raises(NotOffered):
        house.hold("yoga", TEN)
    assert given == [[]]
    assert seats(house, TWO) == 0
    assert house.findings() == []


def test_control_without_its_start_a_moved_date_takes_her(
    module_app_db: AppDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = studio()
    before_first(monkeypatch, "noren.booking.referee.hold", partial(move, house, TEN, TWO), referee.hold)
    with without(module_app_db, "booking_lock_sessions", AS_DECIDED):
        house.hold("yoga", TEN)
    assert [each.what for each in house.findings()] == ["session_differs"]


def test_nobody_moves_into_a_date_that_is_called_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for approval in ("", "free"):
        house = studio(approval=approval)
        booking = house.book("yoga", TEN)
        with pytest.MonkeyPatch.context() as patch:
            before_first(patch, "noren.booking.referee.move", call_off(house, ELEVEN), referee.move)
            with pytest.raises(NotOffered):
                actions.move(house.id, booking.id, when(ELEVEN), None, now=NOW, by="customer")
        assert house.booking(booking.id).start == when(TEN)
        assert house.findings() == []


def test_a_date_is_called_off_for_too_few_only_if_nobody_came_in_time(
    module_app_db: AppDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last one confirms at the deadline, while it is decided."""
    house = studio(minimum={"seats": 2, "deadline": {"minutes": 60}})
    evening = when("2026-11-04 09:00")
    house.book("yoga", TEN)
    held = house.hold("yoga", TEN, now=evening)
    deed = partial(
        actions.confirm, house.id, held.id, person(), now=evening, locale="ja", consent=1, by="staff:1"
    )
    decide = partial(sessions.decide, house.id, session(house, TEN).id, now=evening)
    # Confirming writes its jobs first, and its status last: the row is locked meanwhile.
    answers = met(module_app_db, monkeypatch, "noren.booking.jobs.booked", deed, decide)
    assert isinstance(answers[0], Booking), answers
    assert not session(house, TEN).cancelled
    assert house.findings() == []


def test_only_one_of_many_calls_a_date_off() -> None:
    house = studio(minimum={"seats": 5, "deadline": {"minutes": 60}})
    house.book("yoga", TEN, party=2)
    evening = when("2026-11-04 09:00")
    decide = partial(sessions.decide, house.id, session(house, TEN).id, now=evening)
    deeds: list[Callable[[], object]] = [decide] * 6 + [call_off(house, TEN)] * 6
    answers = [each for each in at_once(deeds) if not isinstance(each, NotOffered)]
    assert len([each for each in answers if isinstance(each, list)]) <= 1
    with shop(house.id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM booking_event WHERE shop_id = %s AND what = 'cancelled'", [house.id]
        )
        assert cursor.fetchone() == (1,)
    assert house.findings() == []


def test_dates_that_change_in_a_rush_keep_everything_whole() -> None:
    """Holds, answers, cancels, moves of bookings and of dates, dates called off and resized, all at once."""
    house = studio(capacity=12, party_max=2)
    draw = random.Random(72)
    for number in range(6):
        day = date(2026, 11, 4) + timedelta(weeks=number)
        one, two = f"{day} 10:00", f"{day} 11:00"
        house.hold("yoga", one, now=later(minutes=-20))
        bookings = [house.book("yoga", at) for at in (one, two) * 3]
        rows = [session(house, one).id, session(house, two).id]
        free = when(f"{day + timedelta(days=1)} {9 + number:02}:00")
        deeds: list[Callable[[], object]] = [
            *[hold(house, one), hold(house, two)] * 3,
            *(partial(actions.cancel, house.id, each.id, now=NOW, by="customer") for each in bookings[:2]),
            *(
                partial(actions.move, house.id, each.id, when(at), None, now=NOW, by="customer")
                for each, at in zip(bookings[2:], (two, one, two, one), strict=True)
            ),
            *(partial(actions.keep, house.id, each.id, now=NOW, by="customer") for each in bookings[4:]),
            partial(sessions.move_session, house.id, rows[0], free, None, now=NOW, by="staff:1"),
            partial(sessions.resize, house.id, rows[1], 8, now=NOW, by="staff:1"),
            partial(sessions.cancel_session, house.id, rows[number % 2], now=NOW, by="staff:1"),
        ]
        draw.shuffle(deeds)
        kinds = {type(each).__name__ for each in at_once(deeds)}
        known = {"Hold", "Booking", "NoneType", "list", "Seats"}
        refused = {"SlotTaken", "NotOffered", "AlreadyCancelled", "PartyTooLarge", "SeatsBooked"}
        assert kinds <= known | refused
        assert house.findings() == []


# -- the order of locks: what is swept for a moved date is locked with its own days


def hall() -> House:
    """A stale hold has the chair, which comes first, and the hall, into which the class is to move."""
    house = found(
        {"chair": {"kind": "chair"}, "yui": {}, "hall": {"kind": "room"}},
        {
            "yoga": {
                "needs": {"staff": ["yui"], "room": ["hall"]},
                "capacity": 8,
                "timetable": [{"weekday": WEDNESDAY, "start": 600}],
            },
            "massage": {"needs": {"room": ["hall"], "chair": ["chair"]}},
        },
    )
    classes.schedule(house.id, now=NOW)
    house.hold("massage", TWO, now=later(minutes=-20))
    return house


LOCK = "SELECT booking_lock_days(%s, ARRAY[%s]::bigint[], ARRAY['2026-11-04']::date[])"
IN_TWO_PASSES = (
    "PERFORM booking_give_back(p_shop, stale, ARRAY[p_id], '{}', p_claims);",
    """PERFORM booking_give_back(p_shop, '{}', ARRAY[p_id], '{}', p_claims);
    PERFORM booking_give_back(p_shop, stale, '{}', '{}', p_claims);""",
)


def crossed(database: AppDatabase, house: House) -> list[object]:
    """One locks the chair and then the hall, as everybody does; meanwhile the class is moved."""
    has_chair = threading.Event()

    def other() -> object:
        with database.connect() as conn:
            conn.execute(sql.SQL("SET LOCAL noren.shop = {}").format(sql.Literal(str(house.id))))
            conn.execute(LOCK, [house.id, house.resources["chair"]])
            has_chair.set()
            until_somebody_waits(database)
            conn.execute("SET LOCAL lock_timeout = '700ms'")
            conn.execute(LOCK, [house.id, house.resources["hall"]])
        return "both"

    def mover() -> object:
        has_chair.wait(60)
        return move(house, TEN, TWO)

    return list(at_once([other, mover]))


def test_a_moved_date_locks_what_it_sweeps_in_order(module_app_db: AppDatabase) -> None:
    house = hall()
    assert crossed(module_app_db, house) == ["both", []]
    assert house.findings() == []


def test_control_swept_afterwards_it_deadlocks(module_app_db: AppDatabase) -> None:
    house = hall()
    with without(module_app_db, "booking_move_session", IN_TWO_PASSES):
        other, _ = crossed(module_app_db, house)
    assert isinstance(other, (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected))


def test_a_timetable_that_changes_at_the_same_moment_decides_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    house = studio()

    def close() -> None:
        with shop(house.id), change():
            Service.objects.filter(key="yoga").update(before=30)

    before_first(monkeypatch, "noren.booking.referee.move_session", close, referee.move_session)
    move(house, TEN, TWO)
    assert "13:00" not in house.starts("lesson", "2026-11-04"), "moved with the buffer of the newer rules"
    assert house.findings() == []
