"""Sheets: minutes as bits, and the sums one does with them."""

from noren.engine import sheet
from noren.engine.model import Claim, Taken, Window

DAY = Window(20000, 1, 20000 * 1440, 20001 * 1440)
FIRST, LAST = DAY.first, DAY.last


def minutes(bits: int) -> list[int]:
    """Those of the day, counted from its beginning."""
    return [minute - FIRST for minute in sheet.minutes_of(bits, DAY)]


def test_it_has_the_minutes_of_its_window_and_no_others() -> None:
    whole = sheet.full(DAY)
    found = [sheet.has(whole, DAY, at) for at in (FIRST - 1, FIRST, LAST - 1, LAST)]
    assert found == [False, True, True, False]
    assert not sheet.has(0, DAY, FIRST)


def test_it_cuts_a_span_to_the_window() -> None:
    assert minutes(sheet.span(DAY, FIRST - 10, FIRST + 2)) == [0, 1]
    assert minutes(sheet.span(DAY, LAST - 2, LAST + 10)) == [1438, 1439]
    assert minutes(sheet.span(DAY, FIRST + 5, FIRST + 6)) == [5]
    assert sheet.span(DAY, FIRST - 10, LAST + 10) == sheet.full(DAY)


def test_it_finds_nothing_in_a_span_of_no_length_or_outside() -> None:
    for start, end in ((5, 5), (6, 5), (-10, 0), (1440, 1450), (-20, -10)):
        assert sheet.span(DAY, FIRST + start, FIRST + end) == 0


def test_it_finds_where_a_length_fits() -> None:
    free = sheet.span(DAY, FIRST + 100, FIRST + 105)
    for length, starts in ((1, [100, 101, 102, 103, 104]), (3, [100, 101, 102]), (5, [100]), (6, [])):
        assert minutes(sheet.fit(free, length)) == starts


def test_it_fits_nothing_over_the_end_of_its_window() -> None:
    assert minutes(sheet.fit(sheet.full(DAY), 1439)) == [0, 1]
    assert sheet.fit(0, 1440) == 0


def test_it_marks_minutes_and_leaves_out_those_outside() -> None:
    marked = sheet.marks(DAY, [FIRST - 1, FIRST, FIRST + 7, FIRST + 8, FIRST + 15, LAST - 1, LAST])
    assert minutes(marked) == [0, 7, 8, 15, 1439]
    assert marked == 1 << 1439 | 1 << 1432 | 1 << 1431 | 1 << 1424 | 1


def test_it_marks_a_minute_once_however_often_it_is_named() -> None:
    assert minutes(sheet.marks(DAY, [FIRST + 3, FIRST + 3, FIRST + 5])) == [3, 5]


def test_it_finds_runs_up_to_both_ends() -> None:
    bits = sheet.span(DAY, FIRST, FIRST + 2) | sheet.span(DAY, FIRST + 10, FIRST + 11)
    assert sheet.runs(bits | 1, DAY) == [(FIRST, FIRST + 2), (FIRST + 10, FIRST + 11), (LAST - 1, LAST)]
    assert sheet.runs(sheet.full(DAY), DAY) == [(FIRST, LAST)]
    assert sheet.runs(0, DAY) == []
    assert sheet.minutes_of(0, DAY) == ()


def test_it_stacks_units_on_planes_with_and_without_buffers() -> None:
    claims = [
        Claim(1, 2, FIRST + 10, FIRST + 20, FIRST + 5, FIRST + 30),
        Claim(1, 1, FIRST + 15, FIRST + 25, FIRST + 15, FIRST + 40),
    ]
    first, second, third = sheet.planes(DAY, 3, claims)
    assert first == Taken(sheet.span(DAY, FIRST + 10, FIRST + 25), sheet.span(DAY, FIRST + 5, FIRST + 40))
    assert second == Taken(sheet.span(DAY, FIRST + 10, FIRST + 20), sheet.span(DAY, FIRST + 5, FIRST + 30))
    assert third == Taken(sheet.span(DAY, FIRST + 15, FIRST + 20), sheet.span(DAY, FIRST + 15, FIRST + 30))
    assert sheet.planes(DAY, 2, []) == (Taken(), Taken())


def test_it_puts_claims_onto_planes_that_are_there() -> None:
    before = Claim(1, 1, FIRST + 10, FIRST + 20, FIRST + 5, FIRST + 30)
    after = Claim(1, 2, FIRST + 15, FIRST + 25, FIRST + 15, FIRST + 40)
    for known in (sheet.planes(DAY, 3, [before]), sheet.planes(DAY, 1, [before])):
        assert sheet.planes(DAY, 3, [after], known) == sheet.planes(DAY, 3, [before, after])
    assert sheet.planes(DAY, 3, [], ()) == (Taken(), Taken(), Taken())


def test_it_counts_where_at_least_so_many_meet() -> None:
    sheets = (0b1110, 0b0110, 0b0011)
    assert [sheet.at_least(count, sheets) for count in (1, 2, 3, 4)] == [0b1111, 0b0110, 0b0010, 0]
    assert sheet.at_least(1, ()) == 0
    assert sheet.at_least(2, ()) == 0
