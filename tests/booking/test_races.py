"""Races, each with a control that takes the protection out and must show the fault."""

import time
from collections.abc import Callable, Iterator
from functools import partial

import psycopg
import pytest
from psycopg import sql

from noren.booking import actions
from noren.errors import PartyTooLarge, SlotTaken
from tests.booking.rush import at_once
from tests.booking.scene import NOW, House, found, salon
from tests.booking.test_classes import studio
from tests.servers import AppDatabase

PARALLEL = 50
ROUNDS = 20
pytestmark = pytest.mark.usefixtures("module_app_db")
WITHOUT_CONDITION = """
INSERT INTO booking_sheet AS s (shop_id, resource_id, plane, day, core, padded)
SELECT shop_id, resource_id, plane, day, core, padded FROM booking_sheet WHERE shop_id = %s
ON CONFLICT (shop_id, resource_id, plane, day) DO UPDATE SET core = s.core | excluded.core
RETURNING 1
"""
IN_PLAN_ORDER = """
UPDATE booking_sheet s SET core = CASE WHEN pg_sleep(0.3) IS NULL THEN NULL ELSE s.core END
WHERE s.shop_id = %s AND s.resource_id = ANY (%s)
"""


def test_case_044_one_of_fifty_gets_the_slot() -> None:
    house = salon()
    for number in range(ROUNDS):
        at = f"2026-11-{3 + number:02} 10:00"
        wish = house.wish("cut", at)
        answers = at_once([partial(actions.hold, house.id, wish, now=NOW)] * PARALLEL)
        won = [answer for answer in answers if isinstance(answer, actions.Hold)]
        lost = [answer for answer in answers if isinstance(answer, SlotTaken)]
        assert (len(won), len(lost)) == (1, PARALLEL - 1)
        assert all(refusal.facts["nearest"] for refusal in lost)
    assert house.findings() == []


def test_case_045_fifty_want_a_class_of_eight() -> None:
    house = studio(capacity=8)
    wish = house.wish("yoga", "2026-11-04 10:00")
    answers = at_once([partial(actions.hold, house.id, wish, now=NOW)] * PARALLEL)
    won = [answer for answer in answers if isinstance(answer, actions.Hold)]
    lost = [answer for answer in answers if isinstance(answer, (SlotTaken, PartyTooLarge))]
    assert (len(won), len(lost)) == (8, PARALLEL - 8)
    assert house.findings() == []


def test_case_046_two_that_overlap_and_one_wins() -> None:
    house = found(
        {"aoi": {}},
        {"cut": {"needs": {"staff": ["aoi"]}}, "colour": {"needs": {"staff": ["aoi"]}, "minutes": 90}},
    )
    wishes = [house.wish("cut", "2026-11-03 10:30"), house.wish("colour", "2026-11-03 10:00")] * 10
    answers = at_once([partial(actions.hold, house.id, wish, now=NOW) for wish in wishes])
    assert len([answer for answer in answers if isinstance(answer, actions.Hold)]) == 1
    assert house.findings() == []


def test_case_047_reverse_orders_do_not_deadlock() -> None:
    """Room and staff, staff and room: locks are taken in the order of keys, whatever the order of needs."""
    house = found(
        {"room1": {"kind": "room"}, "aoi": {}},
        {
            "a": {"needs": {"room": ["room1"], "staff": ["aoi"]}},
            "b": {"needs": {"staff": ["aoi"], "room": ["room1"]}},
        },
    )
    for day in range(3, 13):
        wishes = [house.wish(key, f"2026-11-{day:02} 10:00") for key in "ab"] * 8
        answers = at_once([partial(actions.hold, house.id, wish, now=NOW) for wish in wishes])
        kinds = sorted({type(answer).__name__ for answer in answers})
        assert kinds == ["Hold", "SlotTaken"]
        assert len([answer for answer in answers if isinstance(answer, actions.Hold)]) == 1
    assert house.findings() == []


def test_case_049_moves_to_one_slot_leave_one_there() -> None:
    house = salon(staff=1)
    bookings = [house.book("cut", f"2026-11-03 {hour:02}:00") for hour in (9, 10, 11, 13, 14, 15)]
    target = house.wish("cut", "2026-11-04 10:00").start
    moves = [
        partial(actions.move, house.id, booking.id, target, None, now=NOW, by="staff:1")
        for booking in bookings
    ]
    answers = at_once(moves)
    assert sorted(type(answer).__name__ for answer in answers) == ["Booking"] + ["SlotTaken"] * 5
    assert house.findings() == []


def test_a_cancel_and_a_move_of_one_booking_do_not_deadlock() -> None:
    """Each locks the booking, then its reminder's job."""
    house = salon(staff=2)
    for day in range(5, 25):
        booking = house.book("cut", f"2026-11-{day:02} 10:00")
        later = house.wish("cut", f"2026-11-{day:02} 12:00").start
        cancel = partial(actions.cancel, house.id, booking.id, now=NOW, by="staff:1")
        move = partial(actions.move, house.id, booking.id, later, None, now=NOW, by="staff:1")
        deeds: list[Callable[[], object]] = [cancel, move] * 3
        kinds = {type(answer).__name__ for answer in at_once(deeds)}
        assert kinds <= {"NoneType", "Booking", "AlreadyCancelled"}
    assert house.findings() == []


def test_it_survives_holds_and_cancels_and_moves_at_once() -> None:
    house = salon(staff=2)
    bookings = [house.book("cut", f"2026-11-03 {hour:02}:00") for hour in (9, 11, 13, 15)]
    later = house.wish("cut", "2026-11-03 12:00").start
    deeds: list[Callable[[], object]] = [
        *(partial(actions.cancel, house.id, each.id, now=NOW, by="staff:1") for each in bookings[:2]),
        *(partial(actions.move, house.id, each.id, later, None, now=NOW, by="staff:1") for each in bookings),
        *(
            partial(actions.hold, house.id, house.wish("cut", f"2026-11-03 {h:02}:30"), now=NOW)
            for h in range(9, 17)
        ),
    ]
    answers = at_once(deeds)
    allowed = {"Hold", "SlotTaken", "Booking", "NoneType", "AlreadyCancelled"}
    assert {type(answer).__name__ for answer in answers} <= allowed
    assert house.findings() == []


# -- controls: the same statement without what protects it


Page = psycopg.Connection[tuple[object, ...]]
Pages = list[Page]


@pytest.fixture
def pages(module_app_db: AppDatabase) -> Iterator[Pages]:
    with module_app_db.connect() as one, module_app_db.connect() as two:
        yield [one, two]


def enter(conn: Page, house: House) -> None:
    conn.execute(sql.SQL("SET LOCAL noren.shop = {}").format(sql.Literal(str(house.id))))


def test_control_without_the_condition_both_are_booked(
    pages: Pages,
) -> None:
    """The taking statement of booking_take, its WHERE taken out: the second writer believes she has won."""
    house = salon()
    house.hold("cut", "2026-11-03 10:00")
    written = []
    for conn in pages:
        enter(conn, house)
        written.append(conn.execute(WITHOUT_CONDITION, [house.id]).fetchone())
        conn.commit()
    assert written == [(1,), (1,)], "the row count alone would have told both that the slot is theirs"


def test_control_without_the_condition_a_race_books_twice(module_app_db: AppDatabase) -> None:
    """The whole way with a referee that never says no: the engine alone lets several through."""
    house = salon()
    with module_app_db.connect("owner", autocommit=True) as owner:
        (source,) = owner.execute("SELECT pg_get_functiondef('booking_take'::regproc)").fetchone() or ("",)
        text = str(source)
        blind = text.replace("IF written_rows < wanted_rows THEN", "IF false THEN")
        assert blind != text
        owner.execute(blind.encode())
        try:
            # A busy machine may run the sixteen one after another; not at each of eight times of the day.
            most = max(_winners(house, f"2026-11-03 {hour}:00") for hour in range(10, 18))
        finally:
            owner.execute(text.encode())
    assert most > 1, "this test cannot see a race"


def _winners(house: House, start: str) -> int:
    """How many of sixteen at once got a hold of one time."""
    wish = house.wish("cut", start)
    answers = at_once([partial(actions.hold, house.id, wish, now=NOW)] * 16)
    return sum(isinstance(answer, actions.Hold) for answer in answers)


def test_control_locks_in_plan_order_deadlock(pages: Pages) -> None:
    """The same write as an UPDATE locks rows as its plan finds them: by the index, or as they lie."""
    house = salon(staff=2)
    ids = sorted(house.resources.values())
    for name in sorted(house.resources, reverse=True):
        house.hold("cut", "2026-11-03 10:00", name)

    def update(conn: Page, *plans: str) -> str:
        enter(conn, house)
        for plan in plans:
            conn.execute(f"SET LOCAL enable_{plan} = off".encode())
        conn.execute(IN_PLAN_ORDER, [house.id, ids])
        conn.rollback()
        return "done"

    one, two = pages
    by_index, as_they_lie = ("seqscan", "bitmapscan"), ("indexscan", "bitmapscan")
    answers = at_once([partial(update, one, *by_index), partial(update, two, *as_they_lie)])
    for conn in pages:
        conn.rollback()
    assert sorted(type(answer).__name__ for answer in answers) == ["DeadlockDetected", "str"]


def test_it_locks_days_in_the_order_of_their_keys(
    pages: Pages,
) -> None:
    """booking_lock_days with the days given in reverse orders: the second waits, nobody deadlocks."""
    house = salon(staff=2)
    ids = sorted(house.resources.values())
    done = []

    def lock(conn: Page, resources: list[int]) -> None:
        for _ in range(50):
            enter(conn, house)
            conn.execute(
                "SELECT booking_lock_days(%s, %s, ARRAY['2026-11-03', '2026-11-03']::date[])",
                [house.id, resources],
            )
            time.sleep(0.001)
            conn.rollback()
        done.append(True)

    at_once([partial(lock, pages[0], ids), partial(lock, pages[1], ids[::-1])])
    assert done == [True, True]


def test_it_locks_a_row_that_it_does_not_write(
    pages: Pages,
) -> None:
    """DO UPDATE ... WHERE false locks: on this booking_lock_days rests."""
    house = salon()
    house.hold("cut", "2026-11-03 10:00")
    one, two = pages
    lock = "SELECT booking_lock_days(%s, %s, ARRAY['2026-11-03']::date[])"
    enter(one, house)
    one.execute(lock, [house.id, list(house.resources.values())])
    enter(two, house)
    two.execute("SET LOCAL lock_timeout = '200ms'")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        two.execute(lock, [house.id, list(house.resources.values())])
    for conn in pages:
        conn.rollback()
