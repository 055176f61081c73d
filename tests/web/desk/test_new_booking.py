"""Reception books by phone: on a known customer's own person, or for somebody new, with mail or without."""

import re
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from noren import people
from noren.booking.models import Booking, Event, Status
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.web.conftest import booked

_days = count(8)
NEW = "/console/new/customer"


def _known(made: Salon, **changed: str) -> Booking:
    """A customer with a booking, kept as the worker does: a search finds nobody else."""
    booking = booked(made, NOON + timedelta(days=next(_days)), **changed).booking
    assert booking.person_id is not None
    people.keep(made.id, booking.person_id)
    return booking


def _picks(page: str) -> list[str]:
    return re.findall(r'name="pick" value="([^"]+)"', page)


def _mails(booking: Booking) -> list[str]:
    jobs = ProcrastinateJob.objects.filter(task_name="noren.messages.tasks.send")
    return [each.args["kind"] for each in jobs if each.args["booking_id"] == booking.id]


def _booking(made: Salon, answer: Any) -> Booking:
    assert answer.status_code == 302, answer.content.decode()
    number = int(re.search(r"/bookings/(\d+)", answer["Location"])[1])  # type: ignore[index]
    with shop(made.id):
        return Booking.objects.get(id=number)


def test_a_name_and_two_taps_book_the_same_again(made: Salon, staff: Client) -> None:
    before = _known(made, name="髙橋 みなみ", kana="タカハシ ミナミ")
    found = staff.post("/console/new", {"query": "たかはし"}).content.decode()
    address = f"/console/new/{before.person_id}"
    assert f'href="{address}"' in found
    page = staff.get(address).content.decode()
    assert "髙橋 みなみ" in page
    assert "前回と同じ" in page
    sent = {"pick": _picks(page)[0], "asked_tell": "1", "tell": "1", "key": "k-same"}
    booking = _booking(made, staff.post(address, sent))
    assert (booking.person_id, booking.service_id) == (before.person_id, before.service_id)
    assert booking.status == Status.CONFIRMED
    assert booking.asked_staff_id == before.staff_id
    assert booking.agreed["desk"] is True
    assert booking.agreed["consent"] is None
    assert "booked" in _mails(booking)
    # Pressed twice is pressed once, and what is stored of her is as it was.
    assert _booking(made, staff.post(address, sent)).id == booking.id
    assert "髙橋 みなみ" in staff.get(address).content.decode()


def test_it_tells_nobody_where_the_desk_has_and_is_undone(made: Salon, staff: Client) -> None:
    before = _known(made)
    address = f"/console/new/{before.person_id}"
    pick = _picks(staff.get(address).content.decode())[0]
    answer = staff.post(address, {"pick": pick, "asked_tell": "1"})
    booking = _booking(made, answer)
    assert "booked" not in _mails(booking)
    assert ProcrastinateJob.objects.filter(
        task_name="noren.people.tasks.keep", args__person_id=str(before.person_id)
    ).exists()
    page = staff.get(answer["Location"]).content.decode()
    assert "取り消しました" not in page
    assert "予約しました" in page
    undo = {"reason": "mistake", "asked_tell": "1"}
    staff.post(f"/console/bookings/{booking.id}/cancel", undo)
    with shop(made.id):
        assert Booking.objects.get(id=booking.id).status == Status.CANCELLED
    assert "cancelled" not in _mails(booking)


def test_an_empty_spot_comes_with_its_day_time_and_staff(made: Salon, staff: Client) -> None:
    before, day = _known(made), (NOON + timedelta(days=3)).date()
    ask = f"?date={day}&time=15%3A00&staff={made.staff[1]}"
    found = staff.post(f"/console/new{ask}", {"query": "山田"}).content.decode()
    assert f"{before.person_id}{ask}".replace("&", "&amp;") in found
    page = staff.get(f"/console/new/{before.person_id}{ask}").content.decode()
    assert f'value="{day}"' in page
    assert f'<option value="{made.staff[1]}" selected>' in page


def test_a_new_customer_needs_no_mail(made: Salon, staff: Client) -> None:
    day = (NOON + timedelta(days=4)).date()
    who = {"name": "新田 花", "kana": "にった はな", "phone": "03-1234-0000"}
    ask = {"service": str(made.cut), "date": f"{day}", "step": "times"}
    page = staff.post(NEW, who | ask).content.decode()
    assert 'value="新田 花"' in page
    pick = _picks(page)[0]
    assert staff.post(NEW, {"pick": pick, "name": "新田 花"}).status_code == 422
    booking = _booking(made, staff.post(NEW, who | {"pick": pick, "key": "k-new"}))
    assert booking.person_id is not None
    # The same press again is the same person and the same booking.
    assert _booking(made, staff.post(NEW, who | {"pick": pick, "key": "k-new"})).id == booking.id
    page = staff.post(f"/console/bookings/{booking.id}", {"show": "card"}).content.decode()
    assert "新田 花" in page
    assert "ニッタ ハナ" in page
    assert "お電話でお知らせください" in page


def test_what_was_typed_stays_when_the_time_is_gone(made: Salon, staff: Client) -> None:
    at = NOON + timedelta(days=5, hours=1)
    for _ in made.staff:
        booked(made, at)
    pick = f"{made.cut}...{int(at.timestamp())}"
    who = {"name": "新田 花", "phone": "03-1234-0000"}
    answer = staff.post(NEW, who | {"pick": pick})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert 'value="新田 花"' in page
    assert len(_picks(page)) >= 3


def test_staff_insist_for_a_reason_alone(made: Salon, staff: Client) -> None:
    before, day = _known(made), (NOON + timedelta(days=6)).date()
    address = f"/console/new/{before.person_id}"
    over = {"step": "insist", "service": f"{made.cut}", "date": f"{day}", "time": "21:00"}
    assert staff.post(address, over).status_code == 422
    booking = _booking(made, staff.post(address, over | {"reason": "agreed"}))
    with shop(made.id):
        assert Event.objects.filter(booking_id=booking.id, what="held_over", why="agreed").exists()


@pytest.mark.parametrize("pick", ["", "1", "x.y.z.w", "1...99999999999999", "1.2.3.4.5"])
def test_a_forged_pick_books_nothing(made: Salon, staff: Client, pick: str) -> None:
    before = _known(made)
    answer = staff.post(f"/console/new/{before.person_id}", {"pick": pick})
    assert 400 <= answer.status_code < 500


def test_it_looks_a_stranger_up_before_it_books(made: Salon, staff: Client) -> None:
    stranger = UUID(int=7)
    assert staff.get(f"/console/new/{stranger}").status_code == 404
    listed = people.import_rows(made.id, [people.Row("r1", {"name": "移行 一郎", "phone": "03-1111-2222"})])
    page = staff.get(f"/console/new/{listed.persons['r1']}?service={made.cut}").content.decode()
    assert "移行 一郎" in page
    assert _picks(page)


def test_the_days_columns_lead_to_what_is_empty(made: Salon, staff: Client) -> None:
    day = (NOON + timedelta(days=30)).date()
    at = NOON + timedelta(days=30, hours=2)
    busy = booked(made, at).booking
    page = staff.get(f"/console/day?date={day}").content.decode()
    spots = re.findall(r'class="spot" href="/console/new\?([^"]+)"', page)
    asked = {tuple(re.findall(r"=([^&]+)", each.replace("&amp;", "&"))) for each in spots}
    assert (str(day), "10%3A00", str(made.staff[0])) in asked
    assert len(asked) == 3 * 9 - 1
    assert (str(day), "14%3A00", str(busy.staff_id)) not in asked
    assert 'class="spot"' not in staff.get("/console/day?date=2026-11-20").content.decode()
