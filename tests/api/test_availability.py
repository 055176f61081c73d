"""GET /api/v1/shops/{slug}/availability."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings

from noren import clock
from tests.api.salon import NOON, Salon, salon
from tests.environment import PATHS
from tests.servers import AppDatabase


@pytest.fixture
def house(app_db: AppDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Salon]:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    PATHS.static.mkdir(exist_ok=True)
    with override_settings(ROOT_URLCONF="tests.api.urls"):
        yield salon()


def ask(house: Salon, status: int = 200, **query: Any) -> Any:
    given = {"service": house.cut, "from": "2026-11-24", "to": "2026-11-26"} | query
    response = Client().get(f"/api/v1/shops/{house.slug}/availability", given)
    assert response.status_code == status, response.content
    assert response["Cache-Control"].find("no-store") >= 0
    return response.json()


def starts(told: Any, day: int) -> list[str]:
    return [start["at"] for start in told["days"][day]["starts"]]


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
