"""Joining by POST /api/v1/shops/{slug}/waiting, and what its token opens: with a real vault."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from noren import clock
from noren.booking import actions, waiting
from noren.booking.models import Booking, Waiting
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.api.test_booking import CUSTOMER, WEDNESDAY
from tests.booking.scene import person

pytestmark = pytest.mark.usefixtures("module_vault")
AT = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)


@pytest.fixture
def full(house: Salon) -> Salon:
    """A salon that is booked out on Wednesday at two."""
    with shop(house.id), change():
        Service.objects.filter(id=house.cut).update(waiting={"hours": 4})
    for _ in house.staff:
        hold = actions.hold(house.id, actions.HoldRequest(house.cut, AT, None, 1), now=NOON)
        actions.confirm(house.id, hold.id, person(), now=NOON, locale="ja", consent=1)
    return house


def join(house: Salon, status: int = 201, **changes: Any) -> Any:
    wanted = {"service": house.cut, "start": WEDNESDAY, "customer": CUSTOMER} | changes
    wanted = {name: value for name, value in wanted.items() if value is not None}
    response = Client().post(f"/api/v1/shops/{house.slug}/waiting", wanted, content_type="application/json")
    assert response.status_code == status, response.content
    return response.json()


def offer(house: Salon) -> None:
    with shop(house.id):
        booking = Booking.objects.earliest("id")
    actions.cancel(house.id, booking.id, now=NOON, by="staff:1")
    assert waiting.offer(house.id, now=NOON) == 1


def send(method: str, token: str, what: str = "", status: int = 200) -> Any:
    response = getattr(Client(), method)(f"/api/v1/waiting/{token}{what}")
    assert response.status_code == status, response.content
    assert "no-store" in response["Cache-Control"]
    return response.json()


def test_it_joins_and_shows_it_again(full: Salon) -> None:
    told = join(full)
    assert (told["state"], told["start"], told["day"]) == ("waiting", WEDNESDAY, "2026-11-25")
    assert told["offer"] is None
    assert told["link"].endswith(f"/w/{told['token']}")
    assert send("get", told["token"]) == told
    assert "花子" not in repr(told)


def test_it_shows_and_books_what_is_offered(full: Salon) -> None:
    token = join(full)["token"]
    assert send("post", token, "/accept", 409)["code"] == "nothing_offered"
    offer(full)
    told = send("get", token)
    assert told["state"] == "offered"
    assert told["offer"]["start"] == WEDNESDAY
    assert told["offer"]["until"] == "2026-11-24T16:00:00+09:00"
    booked = send("post", token, "/accept")
    assert (booked["status"], booked["start"]) == ("confirmed", WEDNESDAY)
    assert send("post", token, "/accept") == booked
    assert send("get", token)["state"] == "booked"
    assert send("delete", token, status=409)["code"] == "already_booked"
    assert Client().get(f"/api/v1/bookings/{booked['token']}").status_code == 200


def test_it_leaves(full: Salon) -> None:
    token = join(full)["token"]
    for _again in range(2):
        assert send("delete", token)["state"] == "left"


def test_an_offer_that_ran_out_is_told_as_passed(full: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    token = join(full)["token"]
    offer(full)
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(hours=4))
    told = send("get", token)
    assert (told["state"], told["offer"]) == ("passed", None)
    assert send("post", token, "/accept", 410)["code"] == "hold_expired"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"start": "2026-11-25T15:00:00+09:00"}, 409, "slot_free"),
        ({"start": "1999-11-25T15:00:00+09:00"}, 422, "in_the_past"),
        ({"start": "2300-11-25T15:00:00+09:00"}, 422, "outside_horizon"),
        ({"start": None, "day": "9999-12-31"}, 422, "outside_horizon"),
        ({"start": None, "day": "2027-11-25"}, 422, "outside_horizon"),
        ({"party": 2}, 422, "party_too_large"),
        ({"service": 999}, 404, "service_unknown"),
        ({"start": None}, 422, "bad_field"),
        ({"day": "2026-11-25"}, 422, "bad_field"),
        ({"customer": {**CUSTOMER, "mail": "no mail"}}, 422, "bad_field"),
    ],
)
def test_it_refuses(full: Salon, changes: dict[str, Any], status: int, code: str) -> None:
    assert join(full, status, **changes)["code"] == code
    with shop(full.id):
        assert not Waiting.objects.exists()


def test_it_tells_what_is_free_to_who_need_not_wait(full: Salon) -> None:
    told = join(full, 409, start=None, day="2026-11-26")
    assert told["nearest"][0] == {"at": "2026-11-26T10:00:00+09:00"}


def test_case_086_it_refuses_the_same_twice(full: Salon) -> None:
    join(full)
    assert join(full, 409)["code"] == "already_waiting"


def test_it_knows_no_service_without_a_list(full: Salon) -> None:
    assert join(full, 422, service=full.lesson)["code"] == "no_waiting_list"


@pytest.mark.parametrize("token", ["x", "w.1.1.1.abcdefghijklmnopqrstuv", "1.1.1.abcdefghijklmnopqrstuv"])
def test_it_does_not_know_a_wrong_token(house: Salon, token: str) -> None:
    assert house
    for method, what in (("get", ""), ("delete", ""), ("post", "/accept")):
        assert send(method, token, what, 404)["code"] == "link_unknown"
