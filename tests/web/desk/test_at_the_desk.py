"""A walk-in, the next visit, what was paid, somebody else who comes, and whom to call."""

import re
from datetime import datetime, timedelta

from django.test import Client

from noren.booking import actions, links
from noren.booking.models import Booking, Event, Status
from noren.booking.transact import of_id
from noren.messages import calls
from noren.messages.deliver import deliver
from noren.messages.models import Message, State
from noren.messages.notice import Kind
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.web.conftest import booked
from tests.web.desk.test_new_booking import _booking, _known, _mails, _picks

DESK = "staff:aoi.salon"
WALK_IN = "/console/new/walk-in"


def _row(made: Salon, number: int) -> Booking:
    with shop(made.id):
        return of_id(number)


def _events(made: Salon, booking: Booking, what: str) -> list[Event]:
    with shop(made.id):
        return list(Event.objects.filter(booking_id=booking.id, what=what).order_by("id"))


def _here(made: Salon, at: datetime = NOON) -> Booking:
    """Somebody who is here now."""
    booking = booked(made, at + timedelta(hours=2)).booking
    with shop(made.id):
        Booking.objects.filter(id=booking.id).update(status=Status.CHECKED_IN)
    return booking


# -- walk-in


def test_a_walk_in_is_booked_from_now_on_and_is_here(made: Salon, staff: Client) -> None:
    page = staff.get(WALK_IN).content.decode()
    picks = _picks(page)
    assert f"{made.cut}.{made.staff[2]}" in picks
    sent = {"pick": f"{made.cut}.{made.staff[2]}", "key": "w-1"}
    booking = _booking(made, staff.post(WALK_IN, sent))
    assert (booking.start, booking.status) == (NOON, Status.CHECKED_IN)
    assert booking.staff_id == made.staff[2]
    assert booking.asked_staff_id is None, "nothing is due for asking"
    assert _mails(booking) == []
    assert _booking(made, staff.post(WALK_IN, sent)).id == booking.id
    assert "ご来店のお客様" in staff.get(f"/console/bookings/{booking.id}").content.decode()
    # Now she is busy: the page does not offer her, and a tap that is late takes nothing over.
    assert sent["pick"] not in _picks(staff.get(WALK_IN).content.decode())
    assert staff.post(WALK_IN, {**sent, "key": "w-2"}).status_code == 409


def test_a_walk_in_may_say_her_name_and_forges_nothing(made: Salon, staff: Client) -> None:
    pick = f"{made.cut}.{made.staff[1]}"
    booking = _booking(made, staff.post(WALK_IN, {"pick": pick, "name": "通り 掛子"}))
    assert "通り 掛子" in staff.get(f"/console/bookings/{booking.id}").content.decode()
    assert staff.post(WALK_IN, {"pick": "999999.1"}).status_code == 404
    assert staff.post(WALK_IN, {"pick": f"{made.cut}.999999"}).status_code in (404, 409, 422)


# -- the next visit, and what was paid


def test_the_next_visit_is_proposed_and_booked_by_one_tap(made: Salon, staff: Client) -> None:
    here = _here(made)
    page = staff.get(f"/console/bookings/{here.id}").content.decode()
    picks = _picks(page)
    assert [int(each.rsplit(".", 1)[1]) for each in picks] == [
        int((here.start + timedelta(weeks=weeks)).timestamp()) for weeks in (2, 4, 6, 8)
    ]
    after = _booking(made, staff.post(f"/console/new/{here.person_id}", {"pick": picks[1]}))
    assert after.start == here.start + timedelta(weeks=4)
    assert after.person_id == here.person_id


def test_what_was_paid_is_noted_at_check_out_and_can_be_mended(made: Salon, staff: Client) -> None:
    here = _here(made)
    address = f"/console/bookings/{here.id}"
    assert 'name="price"' in staff.get(address).content.decode()
    assert staff.post(f"{address}/check-out", {"price": "7000", "method": "card"}).status_code == 302
    staff.post(f"{address}/check-out", {"price": "7000", "method": "card"})
    staff.post(f"{address}/settle", {"price": "7500", "method": "cash"})
    staff.post(f"{address}/settle", {"price": "-1", "method": "cash"})
    staff.post(f"{address}/settle", {"price": "1", "method": "gold"})
    told = [(each.facts["price"], each.facts["method"]) for each in _events(made, here, "settled")]
    assert told == [(7000, "card"), (7500, "cash")]
    page = staff.get(address).content.decode()
    assert "7,500" in page
    assert "現金" in page
    token = links.token(made.id, here.id, here.generation)
    assert "7,500" not in Client().get(f"/b/{token}").content.decode(), "a note of the shop's own"


# -- somebody else comes


def test_another_customer_takes_it_over(made: Salon, staff: Client) -> None:
    before, sister = _known(made, name="姉 一", kana="アネ"), _known(made, name="妹 二", kana="イモウト")
    address = f"/console/bookings/{before.id}/instead"
    old = links.token(made.id, before.id, before.generation)
    page = staff.post(address, {"query": "イモウト"}).content.decode()
    assert f'value="{sister.person_id}"' in page
    sent = {"step": "known", "person": str(sister.person_id), "asked_tell": "1", "tell": "1"}
    assert staff.post(address, sent).status_code == 302
    after = _row(made, before.id)
    assert after.person_id == sister.person_id
    assert after.start == before.start
    assert Client().get(f"/b/{old}").status_code == 410, "the link of who had it"
    assert _mails(before).count("booked") == 2
    assert deliver(made.id, before.id, Kind.BOOKED, now=NOON) is State.SENT
    assert "妹 二" in staff.get(f"/console/bookings/{before.id}").content.decode()
    stranger = {"step": "known", "person": "00000000-0000-4000-8000-000000000001"}
    assert staff.post(address, stranger).status_code == 404
    assert _row(made, before.id).person_id == sister.person_id


def test_a_new_customer_takes_it_over_and_nobody_is_told(made: Salon, staff: Client) -> None:
    before = _known(made)
    address = f"/console/bookings/{before.id}/instead"
    who = {"step": "new", "name": "代理 三", "asked_tell": "1"}
    assert staff.post(address, who).status_code == 422, "no phone"
    assert staff.post(address, who | {"phone": "03-1111-3333"}).status_code == 302
    assert _row(made, before.id).person_id != before.person_id
    assert _mails(before).count("booked") == 1
    assert "代理 三" in staff.get(f"/console/bookings/{before.id}").content.decode()


def test_only_another_name_stays_with_her_in_the_vault(made: Salon, staff: Client) -> None:
    before = _known(made)
    address = f"/console/bookings/{before.id}/instead"
    for name in ("娘 さくら", "娘 もも"):
        assert staff.post(address, {"step": "guest", "guest": name}).status_code == 302
    after = _row(made, before.id)
    assert after.person_id == before.person_id
    assert "もも" not in str(after.agreed)
    page = staff.get(f"/console/bookings/{before.id}").content.decode()
    assert "娘 もも" in page
    assert "さくら" not in page


# -- whom to call


def _without_mail(made: Salon, staff: Client, day: int) -> Booking:
    who = {"name": "電話 番子", "phone": "03-9999-0000", "asked_tell": "1", "tell": "1"}
    at = int((NOON + timedelta(days=day, hours=3)).timestamp())
    return _booking(made, staff.post("/console/new/customer", who | {"pick": f"{made.cut}...{at}"}))


def test_whom_no_mail_tells_is_called_and_ticked(made: Salon, staff: Client) -> None:
    booking = _without_mail(made, staff, 20)
    assert deliver(made.id, booking.id, Kind.BOOKED, now=NOON) is State.FAILED
    assert calls.waiting(made.id, now=NOON) == [], "she was on the phone"
    actions.move(made.id, booking.id, booking.start + timedelta(hours=1), None, now=NOON, by=DESK)
    assert deliver(made.id, booking.id, Kind.MOVED, now=NOON) is State.FAILED
    page = staff.get("/console/calls").content.decode()
    assert f"/console/bookings/{booking.id}" in page
    assert "電話 番子" not in page
    shown = staff.post("/console/calls").content.decode()
    assert "電話 番子" in shown
    assert 'href="tel:03-9999-0000"' in shown
    message = re.search(r'name="message" value="(\d+)"', page)[1]  # type: ignore[index]
    for _ in range(2):
        assert staff.post("/console/calls", {"message": message, "deed": "said"}).status_code == 302
    [event] = _events(made, booking, "called")
    assert (event.by, event.why) == (DESK, "moved")
    assert "aoi.salon が電話で伝えました" in staff.get("/console/calls").content.decode()
    staff.post("/console/calls", {"message": message, "deed": "undo"})
    assert len(_events(made, booking, "not_called")) == 1
    [call] = calls.waiting(made.id, now=NOON)
    assert call.said_at is None
    # What is no longer true is told to nobody.
    actions.cancel(made.id, booking.id, now=NOON, by=DESK, told=False)
    assert calls.waiting(made.id, now=NOON) == []


def test_a_mail_that_went_after_all_leaves_the_list(made: Salon, staff: Client) -> None:
    booking = _without_mail(made, staff, 21)
    actions.cancel(made.id, booking.id, now=NOON, by=DESK)
    assert deliver(made.id, booking.id, Kind.CANCELLED, now=NOON) is State.FAILED
    [call] = calls.waiting(made.id, now=NOON)
    assert call.kind is Kind.CANCELLED
    with shop(made.id):
        Message.objects.filter(id=call.message).update(state=State.SENT)
    assert calls.waiting(made.id, now=NOON) == []
    assert staff.post("/console/calls", {"message": str(call.message)}).status_code == 404
