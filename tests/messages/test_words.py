"""What the mails say. Who they go to is no part of this room."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from noren.messages import words
from noren.messages.notice import Kind, Notice

TOKYO = ZoneInfo("Asia/Tokyo")
NOTICE = Notice(
    kind=Kind.BOOKED,
    locale="ja",
    start=datetime(2026, 11, 25, 14, 0, tzinfo=TOKYO),
    end=datetime(2026, 11, 25, 15, 0, tzinfo=TOKYO),
    uid="booking-1-7@localhost:8000",
    sequence=0,
    link="http://localhost:8000/b/1.7.1.mac",
    party=1,
    price=6600,
    currency="JPY",
    shop="サロン青葉",
    service="カット",
    staff="葵",
    address="東京都渋谷区1-2-3",
    access="渋谷駅から歩いて5分",
    phone="03-1234-5678",
    policy="前日の20時まで取り消せます。",
    sender="noren@localhost",
)


def filled(notice: Notice) -> str:
    """Return the text as the vault would fill it, but for the customer's name."""
    return words.text(notice).format_map({**words.values(notice), "name": "{name}"})


def test_it_tells_everything_in_japanese() -> None:
    assert filled(NOTICE) == (
        "{name} 様\n\n"
        "ご予約ありがとうございます。次のとおり承りました。\n\n"
        "日時  2026年11月25日(水) 14:00〜15:00\n"
        "内容  カット\n担当  葵\n料金  6,600円\n店舗  サロン青葉\n"
        "住所  東京都渋谷区1-2-3\n道順  渋谷駅から歩いて5分\n電話  03-1234-5678\n\n"
        "ご予約の確認・日時の変更・取り消しはこちらからどうぞ。\nhttp://localhost:8000/b/1.7.1.mac\n"
        "このリンクはお客様専用です。他の方へ転送なさらないでください。\n\n"
        "キャンセルについて\n前日の20時まで取り消せます。\n\n"
        "サロン青葉\n"
    )


def test_it_tells_everything_in_english() -> None:
    text = filled(replace(NOTICE, locale="en", party=2))
    assert text.startswith("Dear {name},\n\nThank you for your booking.")
    assert "When     Wednesday 25 November 2026 14:00–15:00 (UTC+9)\n" in text
    assert "People   2\nPrice    ¥6,600\n" in text


@pytest.mark.parametrize("locale", ["ja", "en"])
@pytest.mark.parametrize("kind", list(Kind))
def test_it_has_words_for_every_kind_and_language(kind: Kind, locale: str) -> None:
    notice = replace(NOTICE, kind=kind, locale=locale)
    subject = words.subject(notice).format_map(words.values(notice))
    assert "サロン青葉" in subject
    assert "25" in subject
    assert notice.link in filled(notice)


@pytest.mark.parametrize("locale", ["ja", "en"])
@pytest.mark.parametrize("kind", list(Kind))
def test_it_leaves_only_the_name_to_the_vault(kind: Kind, locale: str) -> None:
    notice = replace(NOTICE, kind=kind, locale=locale)
    open_words = set(re.findall(r"\{(\w+)\}", words.subject(notice) + words.text(notice)))
    assert open_words - set(words.values(notice)) == {"name"}


def test_it_leaves_out_lines_without_a_value() -> None:
    bare = replace(NOTICE, staff="", address="", access="", phone="", policy="", price=0)
    text = filled(bare)
    for heading in ("担当", "人数", "料金", "住所", "道順", "電話", "キャンセルについて"):
        assert heading not in text


def test_it_does_not_offer_to_cancel_what_is_cancelled() -> None:
    text = filled(replace(NOTICE, kind=Kind.CANCELLED))
    assert "ご予約の記録" in text
    assert "キャンセルについて" not in text


@pytest.mark.parametrize(
    ("locale", "language"), [("ja", "ja"), ("ja-JP", "ja"), ("en-GB", "en"), ("fr", "ja"), ("", "ja")]
)
def test_it_writes_japanese_unless_english_was_chosen(locale: str, language: str) -> None:
    assert words.language(locale) == language


def test_case_024_it_tells_the_winter_offset_of_a_winter_date() -> None:
    start = datetime(2027, 1, 15, 9, 0, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))
    assert words.when(start, start + timedelta(hours=1), "en") == "Friday 15 January 2027 10:00–11:00 (UTC+1)"


def test_case_023_it_tells_the_two_ones_of_an_autumn_night_apart() -> None:
    zone = ZoneInfo("America/New_York")
    first = datetime(2026, 11, 1, 5, 0, tzinfo=UTC).astimezone(zone)
    second = datetime(2026, 11, 1, 6, 0, tzinfo=UTC).astimezone(zone)
    hour = timedelta(minutes=30)
    assert words.when(first, first + hour, "ja") == "2026年11月1日(日) 01:00〜01:30 (UTC-4)"
    assert words.when(second, second + hour, "ja") == "2026年11月1日(日) 01:00〜01:30 (UTC-5)"


def test_a_stay_tells_the_day_of_its_end_and_a_long_evening_does_not() -> None:
    start = datetime(2026, 11, 27, 15, 0, tzinfo=TOKYO)
    stay = words.when(start, start + timedelta(days=1, hours=20), "ja")
    assert stay == "2026年11月27日(金) 15:00〜2026年11月29日(日) 11:00"
    evening = start + timedelta(hours=8)
    assert words.when(evening, evening + timedelta(hours=3), "ja") == "2026年11月27日(金) 23:00〜02:00"


def test_case_026_it_writes_offsets_that_are_no_whole_hours() -> None:
    start = datetime(2026, 11, 25, 0, 0, tzinfo=UTC).astimezone(ZoneInfo("Asia/Kathmandu"))
    assert words.when(start, start, "en").endswith("05:45–05:45 (UTC+5:45)")


def test_it_writes_money_as_its_currency_does() -> None:
    assert words.money(1234500, "JPY", "ja") == "1,234,500円"
    assert words.money(1234500, "JPY", "en") == "¥1,234,500"
    assert words.money(123450, "EUR", "en") == "1,234.50 EUR"
