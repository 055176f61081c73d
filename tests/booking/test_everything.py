"""Everything at once: all deeds on appointments, classes, rooms and a stock, by many. Nothing may be left
wrong, nobody may be answered but by a refusal, and no two transactions may have to be parted by the server.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from noren.booking import actions, blocks, classes, reception, sessions
from noren.booking.models import Block, Booking, ClassSession, Status
from noren.errors import NorenError
from noren.shops.tenancy import shop
from tests.booking.rush import at_once
from tests.booking.scene import NOW, House, found, later, person, when
from tests.booking.test_classes import WEDNESDAY
from tests.servers import AppDatabase

pytestmark = pytest.mark.usefixtures("module_app_db")
DAY = "2026-11-04"
STAFF = "staff:1"
PARALLEL = 12
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = %s"


def house_of_all() -> House:
    """Whoever teaches also gives lessons; the hall is two rooms; mats are lent; some of it asks first."""
    half = {"kind": "clock", "interval": 30}
    return found(
        {
            "mats": {"kind": "equipment", "stock": 4},
            "yui": {},
            "rei": {},
            "a": {"kind": "room"},
            "b": {"kind": "room"},
            "hall": {"kind": "room", "parts": ["a", "b"]},
        },
        {
            "yoga": {
                "needs": {"staff": ["yui", "rei"], "room": ["hall"]},
                "capacity": 6,
                "party_max": 2,
                "timetable": [{"weekday": WEDNESDAY, "start": hour * 60} for hour in (10, 13)],
                "minimum": {"seats": 2, "deadline": {"minutes": 60}},
                "limits": [{"of": "service", "period": "day", "most": 9}],
            },
            "lesson": {"needs": {"room": ["b", "a"], "staff": ["rei", "yui"]}, "grid": half, "after": 10},
            "talk": {"needs": {"staff": ["yui", "rei"]}, "approval": "free", "grid": half, "minutes": 30},
            "lend": {
                "needs": {"mats": {"pool": ["mats"], "units": 2}, "room": ["a"]},
                "approval": "keeps",
                "grid": half,
                "minutes": 90,
                "limits": [{"of": "customer", "period": "day", "most": 2}],
            },
        },
    )


class Life:
    """Draws deeds. Bookings are shared: two deeds meet on one."""

    def __init__(self, house: House, seed: int) -> None:
        self.house, self.draw = house, random.Random(seed)
        self.people = [person() for _ in range(3)]
        self.blocks: list[int] = []

    def at(self) -> datetime:
        return when(f"{DAY} 09:00") + timedelta(minutes=30 * self.draw.randrange(17))

    def wish(self, **more: Any) -> actions.HoldRequest:
        service = self.draw.choice(["yoga", "lesson", "talk", "lend"])
        at = when(f"{DAY} {self.draw.choice((10, 13))}:00") if service == "yoga" else self.at()
        return actions.HoldRequest(self.house.services[service], at, None, 1, **more)

    def book(self, request: actions.HoldRequest, who: Any, now: datetime) -> object:
        by = STAFF if request.override else "customer"
        held = actions.hold(self.house.id, request, now=now, by=by)
        return actions.confirm(self.house.id, held.id, who, now=now, locale="ja", consent=1, by=by)

    def block(self, now: datetime) -> object:
        start = self.at()
        resource = self.house.resources[self.draw.choice(["yui", "hall", "b"])]
        until = start + timedelta(minutes=45)
        self.blocks.append(
            blocks.block(self.house.id, resource, start, until, now=now, by=STAFF, reason="pause")
        )
        return None

    def deeds(self, now: datetime) -> list[Callable[[], object]]:
        with shop(self.house.id):
            rows = list(Booking.objects.order_by("id").values_list("id", flat=True))[-8:]
            dates = list(ClassSession.objects.filter(cancelled=False).values_list("id", flat=True)[:4])
        shop_id, on_day = self.house.id, when(f"{DAY} 10:00")
        found_: list[Callable[[], object]] = []
        for _ in range(3):
            found_ += [
                partial(actions.hold, shop_id, self.wish(), now=now),
                partial(self.book, self.wish(), self.draw.choice(self.people), now),
                partial(self.book, self.wish(override="regular"), self.draw.choice(self.people), now),
            ]
        for each in self.draw.choices(rows, k=6) if rows else []:
            said: dict[str, Any] = {"now": now, "by": self.draw.choice(["customer", STAFF])}
            found_ += [
                partial(actions.cancel, shop_id, each, **said),
                partial(actions.move, shop_id, each, self.at(), None, **said),
                partial(reception.approve, shop_id, each, now=now, by=STAFF),
                partial(reception.decline, shop_id, each, now=now, by=STAFF),
                partial(reception.check_in, shop_id, each, now=on_day, by=STAFF),
                partial(reception.no_show, shop_id, each, now=on_day, by=STAFF),
                partial(reception.check_out, shop_id, each, now=on_day + timedelta(minutes=10), by=STAFF),
                partial(actions.expire, shop_id, each, now=now),
                partial(actions.keep, shop_id, each, **said),
            ]
        for each in dates:
            found_ += [
                partial(sessions.move_session, shop_id, each, self.at(), None, now=now, by=STAFF),
                partial(sessions.resize, shop_id, each, self.draw.randrange(1, 8), now=now, by=STAFF),
                partial(sessions.decide, shop_id, each, now=when(f"{DAY} 09:00")),
            ]
        found_.append(partial(self.block, now))
        if self.blocks:
            found_.append(partial(blocks.unblock, shop_id, self.blocks.pop()))
        return self.draw.sample(found_, k=min(PARALLEL, len(found_)))


@pytest.mark.parametrize("seed", [1, 2])
def test_everything_at_once(seed: int, module_app_db: AppDatabase) -> None:
    house = house_of_all()
    classes.schedule(house.id, now=NOW)
    before = deadlocks(module_app_db)
    life = Life(house, seed)
    for number in range(14):
        answers = at_once(life.deeds(later(minutes=7 * number)))
        unexpected = [
            each for each in answers if isinstance(each, BaseException) and not isinstance(each, NorenError)
        ]
        assert unexpected == [], (seed, number)
        assert house.findings() == [], (seed, number)
    assert deadlocks(module_app_db) == before
    empty(house)


def empty(house: House) -> None:
    """When all have left nothing is taken any more."""
    with shop(house.id):
        closed = list(Block.objects.values_list("id", flat=True))
        ids = list(Booking.objects.filter(takes=True, session_id=None).values_list("id", "status"))
        dates = list(ClassSession.objects.filter(cancelled=False).values_list("id", flat=True))
    for each in closed:
        blocks.unblock(house.id, each)
    for each in dates:
        sessions.cancel_session(house.id, each, now=NOW, by=STAFF)
    for booking_id, status in ids:
        if status == Status.HELD:
            actions.release(house.id, booking_id, now=NOW)
        elif status in (Status.CONFIRMED, Status.PENDING):
            actions.cancel(house.id, booking_id, now=NOW, by=STAFF)
    assert house.findings() == []
    with shop(house.id):
        still = Booking.objects.filter(takes=True).exclude(status__in=[Status.CHECKED_IN, Status.NO_SHOW])
        assert still.count() == 0
        if not Booking.objects.filter(takes=True).exists():
            assert house.sheet_rows() == 0


def deadlocks(database: AppDatabase) -> int:
    """How many transactions the server has parted; those that have ended their connection are counted."""
    with database.connect("owner", autocommit=True) as conn:
        (count,) = conn.execute(DEADLOCKS, [database.name]).fetchone() or (0,)
    return int(count)
