"""Cases 31-35, 77 and 100: buffers, as the shop's policy has them."""

from dataclasses import replace

import pytest

from noren.engine.model import BufferPolicy
from tests.engine.build import Desk, desk, service

DAY = "2026-12-01"
BOTH = list(BufferPolicy)


@pytest.mark.parametrize(("policy", "first"), [(BufferPolicy.ADDED, "10:00"), (BufferPolicy.SHARED, "08:00")])
def test_case_031_two_hours_before_and_after(policy: BufferPolicy, first: str) -> None:
    shop = desk(service(60, before=120, after=120), buffer_policy=policy)
    shop.book(f"{DAY} 05:00")
    assert next(each for each in shop.times(DAY) if each > "05:00") == first


@pytest.mark.parametrize(("policy", "starts"), [(BufferPolicy.ADDED, []), (BufferPolicy.SHARED, ["10:30"])])
def test_case_032_a_gap_of_ninety_minutes(policy: BufferPolicy, starts: list[str]) -> None:
    shop = desk(service(30, before=15, after=30, interval=15), text="08:00-13:00", buffer_policy=policy)
    shop.book(f"{DAY} 09:30")
    shop.book(f"{DAY} 11:30")
    assert [each for each in shop.times(DAY) if "10:00" <= each < "11:30"] == starts


def test_case_033_a_block_outside_the_day_but_within_the_buffer_counts() -> None:
    shop = desk(service(60, before=60, after=60, interval=60))
    shop.busy(1, "2026-11-30 23:30", "2026-12-01 00:00")
    shop.busy(1, "2026-12-02 00:00", "2026-12-02 00:30")
    times = shop.times(DAY)
    assert times[0] == "01:00"
    assert times[-1] == "22:00"


def test_case_034_a_booking_keeps_the_buffers_it_was_made_with() -> None:
    wide, narrow = service(60, after=60), service(60, id=2)
    shop = desk(wide, narrow, text="09:00-14:00")
    shop.book(f"{DAY} 09:00")
    assert shop.times(DAY, service=2) == ["11:00", "12:00", "13:00"]
    edited = shop.with_(services={1: replace(wide, after=0), 2: narrow})
    assert edited.times(DAY, service=2) == ["11:00", "12:00", "13:00"]


@pytest.mark.parametrize("policy", BOTH)
def test_case_035_before_is_before(policy: BufferPolicy) -> None:
    def free_after_noon(before: int, after: int) -> list[str]:
        shop = desk(service(60, before=before, after=after, interval=30), buffer_policy=policy)
        shop.busy(1, f"{DAY} 12:00", f"{DAY} 13:00")
        return [each for each in shop.times(DAY) if "10:00" <= each <= "14:00"]

    assert free_after_noon(30, 0) == ["10:00", "10:30", "11:00", "13:30", "14:00"]
    assert free_after_noon(0, 30) == ["10:00", "10:30", "13:00", "13:30", "14:00"]


def test_case_077_a_move_may_overlap_itself() -> None:
    shop = desk(service(60, interval=30, before=10, after=10))
    shop.book(f"{DAY} 10:00")
    assert "10:30" not in shop.times(DAY)
    assert "10:30" in Desk(shop.rules).times(DAY)


def test_case_100_rental_over_a_weekend_with_two_hours_of_cleaning() -> None:
    rental = service(68 * 60, after=120, interval=30)
    hourly = service(30, id=2, interval=30)
    shop = desk(rental, hourly)
    shop.book("2026-12-04 15:00")
    times = shop.times("2026-12-07", service=2)
    assert "12:30" not in times
    assert times[0] == "13:00"


def test_it_shares_the_larger_gap() -> None:
    shop = desk(
        service(30, after=20, interval=5), service(30, id=2, before=10, interval=5), text="09:00-12:00"
    )
    shop.book(f"{DAY} 09:00")
    assert shop.times(DAY, service=2)[0] == "09:50"
    added = shop.with_(buffer_policy=BufferPolicy.ADDED)
    assert added.times(DAY, service=2)[0] == "10:00"


def test_it_keeps_buffers_inside_opening_hours_unless_the_shop_lets_them_out() -> None:
    shop = desk(service(60, before=15, after=15, interval=15), text="09:00-11:00")
    assert shop.times(DAY) == ["09:15", "09:30", "09:45"]
    assert shop.with_(buffers_outside=True).times(DAY) == ["09:00", "09:15", "09:30", "09:45", "10:00"]


@pytest.mark.parametrize("policy", BOTH)
def test_a_block_anywhere_within_a_long_buffer_counts(policy: BufferPolicy) -> None:
    shop = desk(service(30, before=120, after=100, interval=10), buffer_policy=policy)
    for block in ("12:00", "12:20", "12:40"):
        busy = Desk(shop.rules)
        begin = busy.at(f"{DAY} {block}")
        busy.busy(1, f"{DAY} {block}", f"{busy.wall(begin + 10):%Y-%m-%d %H:%M}")
        free = {busy.at(f"{DAY} {clock}") for clock in busy.times(DAY)}
        whole = {shop.at(f"{DAY} {clock}") for clock in shop.times(DAY)}
        assert whole - free == {
            start for start in whole if start - 120 < begin + 10 and begin < start + 30 + 100
        }
