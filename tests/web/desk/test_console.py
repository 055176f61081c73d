"""The console on a working day: one salon, one vault and one sign-in for all of these tests."""

import re
from datetime import timedelta
from itertools import count
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from noren import clock, people
from noren.booking import actions, referee
from noren.booking.models import Booking, Event, Status
from noren.shops import rules
from noren.shops.models import Resource, Service
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon, salon
from tests.web.conftest import booked
from tests.web.flow import CUSTOMER

LATER = NOON + timedelta(hours=2)


_days = count(2)


def _someday(made: Salon, **customer: str) -> Booking:
    """A booking on a day of its own: the salon is everybody's here."""
    return booked(made, NOON + timedelta(days=next(_days)), **customer).booking


def _text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_it_draws_the_day_with_a_column_for_each(made: Salon, staff: Client) -> None:
    booked(made, LATER)
    page = _text(staff, "/console/day")
    assert page.count('class="lane-head"') == 1 + len(made.staff)
    assert 'data-h="14" data-m="0" data-lh="1" data-lm="0"' in page
    assert "山田 花子" in page


@pytest.mark.parametrize("address", ["/console/", "/console/day"])
def test_it_asks_for_as_few_rows_on_a_full_day(made: Salon, staff: Client, address: str) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert staff.get(address).status_code == 200
        return len(caught)

    booked(made, LATER + timedelta(hours=1))
    asked()  # what is kept in memory is read once
    one = asked()
    for hours in range(1, 3):
        booked(made, LATER + timedelta(hours=1 + hours), mail=f"c{hours}@example.jp")
    assert asked() == one


def test_it_asks_before_it_shows_the_names_of_another_day(made: Salon, staff: Client) -> None:
    there = _someday(made).start
    address = f"/console/day?date={there:%Y-%m-%d}"
    assert "山田 花子" not in _text(staff, address)
    assert "山田 花子" in staff.post(address).content.decode()


def test_it_masks_a_customer_until_it_is_asked(made: Salon, staff: Client) -> None:
    booking = _someday(made)
    address = f"/console/bookings/{booking.id}"
    page = _text(staff, address)
    assert "山田 花子" in page
    assert CUSTOMER["mail"] not in page
    shown = staff.post(address, {"show": "card"}).content.decode()
    assert CUSTOMER["mail"] in shown
    assert CUSTOMER["note"] in shown


def test_it_shows_a_customers_history(made: Salon, staff: Client) -> None:
    booking = _someday(made)
    page = _text(staff, f"/console/customers/{booking.person_id}")
    assert "山田 花子" in page
    assert f"/console/bookings/{booking.id}" in page


SPELLINGS = ["山田花子", "ヤマダ ハナコ", "やまだはなこ", "090 1234 5678", "HANAKO@example.jp"]


@pytest.mark.parametrize("query", SPELLINGS)
def test_it_finds_a_customer_however_it_is_spelled(made: Salon, staff: Client, query: str) -> None:
    booking = _someday(made)
    assert booking.person_id is not None
    people.keep(made.id, booking.person_id)  # as the worker does: who never finished is found by nobody
    page = staff.post("/console/customers", {"query": query}).content.decode()
    assert f"/console/customers/{booking.person_id}" in page
    assert re.search(r"(\d+)件見つかり、\1件を表示しています。", page)


def test_two_of_one_name_are_told_apart_by_their_visits(
    made: Salon, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last one, or of who has not been here the next."""
    before, after = NOON + timedelta(hours=2), NOON + timedelta(days=3)
    for at, mail in ((before, "one@example.jp"), (after, "two@example.jp")):
        person = booked(made, at, mail=mail, name="同姓 同名").booking.person_id
        assert person is not None
        people.keep(made.id, person)
    for minutes in (40, 80, 121):  # who is signed in looks at a page now and then
        monkeypatch.setattr(clock, "now", lambda minutes=minutes: NOON + timedelta(minutes=minutes))
        assert staff.get("/console/new").status_code == 200
    for address in ("/console/customers", "/console/new"):
        page = staff.post(address, {"query": "同姓同名"}).content.decode()
        told = re.findall(r'class="when">(..) ([^<]*)<br>([^<]*)<', page)
        assert sorted(told) == [("前回", "11月24日（火）", "カット"), ("次回", "11月27日（金）", "カット")], (
            address
        )


def test_it_cancels_for_the_shop_with_a_code_as_reason(made: Salon, staff: Client) -> None:
    booking = _someday(made)
    staff.post(f"/console/bookings/{booking.id}/cancel", {"reason": "she has a fever"})
    with shop(made.id):
        assert Booking.objects.get(id=booking.id).status == Status.CANCELLED
        assert [event.why for event in Event.objects.filter(booking_id=booking.id, what="cancelled")] == [
            "other"
        ]


def test_it_shows_nothing_of_another_shop(made: Salon, staff: Client) -> None:
    assert made
    other = salon("other")
    theirs = booked(other, LATER).booking
    assert staff.get(f"/console/bookings/{theirs.id}").status_code == 404
    assert staff.get(f"/console/customers/{theirs.person_id}").status_code == 404
    assert staff.post(f"/console/bookings/{theirs.id}/cancel").status_code == 404
    with shop(other.id):
        assert Booking.objects.get().status == Status.CONFIRMED


def test_it_keeps_no_page_in_a_cache(made: Salon, staff: Client) -> None:
    assert made
    assert "no-store" in staff.get("/console/").headers["Cache-Control"]


def _pieces(page: str) -> str:
    return page.partition('class="daygrid"')[2].partition("as-table")[0]


def test_the_day_says_in_words_what_is_not_as_usual(made: Salon, staff: Client) -> None:
    day = NOON + timedelta(days=next(_days))
    states = {Status.PENDING: "お店の確認待ち", Status.CHECKED_IN: "来店", Status.NO_SHOW: "来店なし"}
    for status in states:
        row = booked(made, day).booking
        with shop(made.id):
            Booking.objects.filter(id=row.id).update(status=status)
    page = _text(staff, f"/console/day?date={day:%Y-%m-%d}")
    for status, words in states.items():
        assert f'class="block {status}"' in page
        assert f'<span class="said">{words}</span>' in _pieces(page)
        assert f"<td>{words}</td>" in page


def test_todays_list_says_in_words_who_waits_is_here_or_did_not_come(made: Salon, staff: Client) -> None:
    row = booked(made, LATER + timedelta(hours=4), mail="late@example.jp", name="遅井 来子").booking
    for status, words in {"pending": "お店の確認待ち", "checked_in": "来店", "no_show": "来店なし"}.items():
        with shop(made.id):
            Booking.objects.filter(id=row.id).update(status=status)
        page = _text(staff, "/console/")
        assert f'<span class="state" data-status="{status}">{words}</span>' in page
        assert "遅井 来子" in page


def test_what_only_has_been_asked_for_stands_beside_what_is_booked(made: Salon, staff: Client) -> None:
    day = NOON + timedelta(days=next(_days))
    asked = booked(made, day).booking
    with shop(made.id):
        referee.end(asked.id, [Status.CONFIRMED], Status.CANCELLED, now=NOON, by="system")
        Booking.objects.filter(id=asked.id).update(status=Status.PENDING, takes=False)
    taken = booked(made, day).booking
    assert taken.staff_id == asked.staff_id
    page = _pieces(_text(staff, f"/console/day?date={day:%Y-%m-%d}"))
    assert {"under", "aside"} <= set(re.findall(r"\b(under|aside)\b", page))


def test_the_day_shows_who_stays_over_it(made: Salon, staff: Client) -> None:
    with shop(made.id), rules.change():
        house = Resource.objects.create(key="house", kind="cottage", texts={"name": {"ja": "白樺"}}).id
        cottage = Service.objects.create(
            key="stay",
            texts={"name": {"ja": "コテージ"}},
            segments=[{"minutes": 60, "roles": ["house"]}],
            requirements=[{"role": "house", "pool": [house]}],
            stay={"out": 660, "least": [1] * 7, "most": 5},
        ).id
    day = NOON + timedelta(days=next(_days))
    held = actions.hold(made.id, actions.HoldRequest(cottage, day, None, 1, nights=2), now=NOON)
    actions.confirm(made.id, held.id, uuid4(), now=NOON, locale="ja", consent=1)
    days = [_pieces(_text(staff, f"/console/day?date={day + timedelta(days=n):%Y-%m-%d}")) for n in range(4)]
    assert [f"/console/bookings/{held.id}" in page for page in days] == [True, True, True, False]
    assert 'data-h="10" data-m="0" data-lh="9" data-lm="0"><b ' in days[1]
    assert 'data-h="10" data-m="0" data-lh="1" data-lm="0"><b ' in days[2]
