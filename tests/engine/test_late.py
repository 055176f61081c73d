"""Running late: how much later it may begin, whatever the grid, the notice and the limits say."""

import pytest

from noren.engine import late
from noren.engine.model import Deadline, Limit, LimitOf, Period, Requirement
from tests.engine.build import Desk, desk, hours, service, staff

DAY = "2026-12-01"


def slack(shop: Desk, text: str, *, who: int | None = 1, party: int = 1, most: int = 20) -> int:
    """As of a booking whose own claims are left out."""
    start = shop.at(text)
    window = late.window(shop.rules, 1, start, most)
    return late.slack(shop.rules, 1, window, shop.taken(window), start, most=most, staff=who, party=party)


@pytest.mark.parametrize(("follows", "left"), [("11:00", 0), ("11:10", 10), ("11:20", 20), ("11:30", 20)])
def test_it_reaches_to_the_next_who_is_served(follows: str, left: int) -> None:
    shop = desk(service(60))
    shop.busy(1, f"{DAY} {follows}", f"{DAY} 12:00")
    assert slack(shop, f"{DAY} 10:00") == left


def test_buffers_count() -> None:
    shop = desk(service(60, after=15))
    shop.busy(1, f"{DAY} 11:20", f"{DAY} 12:00")
    assert slack(shop, f"{DAY} 10:00") == 5


def test_it_is_of_who_serves_and_of_nobody_else() -> None:
    anybody = Requirement("staff", (1, 2))
    shop = desk(service(60, requirements=(anybody,)), resources=(staff(1), staff(2)))
    shop.busy(1, f"{DAY} 11:05", f"{DAY} 12:00")
    assert slack(shop, f"{DAY} 10:00", who=1) == 5
    assert slack(shop, f"{DAY} 10:00", who=2) == 20


def test_it_ends_with_the_hours() -> None:
    assert slack(desk(service(60), hours=hours("09:00-11:12")), f"{DAY} 10:00") == 12


def test_notice_and_limits_do_not_bar_it() -> None:
    limit = Limit(LimitOf.SERVICE, Period.DAY, 1)
    shop = desk(service(60, lead=Deadline(minutes=100_000), limits=(limit,)))
    assert slack(shop, f"{DAY} 10:00") == 20


def test_it_goes_over_midnight() -> None:
    shop = desk(service(60), hours=hours("00:00-24:00"))
    shop.busy(1, "2026-12-02 01:00", "2026-12-02 02:00")
    assert slack(shop, f"{DAY} 23:50") == 10
