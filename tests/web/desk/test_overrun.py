"""A visit takes longer: whom it touches is shown, both stay, the next is told once, and it can be undone."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from noren.booking import actions, book, overrun, planes, reception
from noren.booking.models import Booking, Event
from noren.messages import about, words
from noren.messages.notice import Kind
from noren.shops.models import Resource
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.web.flow import CUSTOMER, Visitor

EARLY = NOON - timedelta(hours=6)
GOING_ON = NOON


@pytest.fixture
def two(made: Salon) -> Iterator[tuple[Booking, Booking]]:
    """One visit that is going on since 11:30, and the next with the same stylist at 12:30."""
    first, second = (_booked(made, hours, f"c{hours}@example.jp") for hours in (0, 1))
    yield first, second
    for each in (first, second):
        actions.cancel(made.id, each.id, now=EARLY, by="staff:1")


def _booked(made: Salon, hours: int, mail: str) -> Booking:
    customer = book.Customer(**{**CUSTOMER, "mail": mail})
    at = NOON + timedelta(hours=hours, minutes=-30)
    return book.book(
        made.id, book.BookRequest(made.cut, at, made.staff[0], 1, customer, "ja"), now=EARLY
    ).booking


def fresh(made: Salon, booking: Booking) -> Booking:
    with shop(made.id):
        return Booking.objects.get(id=booking.id)


def mails(made: Salon, booking: Booking) -> list[str]:
    query = "SELECT args::text FROM procrastinate_jobs WHERE task_name = %s AND args->>'shop_id' = %s"
    with connection.cursor() as cursor:
        cursor.execute(query, ["noren.messages.tasks.send", str(made.id)])
        found = [json.loads(args) for (args,) in cursor.fetchall()]
    return [each["kind"] for each in found if each["booking_id"] == booking.id]


def whole(made: Salon) -> bool:
    """Whether the sheets are what the claims say."""
    with shop(made.id):
        rows = list(Resource.objects.all())
        return all(not list(planes.differing(planes.of_claims(r), planes.stored(r))) for r in rows)


def end(booking: Booking, minutes: int) -> datetime:
    return booking.end + timedelta(minutes=minutes)


def test_it_takes_longer_and_the_next_is_told(
    made: Salon, staff: Client, two: tuple[Booking, Booking]
) -> None:
    first, second = two
    visitor = Visitor(client=staff)
    visitor.open(f"/console/bookings/{first.id}")
    assert f"/console/bookings/{first.id}/longer" in visitor.text
    visitor.open(f"/console/bookings/{first.id}/longer?minutes=20")
    assert f'name="tell" value="{second.id}" checked' in visitor.text
    visitor.press("deed", "extend")
    assert fresh(made, first).end == end(first, 20)
    assert fresh(made, second).start == second.start, "both stay"
    assert whole(made)
    assert mails(made, second).count("delayed") == 1
    with shop(made.id):
        event = Event.objects.filter(booking_id=first.id, what="extended").get()
        notice = about.notice(fresh(made, second), Kind.DELAYED)
    assert (event.why, event.facts["over"], event.by) == ("overrun", True, "staff:aoi.salon")
    assert (words.values(notice)["minutes"], words.text(notice).count("{minutes}分ほど遅れる")) == ("20", 1)
    visitor.open(f"/console/bookings/{first.id}")
    assert "予約と違う長さ" in visitor.text
    visitor.open(f"/console/bookings/{first.id}/longer")
    visitor.press("deed", "undo")
    assert fresh(made, first).end == first.end
    assert whole(made)


def test_pressed_twice_is_pressed_once(made: Salon, two: tuple[Booking, Booking]) -> None:
    first, second = two
    for _ in range(2):
        overrun.extend(made.id, first.id, end(first, 10), now=GOING_ON, by="staff:1", told=[second.id])
    assert fresh(made, first).end == end(first, 10)
    assert mails(made, second).count("delayed") == 1
    for _ in range(2):
        overrun.undo(made.id, first.id, now=GOING_ON, by="staff:1")
    assert fresh(made, first).end == first.end
    overrun.extend(made.id, first.id, end(first, 10), now=GOING_ON, by="staff:1", told=[second.id])
    assert mails(made, second).count("delayed") == 1, "ten minutes are told once"


def test_the_buffer_and_the_claims_go_with_it(made: Salon, two: tuple[Booking, Booking]) -> None:
    first, _ = two
    with shop(made.id):
        before = reception.claimed(first.id)
    overrun.extend(made.id, first.id, end(first, 5), now=GOING_ON, by="staff:1")
    with shop(made.id):
        assert reception.claimed(first.id) == [reception.longer(each, 5) for each in before]


def test_what_has_not_begun_cannot_take_longer(
    made: Salon, staff: Client, two: tuple[Booking, Booking]
) -> None:
    _, second = two
    answer = staff.post(
        f"/console/bookings/{second.id}/longer", {"end": str(int(end(second, 5).timestamp()))}
    )
    assert answer.status_code == 409
    assert fresh(made, second).end == second.end
