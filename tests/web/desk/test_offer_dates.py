"""A class's dates in the console: what a change touches is asked, and a date is called off once confirmed."""

import html
import re
from datetime import timedelta
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client

from noren.booking import book, classes
from noren.booking.models import Booking, ClassSession
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.web.desk.test_offers import EN, fields, service
from tests.web.flow import CUSTOMER

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.fixture(scope="module")
def there(made: Salon) -> str:
    classes.schedule(made.id, now=NOON)
    return f"/console/offers/{made.lesson}/dates"


def date(made: Salon, number: int) -> ClassSession:
    with shop(made.id):
        return ClassSession.objects.filter(cancelled=False).order_by("start")[number]


def attends(made: Salon, number: int, party: int = 2) -> Booking:
    at = date(made, number).start
    wish = book.BookRequest(made.lesson, at, None, party, book.Customer(**CUSTOMER), "ja")
    return book.book(made.id, wish, now=NOON).booking


def test_it_shows_the_timetable_and_takes_another_line(staff: Client, made: Salon, there: str) -> None:
    given = fields(staff, there)
    assert (given["line-0-weekday"], given["line-0-start"]) == (2, "10:00")
    more = {"line-1-weekday": "4", "line-1-start": "17:00", "line-1-seats": "5", "line-1-last": "2026-12-31"}
    minimum = {"minimum": "3", "minimum-n": "1", "minimum-unit": "days", "minimum-at": "20:00"}
    answer = staff.post(there, {**given, **more, **minimum}, headers=EN, follow=True)
    assert not answer.context["form"].errors
    row = service(made, made.lesson)
    assert row.timetable == [
        {"weekday": 2, "start": 600, "staff": []},
        {"weekday": 4, "start": 1020, "staff": [], "capacity": 5, "last": "2026-12-31"},
    ]
    assert row.minimum == {"seats": 3, "deadline": {"days": 1, "at": 1200}}
    classes.schedule(made.id, now=NOON)
    assert "0 of 5 seats" in staff.get(there, headers=EN).content.decode()
    staff.post(there, {**fields(staff, there), "line-1-weekday": "", "line-1-start": ""}, headers=EN)
    assert len(service(made, made.lesson).timetable) == 1


def test_fewer_seats_than_are_booked_are_asked_about_first(staff: Client, made: Salon, there: str) -> None:
    one, other = attends(made, 0), attends(made, 0)
    given = fields(staff, there, capacity="2", minimum="")
    answer = staff.post(there, given, headers=EN)
    assert "Nothing has been saved yet." in answer.content.decode()
    assert service(made, made.lesson).capacity == 8
    choices = {f"choice-{each.id}": "keep" for each in (one, other)}
    staff.post(there, {**given, **choices}, headers=EN)
    assert service(made, made.lesson).capacity == 2
    page = staff.get(there, headers=EN).content.decode()
    assert "4 of 2 seats" in page
    assert "2 too many" in page
    staff.post(there, {**fields(staff, there), "capacity": "8", **choices}, headers=EN)


def test_a_line_that_is_taken_away_asks_what_becomes_of_who_has_booked(
    staff: Client, made: Salon, there: str
) -> None:
    own = attends(made, 2)
    given = {**fields(staff, there), "line-0-weekday": "", "line-0-start": ""}
    answer = staff.post(there, given, headers=EN)
    assert "Nothing has been saved yet." in answer.content.decode()
    assert f"choice-{own.id}" in answer.content.decode()
    assert service(made, made.lesson).timetable


def test_one_date_is_called_off_once_it_is_confirmed(staff: Client, made: Salon, there: str) -> None:
    own, session = attends(made, 1), date(made, 1)
    asked = staff.post(there, {"off": str(session.id)}, headers=EN).content.decode()
    assert "2 seats are booked." in asked
    assert date(made, 1).id == session.id
    staff.post(there, {"off": str(session.id), "sure": "1"}, headers=EN)
    with shop(made.id):
        assert ClassSession.objects.get(id=session.id).cancelled
        assert Booking.objects.get(id=own.id).status == "cancelled"
    assert staff.post(there, {"off": str(session.id), "sure": "1"}, headers=EN).status_code == 302
    assert staff.post(there, {"off": "999999"}, headers=EN).status_code == 404
    assert session.start > NOON + timedelta(days=1)


def test_a_date_is_called_off_without_a_mail_where_the_shop_tells_them(
    staff: Client, made: Salon, there: str
) -> None:
    own, session = attends(made, 3), date(made, 3)
    asked = staff.post(there, {"off": str(session.id)}, headers=EN).content.decode()
    assert "Tell the customers by mail" in asked
    sent = {"off": str(session.id), "sure": "1", "asked_tell": "1"}
    page = staff.post(there, sent, headers=EN, follow=True).content.decode()
    assert "is not told by us" in page
    with shop(made.id):
        assert Booking.objects.get(id=own.id).status == "cancelled"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE args ->> 'kind' = 'called_off' "
            "AND args ->> 'booking_id' = %s",
            [str(own.id)],
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"line-0-start": "ten"}, "Please write a time like 20:00."),
        ({"line-1-start": "10:00"}, "Please choose a weekday."),
        ({"line-0-first": "2027-01-02", "line-0-last": "2027-01-01"}, "The last day is before the first."),
        ({"minimum": "99"}, "more than there are seats"),
        ({"capacity": "0"}, "greater than or equal to 1"),
    ],
)
def test_it_says_what_cannot_be(
    staff: Client, made: Salon, there: str, changed: dict[str, str], told: str
) -> None:
    before = service(made, made.lesson).timetable
    answer = staff.post(there, {**fields(staff, there), **changed}, headers=EN)
    assert (answer.status_code, told in answer.content.decode()) == (422, True)
    assert service(made, made.lesson).timetable == before


def test_what_is_no_class_has_no_dates(staff: Client, made: Salon) -> None:
    answer = staff.get(f"/console/offers/{made.cut}/dates", headers=EN)
    assert answer.headers["Location"] == f"/console/offers/{made.cut}"


def test_all_of_a_date_are_written_to_from_there(staff: Client, made: Salon, there: str) -> None:
    """A date with nobody has no such way; from one that is booked its hours and its class are picked."""
    own = attends(made, 4)
    page = staff.get(there, headers=EN).content.decode()
    links = [html.unescape(one) for one in re.findall(r'href="(/console/messages/many\?[^"]+)"', page)]
    assert 0 < len(links) < page.count('name="off"')
    begin, end = own.start.astimezone(TOKYO), own.end.astimezone(TOKYO)
    [link] = [one for one in links if f"date={begin:%Y-%m-%d}" in one]
    form = staff.get(link, headers=EN).content.decode()
    assert f'value="{begin:%H:%M}"' in form
    assert f'value="{end:%H:%M}"' in form
    picked = dict(parse_qsl(link.partition("?")[2]))
    draft = staff.post("/console/messages/many", picked, headers=EN, follow=True).content.decode()
    assert "1 booking · 1 customer" in draft
