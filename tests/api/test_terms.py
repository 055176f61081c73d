"""What the API tells of terms: nights, limits, approval, what cancelling costs; and moving by program."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client, override_settings

from noren import clock
from noren.booking.models import Booking, Event, Status
from noren.shops import rules
from noren.shops.models import Resource, Service
from noren.shops.tenancy import shop
from tests.api.salon import Salon
from tests.servers import VaultProcess

WEDNESDAY = "2026-11-25T14:00:00+09:00"
LATER = "2026-11-25T16:00:00+09:00"
CUSTOMER = {"name": "山田 花子", "mail": "hanako@example.com"}


@pytest.fixture(autouse=True)
def _ready(module_vault: VaultProcess) -> Iterator[None]:
    assert module_vault
    with override_settings(LINK_KEY=b"l" * 32, IDEMPOTENCY_KEY=b"i" * 32):
        yield


def _sent(method: str, path: str, status: int, **body: Any) -> Any:
    call = getattr(Client(), method)
    answer = call(f"/api/v1{path}", body, content_type="application/json") if body else call(f"/api/v1{path}")
    assert answer.status_code == status, answer.content
    return answer.json()


def _book(house: Salon, status: int = 201, **changed: Any) -> Any:
    wish = {"service": house.cut, "start": WEDNESDAY, "customer": CUSTOMER, **changed}
    return _sent("post", "/shops/salon/bookings", status, **wish)


def _move(token: str, status: int = 200, start: str = LATER, **more: Any) -> Any:
    return _sent("post", f"/bookings/{token}/move", status, start=start, **more)


def _rule(house: Salon, **columns: Any) -> None:
    with shop(house.id), rules.change():
        Service.objects.filter(id=house.cut).update(**columns)


def _at(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime.fromisoformat(moment))


def test_it_moves_and_keeps_price_and_link(house: Salon) -> None:
    told = _book(house)
    moved = _move(told["token"])
    assert (moved["start"], moved["status"]) == (LATER, "confirmed")
    assert (moved["price"], moved["token"]) == (told["price"], told["token"])
    assert _sent("get", f"/bookings/{told['token']}", 200)["start"] == LATER


def test_case_078_what_it_left_is_free_at_once(house: Salon) -> None:
    told = _book(house, staff=house.staff[0])
    _book(house, 409, staff=house.staff[0])
    _move(told["token"])
    _book(house, staff=house.staff[0])


def test_the_same_again_changes_nothing(house: Salon) -> None:
    token = _book(house)["token"]
    assert _move(token) == _move(token)
    with shop(house.id):
        assert Event.objects.filter(what="moved").count() == 1


def test_it_keeps_whom_was_asked_for_or_asks_for_another(house: Salon) -> None:
    aoi, ren, _mio = house.staff
    token = _book(house, staff=aoi)["token"]
    assert _move(token)["staff"] == aoi
    assert _move(token, staff=ren)["staff"] == ren
    _move(token, start=WEDNESDAY, staff="any")
    with shop(house.id):
        assert Booking.objects.get().asked_staff_id is None


def test_a_loser_stays_and_is_told_what_is_free(house: Salon) -> None:
    for staff in house.staff:
        _book(house, start=LATER, staff=staff)
    token = _book(house)["token"]
    told = _move(token, 409)
    assert told["code"] == "slot_taken"
    assert {"at": "2026-11-25T15:00:00+09:00"} in told["nearest"]
    assert _sent("get", f"/bookings/{token}", 200)["start"] == WEDNESDAY


@pytest.mark.parametrize(
    ("start", "code"),
    [
        ("2026-11-24T11:00:00+09:00", "in_the_past"),
        ("2026-11-24T12:30:00+09:00", "too_late"),
        ("2027-06-01T10:00:00+09:00", "outside_horizon"),
        ("2026-11-25T14:10:00+09:00", "not_offered"),
        ("1999-01-01T00:00:00Z", "in_the_past"),
        ("2999-01-01T00:00:00Z", "outside_horizon"),
        ("tomorrow", "bad_field"),
    ],
)
def test_it_refuses_a_time_that_cannot_be(house: Salon, start: str, code: str) -> None:
    token = _book(house)["token"]
    assert _move(token, 422, start=start)["code"] == code


def test_case_040_it_does_not_move_too_late(house: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    _rule(house, change={"minutes": 120})
    token = _book(house)["token"]
    _at(monkeypatch, "2026-11-25T12:00:01+09:00")
    assert _move(token, 409)["code"] == "too_late_to_change"


def test_it_moves_nothing_that_is_cancelled_or_not_known(house: Salon) -> None:
    token = _book(house)["token"]
    _sent("delete", f"/bookings/{token}", 200)
    assert _move(token, 409)["code"] == "already_cancelled"
    assert _move("1.1.1.x", 404)["code"] == "link_unknown"


def test_a_limit_is_told_with_what_is_free(house: Salon) -> None:
    _rule(house, limits=[{"of": "service", "period": "day", "most": 1}])
    _book(house)
    told = _book(house, 409, start=LATER)
    assert told["code"] == "limit_reached"
    assert told["nearest"]
    assert {start["at"][:10] for start in told["nearest"]}.isdisjoint({"2026-11-25"})
    other = _book(house, start="2026-11-26T14:00:00+09:00")
    assert _move(other["token"], 409)["code"] == "limit_reached"


def test_a_service_with_approval_gives_a_pending_booking(house: Salon) -> None:
    _rule(house, approval="keeps")
    [cut, _lesson] = _sent("get", "/shops/salon/services", 200)["services"]
    assert cut["approval"] is True
    assert _book(house)["status"] == "pending"


def test_it_tells_what_cancelling_costs(house: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    _rule(house, fees={"tiers": [{"since": {"minutes": 1200}, "percent": 50}], "free_minutes": 0})
    told = _book(house)
    token = told["token"]
    assert (told["cancel_until"], told["cancel_fee"]) == ("2026-11-25T12:00:00+09:00", 0)
    _at(monkeypatch, "2026-11-24T18:00:01+09:00")
    assert _sent("get", f"/bookings/{token}", 200)["cancel_fee"] == 3300
    assert _sent("delete", f"/bookings/{token}", 200)["cancel_fee"] == 3300
    _at(monkeypatch, "2026-11-26T18:00:01+09:00")
    assert _sent("get", f"/bookings/{token}", 200)["cancel_fee"] == 3300


# -- stays

FRIDAY = "2026-11-27T15:00:00+09:00"


@pytest.fixture
def cottage(house: Salon) -> int:
    with shop(house.id), rules.change():
        place = Resource.objects.create(key="place", kind="cottage", texts={})
        return Service.objects.create(
            key="stay",
            texts={"name": {"ja": "コテージ"}},
            segments=[{"minutes": 60, "roles": ["place"]}],
            requirements=[{"role": "place", "pool": [place.id]}],
            grid={"kind": "clock", "interval": 60, "offset": 900},
            stay={"out": 660, "least": [1, 1, 1, 1, 2, 2, 1], "most": 5},
            price=10_000,
            position=5,
        ).id


def _free(service: int, **query: int) -> list[str]:
    day = FRIDAY[:10]
    asked = urlencode({"service": service, "from": day, "to": day, **query})
    told = Client().get(f"/api/v1/shops/salon/availability?{asked}")
    assert told.status_code == 200, told.content
    [found] = told.json()["days"]
    return [start["at"] for start in found["starts"]]


def test_a_stay_is_free_for_so_many_nights(house: Salon, cottage: int) -> None:
    stay = _sent("get", "/shops/salon/services", 200)["services"][-1]
    assert stay["stay"] == {"least": [1, 1, 1, 1, 2, 2, 1], "most": 5}
    assert _free(cottage) == _free(cottage, nights=1) == _free(cottage, nights=6) == []
    assert _free(cottage, nights=2)[0] == FRIDAY
    assert _free(house.cut, nights=1) == []
    assert _free(house.cut, nights=0) != []


def test_a_stay_is_booked_by_nights(cottage: int, house: Salon) -> None:
    told = _book(house, service=cottage, start=FRIDAY, nights=2)
    assert (told["nights"], told["price"]) == (2, 20_000)
    assert told["end"] == "2026-11-29T11:00:00+09:00"
    moved = _move(told["token"], start="2026-11-28T15:00:00+09:00")
    assert (moved["nights"], moved["end"]) == (2, "2026-11-30T11:00:00+09:00")


@pytest.mark.parametrize("nights", [0, 1, 6])
def test_it_refuses_nights_that_cannot_be(cottage: int, house: Salon, nights: int) -> None:
    told = _book(house, 422, service=cottage, start=FRIDAY, nights=nights)
    assert told["code"] == "nights_not_offered"


def test_what_is_no_stay_is_booked_without_nights(house: Salon) -> None:
    assert _book(house, 422, nights=3)["code"] == "nights_not_offered"
    assert _book(house, 422, service=house.lesson, nights=3)["code"] == "nights_not_offered"


@pytest.mark.parametrize("nights", ["-1", "x", "367", "01", "1.0", ""])
def test_it_reads_nights_as_digits_alone(cottage: int, nights: str) -> None:
    query: dict[str, Any] = {"service": cottage, "from": FRIDAY[:10], "to": FRIDAY[:10], "nights": nights}
    answer = Client().get("/api/v1/shops/salon/availability", query)
    assert (answer.status_code, answer.json()["fields"]) == (
        422,
        [{"field": "nights", "reason": "not_a_count"}],
    )


def test_the_statuses_are_described() -> None:
    told = Client().get("/api/v1/openapi.json").json()
    status = told["components"]["schemas"]["BookingShown"]["properties"]["status"]
    assert set(status["enum"]) == set(Status.values)
    assert all(f"`{each}`" in status["description"] for each in status["enum"])
