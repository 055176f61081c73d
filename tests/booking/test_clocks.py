"""Case 29: a booking's whole life with the clock frozen at dates on which others break."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from noren.booking import actions, availability, reception
from noren.booking.models import Booking, Status
from noren.errors import HoldExpired, InThePast, LimitReached
from noren.shops.tenancy import shop
from tests.booking.scene import House, found, person
from tests.clocks import FROZEN

pytestmark = [pytest.mark.usefixtures("module_app_db"), pytest.mark.parametrize(("zone", "on"), FROZEN)]
MOMENTS = (0, 90, 150, 210, 12 * 60, 23 * 60)
"""Real minutes from the local midnight."""


def always_open(zone: str) -> House:
    """Somebody who works day and night, in halves of an hour, and at most forty times a day."""
    values = {
        "needs": {"staff": ["aoi"]},
        "minutes": 30,
        "grid": {"kind": "clock", "interval": 30},
        "check_in": {"release_minutes": 15},
        "limits": [{"of": "service", "period": "day", "most": 3}],
    }
    return found(
        {"aoi": {}, "ren": {}},
        {"cut": values, "free": {**values, "limits": [], "needs": {"staff": ["ren"]}}},
        hours=((0, 1440),),
        zone=zone,
    )


def midnight(on: str, zone: str) -> datetime:
    day = date.fromisoformat(on)
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def offered(house: House, service: str, on: str, now: datetime) -> list[datetime]:
    """The starts of a day, in UTC: the names of a doubled hour are equal on the wall."""
    day = date.fromisoformat(on)
    found_days = availability.month(house.id, house.services[service], day, day, now=now, staff=None).days
    return [start.at.astimezone(UTC) for start in found_days.get(day, ())]


def hold(house: House, service: str, at: datetime, now: datetime) -> actions.Hold:
    return actions.hold(house.id, actions.HoldRequest(house.services[service], at, None, 1), now=now)


def confirmed(house: House, held: actions.Hold, now: datetime) -> Booking:
    return actions.confirm(house.id, held.id, person(), now=now, locale="ja", consent=1)


def test_case_029_what_is_left_of_the_day_is_offered_and_can_be_booked(zone: str, on: str) -> None:
    house = always_open(zone)
    begin = midnight(on, zone)
    whole = offered(house, "free", on, begin)
    following = (date.fromisoformat(on) + timedelta(days=1)).isoformat()
    assert len(whole) == (midnight(following, zone) - begin) // timedelta(minutes=30)
    for minutes in MOMENTS:
        now = begin + timedelta(minutes=minutes)
        left = offered(house, "free", on, now)
        assert left == [at for at in whole if at >= now]
        if not left:
            continue
        booking = confirmed(house, hold(house, "free", left[0], now), now)
        assert booking.start == left[0]
        assert booking.wall == f"{left[0].astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"
        assert left[0] not in offered(house, "free", on, now)
        with pytest.raises(InThePast):
            hold(house, "free", now - timedelta(minutes=30), now)
        actions.cancel(house.id, booking.id, now=now, by="staff:aoi")
    assert house.findings() == []
    assert house.sheet_rows() == 0


def test_case_029_a_visit_runs_its_course(zone: str, on: str) -> None:
    house = always_open(zone)
    now = midnight(on, zone) - timedelta(minutes=45)
    begin = midnight(on, zone)
    first, second, third = (begin + timedelta(minutes=60 * n) for n in (1, 2, 3))
    visits = [confirmed(house, hold(house, "free", at, now), now) for at in (first, second, third)]
    moved = actions.move(house.id, visits[0].id, begin + timedelta(minutes=90), None, now=now, by="staff:aoi")
    assert (moved.start, moved.end - moved.start) == (begin + timedelta(minutes=90), timedelta(minutes=30))
    reception.check_in(house.id, visits[0].id, now=moved.start - timedelta(minutes=5), by="staff:aoi")
    left = reception.check_out(
        house.id, visits[0].id, now=moved.start + timedelta(minutes=10), by="staff:aoi"
    )
    assert left.end == moved.start + timedelta(minutes=10)
    reception.release_unattended(house.id, visits[1].id, now=second + timedelta(minutes=14, seconds=59))
    assert house.booking(visits[1].id).status == Status.CONFIRMED
    reception.release_unattended(house.id, visits[1].id, now=second + timedelta(minutes=15))
    assert house.booking(visits[1].id).status == Status.RELEASED
    reception.no_show(house.id, visits[2].id, now=third, by="staff:aoi")
    assert house.findings() == []


def test_case_029_a_hold_ends_to_the_second(zone: str, on: str) -> None:
    house = always_open(zone)
    now = midnight(on, zone) + timedelta(minutes=85)
    at = offered(house, "free", on, now)[0]
    held = hold(house, "free", at, now)
    assert held.expires_at == now + timedelta(minutes=10)
    assert at not in offered(house, "free", on, held.expires_at - timedelta(seconds=1))
    if at >= held.expires_at:
        assert at in offered(house, "free", on, held.expires_at)
    with pytest.raises(HoldExpired):
        confirmed(house, held, held.expires_at)
    actions.expire(house.id, held.id, now=held.expires_at)
    assert house.sheet_rows() == 0


def test_case_029_a_limit_counts_the_shops_day(zone: str, on: str) -> None:
    house = always_open(zone)
    now = midnight(on, zone) - timedelta(hours=3)
    begin = midnight(on, zone)
    following = midnight((date.fromisoformat(on) + timedelta(days=1)).isoformat(), zone)
    for at in (begin, begin + timedelta(hours=5), following - timedelta(minutes=30)):
        confirmed(house, hold(house, "cut", at, now), now)
    assert offered(house, "cut", on, now) == []
    with pytest.raises(LimitReached):
        hold(house, "cut", begin + timedelta(hours=8), now)
    for at in (begin - timedelta(minutes=30), following):
        confirmed(house, hold(house, "cut", at, now), now)
    with shop(house.id):
        assert Booking.objects.count() == 5
    assert house.findings() == []
