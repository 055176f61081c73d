"""The day sheet: told and on record before it is made, numbered, over with its day, and kept nowhere."""

import logging
import re
from datetime import date, datetime, timedelta
from itertools import count

import pypdfium2
import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from noren import people
from noren.booking import day_sheets
from noren.booking.models import Booking, DaySheet
from noren.shops.models import OpeningHours
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.web.conftest import booked

_days = count(3)


def another_day() -> datetime:
    """A day of its own for each test, at noon: the salon is everybody's here."""
    return NOON + timedelta(days=next(_days))


def make(staff: Client, at: datetime, form: str = "pdf", **more: str) -> HttpResponse:
    asked = {"date": f"{at:%Y-%m-%d}", "form": form, **more}
    return staff.post("/console/day-sheet", asked)  # type: ignore[return-value]


def pages(answer: HttpResponse) -> list[str]:
    """What is read off the PDF's pages."""
    assert answer["Content-Type"] == "application/pdf", answer.content.decode()
    with pypdfium2.PdfDocument(answer.content) as read:
        return [page.get_textpage().get_text_bounded() for page in read]


def last(made: Salon) -> DaySheet:
    with shop(made.id):
        return DaySheet.objects.latest("number")


def test_it_says_who_comes_when_and_what_for_and_what_it_is(made: Salon, staff: Client) -> None:
    at = another_day()
    booked(made, at + timedelta(hours=1), name="髙橋 健一", kana="タカハシ ケンイチ", mail="ken@example.jp")
    booked(made, at)
    with shop(made.id):
        Booking.objects.filter(start__date=at.date()).update(staff_id=made.staff[1])
    [page] = pages(make(staff, at, phones="1"))
    sheet = last(made)
    assert f"紙の控え No.{sheet.number}" in page
    assert f"{at.month}月{at.day}日" in page
    assert page.index("12:00–13:00") < page.index("13:00–14:00")
    for words in (
        "山田 花子",
        "(ヤマダ ハナコ)",
        "090-1234-5678",
        "髙橋 健一",
        "カット",
        "aoi.salon",
        "サロン青葉",
    ):
        assert words in page, words
    assert "0:00まで有効" in page
    assert "破棄" in page
    assert "1/1ページ" in page
    assert "hanako@example.jp" not in page
    assert (sheet.day, sheet.bookings, sheet.persons, sheet.by) == (at.date(), 2, 2, "staff:aoi.salon")
    assert sheet.fields == ["name", "kana", "phone"]


def test_each_is_told_by_an_entry_of_its_own_with_its_own_purpose(made: Salon, staff: Client) -> None:
    at = another_day()
    person = booked(made, at).booking.person_id
    make(staff, at)
    make(staff, at, "page")
    entries = [entry for row in day_sheets.newest(made.id, 2) for entry in row.entries]
    assert len(set(entries)) == 2
    told = people.scope(since=NOON - timedelta(days=900), until=NOON + timedelta(days=9000))
    [found] = [one for one in told.persons if one.person == person]
    assert "day_sheet" in found.purposes
    assert set(entries) <= set(found.entries)
    phone = [one for one in found.seen if one.field == "phone" and str(one.state) == "exposed"]
    assert not any(seen.last >= found.last for seen in phone), "phones were not asked for"


def test_its_numbers_run_on_without_a_gap(made: Salon, staff: Client) -> None:
    at = another_day()
    first = day_sheets.newest(made.id, 1)
    for form in ("pdf", "page", "pdf"):
        assert make(staff, at, form).status_code == 200
    numbers = [row.number for row in day_sheets.newest(made.id, 3)]
    begun = first[0].number if first else 0
    assert numbers == [begun + 3, begun + 2, begun + 1]


def test_as_a_page_it_shows_the_same_and_no_address_leads_to_it_again(made: Salon, staff: Client) -> None:
    at = another_day()
    booked(made, at)
    answer = make(staff, at, "page")
    page = answer.content.decode()
    assert "山田 花子" in page
    assert "090-1234-5678" not in page
    assert "no-store" in answer["Cache-Control"]
    again = staff.get(f"/console/day-sheet?date={at:%Y-%m-%d}").content.decode()
    assert "山田 花子" not in again
    assert f'<th scope="row">{last(made).number}</th>' in again


def test_nothing_that_stood_on_it_is_in_the_shops_database(made: Salon, staff: Client) -> None:
    at = another_day()
    booked(made, at)
    make(staff, at, phones="1")
    with shop(made.id), connection.cursor() as cursor:
        cursor.execute("SELECT d::text FROM booking_daysheet d WHERE shop_id = %s", [made.id])
        rows = " ".join(row[0] for row in cursor.fetchall())
    assert "山田" not in rows
    assert "1234" not in rows


def test_a_day_that_is_over_has_none(made: Salon, staff: Client) -> None:
    before = day_sheets.newest(made.id, 1)
    answer = make(staff, NOON - timedelta(days=1))
    assert answer.status_code == 422
    assert "過ぎた日" in answer.content.decode()
    assert day_sheets.newest(made.id, 1) == before


def test_a_role_without_phones_is_told_so_and_nothing_is_made(made: Salon, staff: Client) -> None:
    at = another_day()
    booked(made, at)
    before = day_sheets.newest(made.id, 1)
    with pytest.MonkeyPatch.context() as patch:

        def refuse(*asked: object) -> people.Revealed:
            if "phone" in asked[3]:  # type: ignore[operator]
                raise PurposeRefused
            return reveal(*asked)  # type: ignore[arg-type]

        from noren.errors import PurposeRefused  # noqa: PLC0415

        reveal = people.reveal
        patch.setattr(people, "reveal", refuse)
        answer = make(staff, at, phones="1")
        assert answer.status_code == 403
        assert "電話番号を表示できません" in answer.content.decode()
        assert day_sheets.newest(made.id, 1) == before
        assert make(staff, at).status_code == 200


def test_a_letter_that_the_font_lacks_is_marked_and_not_left_out(made: Salon, staff: Client) -> None:
    at = another_day()
    booked(made, at, name="Łucja Żółć สมชาย", kana="", mail="lucja@example.jp")
    booked(made, at + timedelta(hours=2), name="김민준 张伟 𠮷野", kana="", mail="kim@example.jp")
    [page] = pages(make(staff, at))
    assert "Lucja Zólc 〓〓〓〓〓" in page
    assert "김민준 张伟 𠮷野" in page
    assert "〓：印刷できない文字" in page


def test_no_letter_of_it_gets_into_a_log(
    made: Salon, staff: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """A font's maker logs which letters it keeps: a name lies open in them."""
    at = another_day()
    booked(made, at, name="Ł髙", mail="l@example.jp")
    with caplog.at_level(logging.DEBUG):
        make(staff, at)
    assert [record for record in caplog.records if record.name.startswith(("fontTools", "fpdf"))] == []


def test_it_holds_until_the_shop_closes_after_midnight(made: Salon) -> None:
    day = date(2026, 12, 1)
    with shop(made.id):
        assert day_sheets.until(day).isoformat() == "2026-12-01T15:00:00+00:00"
        with change():
            OpeningHours.objects.filter(resource_id=None).update(weekly=[[[600, 1560]]] * 7)
        assert day_sheets.until(day).isoformat() == "2026-12-01T17:00:00+00:00"
        with change():
            OpeningHours.objects.filter(resource_id=None).update(weekly=[[[600, 1140]]] * 7)


def test_a_long_day_goes_over_pages_that_each_say_what_they_are(made: Salon, staff: Client) -> None:
    at = another_day()
    first = booked(made, at).booking
    with shop(made.id):
        for minutes in range(120):
            row = Booking.objects.get(id=first.id)
            row.pk, row.start = None, at + timedelta(minutes=minutes)
            row.end = row.start + timedelta(hours=1)
            row.save(force_insert=True)
    found = pages(make(staff, at))
    number = last(made).number
    assert len(found) > 2
    for place, page in enumerate(found, start=1):
        assert f"紙の控え No.{number}" in page
        assert f"{place}/{len(found)}ページ" in page
        assert "発行" in page
    assert "（続き）" in found[1]
    assert sum(page.count("山田 花子") for page in found) == 121


def test_the_list_asks_as_often_for_many_as_for_one(made: Salon, staff: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert staff.get("/console/day-sheet").status_code == 200
        return len(caught)

    at = another_day()
    make(staff, at, "page")
    asked()
    one = asked()
    for _ in range(3):
        make(staff, at, "page")
    assert asked() == one


def test_the_form_stays_as_it_was_filled(made: Salon, staff: Client) -> None:
    assert made
    page = make(staff, NOON - timedelta(days=2), phones="1").content.decode()
    assert re.search(r'name="phones" value="1" checked', page)
    assert f'value="{NOON - timedelta(days=2):%Y-%m-%d}"' in page
