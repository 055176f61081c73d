"""Holds: whose a slot is while a form is filled (booking.md §2, 44-54)."""

from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from noren.booking import actions, availability, tasks
from noren.booking.models import Event, Status
from noren.errors import (
    BookingUnknown,
    HoldExpired,
    IdempotencyKeyReused,
    InThePast,
    NotOffered,
    OutsideHorizon,
    ServiceUnknown,
    ShopUnknown,
    SlotTaken,
    TooLate,
)
from noren.shops.models import OpeningHours, Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, found, later, salon, when

pytestmark = pytest.mark.usefixtures("module_app_db")
DAY = "2026-11-03"


def what(house: House, booking_id: int) -> list[str]:
    with shop(house.id):
        return list(Event.objects.filter(booking_id=booking_id).order_by("id").values_list("what", flat=True))


def test_it_hides_what_is_held() -> None:
    house = salon()
    assert "10:00" in house.starts("cut", DAY)
    held = house.hold("cut", f"{DAY} 10:00")
    assert held.expires_at == later(minutes=10)
    assert house.starts("cut", DAY)[:3] == ["09:00", "11:00", "11:30"]


def test_it_tells_a_loser_the_nearest() -> None:
    house = salon()
    house.book("cut", f"{DAY} 10:00")
    with pytest.raises(SlotTaken) as refusal:
        house.hold("cut", f"{DAY} 10:00")
    assert [f"{start.at:%H:%M}" for start in refusal.value.facts["nearest"]] == [
        "09:00",
        "11:00",
        "11:30",
        "12:00",
        "12:30",
    ]


def test_case_051_the_nearest_are_of_the_one_asked_for() -> None:
    house = salon(staff=2)
    house.book("cut", f"{DAY} 10:00", "stylist0")
    with pytest.raises(SlotTaken) as refusal:
        house.hold("cut", f"{DAY} 10:00", "stylist0")
    nearest = refusal.value.facts["nearest"]
    assert nearest[0].at == when(f"{DAY} 09:00")
    assert nearest[0].staff == (house.resources["stylist0"],)


def test_case_036_a_typed_time_is_refused_as_the_list_does() -> None:
    house = salon()
    for at in (f"{DAY} 10:07", f"{DAY} 08:30", f"{DAY} 17:30"):
        with pytest.raises(NotOffered):
            house.hold("cut", at)
    with pytest.raises(NotOffered):
        actions.hold(
            house.id,
            actions.HoldRequest(house.services["cut"], when(f"{DAY} 10:00") + timedelta(seconds=1), None, 1),
            now=NOW,
        )


def test_it_refuses_the_past_and_the_far() -> None:
    house = salon()
    with pytest.raises(InThePast):
        house.hold("cut", "2026-11-01 10:00")
    with pytest.raises(OutsideHorizon):
        house.hold("cut", "2027-11-03 10:00")


def test_case_039_the_edge_of_notice_is_allowed() -> None:
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}, "lead": {"minutes": 120}}})
    with pytest.raises(TooLate):
        house.hold("cut", f"{DAY} 11:00", now=when(f"{DAY} 09:00") + timedelta(seconds=1))
    assert house.hold("cut", f"{DAY} 11:00", now=when(f"{DAY} 09:00")).id


def test_it_refuses_what_it_does_not_know() -> None:
    house = salon()
    with pytest.raises(ServiceUnknown):
        actions.hold(house.id, actions.HoldRequest(999_999, when(f"{DAY} 10:00"), None, 1), now=NOW)
    with pytest.raises(ServiceUnknown):
        availability.month(house.id, 999_999, NOW.date(), NOW.date(), now=NOW, staff=None)
    with pytest.raises(ShopUnknown):
        actions.hold(999_999, actions.HoldRequest(1, when(f"{DAY} 10:00"), None, 1), now=NOW)


def test_case_048_the_same_key_is_one_hold_in_a_doubled_hour_too() -> None:
    zone = ZoneInfo("America/New_York")
    house = salon(zone="America/New_York", hours=((0, 1440),))
    at = datetime(2026, 11, 1, 1, 30, fold=1, tzinfo=zone)
    wish = actions.HoldRequest(house.services["cut"], at, None, 1, "key")
    assert actions.hold(house.id, wish, now=NOW - timedelta(days=3)) == actions.hold(
        house.id, wish, now=NOW - timedelta(days=3)
    )


def test_case_048_the_same_key_is_one_hold() -> None:
    house = salon(staff=2)
    one = house.hold("cut", f"{DAY} 10:00", key="abc")
    two = house.hold("cut", f"{DAY} 10:00", key="abc")
    assert one.id == two.id
    assert "10:00" in house.starts("cut", DAY), "the other stylist is free still"
    with pytest.raises(IdempotencyKeyReused):
        house.hold("cut", f"{DAY} 11:00", key="abc")


def test_case_048_the_same_key_is_one_hold_where_it_bars_its_own_way() -> None:
    house = salon()
    one = house.hold("cut", f"{DAY} 10:00", key="abc")
    assert house.hold("cut", f"{DAY} 10:00", key="abc").id == one.id


def test_case_048_the_same_key_in_another_shop_is_another() -> None:
    one, two = salon(), salon()
    first = one.hold("cut", f"{DAY} 10:00", key="abc")
    second = two.hold("cut", f"{DAY} 10:00", key="abc")
    assert first.id != second.id


def test_it_keeps_no_key_but_a_keyed_hash() -> None:
    house = salon()
    held = house.hold("cut", f"{DAY} 10:00", key="secret-key")
    kept = bytes(house.booking(held.id).idempotency or b"")
    assert len(kept) == 32
    assert b"secret" not in kept


def test_a_key_whose_hold_expired_begins_anew() -> None:
    house = salon()
    one = house.hold("cut", f"{DAY} 10:00", key="abc")
    two = house.hold("cut", f"{DAY} 10:00", key="abc", now=later(minutes=11))
    assert one.id != two.id
    assert house.booking(one.id).status == Status.EXPIRED


def test_case_050_a_write_ignores_what_was_read_before() -> None:
    """The rules are kept per process; a write checks their revision in the database."""
    house = salon()
    assert "10:00" in house.starts("cut", DAY)
    with shop(house.id), change():
        Service.objects.filter(key="cut").update(bookable=False)
    with pytest.raises(NotOffered):
        house.hold("cut", f"{DAY} 10:00")


def test_case_052_an_expired_hold_is_not_seen() -> None:
    house = salon()
    house.hold("cut", f"{DAY} 10:00")
    assert "10:00" not in house.starts("cut", DAY, now=later(minutes=9))
    assert "10:00" in house.starts("cut", DAY, now=later(minutes=10))


def test_case_052_an_expired_hold_is_swept_by_who_needs_its_place() -> None:
    house = salon()
    held = house.hold("cut", f"{DAY} 10:00")
    booking = house.book("cut", f"{DAY} 10:30", now=later(minutes=10))
    assert house.booking(held.id).status == Status.EXPIRED
    assert what(house, held.id) == ["held", "expired"]
    assert booking.status == Status.CONFIRMED
    assert house.findings() == []


def test_case_052_an_expired_hold_is_swept_by_a_move() -> None:
    house = salon()
    booking = house.book("cut", f"{DAY} 15:00")
    house.hold("cut", f"{DAY} 10:00")
    after = later(minutes=10)
    actions.move(house.id, booking.id, when(f"{DAY} 10:30"), None, now=after, by="staff:1")
    assert house.findings() == []


def test_case_052_an_own_hold_can_be_chosen_again() -> None:
    house = salon()
    held = house.hold("cut", f"{DAY} 10:00")
    assert "10:00" in house.starts("cut", DAY, own=held.id)
    assert "10:00" not in house.starts("cut", DAY)


def test_case_052_a_job_ends_a_hold_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    house = salon()
    held = house.hold("cut", f"{DAY} 10:00")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT task_name, args, scheduled_at FROM procrastinate_jobs WHERE args @> %s::jsonb",
            [f'{{"shop_id": {house.id}, "booking_id": {held.id}}}'],
        )
        job = cursor.fetchall()
    assert [(name, at) for name, _, at in job] == [("noren.booking.tasks.expire", held.expires_at)]
    monkeypatch.setattr("noren.clock.now", lambda: held.expires_at)
    tasks.expire(house.id, held.id)
    assert house.booking(held.id).status == Status.EXPIRED
    assert house.sheet_rows() == 0


def test_a_job_that_comes_early_or_late_ends_nothing_else() -> None:
    house = salon()
    held = house.hold("cut", f"{DAY} 10:00")
    actions.expire(house.id, held.id, now=later(minutes=9))
    assert house.booking(held.id).status == Status.HELD
    actions.confirm(house.id, held.id, uuid4(), now=NOW, locale="ja", consent=1)
    actions.expire(house.id, held.id, now=later(minutes=11))
    assert house.booking(held.id).status == Status.CONFIRMED


def test_case_053_a_hold_bars_every_service_of_the_same_staff() -> None:
    house = found(
        {"aoi": {}},
        {"cut": {"needs": {"staff": ["aoi"]}}, "colour": {"needs": {"staff": ["aoi"]}, "minutes": 90}},
    )
    house.hold("cut", f"{DAY} 10:00")
    assert house.starts("colour", DAY)[0] == "11:00"


def test_case_054_an_expired_hold_cannot_be_confirmed() -> None:
    house = salon()
    held = house.hold("cut", f"{DAY} 10:00")
    with pytest.raises(HoldExpired):
        actions.confirm(house.id, held.id, uuid4(), now=later(minutes=10), locale="ja", consent=1)
    assert house.booking(held.id).status == Status.HELD
    assert what(house, held.id) == ["held"]


def test_case_054_a_released_hold_cannot_be_confirmed() -> None:
    house = salon()
    held = house.hold("cut", f"{DAY} 10:00")
    actions.release(house.id, held.id, now=NOW)
    actions.release(house.id, held.id, now=NOW)
    with pytest.raises(HoldExpired):
        actions.confirm(house.id, held.id, uuid4(), now=NOW, locale="ja", consent=1)
    assert "10:00" in house.starts("cut", DAY)


def test_case_054_a_hold_that_never_was_cannot_be_confirmed_nor_one_of_another_shop() -> None:
    house, other = salon(), salon()
    held = house.hold("cut", f"{DAY} 10:00")
    for shop_id, hold_id in ((house.id, 999_999), (other.id, held.id)):
        with pytest.raises(BookingUnknown) as refusal:
            actions.confirm(shop_id, hold_id, uuid4(), now=NOW, locale="ja", consent=1)
        assert refusal.value.status == 404
    assert house.booking(held.id).status == Status.HELD
    assert other.sheet_rows() == 0


def test_case_054_a_hold_for_another_time_is_refused_and_nothing_is_taken() -> None:
    house = salon()
    held = house.hold("cut", f"{DAY} 10:00", key="wish-of-one-form")
    for changed in ({"at": f"{DAY} 12:00"}, {"at": f"{DAY} 10:00", "staff": "stylist0"}):
        with pytest.raises(IdempotencyKeyReused) as refusal:
            house.hold("cut", key="wish-of-one-form", **changed)
        assert refusal.value.status == 422
    assert "12:00" in house.starts("cut", DAY)
    assert what(house, held.id) == ["held"]
    assert house.findings() == []


def test_case_054_nobody_takes_over_what_somebody_has_confirmed() -> None:
    house = salon()
    held, who = house.hold("cut", f"{DAY} 10:00"), uuid4()
    actions.confirm(house.id, held.id, who, now=NOW, locale="ja", consent=1)
    with pytest.raises(HoldExpired) as refusal:
        actions.confirm(house.id, held.id, uuid4(), now=NOW, locale="ja", consent=1)
    assert refusal.value.status == 410
    assert house.booking(held.id).person_id == who


def test_it_confirms_once() -> None:
    house = salon()
    held, who = house.hold("cut", f"{DAY} 10:00"), uuid4()
    one = actions.confirm(house.id, held.id, who, now=NOW, locale="ja", consent=1)
    two = actions.confirm(house.id, held.id, who, now=NOW, locale="ja", consent=1)
    assert one.id == two.id
    assert what(house, held.id) == ["held", "confirmed"]


def test_a_listing_asks_one_question(django_queries: list[str]) -> None:
    house = salon(staff=10)
    house.starts("cut", DAY)
    django_queries.clear()
    house.starts("cut", DAY)
    own = [query for query in django_queries if "shops_" in query or "booking_" in query]
    assert len(own) == 1
    assert "booking_sheet" in own[0]


def test_a_listing_follows_the_rules_of_the_moment() -> None:
    """What is remembered is used only after a look at the revision."""
    house = salon()
    assert house.starts("cut", DAY)[-1] == "17:00"
    with shop(house.id), change():
        OpeningHours.objects.update(weekly=[[[600, 780]]] * 7)
    assert house.starts("cut", DAY) == ["10:00", "10:30", "11:00", "11:30", "12:00"]


def test_a_listing_knows_a_service_that_is_new() -> None:
    house = salon()
    house.starts("cut", DAY)
    with shop(house.id), change():
        old = Service.objects.get(key="cut")
        old.id, old.key = None, "trim"
        old.save(force_insert=True)
        house.services["trim"] = old.id
    assert house.starts("trim", DAY)[0] == "09:00"
