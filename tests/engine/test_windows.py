"""Which UTC days are read for which starts."""

from datetime import date

from noren.engine import windows
from noren.engine.model import GridKind, Stay, Window
from tests.engine.build import Desk, desk, service

DAY = date(2026, 12, 1)
NUMBER = 20788


def window(shop: Desk, first: date = DAY, last: date = DAY) -> Window:
    return windows.of_dates(shop.rules, 1, first, last)


def test_one_date_in_utc_is_one_day_and_the_service_after_its_last_start() -> None:
    found = window(desk())
    assert found == Window(NUMBER, 2, NUMBER * 1440, NUMBER * 1440 + 1440)


def test_several_dates_are_read_both_ends_included() -> None:
    found = window(desk(), DAY, date(2026, 12, 3))
    assert found == Window(NUMBER, 4, NUMBER * 1440, NUMBER * 1440 + 3 * 1440)


def test_a_date_in_tokyo_begins_on_the_utc_day_before() -> None:
    begin = NUMBER * 1440 - 540
    assert window(desk(zone="Asia/Tokyo")) == Window(NUMBER - 1, 2, begin, begin + 1440)


def test_a_window_ends_with_the_last_starts_service_and_cleaning() -> None:
    begin, end = NUMBER * 1440 - 540, NUMBER * 1440 + 900
    for minutes, after, days in ((540, 0, 2), (500, 40, 2), (500, 41, 3), (541, 0, 3), (1980, 0, 3)):
        shop = desk(service(minutes, after=after), zone="Asia/Tokyo")
        assert window(shop) == Window(NUMBER - 1, days, begin, end)


def test_a_window_reaches_back_by_the_buffer_before() -> None:
    assert window(desk(service(60, before=1))).day == NUMBER - 1
    assert window(desk(service(60, before=540), zone="America/New_York")).day == NUMBER - 1
    assert window(desk(service(60, before=300), zone="America/New_York")).day == NUMBER


def test_a_packed_grid_is_read_from_two_days_before() -> None:
    assert window(desk(service(60, grid=GridKind.PACKED))).day == NUMBER - 2
    assert window(desk(service(60, grid=GridKind.PACKED, before=1))).day == NUMBER - 3


def test_a_stay_is_read_to_the_end_of_its_last_day() -> None:
    shop = desk(service(60, grid=GridKind.CLOCK, stay=Stay(660)))
    for nights in (1, 5):
        found = windows.of_dates(shop.rules, 1, DAY, DAY, nights)
        assert found == Window(NUMBER, nights + 3, NUMBER * 1440, NUMBER * 1440 + 1440)
    begin, end = NUMBER * 1440, NUMBER * 1440 + 1440
    for found in (
        windows.of_dates(shop.rules, 1, DAY, DAY),
        windows.of_start(shop.rules, 1, begin),
        windows.of_starts(shop.rules, 1, begin, end),
    ):
        assert found == Window(NUMBER, 3, begin, end)


def test_all_starts_of_a_local_day_have_the_window_of_their_date() -> None:
    for zone in ("UTC", "Asia/Tokyo", "America/New_York"):
        shop = desk(service(60, stay=Stay(660)), zone=zone)
        for nights in (0, 3):
            whole = windows.of_dates(shop.rules, 1, DAY, DAY, nights)
            for clock in ("00:00", "12:00", "23:59"):
                assert windows.of_start(shop.rules, 1, shop.at(f"{DAY} {clock}"), nights) == whole
