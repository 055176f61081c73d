"""Rentals by nights (booking.md 100)."""

from datetime import date
from functools import partial
from typing import Any

import pytest

from noren.booking import actions, availability
from noren.booking.models import Booking
from noren.errors import NightsNotOffered, PartyTooLarge, SlotTaken
from tests.booking.rush import at_once
from tests.booking.scene import NOW, House, found, person, when
from tests.booking.test_insist import STAFF, give_back

pytestmark = pytest.mark.usefixtures("module_app_db")


def cottage(**stay: Any) -> House:
    """From 15:00 to 11:00, two nights from a Friday or Saturday; two hours of cleaning."""
    least = [1, 1, 1, 1, 2, 2, 1]
    return found(
        {"cottage": {"kind": "room"}},
        {
            "stay": {
                "needs": {"room": ["cottage"]},
                "stay": {"out": 660, "least": least, "most": 7, **stay},
                "grid": {"kind": "clock", "interval": 30},
                "after": 120,
                "price": 20_000,
            }
        },
    )


def stay(house: House, at: str, nights: int) -> Booking:
    request = actions.HoldRequest(house.services["stay"], when(at), None, 1, nights=nights)
    held = actions.hold(house.id, request, now=NOW)
    return actions.confirm(house.id, held.id, person(), now=NOW, locale="ja", consent=1)


def starts(house: House, day: str, nights: int) -> list[str]:
    on = date.fromisoformat(day)
    found_ = availability.month(house.id, house.services["stay"], on, on, now=NOW, staff=None, nights=nights)
    return [f"{start.at:%H:%M}" for start in found_.days.get(on, ())]


FRIDAY, MONDAY = "2026-11-06", "2026-11-09"


def test_case_100_a_weekend_and_its_cleaning() -> None:
    house = cottage()
    booking = stay(house, f"{FRIDAY} 15:00", 3)
    assert booking.end == when(f"{MONDAY} 11:00")
    assert booking.agreed["price"] == 60_000
    assert starts(house, MONDAY, 1)[0] == "13:00"
    with pytest.raises(SlotTaken):
        stay(house, f"{MONDAY} 12:30", 1)
    with pytest.raises(SlotTaken):
        stay(house, "2026-11-05 15:00", 2)
    following, before = stay(house, f"{MONDAY} 13:00", 1), stay(house, "2026-11-05 12:00", 1)
    assert before.end == when(f"{FRIDAY} 11:00")
    assert house.findings() == []
    give_back(house, booking, following, before)


def test_case_100_the_fewest_nights_depend_on_the_day_of_its_start() -> None:
    house = cottage()
    with pytest.raises(NightsNotOffered):
        stay(house, f"{FRIDAY} 15:00", 1)
    assert starts(house, FRIDAY, 1) == []
    with pytest.raises(NightsNotOffered):
        stay(house, f"{MONDAY} 15:00", 8)
    assert stay(house, f"{MONDAY} 15:00", 1).end == when("2026-11-10 11:00")


def test_case_100_a_move_keeps_the_nights_and_what_was_agreed() -> None:
    house = cottage()
    booking = stay(house, f"{MONDAY} 15:00", 1)
    with pytest.raises(NightsNotOffered):
        actions.move(house.id, booking.id, when(f"{FRIDAY} 15:00"), None, now=NOW, by="customer")
    moved = actions.move(house.id, booking.id, when("2026-11-10 16:00"), None, now=NOW, by="customer")
    assert (moved.end, moved.agreed["nights"]) == (when("2026-11-11 11:00"), 1)
    assert moved.agreed["price"] == 20_000
    over_itself = stay(house, "2026-11-13 15:00", 2)
    actions.move(house.id, over_itself.id, when("2026-11-14 15:00"), None, now=NOW, by="customer")
    assert house.findings() == []
    give_back(house, moved, over_itself)


def test_case_100_staff_insist_on_the_length_of_the_service_alone() -> None:
    """What staff insist on is the time; how many nights a stay may have is what it is."""
    house = cottage()
    first = stay(house, f"{FRIDAY} 15:00", 3)
    request = actions.HoldRequest(
        house.services["stay"], when(f"{FRIDAY} 18:00"), None, 1, nights=2, override="regular"
    )
    held = actions.hold(house.id, request, now=NOW, by=STAFF)
    second = actions.confirm(house.id, held.id, person(), now=NOW, locale="ja", consent=None, by=STAFF)
    assert second.end == when("2026-11-08 11:00")
    give_back(house, first, second)


def test_case_100_two_at_once_for_the_same_nights() -> None:
    house = cottage()
    wishes = [(f"{FRIDAY} 15:00", 3), ("2026-11-07 15:00", 2), ("2026-11-05 15:00", 4)] * 4
    answers = at_once([partial(stay, house, at, nights) for at, nights in wishes])
    assert sorted(type(each).__name__ for each in answers) == ["Booking"] + ["SlotTaken"] * 11
    assert house.findings() == []


def test_a_stay_is_for_no_more_people_than_there_are_places() -> None:
    house = cottage()
    with pytest.raises(PartyTooLarge):
        actions.hold(
            house.id,
            actions.HoldRequest(house.services["stay"], when(f"{MONDAY} 15:00"), None, 3, nights=1),
            now=NOW,
        )
