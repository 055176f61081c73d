"""Several services in one visit, by program: one booking, and nothing changes for who asks for one."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import Salon
from tests.api.test_availability import ask, starts
from tests.api.test_booking import WEDNESDAY, bookings, post

pytestmark = pytest.mark.usefixtures("module_vault")


@pytest.fixture
def visits(house: Salon) -> tuple[int, int]:
    """Colour by one, and a shampoo that is an option of the cut."""
    standard: dict[str, Any] = {"lead": {"minutes": 60}, "cancel": {"minutes": 120}}
    with shop(house.id), change():
        colour = Service.objects.create(
            key="colour",
            texts={"name": {"ja": "カラー"}},
            segments=[{"minutes": 90, "roles": ["staff"]}],
            requirements=[{"role": "staff", "pool": [house.staff[1]]}],
            price=8000,
            position=2,
            **standard,
        )
        shampoo = Service.objects.create(
            key="shampoo",
            texts={"name": {"ja": "シャンプー"}},
            segments=[{"minutes": 10, "roles": []}],
            requirements=[],
            price=500,
            alone=False,
            position=3,
            **standard,
        )
        Service.objects.filter(id=house.cut).update(additions=[shampoo.id])
    return colour.id, shampoo.id


def test_it_tells_what_may_be_added(house: Salon, visits: tuple[int, int]) -> None:
    told = Client().get(f"/api/v1/shops/{house.slug}/services").json()
    assert [each["key"] for each in told["services"]] == ["cut", "lesson", "colour"]
    assert [each["is_together"] for each in told["services"]] == [True, False, True]
    assert [each["key"] for each in told["options"]] == ["shampoo"]
    assert told["services"][0]["additions"] == [visits[1]]


def test_it_lists_and_books_and_moves_one_visit(house: Salon, visits: tuple[int, int]) -> None:
    colour, shampoo = visits
    also = f"{colour},{shampoo}"
    assert starts(ask(house, also=also), 1)[-1] == "2026-11-25T16:00:00+09:00", "160 minutes before 19:00"
    told = post(house, also=[colour, shampoo])
    assert (told["service"], told["staff"], told["price"]) == (house.cut, house.staff[1], 15100)
    assert told["end"] == "2026-11-25T16:40:00+09:00"
    assert told["parts"] == [
        {"service": house.cut, "minutes": 60, "price": 6600},
        {"service": shampoo, "minutes": 10, "price": 500},
        {"service": colour, "minutes": 90, "price": 8000},
    ]
    assert starts(ask(house, also=also), 1)[-1] == "2026-11-25T11:00:00+09:00"
    lost = post(house, 409, also=[shampoo, colour])
    assert lost["nearest"][0]["at"].startswith("2026-11-2")
    where = f"/api/v1/bookings/{told['token']}/move"
    wanted = {"start": "2026-11-25T15:00:00+09:00"}
    moved = Client().post(where, wanted, content_type="application/json").json()
    assert (moved["parts"], moved["end"]) == (told["parts"], "2026-11-25T17:40:00+09:00")
    assert Client().delete(f"/api/v1/bookings/{told['token']}").json()["parts"] == told["parts"]


def test_one_service_is_told_as_ever(house: Salon, visits: tuple[int, int]) -> None:
    assert post(house)["parts"] == []
    [booking] = bookings(house)
    assert "parts" not in booking.agreed


@pytest.mark.parametrize(
    ("service", "also", "code"),
    [
        ("cut", ["lesson"], "not_together"),
        ("colour", ["shampoo"], "not_together"),
        ("cut", ["cut"], "not_together"),
        ("shampoo", ["shampoo"], "not_together"),
        ("shampoo", [], "not_offered"),
    ],
)
def test_what_does_not_go_together_is_refused(
    house: Salon, visits: tuple[int, int], service: str, also: list[str], code: str
) -> None:
    ids = {"cut": house.cut, "lesson": house.lesson, "colour": visits[0], "shampoo": visits[1]}
    others = [ids[each] for each in also]
    other = replace(house, cut=ids[service])
    assert post(other, 422, also=others, start=WEDNESDAY)["code"] == code
    if others:
        assert ask(other, 422, also=",".join(map(str, others)))["code"] == code
    else:
        assert not any(day["starts"] for day in ask(other)["days"])


@pytest.mark.parametrize("also", ["", "0", "1,", "a", "1,2,3,4,5,6,7,8", "1;2"])
def test_what_is_no_list_of_ids_is_refused(house: Salon, also: str) -> None:
    assert ask(house, 422, also=also)["fields"][0]["field"] == "also"


def test_who_is_not_there_is_named(house: Salon) -> None:
    assert ask(house, 404, also="999999")["code"] == "service_unknown"
    assert post(house, 404, also=[999999])["code"] == "service_unknown"
