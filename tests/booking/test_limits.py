"""Limits: so many bookings, or hours of them, in a day, a week, a month (booking.md 41, 42)."""

import json
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from noren.booking import actions, availability, decide, sheets, usage
from noren.booking.asked import Asked
from noren.booking.models import Booking
from noren.engine import reasons, windows
from noren.engine.model import Why
from noren.errors import LimitReached, NorenError
from noren.shops.tenancy import shop
from tests.booking.rush import at_once, without
from tests.booking.scene import NOW, House, found, later, person, when
from tests.booking.test_classes import WEDNESDAY, studio
from tests.servers import AppDatabase

pytestmark = pytest.mark.usefixtures("module_app_db")
DAY, NEXT = "2026-11-05", "2026-11-06"
EVENING = ((18 * 60, 26 * 60),)


def limited(*limits: dict[str, Any], staff: int = 3, **more: Any) -> House:
    """Three stylists, so that only the limit says no; a cut and a wash, each of an hour."""
    names = [f"s{number}" for number in range(staff)]
    settings = {key: more.pop(key) for key in ("limits", "week_start", "hours") if key in more}
    return found(
        {name: {} for name in names},
        {
            "cut": {"needs": {"staff": names}, "limits": list(limits), **more},
            "wash": {"needs": {"staff": names}},
        },
        **settings,
    )


def most(count: int, period: str, of: str = "service") -> dict[str, Any]:
    return {"of": of, "period": period, "most": count}


def hours(count: float, period: str, of: str = "service") -> dict[str, Any]:
    return {"of": of, "period": period, "minutes": int(60 * count)}


def refused(house: House, service: str, at: str, **more: Any) -> bool:
    try:
        held = house.hold(service, at, **more)
    except LimitReached:
        return True
    actions.release(house.id, held.id, now=NOW)
    return False


# -- by count


def test_case_042_a_day_is_full_in_the_list_and_for_the_write() -> None:
    house = limited(most(2, "day"))
    house.book("cut", f"{DAY} 10:00")
    booking = house.book("cut", f"{DAY} 10:00")
    assert house.starts("cut", DAY) == []
    assert refused(house, "cut", f"{DAY} 15:00")
    assert house.starts("wash", DAY), "another service has limits of its own"
    assert house.starts("cut", NEXT)
    actions.cancel(house.id, booking.id, now=NOW, by="customer")
    assert house.starts("cut", DAY)


def test_case_042_holds_count_until_they_expire() -> None:
    house = limited(most(1, "day"))
    house.hold("cut", f"{DAY} 10:00")
    assert refused(house, "cut", f"{DAY} 15:00")
    after = later(minutes=11)
    assert "15:00" in house.starts("cut", DAY, now=after)
    house.book("cut", f"{DAY} 15:00", now=after)


@pytest.mark.parametrize(("begins", "last"), [(0, "2026-11-08"), (6, "2026-11-07")])
def test_case_042_a_week_begins_where_the_shop_says(begins: int, last: str) -> None:
    """From Monday to Sunday, or from Sunday to Saturday."""
    house = limited(most(1, "week"), week_start=begins)
    house.book("cut", f"{DAY} 10:00")
    assert refused(house, "cut", f"{last} 10:00")
    assert not refused(house, "cut", f"{date.fromisoformat(last) + timedelta(days=1)} 10:00")


def test_case_042_a_month_is_the_shops() -> None:
    house = limited(most(1, "month"))
    house.book("cut", "2026-11-30 17:00")
    assert refused(house, "cut", f"{DAY} 10:00")
    assert not refused(house, "cut", "2026-12-01 09:00"), "which is still November in UTC"


def test_case_042_the_night_belongs_to_the_evening_before() -> None:
    house = limited(most(1, "day"), hours=EVENING)
    house.book("cut", f"{NEXT} 01:00")
    assert refused(house, "cut", f"{DAY} 20:00"), "25:00 on Thursday is Thursday's"
    assert not refused(house, "cut", f"{NEXT} 20:00")


def test_case_042_of_the_whole_shop_all_services_count() -> None:
    house = limited(limits=[most(2, "day")])
    house.book("cut", f"{DAY} 10:00")
    house.book("wash", f"{DAY} 10:00")
    for service in ("cut", "wash"):
        assert house.starts(service, DAY) == []
        assert refused(house, service, f"{DAY} 15:00")


def test_case_042_of_staff_each_has_her_own() -> None:
    house = limited(most(1, "day", "staff"), staff=2)
    house.book("cut", f"{DAY} 10:00", "s0")
    assert house.starts("cut", DAY, "s0") == []
    assert refused(house, "cut", f"{DAY} 15:00", staff="s0")
    second = house.book("cut", f"{DAY} 10:00")
    assert second.staff_id == house.resources["s1"]
    assert refused(house, "cut", f"{DAY} 15:00")
    assert not refused(house, "wash", f"{DAY} 15:00", staff="s0")


def test_case_042_the_second_of_two_teachers_counts_too() -> None:
    house = found(
        {"aoi": {}, "ren": {}},
        {
            "duo": {"needs": {"staff": {"pool": ["aoi", "ren"], "count": 2}}},
            "cut": {"needs": {"staff": ["aoi", "ren"]}},
        },
        limits=[most(1, "day", "staff")],
    )
    house.book("duo", f"{DAY} 10:00")
    for name in ("aoi", "ren"):
        assert house.starts("cut", DAY, name) == []
        assert refused(house, "cut", f"{DAY} 15:00", staff=name)


# -- by hours


def test_case_042_hours_of_a_week_are_split_at_its_border() -> None:
    """Open all night: of Sunday 23:30 to 00:30 half an hour is this week's."""
    house = limited(hours(1.5, "week"), hours=((0, 1440),), grid={"kind": "clock", "interval": 30})
    house.book("cut", "2026-11-08 23:30")
    house.book("cut", f"{DAY} 10:00")
    assert refused(house, "cut", f"{DAY} 15:00"), "half an hour has been used by Sunday night"
    assert refused(house, "cut", "2026-11-08 23:00")
    assert not refused(house, "cut", "2026-11-09 10:00"), "half an hour and an hour"
    house.book("cut", "2026-11-09 10:00")
    assert refused(house, "cut", "2026-11-09 12:00")


def test_case_042_hours_left_are_offered_to_the_minute() -> None:
    house = limited(hours(2, "day"), hours=((0, 1440),), grid={"kind": "clock", "interval": 15})
    house.book("cut", f"{DAY} 10:00")
    house.book("cut", f"{NEXT} 00:15")
    house.book("cut", f"{DAY} 23:30")
    starts = house.starts("cut", DAY)
    assert starts == ["23:30"], "half an hour is left of the day, and half one of the next"
    for at in ("12:00", "23:15", "23:30", "23:45"):
        assert refused(house, "cut", f"{DAY} {at}") == (at not in starts)


def test_case_042_overnight_hours_are_of_the_business_day() -> None:
    house = limited(hours(1, "day"), hours=EVENING)
    house.book("cut", f"{NEXT} 00:30")
    assert refused(house, "cut", f"{DAY} 18:00")
    assert not refused(house, "cut", f"{NEXT} 18:00")


# -- of customers, who are known only when they have said who they are


def confirm(house: House, hold_id: int, who: UUID) -> Booking:
    return actions.confirm(house.id, hold_id, who, now=NOW, locale="ja", consent=1)


def test_case_042_of_a_customer_it_is_asked_when_she_is_known() -> None:
    house = limited(most(1, "day", "customer"))
    she, he = person(), person()
    confirm(house, house.hold("cut", f"{DAY} 10:00").id, she)
    second = house.hold("cut", f"{DAY} 15:00")
    with pytest.raises(LimitReached):
        confirm(house, second.id, she)
    assert confirm(house, second.id, he).person_id == he
    assert house.starts("cut", DAY, person=she) == []
    assert house.starts("cut", DAY, person=he) == []
    assert house.starts("cut", DAY, person=person())
    assert house.findings() == []


def test_case_042_of_a_customer_who_is_known_the_hold_says_no() -> None:
    house = limited(most(1, "week", "customer"))
    she = person()
    confirm(house, house.hold("cut", f"{DAY} 10:00").id, she)
    request = actions.HoldRequest(house.services["cut"], when(f"{NEXT} 10:00"), None, 1, person=she)
    with pytest.raises(LimitReached):
        actions.hold(house.id, request, now=NOW)


# -- a move, a class


def test_case_042_a_move_does_not_count_against_itself() -> None:
    house = limited(most(1, "day"), hours(1, "week"))
    booking = house.book("cut", f"{DAY} 10:00")
    assert house.starts("cut", DAY, own=booking.id)
    for to in (f"{DAY} 10:30", f"{NEXT} 10:00"):
        moved = actions.move(house.id, booking.id, when(to), None, now=NOW, by="customer")
        assert moved.start == when(to)
    other = house.book("cut", "2026-11-12 10:00")
    with pytest.raises(LimitReached):
        actions.move(house.id, other.id, when(f"{NEXT} 15:00"), None, now=NOW, by="customer")
    assert house.booking(other.id).start == when("2026-11-12 10:00")


def test_case_042_a_class_has_limits_too() -> None:
    house = studio(limits=[most(2, "day")], timetable=[{"weekday": WEDNESDAY, "start": 600}])
    for _ in range(2):
        house.book("yoga", "2026-11-04 10:00")
    assert house.starts("yoga", "2026-11-04") == []
    with pytest.raises(LimitReached):
        house.hold("yoga", "2026-11-04 10:00")


# -- one answer


@pytest.mark.parametrize(
    "limits",
    [
        [most(3, "day")],
        [hours(2.5, "day"), hours(5, "week")],
        [most(1, "day", "staff")],
        [hours(1.5, "day", "staff"), most(5, "month")],
    ],
)
def test_case_042_list_why_not_and_write_agree(limits: list[dict[str, Any]]) -> None:
    house = limited(*limits, staff=2, minutes=45)
    for at in (f"{DAY} 10:00", f"{DAY} 13:00", f"{NEXT} 09:30", f"{NEXT} 16:00"):
        if not refused(house, "cut", at):
            house.book("cut", at)
    for day in (DAY, NEXT, "2026-11-07"):
        offered = house.starts("cut", day)
        for half in range(18, 35):
            at = f"{half // 2:02}:{half % 2 * 30:02}"
            why = why_not(house, f"{day} {at}")
            assert (why is None) == (at in offered), (day, at, why)
            answer = tried(house, f"{day} {at}")
            assert (answer is None) == (at in offered), (day, at, answer)
            assert (answer is LimitReached) == (why is Why.LIMIT), (day, at, why, answer)


def tried(house: House, at: str) -> type[NorenError] | None:
    """Write and take back; give what was said against it."""
    try:
        held = house.hold("cut", at)
    except NorenError as error:
        return type(error)
    actions.release(house.id, held.id, now=NOW)
    return None


def why_not(house: House, at: str) -> Why | None:
    start, service_id = int(when(at).timestamp()) // 60, house.services["cut"]
    with shop(house.id):
        seen = sheets.survey(
            house.id, service_id, lambda rules: windows.of_start(rules, service_id, start), now=NOW
        )
        rules = seen.known.rules
        used = usage.used(rules, rules.services[service_id], seen.window, now=NOW)
        wanted: dict[str, Any] = {"now": int(NOW.timestamp()), "used": used}
        found_ = reasons.why_not(rules, service_id, seen.window, seen.taken, start, **wanted)
    return None if found_ is None else found_.why


def test_it_asks_the_database_once_more_and_only_where_there_are_limits(django_queries: list[str]) -> None:
    day = date.fromisoformat(DAY)
    for house, more in ((limited(), 0), (limited(most(2, "day"), hours(9, "week", "staff")), 1)):
        availability.month(house.id, house.services["cut"], day, day, now=NOW, staff=None)
        django_queries.clear()
        availability.month(house.id, house.services["cut"], day, day, now=NOW, staff=None)
        assert len([query for query in django_queries if "booking_used" in query]) == more


# -- at the limit's edge, all at once


def rush(house: House, *, staff: int = 20) -> int:
    """Twenty at once, each at a time of her own: only the limit stands between them. Give how many got in."""
    wishes = [house.wish("cut", f"{DAY} {9 + number % 9:02}:00", f"s{number}") for number in range(staff)]
    answers = at_once([partial(actions.hold, house.id, wish, now=NOW) for wish in wishes])
    assert {type(each).__name__ for each in answers} <= {"Hold", "LimitReached", "SlotTaken"}
    return len([each for each in answers if isinstance(each, actions.Hold)])


@pytest.mark.parametrize(
    ("limit", "got"), [(most(7, "day"), 7), (hours(5, "week"), 5), (most(12, "month"), 12)]
)
def test_case_042_of_twenty_at_once_exactly_the_limit_is_booked(limit: dict[str, Any], got: int) -> None:
    house = limited(limit, staff=20)
    assert rush(house) == got
    assert house.findings() == []


def test_case_042_control_without_the_lock_there_are_more(module_app_db: AppDatabase) -> None:
    unlocked = ("SELECT pg_advisory_xact_lock(k.key)", "SELECT k.key")
    as_void = ("ORDER BY key) k", "ORDER BY key) k; SELECT")
    with without(module_app_db, "booking_lock_limits", unlocked, as_void):
        most_of = max(rush(limited(most(7, "day"), staff=20)) for _ in range(5))
    assert most_of > 7, "this test cannot see the race"


def test_case_042_control_without_the_count_there_are_more(module_app_db: AppDatabase) -> None:
    with without(module_app_db, "booking_check_limits", ("IF FOUND THEN", "IF false THEN")):
        most_of = max(rush(limited(most(7, "day"), staff=20)) for _ in range(5))
    assert most_of > 7, "this test cannot see the race"


def test_case_042_of_two_limits_both_are_locked(module_app_db: AppDatabase) -> None:
    """The function that locks goes through all of them, not the first alone."""
    house = limited(most(9, "day"), hours(9, "week"), most(9, "month", "staff"), staff=1)
    start = when(f"{DAY} 10:00")
    with shop(house.id):
        found_ = decide.decide(Asked(house.services["cut"], start, None, 1), now=NOW)
    assert len(found_.limits) == 3
    with module_app_db.connect() as conn:
        conn.execute("SELECT booking_lock_limits(%s, %s)", [house.id, json.dumps(found_.limits)])
        held = conn.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        )
        assert held.fetchone() == (3,)


def test_case_042_moves_and_confirms_at_once_keep_the_limit() -> None:
    house = limited(most(4, "day"), most(1, "day", "customer"), staff=4)
    she = person()
    holds = [house.hold("cut", f"{DAY} {hour:02}:00").id for hour in (9, 10)]
    others = [house.book("cut", f"{NEXT} {hour:02}:00") for hour in (9, 10, 11, 13)]
    deeds = [partial(confirm, house, each, she) for each in holds] + [
        partial(actions.move, house.id, each.id, when(f"{DAY} 15:00"), None, now=NOW, by="customer")
        for each in others
    ]
    answers = at_once(deeds)
    assert {type(each).__name__ for each in answers} == {"Booking", "LimitReached"}
    with shop(house.id):
        on_day = Booking.objects.filter(
            takes=True, start__gte=when(f"{DAY} 00:00"), start__lt=when(f"{NEXT} 00:00")
        )
        assert on_day.count() == 4
        assert on_day.filter(person_id=she).count() == 1
    assert house.findings() == []
