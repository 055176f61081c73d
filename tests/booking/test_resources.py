"""What a booking takes: buffers, rooms, stocks, wholes, segments, staff (booking.md §2, 31-35, 59-69)."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from noren.booking import actions
from noren.errors import SlotTaken
from noren.shops.models import Resource, Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, found, salon

pytestmark = pytest.mark.usefixtures("module_app_db")
DAY = "2026-11-05"


def buffered(policy: str, before: int, after: int, minutes: int = 60, **more: Any) -> House:
    grid = {"kind": "clock", "interval": 30}
    service = {
        "needs": {"staff": ["aoi"]},
        "minutes": minutes,
        "before": before,
        "after": after,
        "grid": grid,
    }
    return found(
        {"aoi": {}},
        {"cut": service, "swapped": {**service, "before": after, "after": before}},
        hours=((0, 1440),),
        buffer_policy=policy,
        buffers_outside=True,
        **more,
    )


@pytest.mark.parametrize(("policy", "first"), [("added", "10:00"), ("shared", "08:00")])
def test_case_031_two_hours_on_both_sides(policy: str, first: str) -> None:
    house = buffered(policy, 120, 120)
    house.book("cut", f"{DAY} 05:00")
    later = [start for start in house.starts("cut", DAY) if start > "05:00"]
    assert later[0] == first


@pytest.mark.parametrize(("policy", "fits"), [("added", []), ("shared", ["10:30"])])
def test_case_032_a_gap_of_ninety_minutes(policy: str, fits: list[str]) -> None:
    house = buffered(policy, 15, 30, minutes=30)
    house.book("cut", f"{DAY} 09:30")
    house.book("cut", f"{DAY} 11:30")
    between = [start for start in house.starts("cut", DAY) if "09:30" < start < "11:30"]
    assert between == fits


def test_case_033_what_lies_just_outside_the_asked_day() -> None:
    house = buffered("shared", 120, 0)
    house.book("cut", "2026-11-04 23:00")
    assert house.starts("cut", DAY)[0] == "02:00"


def test_case_034_each_booking_keeps_its_own_buffers() -> None:
    house = buffered("shared", 0, 60)
    house.book("cut", f"{DAY} 10:00")
    with shop(house.id), change():
        Service.objects.filter(key="cut").update(after=0)
    starts = house.starts("cut", DAY)
    assert "11:00" not in starts
    assert "11:30" not in starts
    assert "12:00" in starts
    assert house.findings() == []


def test_case_035_before_is_before() -> None:
    house = buffered("added", 30, 0)
    house.book("cut", f"{DAY} 10:00")
    assert "11:00" not in house.starts("cut", DAY), "its own half hour before"
    assert "11:00" in house.starts("swapped", DAY), "its half hour comes after"
    assert "08:30" in house.starts("cut", DAY)
    assert "08:30" not in house.starts("swapped", DAY)


def test_case_064_staff_free_room_busy() -> None:
    house = found(
        {"aoi": {}, "ren": {}, "room": {"kind": "room"}},
        {"massage": {"needs": {"staff": ["aoi", "ren"], "room": ["room"]}}},
    )
    house.book("massage", f"{DAY} 10:00", "aoi")
    with pytest.raises(SlotTaken):
        house.hold("massage", f"{DAY} 10:00", "ren")


def kit() -> House:
    needs = {
        f"kit{units}": {"needs": {"kit": {"pool": ["kit"], "units": units}}, "minutes": 60}
        for units in (1, 2, 3)
    }
    return found({"kit": {"kind": "equipment", "stock": 3}}, needs)


def test_case_065_a_stock_of_three() -> None:
    house = kit()
    house.book("kit2", f"{DAY} 10:00")
    house.book("kit1", f"{DAY} 10:30")
    with pytest.raises(SlotTaken):
        house.hold("kit1", f"{DAY} 10:00")
    house.book("kit1", f"{DAY} 11:30")
    house.book("kit2", f"{DAY} 11:00")
    assert house.findings() == []


def test_case_066_the_peak_counts_not_the_sum() -> None:
    house = kit()
    house.book("kit1", f"{DAY} 09:00")
    house.book("kit1", f"{DAY} 10:00")
    house.book("kit2", f"{DAY} 09:30")
    with pytest.raises(SlotTaken):
        house.hold("kit1", f"{DAY} 09:30")
    assert house.findings() == []


def test_a_stock_is_given_back() -> None:
    house = kit()
    bookings = [house.book(f"kit{units}", f"{DAY} 10:00") for units in (1, 2)]
    for booking in bookings:
        actions.cancel(house.id, booking.id, now=NOW, by="staff:1")
    assert house.sheet_rows() == 0
    house.book("kit3", f"{DAY} 10:00")
    assert house.sheet_rows() == 3


def test_a_changed_stock_has_other_planes() -> None:
    house = kit()
    house.book("kit2", f"{DAY} 10:00")
    with shop(house.id), change():
        Resource.objects.filter(key="kit").update(stock=5)
    actions.reindex(house.id, now=NOW)
    house.book("kit3", f"{DAY} 10:00")
    with pytest.raises(SlotTaken):
        house.hold("kit1", f"{DAY} 10:00")
    assert house.findings() == []


def hall() -> House:
    return found(
        {
            "a": {"kind": "court"},
            "b": {"kind": "court"},
            "hall": {"kind": "court", "parts": ["a", "b"]},
        },
        {
            "court": {"needs": {"court": ["a", "b"]}},
            "b only": {"needs": {"court": ["b"]}},
            "a only": {"needs": {"court": ["a"]}},
            "hall": {"needs": {"court": ["hall"]}},
        },
    )


def test_case_067_the_whole_hall_takes_every_court() -> None:
    house = hall()
    house.book("hall", f"{DAY} 10:00")
    assert "10:00" not in house.starts("court", DAY)
    with pytest.raises(SlotTaken):
        house.hold("a only", f"{DAY} 10:30")
    assert house.findings() == []


def test_case_067_one_court_takes_the_whole_hall() -> None:
    house = hall()
    booking = house.book("b only", f"{DAY} 10:00")
    assert "10:00" not in house.starts("hall", DAY)
    assert "10:00" in house.starts("a only", DAY)
    actions.cancel(house.id, booking.id, now=NOW, by="staff:1")
    assert "10:00" in house.starts("hall", DAY)


def test_case_068_the_stylist_is_free_while_the_colour_takes() -> None:
    house = found(
        {"aoi": {}, "chair": {"kind": "chair"}},
        {
            "colour": {
                "needs": {"staff": ["aoi"], "chair": ["chair"]},
                "segments": [
                    {"minutes": 30, "roles": ["staff", "chair"]},
                    {"minutes": 30, "roles": ["chair"]},
                    {"minutes": 30, "roles": ["staff", "chair"]},
                ],
            },
            "talk": {"needs": {"staff": ["aoi"]}, "minutes": 30},
            "seat": {"needs": {"chair": ["chair"]}, "minutes": 30},
        },
    )
    house.book("colour", f"{DAY} 10:00")
    assert [start for start in house.starts("talk", DAY) if "10:00" <= start < "11:30"] == ["10:30"]
    assert [start for start in house.starts("seat", DAY) if "10:00" <= start < "11:30"] == []
    house.book("talk", f"{DAY} 10:30")
    assert house.findings() == []


def test_case_059_anyone_is_who_has_had_fewest() -> None:
    house = salon(staff=3)
    served = [house.book("cut", f"{DAY} {hour:02}:00").staff_id for hour in (9, 9, 9, 10, 10, 10)]
    assert Counter(Counter(served).values()) == Counter({2: 3})
    assert set(served[:3]) == set(house.resources.values())


def test_case_059_only_the_visible_are_anyone() -> None:
    house = salon(staff=2)
    with shop(house.id), change():
        Resource.objects.filter(key="stylist0").update(visible=False)
    assert house.book("cut", f"{DAY} 10:00").staff_id == house.resources["stylist1"]
    assert house.book("cut", f"{DAY} 10:00", "stylist0").staff_id == house.resources["stylist0"]


def test_case_060_priority_then_weight() -> None:
    house = salon(staff=3)
    with shop(house.id), change():
        Resource.objects.filter(key="stylist0").update(priority=-1)
        Resource.objects.filter(key="stylist1").update(weight=200)
    served = Counter(
        house.book("cut", f"2026-11-{5 + day:02} {hour:02}:00").staff_id
        for day in range(3)
        for hour in (9, 12, 15)
    )
    assert served == {house.resources["stylist1"]: 6, house.resources["stylist2"]: 3}


def test_case_061_a_newcomer_catches_up_with_nobody() -> None:
    house = salon(staff=3)
    joining = NOW + timedelta(hours=1)
    with shop(house.id), change():
        Resource.objects.filter(key="stylist2").update(bookable=False)
    for hour in (9, 10, 11, 13, 14, 15):
        for _ in range(2):
            house.book("cut", f"{DAY} {hour:02}:00")
    with shop(house.id), change():
        Resource.objects.filter(key="stylist2").update(bookable=True, joined_at=joining)
    next_day = "2026-11-06"
    served = Counter(
        house.book("cut", f"{next_day} {hour:02}:00", now=joining + timedelta(hours=1)).staff_id
        for hour in (9, 10, 11, 13, 14, 15)
    )
    assert served == dict.fromkeys(house.resources.values(), 2)
    with shop(house.id), change():
        Resource.objects.filter(key="stylist2").update(joined_at=None)
    later_day = Counter(
        house.book("cut", f"2026-11-07 {hour:02}:00", now=joining + timedelta(hours=1)).staff_id
        for hour in (9, 10, 11)
    )
    assert later_day == {house.resources["stylist2"]: 3}, "without it she is flooded"


def test_two_teachers_are_both_taken() -> None:
    house = found(
        {"aoi": {}, "ren": {}},
        {
            "pair": {"needs": {"staff": {"pool": ["aoi", "ren"], "count": 2}}},
            "one": {"needs": {"staff": ["aoi", "ren"]}},
        },
    )
    house.book("pair", f"{DAY} 10:00")
    assert "10:00" not in house.starts("one", DAY)
    house.book("one", f"{DAY} 12:00")
    assert "12:00" not in house.starts("pair", DAY)
    assert house.findings() == []


def test_a_booking_across_midnight_lies_on_two_sheets() -> None:
    """9:00 in Tokyo is midnight in UTC."""
    house = found({"aoi": {}}, {"cut": {"needs": {"staff": ["aoi"]}}}, hours=((0, 1440),))
    booking = house.book("cut", f"{DAY} 08:30")
    assert house.sheet_rows() == 2
    assert [start for start in house.starts("cut", DAY) if "07:30" < start < "09:30"] == []
    actions.cancel(house.id, booking.id, now=NOW, by="staff:1")
    assert house.sheet_rows() == 0
