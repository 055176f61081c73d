"""Classes: dates from a timetable, seats, parties."""

import json
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.db import connection

from noren.booking import actions, availability, classes, tasks
from noren.booking.models import ClassSession
from noren.errors import NotOffered, PartyTooLarge, SlotTaken
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.booking.rush import at_once
from tests.booking.scene import NOW, House, found, later, when

pytestmark = pytest.mark.usefixtures("module_app_db")
WEDNESDAY = 2


def studio(capacity: int = 8, **service: Any) -> House:
    """Yoga on Wednesdays at 10:00 and 11:00, led by Yui in the hall."""
    times = [{"weekday": WEDNESDAY, "start": hour * 60} for hour in (10, 11)]
    values = {"capacity": capacity, "timetable": times, "party_max": 4, "minutes": 60, **service}
    house = found(
        {"yui": {}, "hall": {"kind": "room"}},
        {
            "yoga": {"needs": {"staff": ["yui"], "room": ["hall"]}, **values},
            "lesson": {"needs": {"staff": ["yui"]}},
        },
    )
    classes.schedule(house.id, now=NOW)
    return house


def seats(house: House, at: str) -> int:
    with shop(house.id):
        return ClassSession.objects.get(start=when(at)).booked


def test_it_makes_the_dates_once() -> None:
    house = studio()
    assert classes.schedule(house.id, now=NOW).made == 0
    assert house.starts("yoga", "2026-11-04") == ["10:00", "11:00"]
    assert house.starts("yoga", "2026-11-05") == []
    assert "10:00" not in house.starts("lesson", "2026-11-04"), "the teacher is busy with the class"
    assert "10:00" in house.starts("lesson", "2026-11-05")
    assert house.findings() == []


def test_it_makes_no_date_where_the_teacher_is_taken() -> None:
    house = studio(timetable=[])
    house.book("lesson", "2026-11-04 10:30")
    with shop(house.id):
        assert ClassSession.objects.count() == 0
    assert classes.schedule(house.id, now=NOW).made == 0


def test_it_makes_dates_only_once_at_once() -> None:
    house = studio(timetable=[{"weekday": WEDNESDAY, "start": 600}])
    with shop(house.id):
        before = ClassSession.objects.count()
    made = at_once([partial(classes.schedule, house.id, now=later(days=7))] * 4)
    with shop(house.id):
        assert ClassSession.objects.count() - before == sum(
            each.made for each in made if isinstance(each, classes.Scheduled)
        )
    assert house.findings() == []


def test_case_070_a_party_is_never_split() -> None:
    house = studio(capacity=8)
    house.book("yoga", "2026-11-04 10:00", party=4)
    house.book("yoga", "2026-11-04 10:00", party=2)
    assert house.starts("yoga", "2026-11-04", party=3) == ["11:00"]
    with pytest.raises(PartyTooLarge):
        house.hold("yoga", "2026-11-04 10:00", party=3)
    assert seats(house, "2026-11-04 10:00") == 6


def test_it_says_taken_when_no_seat_is_left() -> None:
    house = studio(capacity=1)
    house.book("yoga", "2026-11-04 10:00")
    with pytest.raises(SlotTaken) as refusal:
        house.hold("yoga", "2026-11-04 10:00")
    assert refusal.value.facts["nearest"][0].at == when("2026-11-04 11:00")


def test_it_counts_the_seats_left() -> None:
    house = studio(capacity=3)
    house.book("yoga", "2026-11-04 10:00", party=2)
    day = when("2026-11-04 00:00").date()
    found_ = availability.month(house.id, house.services["yoga"], day, day, now=NOW, staff=None).days[day]
    assert [start.left for start in found_] == [1, 3]
    assert found_[0].staff == (house.resources["yui"],)


def test_case_045_a_class_hold_takes_the_seats_asked_for() -> None:
    house = studio(capacity=4)
    house.hold("yoga", "2026-11-04 10:00", party=3)
    assert house.starts("yoga", "2026-11-04", party=2) == ["11:00"]


def test_case_052_seats_of_an_expired_hold_are_free() -> None:
    house = studio(capacity=4)
    house.hold("yoga", "2026-11-04 10:00", party=4)
    after = later(minutes=11)
    assert house.starts("yoga", "2026-11-04", now=after) == ["10:00", "11:00"]
    house.book("yoga", "2026-11-04 10:00", party=4, now=after)
    assert seats(house, "2026-11-04 10:00") == 4
    assert house.findings() == []


def test_case_073_an_attendee_moves_between_classes() -> None:
    house = studio(capacity=4)
    booking = house.book("yoga", "2026-11-04 10:00", party=4)
    moved = actions.move(house.id, booking.id, when("2026-11-04 11:00"), None, now=NOW, by="customer")
    assert moved.start == when("2026-11-04 11:00")
    assert (seats(house, "2026-11-04 10:00"), seats(house, "2026-11-04 11:00")) == (0, 4)
    assert house.findings() == []


def test_case_073_the_target_has_its_own_rules() -> None:
    house = studio(capacity=4)
    booking = house.book("yoga", "2026-11-04 10:00", party=4)
    house.book("yoga", "2026-11-04 11:00")
    with pytest.raises(PartyTooLarge):
        actions.move(house.id, booking.id, when("2026-11-04 11:00"), None, now=NOW, by="customer")
    assert seats(house, "2026-11-04 10:00") == 4


def test_it_moves_no_lesson_into_a_class() -> None:
    """A service that has become a class since: seats and claims do not mix."""
    house = studio(capacity=4)
    booking = house.book("lesson", "2026-11-05 10:00")
    with shop(house.id), change():
        Service.objects.filter(id=house.services["lesson"]).update(
            capacity=4, timetable=[{"weekday": WEDNESDAY, "start": 900}]
        )
    classes.schedule(house.id, now=NOW)
    with pytest.raises(NotOffered):
        actions.move(house.id, booking.id, when("2026-11-04 15:00"), None, now=NOW, by="staff:1")
    assert seats(house, "2026-11-04 15:00") == 0
    assert house.findings() == []


def test_case_071_a_lowered_capacity_drops_nobody() -> None:
    house = studio(capacity=4)
    house.book("yoga", "2026-11-04 10:00", party=4)
    with shop(house.id):
        ClassSession.objects.filter(start=when("2026-11-04 10:00")).update(capacity=2)
    assert seats(house, "2026-11-04 10:00") == 4
    with pytest.raises(SlotTaken):
        house.hold("yoga", "2026-11-04 10:00")


def test_it_gives_seats_back() -> None:
    house = studio(capacity=4)
    booking = house.book("yoga", "2026-11-04 10:00", party=4)
    actions.cancel(house.id, booking.id, now=NOW, by="customer")
    assert seats(house, "2026-11-04 10:00") == 0
    assert house.starts("yoga", "2026-11-04", party=4) == ["10:00", "11:00"]


def test_it_refuses_a_time_without_a_class() -> None:
    house = studio()
    with pytest.raises(NotOffered):
        house.hold("yoga", "2026-11-04 12:00")


def test_a_change_of_the_rules_defers_what_follows_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job makes the dates of a new timetable, and one more job for tomorrow, however often it runs."""
    house = studio(timetable=[])
    with shop(house.id), change():
        Service.objects.filter(key="yoga").update(timetable=[{"weekday": WEDNESDAY, "start": 600}])
    assert len(waiting("noren.booking.tasks.follow_rules", house)) >= 1
    monkeypatch.setattr("noren.clock.now", lambda: NOW)
    for _ in range(2):
        tasks.follow_rules(house.id)
    assert house.starts("yoga", "2026-11-04") == ["10:00"]
    assert waiting("noren.booking.tasks.timetables", house) == [later(days=1)]


def waiting(task: str, house: House) -> list[datetime | None]:
    return waiting_of(task, {"shop_id": house.id})


def waiting_of(task: str, args: dict[str, int]) -> list[datetime | None]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = %s AND args = %s::jsonb",
            [task, json.dumps(args)],
        )
        return [at for (at,) in cursor.fetchall()]
