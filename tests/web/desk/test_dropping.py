"""A booking that was dropped on another time or column: shown before it is moved, told or not, and undone."""

import json
import re
from datetime import timedelta
from itertools import count

import pytest
from django.db import connection
from django.test import Client

from noren.booking import actions, put_back
from noren.booking.models import Booking, Event
from noren.errors import SlotTaken
from noren.shops import rules
from noren.shops.models import Staff
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.web.conftest import booked
from tests.web.flow import Visitor

_days = count(3)
BY = "staff:1"


def someday(made: Salon, **customer: str) -> Booking:
    return booked(made, NOON + timedelta(days=next(_days)), **customer).booking


def fresh(made: Salon, booking: Booking) -> Booking:
    with shop(made.id):
        return Booking.objects.get(id=booking.id)


def mails(made: Salon, booking: Booking) -> list[str]:
    query = "SELECT args::text FROM procrastinate_jobs WHERE task_name = %s AND args->>'shop_id' = %s"
    with connection.cursor() as cursor:
        cursor.execute(query, ["noren.messages.tasks.send", str(made.id)])
        found = [json.loads(args) for (args,) in cursor.fetchall()]
    return [each["kind"] for each in found if each["booking_id"] == booking.id]


def drop(booking: Booking, hours: int, lane: int | str = "") -> str:
    at = booking.start + timedelta(hours=9 + hours)
    return f"/console/bookings/{booking.id}/move?date={at:%Y-%m-%d}&time={at:%H:%M}&lane={lane}"


def test_it_asks_moves_says_so_and_is_undone(made: Salon, staff: Client) -> None:
    booking = someday(made)
    other = next(each for each in made.staff if each != booking.staff_id)
    visitor = Visitor(client=staff)
    visitor.open(drop(booking, 2, other))
    assert "に移動しますか？" in visitor.text
    assert fresh(made, booking).start == booking.start, "looking moves nothing"
    visitor.press("at")
    moved = fresh(made, booking)
    assert (moved.start, moved.staff_id) == (booking.start + timedelta(hours=2), other)
    assert (moved.asked_staff_id, moved.agreed["price"]) == (None, booking.agreed["price"])
    assert visitor.now_at.startswith("/console/day?")
    assert "に変更しました。" in visitor.text
    assert "元に戻すと、もう一度お知らせします。" in visitor.text
    assert mails(made, booking).count("moved") == 1
    visitor.press("deed", "undo")
    back = fresh(made, booking)
    assert (back.start, back.staff_id) == (booking.start, booking.staff_id)
    assert mails(made, booking).count("moved") == 2, "who was told is told again"
    assert "に変更しました。" not in visitor.text
    with shop(made.id):
        whys = Event.objects.filter(booking_id=booking.id, what="moved").order_by("id")
        assert [each.why for each in whys] == ["", "undone"]


def test_who_is_not_told_is_not_told_of_the_undoing_either(made: Salon, staff: Client) -> None:
    booking = someday(made)
    at = int((booking.start + timedelta(hours=1)).timestamp())
    sent = {"at": at, "lane": "", "asked_tell": "1"}
    there = staff.post(f"/console/bookings/{booking.id}/move", sent).headers["Location"]
    page = staff.get(there).content.decode()
    assert "もう一度お知らせします" not in page
    assert 'name="tell"' not in page
    undo = {"deed": "undo", "change": fresh(made, booking).changes, "asked": "", "asked_tell": "1"}
    for _ in range(2):
        assert staff.post(f"/console/bookings/{booking.id}/move", undo).status_code == 302
    assert fresh(made, booking).start == booking.start, "pressed twice is pressed once"
    assert "moved" not in mails(made, booking)


def test_whom_she_asked_for_stays_asked_for_and_is_due_to_no_other(made: Salon, staff: Client) -> None:
    first, second = made.staff[:2]
    with shop(made.id), rules.change():
        Staff.objects.update(fee=500)
    booking = someday(made)
    asking = actions.move(made.id, booking.id, booking.start + timedelta(hours=1), first, now=NOON, by=BY)
    assert (asking.asked_staff_id, asking.agreed["fee"]) == (first, 500)
    address = f"/console/bookings/{booking.id}/move"
    later = int((asking.start + timedelta(hours=1)).timestamp())
    staff.post(address, {"at": later, "lane": ""})
    assert (fresh(made, booking).asked_staff_id, fresh(made, booking).agreed["fee"]) == (first, 500)
    there = staff.post(address, {"at": later, "lane": second}).headers["Location"]
    assert (fresh(made, booking).asked_staff_id, fresh(made, booking).agreed["fee"]) == (None, 0)
    assert f"asked={first}" in there
    staff.post(address, {"deed": "undo", "change": fresh(made, booking).changes, "asked": first})
    assert (fresh(made, booking).asked_staff_id, fresh(made, booking).agreed["fee"]) == (first, 500)
    with shop(made.id), rules.change():
        Staff.objects.update(fee=0)


def test_what_is_in_the_way_is_said_with_the_nearest_times(made: Salon, staff: Client) -> None:
    booking = someday(made)
    assert booking.staff_id is not None
    there = booking.start + timedelta(hours=2)
    for number in range(len(made.staff)):
        booked(made, there, mail=f"w{number}@example.jp")
    with shop(made.id):
        blocking = Booking.objects.get(start=there, staff_id=booking.staff_id)
    page = staff.get(drop(booking, 2)).content.decode()
    assert f"/console/bookings/{blocking.id}" in page
    assert "前後の空き時間" in page
    assert '<details class="as-table" open>' in page
    near = re.findall(r'name="at" value="(\d+)"', page)
    answer = staff.post(f"/console/bookings/{booking.id}/move", {"at": int(there.timestamp()), "lane": ""})
    assert answer.status_code == 409
    assert fresh(made, booking).start == booking.start
    assert staff.post(f"/console/bookings/{booking.id}/move", {"at": near[0], "lane": ""}).status_code == 302
    assert fresh(made, booking).start.timestamp() == int(near[0])


def test_what_somebody_else_has_by_now_is_not_put_back(made: Salon, staff: Client) -> None:
    booking = someday(made)
    at = booking.start + timedelta(hours=3)
    change = actions.move(made.id, booking.id, at, booking.staff_id, now=NOON, by=BY).changes
    for number in range(len(made.staff)):
        booked(made, booking.start, mail=f"x{number}@example.jp")
    with pytest.raises(SlotTaken):
        put_back.undo(made.id, booking.id, change=change, asked_for=None, now=NOON, by=BY, told=False)
    undo = {"deed": "undo", "change": change, "asked": ""}
    answer = staff.post(f"/console/bookings/{booking.id}/move", undo)
    assert answer.status_code == 409
    assert fresh(made, booking).start == booking.start + timedelta(hours=3)


def test_it_is_put_back_where_nothing_is_offered_any_more(made: Salon) -> None:
    """It stood there: notice and hours do not bind."""
    booking = someday(made)
    moved = actions.move(made.id, booking.id, booking.start + timedelta(hours=1), None, now=NOON, by=BY)
    late = booking.start - timedelta(minutes=1)
    back = put_back.undo(
        made.id, booking.id, change=moved.changes, asked_for=None, now=late, by=BY, told=False
    )
    assert moved.start != back.start == booking.start


def test_what_a_colleague_has_moved_since_is_not_taken_back(made: Salon, staff: Client) -> None:
    """Her move is another: an old page neither offers to undo it nor does."""
    booking = someday(made)
    address = f"/console/bookings/{booking.id}/move"
    at = int((booking.start + timedelta(hours=1)).timestamp())
    page = staff.post(address, {"at": at, "lane": "", "asked_tell": "1"}).headers["Location"]
    hidden = re.findall(r'name="(change|asked)" value="(\d*)"', staff.get(page).content.decode())
    hers = booking.start + timedelta(hours=4)
    actions.move(made.id, booking.id, hers, booking.staff_id, now=NOON, by="staff:2")
    assert staff.post(address, {"deed": "undo", "asked_tell": "1", **dict(hidden)}).status_code == 302
    assert fresh(made, booking).start == hers
    assert 'value="undo"' not in staff.get(page).content.decode()


def test_a_drop_that_is_none_changes_nothing(made: Salon, staff: Client) -> None:
    booking = someday(made)
    assert "すでにその時間に入っています。" in staff.get(drop(booking, 0)).content.decode()
    address = f"/console/bookings/{booking.id}/move"
    for wrong in ("date=2026-02-30&time=10:00&lane=", "date=x&time=y&lane=x", "lane=999999999", "at=x&lane="):
        assert staff.get(f"{address}?{wrong}").status_code == 200
    assert staff.post(address, {"at": "x", "lane": "1"}).status_code >= 400
    assert fresh(made, booking).start == booking.start


def test_the_day_says_what_can_be_carried(made: Salon, staff: Client) -> None:
    booking = someday(made)
    page = staff.get(f"/console/day?date={booking.start:%Y-%m-%d}").content.decode()
    assert f'data-moves="/console/bookings/{booking.id}/move" data-since="720"' in page
    assert "data-longer" not in page, "it has not begun"
    today = booked(made, NOON + timedelta(hours=1), mail="t@example.jp").booking
    actions.cancel(made.id, today.id, now=NOON, by=BY)


def test_minutes_that_were_drawn_are_asked_for(made: Salon, staff: Client) -> None:
    booking = booked(made, NOON + timedelta(hours=2), mail="l@example.jp").booking
    page = staff.get(f"/console/bookings/{booking.id}/longer?minutes=35").content.decode()
    assert page, "what has not begun says so"
    actions.cancel(made.id, booking.id, now=NOON, by=BY)
