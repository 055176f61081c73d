"""Lines of files from elsewhere, put on our clock."""

from datetime import UTC, datetime, timedelta

import pytest

from noren.incidents import evidence

TAKEN = datetime(2026, 11, 28, 4, 0, tzinfo=UTC)
AT = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-28T03:00:00Z GET /",
        "2026-11-28T12:00:00+09:00 GET /",
        "2026-11-28T12:00:00+0900 GET /",
        "2026-11-28 03:00:00,000 INFO started",
        "[2026-11-28T03:00:00.000000Z] x",
        "<34>1 2026-11-28T03:00:00.000Z host su - x",
        "<34>Nov 28 03:00:00 host su: x",
        "Nov 28 03:00:00 host sshd[1]: x",
        '{"eventTime": "2026-11-28T03:00:00Z", "who": "x"}',
        '  {"ts": 1795834800}',
        '{"timestamp": 1795834800000}',
    ],
)
def test_a_line_tells_its_time(line: str) -> None:
    assert evidence.time_of(line, TAKEN) == AT


@pytest.mark.parametrize(
    "line",
    [
        "",
        "GET /",
        "2026-13-28T03:00:00Z",
        "{",
        "{}",
        '{"ts": true}',
        '{"ts": 1e300}',
        "[1]",
        "Foo 28 03:00:00 x",
        "Feb 31 03:00:00 host x",
        '{"time": "soon"}',
        '{"time": null}',
    ],
)
def test_what_is_no_time_is_none(line: str) -> None:
    assert evidence.time_of(line, TAKEN) is None


def test_a_time_without_a_year_is_the_last_such_day() -> None:
    """A log of December that is read in January is last year's."""
    january = datetime(2027, 1, 3, tzinfo=UTC)
    assert evidence.time_of("Dec 31 23:59:59 host x", january) == datetime(
        2026, 12, 31, 23, 59, 59, tzinfo=UTC
    )
    assert evidence.time_of("Jan  2 01:00:00 host x", january) == datetime(2027, 1, 2, 1, tzinfo=UTC)


def test_the_skew_is_taken_off_and_a_line_without_a_time_follows_the_one_before() -> None:
    content = b"2026-11-28T03:01:30Z first\n  a trace of it\n\n2026-11-28T03:02:30Z second\n"
    found = evidence.find(content, skew=90, taken=TAKEN)
    assert [(line.number, line.at, line.text.strip()) for line in found.lines] == [
        (1, AT, "2026-11-28T03:01:30Z first"),
        (2, AT, "a trace of it"),
        (4, AT + timedelta(minutes=1), "2026-11-28T03:02:30Z second"),
    ]
    assert (found.number, found.timed, found.text) == (3, 3, True)


def test_lines_are_found_by_words_and_by_time_and_only_so_many_are_shown() -> None:
    """How many there are is said all the same."""
    lines = [
        f"2026-11-28T03:{n // 60:02}:{n % 60:02}Z line {n} {'Odd' if n % 2 else 'even'}" for n in range(600)
    ]
    content = "\n".join(lines).encode()
    assert evidence.find(content, skew=0, taken=TAKEN, words="ODD").number == 300
    found = evidence.find(content, skew=0, taken=TAKEN)
    assert (len(found.lines), found.number) == (evidence.MOST_SHOWN, 600)
    some = evidence.find(
        content, skew=0, taken=TAKEN, since=AT + timedelta(seconds=10), until=AT + timedelta(seconds=12)
    )
    assert [line.number for line in some.lines] == [11, 12, 13]


def test_what_is_no_text_has_no_lines() -> None:
    for content in (b"\x89PNG\r\n\x1a\n\xff", b"a\x00b"):
        assert evidence.find(content, skew=0, taken=TAKEN) == evidence.Found((), 0, 0, text=False)
