"""Who serves is away: her bookings of the day, what is free instead, and one button that does it all."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from noren.booking import actions, availability, away, blocks, book, resettle
from noren.booking.models import Block, Booking, Event
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.web.flow import CUSTOMER, Visitor

HOUR = timedelta(hours=1)
ON = "2026-11-24"


@pytest.fixture(autouse=True)
def _as_before(made: Salon) -> Iterator[None]:
    yield
    with shop(made.id):
        closed = list(Block.objects.values_list("id", flat=True))
        ids = list(Booking.objects.filter(status="confirmed").values_list("id", flat=True))
    for each in closed:
        blocks.unblock(made.id, each)
    for each in ids:
        actions.cancel(made.id, each, now=NOON, by="staff:1")


def at(made: Salon, hours: int, staff: int | None = None, mail: str = "a@example.jp") -> Booking:
    """A booking so many hours after noon with the first of the salon: by name, or because it fell to her."""
    customer = book.Customer(**{**CUSTOMER, "mail": mail})
    wish = book.BookRequest(made.cut, NOON + hours * HOUR, staff, 1, customer, "ja")
    booking = book.book(made.id, wish, now=NOON).booking
    if staff is None and booking.staff_id != made.staff[0]:
        resettle.reassign(made.id, booking.id, made.staff[0], now=NOON, by="staff:1")
        return fresh(made, booking)
    return booking


def fresh(made: Salon, booking: Booking) -> Booking:
    with shop(made.id):
        return Booking.objects.get(id=booking.id)


def page(staff: Client, made: Salon) -> Visitor:
    visitor = Visitor(client=staff)
    visitor.open(f"/console/away?staff={made.staff[0]}&date={ON}")
    return visitor


def chosen(visitor: Visitor, booking: Booking) -> str:
    found = visitor.text.split(f'name="choice-{booking.id}"')[1].split("</select>")[0]
    return next(each.split('"')[1] for each in found.split("<option value=")[1:] if "selected" in each)


def moves(made: Salon, booking: Booking) -> list[str]:
    with shop(made.id):
        return list(Event.objects.filter(booking_id=booking.id).order_by("id").values_list("what", flat=True))


def mails_of(made: Salon) -> list[tuple[int, str]]:
    query = "SELECT args::text FROM procrastinate_jobs WHERE task_name = %s AND args->>'shop_id' = %s"
    with connection.cursor() as cursor:
        cursor.execute(query, ["noren.messages.tasks.send", str(made.id)])
        found = [json.loads(args) for (args,) in cursor.fetchall()]
    return [(each["booking_id"], each["kind"]) for each in found]


def test_all_is_done_with_one_button(made: Salon, staff: Client) -> None:
    plain, named, last = at(made, 2), at(made, 3, made.staff[0]), at(made, 5)
    visitor = page(staff, made)
    assert "山田 花子" in visitor.text
    assert chosen(visitor, plain).startswith("staff-")
    assert chosen(visitor, named) == "", "who asked for her is thought about"
    assert "aoiを指名" in visitor.text
    choices: dict[str, Any] = {
        f"choice-{plain.id}": chosen(visitor, plain),
        f"choice-{named.id}": "ask",
        f"choice-{last.id}": "cancel",
        f"tell-{plain.id}": "1",
        f"tell-{named.id}": "1",
    }
    sent = {"staff": made.staff[0], "date": ON, "deed": "away", **choices}
    answer = staff.post("/console/away", sent).content.decode()
    assert "対応の結果" in answer
    given = fresh(made, plain)
    assert given.staff_id != made.staff[0]
    assert (given.start, given.attention) == (plain.start, "")
    assert fresh(made, named).attention == "blocked"
    assert fresh(made, last).status == "cancelled"
    assert moves(made, named)[-1] == "choose"
    mails = mails_of(made)
    assert mails.count((plain.id, "reassigned")) == 1
    assert mails.count((named.id, "choose")) == 1
    assert (last.id, "cancelled") not in mails, "she was not to be told"
    again = staff.post("/console/away", sent).content.decode()
    assert "すでに対応済みです" in again
    once = mails_of(made)
    assert once == mails, "pressed twice is pressed once"
    with shop(made.id):
        assert Block.objects.count() == 1
    assert made.staff[0] not in {s for each in _free(made) for s in each}


def _free(made: Salon) -> list[tuple[int, ...]]:
    day = NOON.date()
    found = availability.month(made.id, made.cut, day, day, now=NOON, staff=None)
    return [each.staff for each in found.days.get(day, ())]


def test_what_lost_a_race_is_offered_anew(made: Salon, staff: Client) -> None:
    first = at(made, 2)
    visitor = page(staff, made)
    choice = chosen(visitor, first)
    other = int(choice.removeprefix("staff-"))
    taken = book.BookRequest(made.cut, first.start, other, 1, book.Customer(**CUSTOMER), "ja")
    book.book(made.id, taken, now=NOON)
    answer = staff.post(
        "/console/away",
        {"staff": made.staff[0], "date": ON, "deed": "away", f"choice-{first.id}": choice},
    ).content.decode()
    assert "未対応" in answer
    assert fresh(made, first).staff_id == made.staff[0]
    offered = answer.split(f'name="choice-{first.id}"')[1].split("</select>")[0]
    assert choice not in offered
    assert "staff-" in offered


def test_another_time_is_where_the_engine_says(made: Salon, staff: Client) -> None:
    named = at(made, 3, made.staff[0])
    visitor = page(staff, made)
    offered = visitor.text.split(f'name="choice-{named.id}"')[1].split("</select>")[0]
    code = next(
        each.split('"')[1]
        for each in offered.split("<option value=")
        if each.startswith('"time-') and f'-{made.staff[0]}"' in each
    )
    sent = {"staff": made.staff[0], "date": ON, "deed": "away", f"choice-{named.id}": code}
    staff.post("/console/away", sent)
    moved = fresh(made, named)
    assert int(moved.start.timestamp()) == int(code.split("-")[1])
    assert moved.start.date() > NOON.date(), "she is away for the whole of this day"
    assert (moved.staff_id, moved.asked_staff_id) == (made.staff[0], made.staff[0])


def test_she_is_there_after_all(made: Salon, staff: Client) -> None:
    start, end = away.stretch(made.id, NOON.date(), now=NOON)
    away.close(made.id, made.staff[0], start, end, now=NOON, by="staff:1")
    visitor = page(staff, made)
    visitor.press("deed", "back")
    with shop(made.id):
        assert Block.objects.count() == 0


def test_it_asks_who(made: Salon, staff: Client) -> None:
    visitor = Visitor(client=staff)
    visitor.open("/console/away?staff=999&date=x")
    assert f"/console/away?staff={made.staff[1]}&amp;date={ON}" in visitor.text


def test_it_asks_the_database_as_often_for_seven_as_for_one(made: Salon, staff: Client) -> None:
    def asked() -> int:
        page(staff, made)
        with CaptureQueriesContext(connection) as caught:
            page(staff, made)
        return len(caught)

    at(made, 2)
    one = asked()
    for hours in (3, 4, 5):
        at(made, hours, mail=f"b{hours}@example.jp")
    assert asked() == one
