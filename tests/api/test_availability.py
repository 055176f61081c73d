"""GET /api/v1/shops/{slug}/availability."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from noren import clock
from noren.booking import actions
from noren.shops import rules
from noren.shops.models import Override, Service, Shop
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon


def ask(house: Salon, status: int = 200, **query: Any) -> Any:
    given: dict[str, Any] = {"service": house.cut, "from": "2026-11-24", "to": "2026-11-26"} | query
    response = Client().get(f"/api/v1/shops/{house.slug}/availability", given)
    assert response.status_code == status, response.content
    assert "no-store" in response["Cache-Control"]
    return response.json()


def starts(told: Any, day: int) -> list[str]:
    return [start["at"] for start in told["days"][day]["starts"]]


def hold(house: Salon, at: datetime, staff: int | None = None) -> None:
    wish = actions.HoldRequest(house.cut, at, staff, 1)
    actions.hold(house.id, wish, now=NOON)


def test_it_tells_the_starts_of_each_day_with_the_shops_offset(house: Salon) -> None:
    told = ask(house)
    assert {name: told[name] for name in ("shop", "service", "zone")} == {
        "shop": "salon",
        "service": house.cut,
        "zone": "Asia/Tokyo",
    }
    assert [day["date"] for day in told["days"]] == ["2026-11-24", "2026-11-25", "2026-11-26"]
    # 10:00-19:00, an hour long, every half hour; today from an hour after noon.
    assert starts(told, 0)[0] == "2026-11-24T13:00:00+09:00"
    assert starts(told, 1)[:2] == ["2026-11-25T10:00:00+09:00", "2026-11-25T10:30:00+09:00"]
    assert (len(starts(told, 1)), starts(told, 1)[-1]) == (17, "2026-11-25T18:00:00+09:00")


def test_it_leaves_out_a_time_only_when_nobody_is_free(house: Salon) -> None:
    at = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)
    for staff in house.staff[:2]:
        hold(house, at, staff)
    assert "2026-11-25T14:00:00+09:00" in starts(ask(house), 1)
    assert "2026-11-25T14:00:00+09:00" not in starts(ask(house, staff=house.staff[0]), 1)
    hold(house, at)
    assert "2026-11-25T14:00:00+09:00" not in starts(ask(house), 1)


def test_it_lists_closed_days_empty(house: Salon) -> None:
    with shop(house.id), rules.change():
        Override.objects.create(date="2026-11-25", ranges=[])
    assert starts(ask(house), 1) == []


def test_it_tells_the_places_left_in_a_class(house: Salon) -> None:
    with shop(house.id), rules.change():
        Service.objects.filter(id=house.lesson).update(timetable=[])
    assert [day["starts"] for day in ask(house, service=house.lesson)["days"]] == [[], [], []]


MARCH, OCTOBER = (datetime(2027, 3, 1, 12, tzinfo=UTC), datetime(2026, 10, 20, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("zone", "at", "expected"),
    [
        # Spring: no 02:xx. Autumn: 01:00 twice, under two offsets.
        ("America/New_York", MARCH, ["2027-03-14T01:00:00-05:00", "2027-03-14T03:00:00-04:00"]),
        ("America/New_York", OCTOBER, ["2026-11-01T01:00:00-04:00", "2026-11-01T01:00:00-05:00"]),
        ("Asia/Kathmandu", NOON, ["2026-12-01T01:00:00+05:45", "2026-12-01T02:00:00+05:45"]),
    ],
)
def test_case_022_023_026_it_tells_clock_changes_as_they_are(
    house: Salon, monkeypatch: pytest.MonkeyPatch, zone: str, at: datetime, expected: list[str]
) -> None:
    monkeypatch.setattr(clock, "now", lambda: at)
    day = expected[0][:10]
    with shop(house.id), rules.change():
        Shop.objects.update(zone=zone)
        Override.objects.create(date=day, ranges=[[60, 240]])
        Service.objects.filter(id=house.cut).update(grid={"interval": 60})
    assert starts(ask(house, 200, **{"from": day, "to": day}), 0)[:2] == expected


@pytest.mark.parametrize(
    ("query", "field", "reason"),
    [
        ({"to": "2026-11-23"}, "to", "before_from"),
        ({"to": "2027-01-25"}, "to", "too_many_days"),
        ({"to": "2026-02-30"}, "to", "not_a_day"),
        ({"from": "20261124"}, "from", "not_a_day"),
        ({"from": "0"}, "from", "not_a_day"),
        ({"service": "cut"}, "service", "not_an_id"),
        ({"service": "9" * 19}, "service", "not_an_id"),
        ({"staff": "aoi"}, "staff", "not_an_id"),
        ({"staff": "-1"}, "staff", "not_an_id"),
    ],
)
def test_it_names_the_field_that_cannot_be(
    house: Salon, query: dict[str, str], field: str, reason: str
) -> None:
    told = ask(house, 422, **query)
    assert told["code"] == "bad_field"
    assert told["fields"] == [{"field": field, "reason": reason}]


def test_it_takes_62_days_at_once(house: Salon) -> None:
    assert len(ask(house, to="2027-01-24")["days"]) == 62


@pytest.mark.parametrize(("first", "last"), [("0001-01-01", "0001-01-31"), ("9999-12-01", "9999-12-31")])
def test_it_answers_days_that_no_calendar_reaches(house: Salon, first: str, last: str) -> None:
    told = ask(house, 200, **{"from": first, "to": last})
    assert len(told["days"]) == 31
    assert not any(day["starts"] for day in told["days"])


def test_it_knows_no_other_shop_and_no_other_service(house: Salon) -> None:
    assert ask(house, 404, service=999_999)["code"] == "service_unknown"
    assert ask(replace(house, slug="elsewhere"), 404)["code"] == "shop_unknown"
