"""Dates, times, lengths and prices as each language writes them."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from django.utils import translation

from noren.web import wording

SATURDAY = date(2026, 11, 28)
TOKYO = timezone(timedelta(hours=9))


@pytest.mark.parametrize(("language", "words"), [("ja", "11月28日（土）"), ("en", "Sat 28 November")])
def test_it_writes_a_day_with_its_weekday(language: str, words: str) -> None:
    with translation.override(language):
        assert wording.day(SATURDAY) == words


@pytest.mark.parametrize(("language", "words"), [("ja", "14:05"), ("en", "2:05 PM")])
def test_it_writes_a_time_in_the_zone_the_value_carries(language: str, words: str) -> None:
    with translation.override(language):
        assert wording.clock(datetime(2026, 11, 28, 5, 5, tzinfo=UTC).astimezone(TOKYO)) == words


@pytest.mark.parametrize(("language", "words"), [("ja", "25:30"), ("en", "1:30 AM")])
def test_it_counts_on_past_midnight_in_japanese(language: str, words: str) -> None:
    with translation.override(language):
        assert wording.clock_of_minute(25 * 60 + 30) == words


@pytest.mark.parametrize(
    ("minutes", "japanese", "english"),
    [
        (45, "45分", "45 min"),
        (60, "1時間", "1 hour"),
        (150, "2時間30分", "2 hours 30 min"),
        (0, "0分", "0 min"),
    ],
)
def test_it_writes_a_length(minutes: int, japanese: str, english: str) -> None:
    with translation.override("ja"):
        assert wording.length_words(minutes) == japanese
    with translation.override("en"):
        assert wording.length_words(minutes) == english


@pytest.mark.parametrize(("language", "words"), [("ja", "13,200円"), ("en", "¥13,200")])
def test_it_writes_a_price(language: str, words: str) -> None:
    with translation.override(language):
        assert wording.yen(13200) == words


@pytest.mark.parametrize(("language", "words"), [("ja", "カット"), ("en", "Cut")])
def test_it_takes_the_shops_words_in_the_readers_language(language: str, words: str) -> None:
    with translation.override(language):
        assert wording.text({"name": {"ja": "カット", "en": "Cut"}}, "name") == words


def test_it_falls_back_to_the_language_the_shop_wrote() -> None:
    with translation.override("en"):
        assert wording.text({"name": {"ja": "カット"}}, "name") == "カット"
        assert wording.text({}, "name") == ""


def test_it_promises_no_cancelling_that_is_too_late() -> None:
    until = datetime(2026, 11, 22, 20, 0, tzinfo=TOKYO)
    with translation.override("en"):
        assert "until" in wording.cancelling(until, until)
        assert "call the shop" in wording.cancelling(until, until + timedelta(seconds=1))
        assert "until" not in wording.cancelling(until, until + timedelta(seconds=1))
