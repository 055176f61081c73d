"""What the law makes due: the published examples, the bounds, and the calendar by laws of its own."""

import json
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import jpholiday
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren.incidents import owed as command
from noren.incidents.duties import LAWS, Due, Leak, NotInForce, law, met, owed

TOKYO = ZoneInfo("Asia/Tokyo")
THURSDAY = datetime(2026, 3, 5, 15, 0, tzinfo=TOKYO)


def due(known: datetime, persons: int | None, *kinds: str, key: str = "jp-appi") -> dict[str, Due]:
    return {each.key: each for each in owed(law(key, known), Leak(known, persons, frozenset(kinds)))}


def test_known_on_a_thursday() -> None:
    """The guideline's count: the day on which it became known is the first."""
    thirty, sixty = due(THURSDAY, 1001), due(THURSDAY, 1, "unlawful")
    assert thirty["final"].by == date(2026, 4, 3)
    assert (sixty["final"].counted, sixty["final"].by) == (date(2026, 5, 3), date(2026, 5, 7))
    for each in (thirty, sixty):
        assert (each["preliminary"].opens, each["preliminary"].by) == (date(2026, 3, 7), date(2026, 3, 9))


def test_a_preliminary_report_is_never_put_off() -> None:
    known = datetime(2026, 5, 1, 9, 0, tzinfo=TOKYO)  # day 3 to 5: Sunday to Tuesday of Golden Week
    assert due(known, 1, "sensitive")["preliminary"].by == date(2026, 5, 5)


def test_the_day_is_tokyos() -> None:
    late = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)  # half past midnight of the Thursday there
    assert due(late, 1, "property")["final"].by == date(2026, 4, 3)


@pytest.mark.parametrize(
    ("persons", "kinds", "found"),
    [
        (1000, (), []),
        (1001, (), ["many"]),
        (None, (), ["many"]),
        (1, ("unlawful",), ["unlawful"]),
        (1, ("sensitive",), ["sensitive"]),
        (1001, ("property",), ["property", "many"]),
        (0, ("unlawful",), []),
        (5, ("many",), []),
    ],
)
def test_of_whom_a_report_is_owed(persons: int | None, kinds: tuple[str, ...], found: list[str]) -> None:
    """More than a thousand; of the other kinds one person is enough."""
    binding = law("jp-appi", THURSDAY)
    leak = Leak(THURSDAY, persons, frozenset(kinds))
    assert [kind.key for kind in met(binding, leak)] == found
    assert bool(owed(binding, leak)) == bool(found)


def test_the_turn_of_the_year() -> None:
    known = datetime(2026, 11, 30, 9, 0, tzinfo=TOKYO)  # day 30 is 12-29: closed until Monday, January 4
    assert due(known, 1, "sensitive")["final"].by == date(2027, 1, 4)


def test_the_law_is_the_one_of_its_day() -> None:
    before = law("jp-appi", datetime(2024, 3, 31, 12, tzinfo=TOKYO))
    after = law("jp-appi", datetime(2024, 4, 1, 12, tzinfo=TOKYO))
    texts = [{kind.key: kind.says["ja"] for kind in each.kinds}["unlawful"] for each in (before, after)]
    assert "取得され" not in texts[0]
    assert "取得され" in texts[1]
    with pytest.raises(NotInForce):
        law("jp-appi", datetime(2022, 3, 31, 12, tzinfo=TOKYO))


def test_seventy_two_hours_run_over_a_weekend() -> None:
    friday = datetime(2026, 3, 27, 20, 15, tzinfo=ZoneInfo("Europe/Berlin"))  # clocks go forward on Sunday
    by = due(friday, 1, key="eu-gdpr")["notification"].by
    assert isinstance(by, datetime)
    assert by - friday.astimezone(UTC) == timedelta(hours=72)
    assert by.astimezone(UTC) == datetime(2026, 3, 30, 19, 15, tzinfo=UTC)


def test_the_persons_are_told_five_of_the_nine_items() -> None:
    items = law("jp-appi", THURSDAY).items
    assert len(items) == 9
    assert [number for number, item in enumerate(items, start=1) if item.persons] == [1, 2, 4, 5, 9]


def _open(day: date) -> bool:
    turn = (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)
    return day.weekday() < 5 and not jpholiday.is_holiday(day) and not turn


@given(st.dates(date(2024, 4, 1), date(2035, 12, 31)), st.times(), st.booleans())
def test_a_final_report_ends_on_the_first_open_day(day: date, at: time, unlawful: bool) -> None:
    """Held against another library's holidays: the counted day, or the next on which the office is open."""
    known = datetime.combine(day, at, TOKYO)
    final = due(known, 1001, *(["unlawful"] if unlawful else []))["final"]
    assert isinstance(final.by, date)
    assert final.counted is not None
    assert final.counted == known.date() + timedelta(days=59 if unlawful else 29)
    assert _open(final.by)
    between = [final.counted + timedelta(days=n) for n in range((final.by - final.counted).days)]
    assert not any(_open(day) for day in between)


@pytest.mark.parametrize("key", LAWS)
def test_each_row_says_it_in_both_languages(key: str) -> None:
    binding = law(key, THURSDAY)
    rows = [kind.says for kind in binding.kinds] + [item.says for item in binding.items]
    rows += [step["says"] for step in binding.steps]
    assert all(set(words) == {"ja", "en"} and all(words.values()) for words in rows)
    assert len({item.key for item in binding.items}) == len(binding.items)


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--known", "2026-03-05T15:00+09:00", "--law", "jp-appi"]
    assert command.main([*asked, "--persons", "1", "--kind", "unlawful"]) == 0
    told = capsys.readouterr().out
    assert "until Thu 2026-05-07 (counted: Sun 2026-05-03, the office is closed then)" in told
    assert "from Sat 2026-03-07 until Mon 2026-03-09" in told
    assert command.main([*asked, "--persons", "1000", "--lang", "ja"]) == 0
    assert "Nothing is owed" in capsys.readouterr().out
    assert command.main([*asked, "--persons", "unknown", "--json"]) == 0
    (told_json,) = json.loads(capsys.readouterr().out)
    assert [each["by"] for each in told_json["owed"]] == ["2026-03-09", "2026-04-03"]


def test_the_command_says_what_it_cannot_read(capsys: pytest.CaptureFixture[str]) -> None:
    good = ["--known", "2026-03-05T15:00+09:00", "--persons", "1"]
    assert command.main([*good, "--kind", "bad"]) == 2
    assert command.main(["--known", "2026-03-05T15:00", "--persons", "1"]) == 2
    assert command.main(["--known", "2015-03-05T15:00Z", "--persons", "1"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3
    with pytest.raises(SystemExit):
        command.main(["--known", "1h", "--persons", "-1"])
