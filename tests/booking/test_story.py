"""A booking's history as values, and what a double press leaves of it."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from noren.booking import actions, agreement, history, reception, referee
from noren.booking.history import Change, What
from noren.booking.models import Status
from noren.booking.referee import Overtaken
from noren.shops.rules import known
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, found, later, person, salon, when
from tests.servers import AppDatabase

pytestmark = pytest.mark.usefixtures("app_db")
AOI = "staff:aoi.salon"
FEES = {"tiers": [{"since": {"minutes": 1440}, "percent": 50}], "free_minutes": 30}


def _whats(changes: Iterable[Change]) -> list[str]:
    return [change.what for change in changes]


def _with_fees(**more: object) -> House:
    return found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}, "price": 4000, "fees": FEES, **more}})


def test_a_whole_life_is_told_in_order() -> None:
    house = salon(2)
    booking = house.book("cut", "2026-11-03 10:00", "stylist0")
    there, whom = when("2026-11-04 11:00"), house.resources["stylist1"]
    actions.move(house.id, booking.id, there, whom, now=later(minutes=1), by="customer")
    reception.check_in(house.id, booking.id, now=there, by=AOI)
    reception.check_out(house.id, booking.id, now=there + timedelta(minutes=30), by=AOI)
    told = history.of(house.id, booking.id)
    assert _whats(told) == ["held", "confirmed", "moved", "checked_in", "checked_out"]
    assert [change.by for change in told] == ["customer"] * 3 + [AOI] * 2
    move = told[2].move
    assert move is not None
    assert (move.start, move.to) == (when("2026-11-03 10:00"), there)
    assert (move.staff, move.to_staff) == (house.resources["stylist0"], whom)
    assert not told[2].over


def test_staff_who_insist_are_on_record() -> None:
    house = salon()
    house.book("cut", "2026-11-03 10:00")
    booking = house.book("cut", "2026-11-03 14:00")
    there = when("2026-11-03 10:00")
    actions.move(house.id, booking.id, there, None, now=NOW, by=AOI, override="helper")
    last = history.of(house.id, booking.id)[-1]
    assert (last.what, last.why, last.over, last.by) == ("moved", "helper", True, AOI)


def test_a_fee_is_kept_with_the_cancellation() -> None:
    house = _with_fees()
    booking = house.book("cut", "2026-11-03 10:00")
    actions.cancel(house.id, booking.id, now=later(hours=2), by="customer")
    last = history.of(house.id, booking.id)[-1]
    assert (last.what, last.fee_percent, last.fee) == ("cancelled", 50, 2000)


def test_it_is_one_question_however_long_the_life(django_queries: list[str]) -> None:
    house = salon()
    booking = house.book("cut", "2026-11-03 10:00")
    for hour in (11, 12, 13):
        actions.move(house.id, booking.id, when(f"2026-11-03 {hour}:00"), None, now=NOW, by=AOI)
    django_queries.clear()
    assert len(history.of(house.id, booking.id)) == 5
    asked = [query for query in django_queries if "booking_event" in query]
    assert len(asked) == 1


def test_every_code_that_is_written_is_known(app_db: AppDatabase) -> None:
    """Whatever SQL function or deed writes a history: its codes are in the vocabulary."""
    codes = "SELECT prosrc FROM pg_proc WHERE proname LIKE 'booking_%' AND prosrc LIKE '%booking_event%'"
    with app_db.connect("owner") as conn:
        sources = "".join(source for (source,) in conn.execute(codes))
    assert len(sources) > 1000
    for code in ("held", "held_over", "asked", "session_moved", "cancelled", "released", "expired"):
        assert code in set(What)
        assert f"'{code}'" in sources


# -- what cancelling costs, step by step


def test_case_079_the_steps_of_a_fee() -> None:
    house = _with_fees()
    booking = house.book("cut", "2026-11-04 10:00")
    with shop(house.id):
        now, later_on = agreement.steps(booking, now=NOW)
        assert (now.since, now.cost.fee) == (None, 0)
        assert (later_on.since, later_on.cost.fee) == (when("2026-11-03 10:00"), 2000)
        assert agreement.fee(booking, now=when("2026-11-03 10:00")).fee == 0
        [only] = agreement.steps(booking, now=when("2026-11-03 10:01"))
    assert (only.since, only.cost.fee) == (None, 2000)


def test_the_free_minutes_are_a_step() -> None:
    house = _with_fees()
    booking = house.book("cut", "2026-11-02 15:00")
    with shop(house.id):
        steps = agreement.steps(booking, now=NOW)
    assert [(step.since, step.cost.fee) for step in steps] == [(None, 0), (later(minutes=30), 2000)]


def test_the_free_minutes_count_from_saying_yes() -> None:
    house = _with_fees()
    held = house.hold("cut", "2026-11-02 15:00")
    said = later(minutes=8)
    booking = actions.confirm(house.id, held.id, person(), now=said, locale="ja", consent=1)
    with shop(house.id):
        steps = agreement.steps(booking, now=said)
    assert [step.since for step in steps] == [None, said + timedelta(minutes=30)]


def test_who_has_only_asked_owes_nothing_and_sees_what_will_be() -> None:
    house = _with_fees(approval="keeps")
    booking = house.book("cut", "2026-11-02 15:00")
    assert booking.status == Status.PENDING
    with shop(house.id):
        assert agreement.fee(booking, now=later(hours=1)) == agreement.NOTHING
        assert [step.cost.fee for step in agreement.steps(booking, now=later(hours=1))] == [2000]
        assert agreement.owed(booking, now=later(hours=1)) == agreement.NOTHING


# -- pressed twice


def _at_once(deeds: int, deed: Callable[[], object]) -> list[object]:
    start = Barrier(deeds)

    def run(_number: int) -> object:
        start.wait()
        try:
            return deed()
        except Exception as error:  # noqa: BLE001 - what a loser is told is the answer
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(deeds) as pool:
        return list(pool.map(run, range(deeds)))


@pytest.mark.parametrize("round_", range(5))
def test_a_double_move_at_once_is_one_move(round_: int) -> None:
    house = salon()
    booking = house.book("cut", "2026-11-03 10:00")
    there = when(f"2026-11-0{4 + round_ % 3} 11:00")
    answers = _at_once(4, lambda: actions.move(house.id, booking.id, there, None, now=NOW, by=AOI))
    assert [getattr(answer, "start", answer) for answer in answers] == [there] * 4
    assert _whats(history.of(house.id, booking.id)).count("moved") == 1


def test_a_move_rests_on_where_the_booking_stood() -> None:
    """The control: what was decided on an older row is not written."""
    house = salon()
    booking = house.book("cut", "2026-11-03 10:00")
    actions.move(house.id, booking.id, when("2026-11-03 12:00"), None, now=NOW, by=AOI)
    values: dict[str, Any] = {
        "session_id": None,
        "staff_id": booking.staff_id,
        "asked_staff_id": None,
        "start": when("2026-11-03 15:00").isoformat(),
        "end": when("2026-11-03 16:00").isoformat(),
        "wall": "2026-11-03T15:00",
        "zone": "Asia/Tokyo",
        "takes": True,
        "agreed": {},
    }

    def write(changes: int) -> None:
        with shop(house.id):
            known_rules = known().rules
            wanted = {**values, "changes": changes}
            referee.move(known_rules, booking.id, [Status.CONFIRMED], wanted, (), now=NOW, by=AOI)

    with pytest.raises(Overtaken):
        write(booking.changes)
    write(booking.changes + 1)


@pytest.mark.parametrize("minutes", [20, 90])
def test_a_double_check_out_at_once_is_one(minutes: int) -> None:
    house = salon()
    booking = house.book("cut", "2026-11-02 10:00")
    reception.check_in(house.id, booking.id, now=booking.start, by=AOI)
    at = booking.start + timedelta(minutes=minutes)
    _at_once(3, lambda: reception.check_out(house.id, booking.id, now=at, by=AOI))
    assert _whats(history.of(house.id, booking.id)).count("checked_out") == 1
    assert house.findings() == []


def test_a_move_to_where_it_stands_finds_somebody_else_when_that_is_why() -> None:
    """Attention says that it cannot stay as it is: then the same time again is a wish of its own."""
    house = salon(2)
    booking = house.book("cut", "2026-11-03 10:00")
    actions.move(house.id, booking.id, booking.start, None, now=NOW, by=AOI)
    assert _whats(history.of(house.id, booking.id)) == ["held", "confirmed"]
    with shop(house.id):
        type(booking).objects.filter(id=booking.id).update(attention="staff")
    actions.move(house.id, booking.id, booking.start, None, now=NOW, by=AOI)
    assert _whats(history.of(house.id, booking.id)) == ["held", "confirmed", "moved"]
