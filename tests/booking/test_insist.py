"""Staff insist, with a reason that stays in the history; nobody else can (booking.md 98)."""

from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError

from noren.booking import actions, sessions
from noren.booking.models import Booking, Event, Status
from noren.errors import LimitReached, NotOffered, SlotTaken
from noren.shops.tenancy import shop
from tests.booking.rush import at_once
from tests.booking.scene import NOW, House, found, person, salon, when
from tests.booking.test_classes import seats, studio
from tests.booking.test_sessions import session

pytestmark = pytest.mark.usefixtures("module_app_db")
DAY = "2026-11-05"
TEN = f"{DAY} 10:00"
STAFF = "staff:1"


def insist(house: House, service: str, at: str, staff: str | None = None, **more: Any) -> Booking:
    """Hold over what is there, and confirm."""
    values: dict[str, Any] = {"by": STAFF, "now": NOW, "override": "regular", **more}
    by, now, who = values.pop("by"), values.pop("now"), values.pop("who", None) or person()
    asked = None if staff is None else house.resources[staff]
    wish = actions.HoldRequest(house.services[service], when(at), asked, values.pop("party", 1), **values)
    held = actions.hold(house.id, wish, now=now, by=by)
    return actions.confirm(house.id, held.id, who, now=now, locale="ja", consent=None, by=by)


def history(house: House, booking_id: int) -> list[tuple[str, str, str]]:
    with shop(house.id):
        rows = Event.objects.filter(booking_id=booking_id).order_by("id")
        return [(row.what, row.by, row.why) for row in rows]


def give_back(house: House, *bookings: Booking) -> None:
    """Cancel all: nothing is left, whatever lay over what."""
    for each in bookings:
        actions.cancel(house.id, each.id, now=NOW, by=STAFF)
        assert house.findings() == []
    assert house.sheet_rows() == 0


def test_case_098_staff_book_over_a_full_slot_and_it_is_on_record() -> None:
    house = salon()
    first = house.book("cut", TEN)
    second = insist(house, "cut", TEN)
    assert (second.status, second.staff_id) == (Status.CONFIRMED, first.staff_id)
    assert history(house, second.id) == [("held_over", STAFF, "regular"), ("confirmed", STAFF, "")]
    assert "10:00" not in house.starts("cut", DAY)
    for by in ("customer", "api"):
        with pytest.raises(SlotTaken):
            actions.hold(house.id, house.wish("cut", TEN), now=NOW, by=by)
    assert house.findings() == []
    give_back(house, first, second)


def test_case_098_the_first_one_leaves_and_the_time_is_still_taken() -> None:
    house = salon()
    first = house.book("cut", TEN)
    second = insist(house, "cut", f"{DAY} 10:30")
    actions.cancel(house.id, first.id, now=NOW, by="customer")
    assert "09:30" in house.starts("cut", DAY)
    assert "10:00" not in house.starts("cut", DAY)
    give_back(house, second)


@pytest.mark.parametrize("by", ["customer", "api", "system"])
def test_case_098_nobody_else_can_insist(by: str) -> None:
    house = salon()
    booking = house.book("cut", TEN)
    with pytest.raises(RuntimeError):
        insist(house, "cut", TEN, by=by)
    with pytest.raises(RuntimeError):
        actions.move(house.id, booking.id, when(f"{DAY} 06:00"), None, now=NOW, by=by, override="regular")
    assert house.booking(booking.id).start == when(TEN)


def test_case_098_a_reason_is_a_code_and_there_is_one() -> None:
    house = salon()
    with pytest.raises(DatabaseError, match="booking_event_why_check"):
        insist(house, "cut", TEN, override="Frau Sato besteht darauf")
    house.book("cut", TEN)
    with pytest.raises(SlotTaken):
        insist(house, "cut", TEN, override="")


def test_case_098_any_rule_of_time_gives_way() -> None:
    house = found(
        {"aoi": {}},
        {"cut": {"needs": {"staff": ["aoi"]}, "lead": {"minutes": 1440}, "horizon": {"days": 10}}},
    )
    for at in (f"{DAY} 20:17", "2026-11-02 10:00", "2027-03-01 10:00"):
        with pytest.raises(Exception, match=r"not_offered|too_late|outside_horizon"):
            house.hold("cut", at)
        booking = insist(house, "cut", at)
        assert booking.start == when(at)
        give_back(house, booking)


def test_case_098_those_who_are_free_come_first() -> None:
    house = salon(staff=2)
    busy = house.book("cut", TEN)
    second = insist(house, "cut", TEN)
    assert second.staff_id != busy.staff_id
    third = insist(house, "cut", TEN, "stylist0")
    assert third.staff_id == house.resources["stylist0"]
    give_back(house, second, busy, third)


def test_case_098_a_move_may_be_insisted_on() -> None:
    house = salon()
    first, second = house.book("cut", TEN), house.book("cut", f"{DAY} 12:00")
    move = partial(actions.move, house.id, second.id, when(f"{DAY} 10:30"), None, now=NOW, by=STAFF)
    with pytest.raises(SlotTaken):
        move()
    move(override="regular")
    assert history(house, second.id)[-1] == ("moved", STAFF, "regular")
    with shop(house.id):
        assert Event.objects.filter(booking_id=second.id).latest("id").facts["over"] is True
    actions.cancel(house.id, first.id, now=NOW, by=STAFF)
    assert house.starts("cut", DAY)[:3] == ["09:00", "09:30", "11:30"]
    give_back(house, second)


def test_case_098_limits_give_way_and_go_on_counting() -> None:
    she = person()
    limits = [{"of": "service", "period": "day", "most": 1}, {"of": "customer", "period": "week", "most": 1}]
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}, "limits": limits}})
    held = house.hold("cut", TEN)
    first = actions.confirm(house.id, held.id, she, now=NOW, locale="ja", consent=1)
    second = insist(house, "cut", f"{DAY} 12:00", who=she)
    assert house.starts("cut", DAY) == []
    other = house.hold("cut", "2026-11-06 10:00")
    with pytest.raises(LimitReached):
        actions.confirm(house.id, other.id, she, now=NOW, locale="ja", consent=1, by=STAFF)
    actions.release(house.id, other.id, now=NOW)
    give_back(house, first, second)


def test_case_098_a_stock_is_lent_over_and_comes_back() -> None:
    house = found(
        {"kit": {"kind": "equipment", "stock": 3}},
        {"two": {"needs": {"kit": {"pool": ["kit"], "units": 2}}, "before": 10, "after": 20}},
    )
    first = house.book("two", TEN)
    second, third = insist(house, "two", f"{DAY} 10:30"), insist(house, "two", TEN)
    assert house.findings() == []
    actions.cancel(house.id, first.id, now=NOW, by=STAFF)
    assert "10:00" not in house.starts("two", DAY), "two of three are still lent twice"
    actions.cancel(house.id, third.id, now=NOW, by=STAFF)
    assert "09:00" not in house.starts("two", DAY)
    assert house.findings() == []
    give_back(house, second)


def test_case_098_a_whole_over_its_parts_and_back() -> None:
    house = found(
        {"a": {"kind": "court"}, "b": {"kind": "court"}, "hall": {"kind": "court", "parts": ["a", "b"]}},
        {"hall": {"needs": {"court": ["hall"]}, "minutes": 120}, "court": {"needs": {"court": ["a", "b"]}}},
    )
    part = house.book("court", TEN)
    whole = insist(house, "hall", TEN)
    again = insist(house, "court", f"{DAY} 11:00")
    assert "11:00" not in house.starts("court", DAY)
    actions.cancel(house.id, whole.id, now=NOW, by=STAFF)
    assert "11:00" in house.starts("court", DAY), "the other court is free"
    give_back(house, part, again)


def test_case_098_a_class_takes_one_more() -> None:
    house = studio(capacity=2)
    first = house.book("yoga", "2026-11-04 10:00", party=2)
    second = insist(house, "yoga", "2026-11-04 10:00", party=2)
    assert seats(house, "2026-11-04 10:00") == 4
    assert sessions.seats(house.id, session(house, "2026-11-04 10:00").id, 2).over == 2
    with pytest.raises(SlotTaken):
        house.hold("yoga", "2026-11-04 10:00")
    with pytest.raises(NotOffered):
        insist(house, "yoga", "2026-11-04 12:00")
    actions.cancel(house.id, first.id, now=NOW, by=STAFF)
    assert house.starts("yoga", "2026-11-04") == ["11:00"], "full, and over no more"
    third = house.book("yoga", "2026-11-04 11:00")
    moved = actions.move(
        house.id, third.id, when("2026-11-04 10:00"), None, now=NOW, by=STAFF, override="regular"
    )
    assert moved.start == when("2026-11-04 10:00")
    assert seats(house, "2026-11-04 10:00") == 3
    actions.cancel(house.id, second.id, now=NOW, by=STAFF)
    assert seats(house, "2026-11-04 10:00") == 1
    assert house.findings() == []


def test_case_098_of_a_rush_everybody_who_insists_is_in_and_nobody_else() -> None:
    house = salon(staff=2)
    house.book("cut", TEN)
    house.book("cut", TEN)

    def staff() -> Booking:
        return insist(house, "cut", TEN)

    def customer() -> actions.Hold:
        return actions.hold(house.id, house.wish("cut", TEN), now=NOW)

    answers = at_once([staff, customer] * 8)
    kinds = sorted(type(each).__name__ for each in answers)
    assert kinds == ["Booking"] * 8 + ["SlotTaken"] * 8
    assert house.findings() == []
    with shop(house.id):
        bookings = list(Booking.objects.filter(status=Status.CONFIRMED))
    give_back(house, *bookings)
