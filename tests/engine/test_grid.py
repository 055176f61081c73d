"""Cases 1-10: where a start may lie."""

from noren.engine.model import Deadline, GridKind, Range
from tests.engine.build import desk, hours, ranges, service, staff

DAY = "2026-12-01"


def hourly(first: int, last: int) -> list[str]:
    return [f"{hour:02}:00" for hour in range(first, last + 1)]


def test_case_001_an_empty_future_day_has_24_hourly_starts() -> None:
    assert desk(service(60)).times(DAY) == hourly(0, 23)


def test_case_002_starts_that_have_passed_are_not_offered() -> None:
    shop = desk(service(60))
    assert shop.times(DAY, now=shop.clock(f"{DAY} 11:59:59")) == hourly(12, 23)


def test_case_003_notice_reaches_into_the_next_day() -> None:
    shop = desk(service(60, lead=Deadline(minutes=1500)))
    now = shop.clock(f"{DAY} 11:59:59")
    assert shop.times(DAY, now=now) == []
    assert shop.times("2026-12-02", now=now) == hourly(13, 23)


def test_case_004_twenty_minutes_fit_72_times_or_71_times() -> None:
    assert len(desk(service(20)).times(DAY)) == 72
    assert len(desk(service(20), text="00:00-23:45").times(DAY)) == 71


def test_case_005_overlapping_ranges_are_merged_in_any_order() -> None:
    for text in ("11:00-12:00 11:20-12:40", "11:20-12:40 11:00-12:00"):
        assert desk(service(20), text=text).times(DAY) == ["11:00", "11:20", "11:40", "12:00", "12:20"]


def test_case_006_the_anchor_decides_in_a_zone_of_half_hours() -> None:
    by_clock = desk(service(60, grid=GridKind.CLOCK), text="07:30-09:30", zone="Asia/Kolkata")
    by_opening = desk(service(60), text="07:30-09:30", zone="Asia/Kolkata")
    assert by_clock.times(DAY) == ["08:00"]
    assert by_opening.times(DAY) == ["07:30", "08:30"]


def test_case_007_packed_begins_anew_after_what_is_busy() -> None:
    packed = desk(service(60, grid=GridKind.PACKED), text="08:00-12:30", align=15)
    plain = desk(service(60), text="08:00-12:30", align=15)
    for shop in (packed, plain):
        shop.busy(1, f"{DAY} 10:00", f"{DAY} 10:10")
    assert packed.times(DAY) == ["08:00", "09:00", "10:15", "11:15"]
    assert plain.times(DAY) == ["08:00", "09:00", "11:00"]


def test_case_008_an_offset_shifts_all_starts_and_stays_inside() -> None:
    for kind in GridKind:
        shop = desk(service(60, grid=kind, offset=5), text="10:00-13:00")
        assert shop.times(DAY) == ["10:05", "11:05"]


def test_case_009_the_first_free_start_follows_the_booking() -> None:
    shop = desk(service(45, grid=GridKind.PACKED), service(15, id=2), text="04:00-07:00", align=15)
    shop.book(f"{DAY} 04:00", service=2)
    assert shop.times(DAY) == ["04:15", "05:00", "05:45"]


def test_case_010_two_thousand_busy_ranges_are_only_bits() -> None:
    shop = desk(service(10))
    begin = shop.at(f"{DAY} 00:00")
    for n in range(2000):
        shop.busy(
            1,
            f"{shop.wall(begin + n * 20):%Y-%m-%d %H:%M}",
            f"{shop.wall(begin + n * 20 + 10):%Y-%m-%d %H:%M}",
        )
    offered = shop.offered(DAY, "2026-12-27")
    assert offered.minutes() == tuple(begin + n * 20 + 10 for n in range(27 * 72))


def test_it_rounds_up_by_the_wall_where_the_zone_has_odd_minutes() -> None:
    shop = desk(service(30, grid=GridKind.PACKED), text="09:00-11:00", align=30, zone="Asia/Kathmandu")
    shop.busy(1, f"{DAY} 09:00", f"{DAY} 09:10")
    assert shop.times(DAY) == ["09:30", "10:00", "10:30"]


def test_it_anchors_at_the_hours_of_the_one_who_serves() -> None:
    shop = desk(service(60), resources=[staff(1, "10:15-13:00")], text="09:00-19:00")
    assert shop.times(DAY) == ["10:15", "11:15"]


def test_it_does_not_begin_anew_after_a_break_of_no_length() -> None:
    shop = desk(service(45), text="09:00-10:00 10:00-12:00")
    assert shop.times(DAY) == ["09:00", "09:45", "10:30", "11:15"]


def test_it_ignores_grid_positions_outside_of_what_is_open() -> None:
    closed = hours("10:00-12:00", overrides={})
    assert desk(service(60, grid=GridKind.CLOCK, interval=25), hours=closed).times(DAY) == [
        "10:00",
        "10:25",
        "10:50",
    ]


def test_only_a_packed_grid_is_held_to_the_shops_align() -> None:
    for kind in (GridKind.CLOCK, GridKind.OPENING):
        shop = desk(service(10, grid=kind, interval=7), text="00:00-00:30", align=5)
        assert shop.times(DAY) == ["00:00", "00:07", "00:14"]


def test_it_reads_its_own_words() -> None:
    assert ranges("09:30-26:00") == (Range(570, 1560),)
