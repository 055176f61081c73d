"""The calendar entry, read back by the same rules that calendars read it by."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from icalendar import Calendar, Event

from noren.messages import ics
from noren.messages.notice import Kind, Notice
from tests.messages.test_words import NOTICE

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def entry(notice: Notice) -> tuple[Calendar, Event]:
    read = Calendar.from_ical(ics.calendar(notice, now=NOW))
    assert isinstance(read, Calendar)
    [event] = read.events
    return read, event


def test_it_holds_the_time_in_the_shops_zone_with_its_rules() -> None:
    read, event = entry(NOTICE)
    assert event.start == NOTICE.start
    assert event.end == NOTICE.end
    assert event["DTSTART"].params["TZID"] == "Asia/Tokyo"
    assert [str(zone["TZID"]) for zone in read.timezones] == ["Asia/Tokyo"]


def test_case_105_it_keeps_the_uid_and_grows_the_sequence_until_it_is_cancelled() -> None:
    made, first = entry(NOTICE)
    moved, second = entry(replace(NOTICE, kind=Kind.MOVED, sequence=1))
    gone, last = entry(replace(NOTICE, kind=Kind.CANCELLED, sequence=2))
    assert first["UID"] == second["UID"] == last["UID"] == NOTICE.uid
    assert [event.sequence for event in (first, second, last)] == [0, 1, 2]
    assert [str(read["METHOD"]) for read in (made, moved, gone)] == ["PUBLISH", "PUBLISH", "CANCEL"]
    assert [str(event["STATUS"]) for event in (first, last)] == ["CONFIRMED", "CANCELLED"]


def test_it_says_its_method_in_the_media_type_too() -> None:
    assert ics.attachment(NOTICE, now=NOW).type == "text/calendar; method=PUBLISH; charset=utf-8"
    cancelled = ics.attachment(replace(NOTICE, kind=Kind.CANCELLED), now=NOW)
    assert cancelled.type == "text/calendar; method=CANCEL; charset=utf-8"


def test_it_folds_at_75_octets_without_splitting_a_letter() -> None:
    raw = ics.calendar(replace(NOTICE, service="髪" * 200), now=NOW)
    for line in raw.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()


@pytest.mark.parametrize("mark", [";", ",", "\\", '"', ":"])
def test_it_escapes_what_means_something(mark: str) -> None:
    _, event = entry(replace(NOTICE, service=f"a{mark}b"))
    assert str(event["SUMMARY"]) == f"a{mark}b · サロン青葉"


@pytest.mark.parametrize("breaking", ["\r\n", "\n", "\r", "\x00", "\x0b", "\x7f"])
def test_it_lets_no_word_begin_a_line_of_its_own(breaking: str) -> None:
    bad = f"cut{breaking}ATTENDEE:mailto:other@example.com"
    notice = replace(NOTICE, service=bad, shop=bad, address=bad, access=bad, staff=bad)
    lines = ics.calendar(notice, now=NOW).replace(b"\r\n ", b"").split(b"\r\n")
    assert not [line for line in lines if line.startswith(b"ATTENDEE")]
    _, event = entry(notice)
    assert str(event["SUMMARY"]).startswith("cut ATTENDEE")


def test_it_names_nobody_but_the_shop() -> None:
    read, event = entry(NOTICE)
    assert "ATTENDEE" not in event
    assert str(event["ORGANIZER"]) == "mailto:noren@localhost"
    assert event["ORGANIZER"].params["CN"] == "サロン青葉"
    assert "{" not in read.to_ical().decode()
