"""An answer that was kept is the answer that would be given: after any history, for everybody who asks."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from noren.api import free
from noren.booking import actions, sheets
from noren.booking.kept import Kept
from noren.shops.models import OpeningHours
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.booking.test_history import DAY, SERVICES, History, parlour


@pytest.fixture
def told(house: Salon, monkeypatch: pytest.MonkeyPatch) -> "Told":
    return Told(house, monkeypatch)


class Told:
    """Asks for a day's cuts, and counts how often the answer was written anew."""

    def __init__(self, house: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
        self.house, self.written = house, 0
        slots = free._slots

        def counted(*words: object) -> free.Days:
            self.written += 1
            return slots(*words)  # type: ignore[arg-type]

        monkeypatch.setattr(free, "_slots", counted)

    def ask(self, now: datetime = NOON, staff: int | None = None, day: date = date(2026, 11, 25)) -> bytes:
        house = self.house
        return free.answer(house.slug, house.id, house.cut, day, day, now=now, staff=staff)

    def hold(self, hour: int, now: datetime = NOON) -> int:
        start = datetime(2026, 11, 25, hour - 9, tzinfo=NOON.tzinfo)
        wish = actions.HoldRequest(self.house.cut, start, self.house.staff[0], 1)
        return actions.hold(self.house.id, wish, now=now).id


def test_what_did_not_change_is_not_written_anew(told: Told) -> None:
    assert told.ask() == told.ask() == told.ask(NOON + timedelta(minutes=5))
    assert told.written == 1


def test_a_write_is_seen_by_the_next_who_asks(told: Told) -> None:
    before = told.ask(staff=told.house.staff[0])
    held = told.hold(11)
    assert b"T11:00" not in told.ask(staff=told.house.staff[0])
    actions.release(told.house.id, held, now=NOON)
    assert told.ask(staff=told.house.staff[0]) == before
    # Two and not three: no day has anything taken, as before.
    assert told.written == 2


def test_who_is_asked_for_has_an_answer_of_her_own(told: Told) -> None:
    told.hold(11)
    assert b"T11:00" in told.ask()
    assert b"T11:00" not in told.ask(staff=told.house.staff[0])
    assert b"T11:00" in told.ask(staff=told.house.staff[1])


def test_a_hold_expires_without_a_write(told: Told) -> None:
    told.hold(11)
    first = told.house.staff[0]
    assert b"T11:00" not in told.ask(staff=first)
    assert b"T11:00" in told.ask(NOON + timedelta(minutes=30), staff=first)
    assert b"T11:00" not in told.ask(NOON + timedelta(minutes=1), staff=first)


def test_the_day_goes_on_without_a_write(told: Told) -> None:
    today = date(2026, 11, 24)
    assert b"T14:00" in told.ask(day=today)
    assert b"T14:00" not in told.ask(NOON + timedelta(hours=3), day=today)
    assert b"T14:00" in told.ask(day=today)


def test_new_rules_are_seen_by_the_next_who_asks(told: Told) -> None:
    assert b"T10:00" in told.ask()
    with shop(told.house.id), change():
        OpeningHours.objects.update(weekly=[[[720, 900]]] * 7)
    assert b"T10:00" not in told.ask()


def test_inside_a_transaction_nothing_that_was_kept_is_told(told: Told) -> None:
    """Two writes of one transaction have one mark; only the transaction itself could see the first."""
    told.ask()
    with shop(told.house.id):
        told.ask()
    assert told.written == 2


def test_as_much_is_kept_as_was_said() -> None:
    kept: Kept[str] = Kept(100)
    for number in range(20):
        kept.keep(number, str(number), 20)
        kept.keep(number, str(number), 25)
    assert [number for number in range(20) if kept.get(number)] == [16, 17, 18, 19]
    kept.keep("large", "x", 101)
    assert kept.get("large") is None


@pytest.mark.usefixtures("module_app_db")
def test_after_any_history(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lived(History):
        make = staticmethod(lambda: parlour("shared", "Asia/Tokyo"))

        @invariant()
        def what_is_told_is_true(self) -> None:
            for key in SERVICES:
                kept = self.told(key)
                with monkeypatch.context() as patch:
                    patch.setattr(free, "_bodies", Kept(0))
                    patch.setattr(sheets, "_sheets", Kept(0))
                    assert kept == self.told(key)

        def told(self, key: str) -> bytes:
            house, last = self.house, DAY + timedelta(days=1)
            return free.answer(house.slug, house.id, house.services[key], DAY, last, now=self.now, staff=None)

    run_state_machine_as_test(
        Lived,
        settings=settings(
            max_examples=8,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
