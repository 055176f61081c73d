"""No more online bookings today: customers are refused, the desk is not, and midnight ends it."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from noren.booking import actions, availability
from noren.errors import OnlineStopped
from noren.shops.models import Shop
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon

SOON = NOON + timedelta(hours=2)
TODAY, TOMORROW = date(2026, 11, 24), date(2026, 11, 25)
MIDNIGHT = NOON + timedelta(hours=12)


@pytest.fixture
def stopped(made: Salon, staff: Client) -> Iterator[None]:
    staff.post("/console/stop", {"deed": "stop"})
    yield
    staff.post("/console/stop", {"deed": "open"})


def days(made: Salon, now: datetime = NOON, **more: Any) -> list[date]:
    wanted = {"now": now, "staff": None, **more}
    return list(availability.month(made.id, made.cut, TODAY, TOMORROW, **wanted).days)


def hold(made: Salon, at: datetime, by: str) -> None:
    kept = actions.hold(made.id, actions.HoldRequest(made.cut, at, None, 1), now=NOON, by=by)
    actions.release(made.id, kept.id, now=NOON)


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize("by", ["customer", "api", "key:1"])
def test_list_and_write_agree_that_there_is_nothing_today(made: Salon, by: str) -> None:
    assert days(made) == [TOMORROW]
    with pytest.raises(OnlineStopped):
        hold(made, SOON, by)
    hold(made, SOON + timedelta(days=1), by)


@pytest.mark.usefixtures("stopped")
def test_the_desk_goes_on(made: Salon) -> None:
    assert days(made, desk=True) == [TODAY, TOMORROW]
    hold(made, SOON, "staff:aoi.salon")


@pytest.mark.usefixtures("stopped")
def test_midnight_ends_it(made: Salon) -> None:
    assert days(made, now=MIDNIGHT) == [TOMORROW]
    with shop(made.id):
        assert Shop.objects.get().stopped_until == MIDNIGHT


def test_it_is_told_and_taken_back(made: Salon, staff: Client) -> None:
    before = staff.get("/console/").content.decode()
    assert "停止する" in before
    page = staff.post("/console/stop", {"deed": "stop"}, follow=True).content.decode()
    assert "本日のオンライン予約は停止中です。" in page
    assert "12:00から（aoi.salon）" in page
    with shop(made.id):
        revision = Shop.objects.get().rules_revision
    staff.post("/console/stop", {"deed": "stop"})
    with shop(made.id):
        assert Shop.objects.get().rules_revision == revision, "pressed twice is pressed once"
    times = Client(headers={"Accept-Language": "ja"}).get(f"/salon/book/{made.cut}/").content.decode()
    assert "本日のオンライン予約は受付を終了しました。" in times
    assert "03-1234-5678" in times
    page = staff.post("/console/stop", {"deed": "open"}, follow=True).content.decode()
    assert "停止中" not in page
    assert days(made) == [TODAY, TOMORROW]
