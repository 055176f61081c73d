"""Rentals by nights: how long they are, when they may begin, and what lies between."""

from datetime import date
from typing import Any

from noren.engine import reasons, windows
from noren.engine.model import BufferPolicy, GridKind, Hours, Reason, Requirement, Stay, Why
from noren.engine.plan import plan
from noren.engine.reasons import Block, BlockKind
from tests.engine.build import Desk, desk, ranges, service, staff

FRIDAY, MONDAY = "2026-12-04", "2026-12-07"
CLEANING = 120


def rental(**more: Any) -> Desk:
    """A cottage from 15:00 to 11:00, with two hours of cleaning; the desk is open from 9 to 18."""
    stay = Stay(out=11 * 60, least=(1, 1, 1, 1, 2, 2, 1), most=14)
    given: dict[str, Any] = {"grid": GridKind.CLOCK, "interval": 30, "after": CLEANING, "stay": stay, **more}
    return desk(
        service(60, **given), resources=[staff(1, kind="cottage")], text="09:00-18:00", zone="Asia/Tokyo"
    )


def why(shop: Desk, start: str, nights: int) -> Reason | None:
    minute = shop.at(start)
    window = windows.of_start(shop.rules, 1, minute, nights)
    taken = shop.taken(window)
    return reasons.why_not(shop.rules, 1, window, taken, minute, now=shop.now, nights=nights)


def test_case_100_a_weekend_and_its_cleaning_end_at_one_on_monday() -> None:
    shop = rental()
    booked = shop.book(f"{FRIDAY} 15:00", nights=3)
    assert booked.end == shop.at(f"{MONDAY} 11:00")
    assert shop.choose(f"{MONDAY} 12:30", nights=1) is None
    assert why(shop, f"{MONDAY} 12:30", 1) == Reason(Why.BUFFER)
    assert shop.choose(f"{MONDAY} 13:00", nights=1) is not None
    assert why(shop, f"{MONDAY} 13:00", 1) is None


def test_case_100_the_fewest_nights_depend_on_the_first_day() -> None:
    shop = rental()
    assert shop.times(FRIDAY, nights=1) == []
    assert why(shop, f"{FRIDAY} 15:00", 1) == Reason(Why.NIGHTS)
    assert "15:00" in shop.times(FRIDAY, nights=2)
    assert "15:00" in shop.times("2026-12-06", nights=1)
    assert shop.times(MONDAY, nights=15) == []
    assert shop.times(MONDAY, nights=0) == []


def test_what_is_no_stay_has_no_nights() -> None:
    shop = desk()
    minute = shop.at(f"{FRIDAY} 15:00")
    window = windows.of_start(shop.rules, 1, minute)
    assert shop.times(FRIDAY, nights=1) == []
    assert reasons.why_not(shop.rules, 1, window, {}, minute, now=shop.now, nights=1) == Reason(Why.NIGHTS)


def test_it_is_open_at_both_ends_and_may_be_closed_between() -> None:
    shop = rental()
    assert shop.times(MONDAY, nights=1)[0] == "09:00"
    assert shop.times(MONDAY, nights=1)[-1] == "17:30"
    closed = Hours(shop.rules.hours.weekly, overrides={date(2026, 12, 8): ()})
    assert shop.with_(hours=closed).times(MONDAY, nights=1) == []
    assert "15:00" in shop.with_(hours=closed).times(MONDAY, nights=2)
    until_eleven = Hours(shop.rules.hours.weekly, overrides={date(2026, 12, 8): ranges("09:00-11:00")})
    assert "15:00" in shop.with_(hours=until_eleven).times(MONDAY, nights=1)
    until_ten = Hours(shop.rules.hours.weekly, overrides={date(2026, 12, 8): ranges("09:00-10:59")})
    assert shop.with_(hours=until_ten).times(MONDAY, nights=1) == []


def test_a_clock_change_makes_a_night_longer_or_shorter() -> None:
    stay = Stay(out=11 * 60)
    for day, length in (("2026-03-28", 19), ("2026-10-24", 21), ("2026-06-06", 20)):
        shop = desk(service(60, grid=GridKind.CLOCK, interval=60, stay=stay), zone="Europe/Paris")
        booked = shop.book(f"{day} 15:00", nights=1)
        assert booked.end - booked.start == length * 60
        (claim,) = booked.claims
        assert (claim.start, claim.end) == (booked.start, booked.end)


def test_buffers_between_stays_are_shared_or_added() -> None:
    for policy, first in ((BufferPolicy.SHARED, "13:00"), (BufferPolicy.ADDED, "14:00")):
        shop = rental(before=60).with_(buffer_policy=policy)
        shop.book(f"{FRIDAY} 15:00", nights=3)
        assert shop.times(MONDAY, nights=1)[0] == first


def test_any_of_two_cottages_and_each_for_its_own_nights() -> None:
    shop = desk(
        service(
            60,
            grid=GridKind.CLOCK,
            interval=1440,
            offset=900,
            stay=Stay(out=660),
            requirements=(Requirement("staff", (1, 2)),),
        ),
        resources=[staff(1, kind="cottage"), staff(2, kind="cottage")],
    )
    first = shop.book(f"{FRIDAY} 15:00", nights=7)
    assert first.resources == {"staff": (1,)}
    assert shop.book("2026-12-06 15:00", nights=2).resources == {"staff": (2,)}
    assert shop.times("2026-12-05", nights=1) == ["15:00"]
    assert shop.times("2026-12-05", nights=2) == []
    assert shop.times("2026-12-08", nights=1) == ["15:00"]


def test_hours_of_the_thing_hold_at_both_ends_too() -> None:
    stay = Stay(out=660)
    shop = desk(
        service(60, grid=GridKind.CLOCK, interval=60, stay=stay),
        resources=[staff(1, kind="cottage", text="10:00-16:00")],
    )
    assert shop.times(FRIDAY, nights=1) == ["10:00", "11:00", "12:00", "13:00", "14:00", "15:00"]


def test_a_stay_may_have_as_many_nights_as_the_most() -> None:
    assert "15:00" in rental().times(MONDAY, nights=14)
    assert why(rental(), f"{MONDAY} 15:00", 14) is None
    assert why(rental(), f"{MONDAY} 15:00", 15) == Reason(Why.NIGHTS)


def test_a_stay_without_nights_is_for_those_that_allow_the_day_alone_and_ends_after_it_begins() -> None:
    assert rental().choose(f"{MONDAY} 15:00") is None
    day_use = desk(
        service(60, grid=GridKind.CLOCK, interval=60, stay=Stay(out=660, least=(0,) * 7)), text="09:00-18:00"
    )
    assert day_use.times(FRIDAY) == ["09:00", "10:00"]
    booked = day_use.book(f"{FRIDAY} 09:00")
    assert booked.end == day_use.at(f"{FRIDAY} 11:00")


def test_a_stay_may_begin_at_midnight_and_each_date_has_its_own_starts() -> None:
    shop = desk(service(60, grid=GridKind.CLOCK, interval=720, stay=Stay(out=660)))
    assert shop.times(FRIDAY, nights=1) == ["00:00", "12:00"]
    window = windows.of_dates(shop.rules, 1, date(2026, 12, 4), date(2026, 12, 4), 1)
    compiled = plan(shop.rules, 1, window, 1)
    begin = shop.at(f"{FRIDAY} 00:00")
    assert compiled.ends == {begin: begin + 1440 + 660, begin + 720: begin + 1440 + 660}


def test_a_stay_leaves_time_for_cleaning_before_the_next() -> None:
    for kept in BufferPolicy:
        shop = rental().with_(buffer_policy=kept)
        shop.busy(1, f"{MONDAY} 12:59", "2026-12-08 10:00")
        assert shop.times(FRIDAY, nights=3) == []
        assert why(shop, f"{FRIDAY} 15:00", 3) == Reason(Why.BUFFER)
        free = rental().with_(buffer_policy=kept)
        free.busy(1, f"{MONDAY} 13:00", "2026-12-08 10:00")
        assert "15:00" in free.times(FRIDAY, nights=3)


def test_it_names_a_hold_on_a_later_night_of_a_stay() -> None:
    shop = rental()
    shop.busy(1, "2026-12-06 15:00", "2026-12-06 16:00")
    minute = shop.at(f"{FRIDAY} 15:00")
    window = windows.of_start(shop.rules, 1, minute, 3)
    blocks = [Block(BlockKind.HOLD, shop.claims[0])]
    found = reasons.why_not(
        shop.rules, 1, window, shop.taken(window), minute, now=shop.now, nights=3, blocks=blocks
    )
    assert found == Reason(Why.HOLD, "staff", (1,))
