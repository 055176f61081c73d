"""Series that cross each other, single bookings and cancellations: no deadlock, with a control."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from django.db.models import F

from noren.booking import actions, referee, series
from noren.booking.models import Booking, ClassSession, Status
from noren.booking.report import Mode, SeriesRequest
from noren.engine.series import Rhythm, Unit
from noren.errors import NorenError
from noren.shops.tenancy import shop
from tests.booking.rush import WAITING, at_once
from tests.booking.scene import NOW, House, found, person, when
from tests.booking.test_classes import seats, studio
from tests.servers import AppDatabase

DAILY = Rhythm(Unit.DAY, count=6)


class Deadlock(Exception):
    """PostgreSQL has ended one of two transactions that waited for each other (40P01)."""


@pytest.fixture(autouse=True)
def deadlocks(module_app_db: AppDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a deadlock be seen: in the product it is tried again."""
    monkeypatch.setitem(referee._REFUSALS, "40P01", Deadlock)


def crossing() -> House:
    """A series by anybody, a booking over midnight by both: days and resources in another order each."""
    both = {"needs": {"one": ["aoi"], "two": ["ren"]}, "stay": {"out": 10 * 60, "least": [1] * 7, "most": 7}}
    hourly = {"kind": "clock", "interval": 60}
    return found(
        {"aoi": {}, "ren": {}},
        {
            "cut": {"needs": {"staff": ["aoi", "ren"]}, "grid": hourly},
            "night": {**both, "minutes": 60, "grid": hourly},
            "duet": {"needs": {"two": ["ren"], "one": ["aoi"]}, "grid": hourly, "after": 10},
        },
        hours=((0, 1440),),
    )


def request(house: House, service: str, at: str, rhythm: Rhythm = DAILY, **more: Any) -> SeriesRequest:
    return SeriesRequest(house.services[service], None, 1, (when(at),), rhythm, **more)


def between_two_dates(
    monkeypatch: pytest.MonkeyPatch, database: AppDatabase, room: ModuleType, deed: str
) -> threading.Event:
    """After its first date is written, a series goes on only when somebody waits for a lock."""
    written, plain = threading.Event(), getattr(room, deed)

    def write(*args: Any, **said: Any) -> Any:
        done = plain(*args, **said)
        if deed == "end" or said.get("series") == 0:
            _until_somebody_waits(database, written)
        return done

    monkeypatch.setattr(room, deed, write)
    return written


def _until_somebody_waits(database: AppDatabase, written: threading.Event) -> None:
    if written.is_set():
        return
    written.set()
    with database.connect("owner", autocommit=True) as watch:
        for _ in range(200):
            if watch.execute(WAITING).fetchone() != (0,):
                break
            time.sleep(0.05)


def night(house: House, written: threading.Event) -> actions.Hold:
    """Take Aoi on both days, then Ren on both, once the other has begun."""
    assert written.wait(60)
    wanted = actions.HoldRequest(house.services["night"], when("2026-11-04 15:00"), None, 1, nights=1)
    return actions.hold(house.id, wanted, now=NOW)


def ren_then_aoi(house: House) -> SeriesRequest:
    """Two days on which the one is free, then the other."""
    house.hold("cut", "2026-11-04 10:00", "aoi")
    house.hold("cut", "2026-11-05 10:00", "ren")
    return request(house, "cut", "2026-11-04 10:00", Rhythm(Unit.DAY, count=2))


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "control"])
def test_a_series_and_a_booking_that_cross(
    module_app_db: AppDatabase, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    house = crossing()
    wanted = ren_then_aoi(house)
    if not locked:
        monkeypatch.setattr(referee, "lock_series", lambda *_, **__: None)
    written = between_two_dates(monkeypatch, module_app_db, actions, "write_hold")
    deeds: list[Callable[[], object]] = [
        partial(series.hold_series, house.id, wanted, now=NOW),
        partial(night, house, written),
    ]
    kinds = {type(answer).__name__ for answer in at_once(deeds)}
    assert ("Deadlock" in kinds) is not locked, "the control must see a deadlock"
    assert not locked or kinds == {"HeldSeries", "Hold"}
    assert not locked or house.findings() == []


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "control"])
def test_the_end_of_a_series_and_a_booking_that_cross(
    module_app_db: AppDatabase, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    house = crossing()
    held = series.hold_series(house.id, ren_then_aoi(house), now=NOW)
    if not locked:
        monkeypatch.setattr(referee, "lock_taken", lambda *_: None)
    written = between_two_dates(monkeypatch, module_app_db, referee, "end")
    deeds: list[Callable[[], object]] = [
        partial(series.release_series, house.id, held.id, now=NOW),
        partial(night, house, written),
    ]
    kinds = {type(answer).__name__ for answer in at_once(deeds)}
    assert ("Deadlock" in kinds) is not locked, "the control must see a deadlock"
    assert not locked or kinds == {"Hold"}, "releasing gives nothing"
    assert not locked or house.findings() == []


def test_series_that_cross_single_bookings_and_cancellations_never_deadlock() -> None:
    """Sixteen at a time, for five rounds, over the same six days of two people."""
    house = crossing()
    dice = random.Random(75)
    for _ in range(5):
        deeds: list[Callable[[], object]] = []
        for number in range(16):
            at = f"2026-11-{dice.randint(4, 9):02} {dice.randint(8, 20):02}:00"
            deeds.append(_deed(house, dice, number, at))
        dice.shuffle(deeds)
        refused = {type(each).__name__ for each in at_once(deeds) if isinstance(each, BaseException)}
        assert refused <= {"SeriesNotFree", "SlotTaken", "AlreadyCancelled", "HoldExpired"}
        assert house.findings() == []
    _cancel_all(house)
    assert house.findings() == []
    assert house.sheet_rows() == 0


def _deed(house: House, dice: random.Random, number: int, at: str) -> Callable[[], object]:
    mode = dice.choice(list(Mode))
    service = dice.choice(["cut", "duet", "night"])
    if number % 4 == 3:
        return partial(actions.hold, house.id, house.wish(dice.choice(["cut", "duet"]), at), now=NOW)
    wanted = request(house, service, at, mode=mode)
    if service == "night":
        wanted = SeriesRequest(**{**_values(wanted), "nights": 1, "rhythm": Rhythm(Unit.DAY, 2, 3)})
    return partial(_live, house, wanted, dice.random())


def _values(wanted: SeriesRequest) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in SeriesRequest.__slots__}


def _live(house: House, wanted: SeriesRequest, fate: float) -> None:
    """Hold a series; then release it, or book it and cancel its rest."""
    held = series.hold_series(house.id, wanted, now=NOW)
    if fate < 0.3:
        series.release_series(house.id, held.id, now=NOW)
        return
    series.confirm_series(house.id, held.id, person(), now=NOW, locale="ja", consent=1)
    if fate < 0.7:
        since = wanted.starts[0] + timedelta(days=3 * fate)
        series.cancel_rest(house.id, held.id, since, now=NOW, by="staff:1")


def _cancel_all(house: House) -> None:
    with shop(house.id):
        rows = list(Booking.objects.filter(takes=True))
    for row in rows:
        if row.status == Status.HELD:
            actions.release(house.id, row.id, now=NOW)
        else:
            actions.cancel(house.id, row.id, now=NOW, by="staff:1")


def test_many_want_one_series_and_one_has_it() -> None:
    house = crossing()
    wanted = request(house, "duet", "2026-11-04 10:00")
    answers = at_once([partial(series.hold_series, house.id, wanted, now=NOW)] * 12)
    kinds = sorted(type(answer).__name__ for answer in answers)
    assert kinds == ["HeldSeries"] + ["SeriesNotFree"] * 11
    assert house.findings() == []


def test_case_048_one_key_at_once_is_one_series() -> None:
    house = crossing()
    wanted = request(house, "cut", "2026-11-04 10:00", key="once")
    answers = at_once([partial(series.hold_series, house.id, wanted, now=NOW)] * 8)
    assert {type(answer).__name__ for answer in answers} == {"HeldSeries"}
    assert len({answer.id for answer in answers if isinstance(answer, series.HeldSeries)}) == 1
    with shop(house.id):
        assert Booking.objects.filter(takes=True).count() == 6


def test_many_want_a_course_and_no_seat_is_sold_twice() -> None:
    house = studio(capacity=5, course=True)
    wanted = SeriesRequest(house.services["yoga"], None, 2)

    def whole() -> object:
        return series.hold_series(house.id, wanted, now=NOW)

    def one() -> object:
        with suppress(NorenError):
            return actions.hold(house.id, house.wish("yoga", "2026-11-18 11:00"), now=NOW, by="staff:1")
        return None

    answers = at_once([whole, one] * 6)
    won = [answer for answer in answers if isinstance(answer, series.HeldSeries)]
    assert not [answer for answer in answers if isinstance(answer, Deadlock)]
    assert len(won) <= 2
    assert seats(house, "2026-11-18 11:00") >= 4, "whoever was faster, no place for two is left"
    with shop(house.id):
        assert not ClassSession.objects.filter(booked__gt=F("capacity")).exists()
    assert house.findings() == []
