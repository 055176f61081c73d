"""Bookings follow a change by the real worker, which is killed on the way: each exactly once."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from django.db import connection

from noren import clock
from noren.booking import changes, work
from noren.booking.changes import Choice
from noren.booking.models import Booking, Event, LineState, WorkLine, WorkState
from noren.shops.models import Override
from noren.shops.tenancy import shop
from tests.booking.scene import TOKYO, House, salon
from tests.killable import working
from tests.servers import AppDatabase, wait_for

STAFF = 10
# The worker, but a line's mark is written by itself, before the move it speaks of.
APART = """
import time
from noren.booking import following, resettle
from noren.booking.models import LineState
def apart(shop_id, work, line, now):
    following._mark(shop_id, line, LineState.MADE, "hours")
    time.sleep(0.3)
    resettle.move_nearest(shop_id, line.booking_id, now=now, by=work.by, told=False)
following.follow = apart
"""


def full(on: date) -> tuple[House, list[Booking]]:
    """A day on which everybody is booked all day; no mail of it is to be sent."""
    house = salon(staff=STAFF)
    now = clock.now()
    those = [
        house.book("cut", f"{on} {at:02}:00", now=now) for at in (9, 10, 11, 12, 13, 14) for _ in range(STAFF)
    ]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo'")
    return house, those


def close(on: date) -> bool:
    Override.objects.create(date=on, ranges=[])
    return True


def done_lines(house: House, work_id: int) -> int:
    with shop(house.id):
        return WorkLine.objects.filter(work_id=work_id).exclude(state=LineState.WAITING).count()


def saved(house: House, those: list[Booking], on: date) -> int:
    """Close the day; the first half of them is to be cancelled, the others are to be moved."""
    answers = {
        each.id: Choice.CANCEL_UNTOLD if n < len(those) // 2 else Choice.MOVE_UNTOLD
        for n, each in enumerate(those)
    }
    done = changes.change(house.id, partial(close, on), answers, now=clock.now(), by="staff:aoi")
    assert done.work_id is not None
    return done.work_id


def until(house: House, work_id: int, more_than: int) -> Callable[[], bool]:
    return lambda: done_lines(house, work_id) > more_than


def test_a_killed_worker_does_each_exactly_once(module_app_db: AppDatabase, tmp_path: Path) -> None:
    """Killed three times, amid whatever it did: all are moved or cancelled, none of them twice."""
    on = (datetime.now(TOKYO) + timedelta(days=5)).date()
    house, those = full(on)
    work_id = saved(house, those, on)
    reached = 0
    for _ in range(3):
        with working(module_app_db, tmp_path) as process:
            wait_for(until(house, work_id, reached))
            process.kill()
        reached = done_lines(house, work_id)
    assert 0 < reached < len(those)
    assert work.one(house.id, work_id).state == WorkState.RUNNING
    with working(module_app_db, tmp_path):
        wait_for(lambda: work.one(house.id, work_id).state == WorkState.DONE)
    with shop(house.id):
        lines = list(WorkLine.objects.filter(work_id=work_id).values_list("state", "booking_id"))
        events = list(
            Event.objects.filter(by="staff:aoi", what__in=["moved", "cancelled"]).order_by("booking_id")
        )
    assert {state for state, _ in lines} == {LineState.MADE}
    assert [each.booking_id for each in events] == sorted(each.id for each in those)
    assert house.findings() == []


def test_control_a_mark_of_its_own_leaves_some_behind(module_app_db: AppDatabase, tmp_path: Path) -> None:
    """A line that is marked before its booking is moved: who is killed in between leaves that one unmoved."""
    on = (datetime.now(TOKYO) + timedelta(days=5)).date()
    house, those = full(on)
    work_id = saved(house, those, on)
    with working(module_app_db, tmp_path, more=APART) as process:
        wait_for(until(house, work_id, 0))
        process.kill()
    with shop(house.id):
        marked = WorkLine.objects.filter(work_id=work_id, state=LineState.MADE).count()
        moved = Event.objects.filter(by="staff:aoi", what="moved").count()
    assert moved < marked
