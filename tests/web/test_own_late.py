"""Running late: one tap tells the shop, and the page says whether it still fits."""

from datetime import timedelta

import pytest
from django.test import Client

from noren import clock
from noren.booking import actions, book, classes
from noren.booking.models import Booking, Event
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.servers import VaultProcess
from tests.web.conftest import booked
from tests.web.flow import CUSTOMER, Visitor

SOON = NOON + timedelta(hours=2)
"""14:00, in two hours."""


@pytest.fixture
def token(made: Salon, vault: VaultProcess) -> str:
    assert vault
    return booked(made, SOON).token


def said(made: Salon) -> list[int]:
    with shop(made.id):
        return [row.facts["minutes"] for row in Event.objects.filter(what="late").order_by("id")]


def late(token: str, minutes: str) -> str:
    client = Client(headers={"Accept-Language": "ja"})
    answer = client.post(f"/b/{token}/late", {"minutes": minutes}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_one_tap_tells_the_shop_and_it_may_be_changed(made: Salon, token: str) -> None:
    customer = Visitor()
    customer.open(f"/b/{token}")
    assert "遅れそうですか" in customer.text
    customer.press("minutes", "10")
    assert "10分ほど遅れる" in customer.text
    assert "予定どおりの時間" in customer.text
    customer.press("minutes", "20")
    assert "20分ほど遅れる" in customer.text
    customer.press("minutes", "0")
    assert "ほど遅れる" not in customer.text
    assert said(made) == [10, 20, 0]
    with shop(made.id):
        row = Booking.objects.get()
    assert (row.start, row.changes) == (SOON, 0), "no time is changed by it"


def test_the_same_again_is_told_once(made: Salon, token: str) -> None:
    late(token, "0")
    late(token, "15")
    late(token, "15")
    assert said(made) == [15]


def test_it_says_by_how_much_the_next_one_shortens_it(made: Salon, token: str) -> None:
    """Somebody follows at once, with the same stylist; and then nobody does."""
    with shop(made.id):
        mine = Booking.objects.get()
    after = actions.hold(made.id, actions.HoldRequest(made.cut, mine.end, mine.staff_id, 1), now=NOON)
    assert "最大15分" in late(token, "15")
    actions.release(made.id, after.id, now=NOON)
    assert "予定どおりの時間" in late(token, "15")


def test_it_ends_with_the_hours(made: Salon, vault: VaultProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    assert vault
    last = NOON + timedelta(hours=6)  # 18:00, and the salon closes at 19:00
    token = booked(made, last).token
    monkeypatch.setattr(clock, "now", lambda: last - timedelta(hours=1))
    assert "最大5分" in late(token, "5")


@pytest.mark.parametrize(
    ("before", "allowed"),
    [
        (timedelta(hours=3, seconds=1), False),
        (timedelta(hours=3), True),
        (timedelta(seconds=1), True),
        (timedelta(), False),
    ],
)
def test_it_is_told_in_the_hours_before_the_start(
    made: Salon, token: str, monkeypatch: pytest.MonkeyPatch, before: timedelta, allowed: bool
) -> None:
    monkeypatch.setattr(clock, "now", lambda: SOON - before)
    client = Client(headers={"Accept-Language": "ja"})
    assert ("遅れそうですか" in client.get(f"/b/{token}").content.decode()) is allowed
    answer = client.post(f"/b/{token}/late", {"minutes": "5"})
    assert answer.status_code == (302 if allowed else 409)
    assert said(made) == ([5] if allowed else [])


def test_what_stands_no_longer_is_not_late(made: Salon, token: str) -> None:
    with shop(made.id):
        booking_id = Booking.objects.get().id
    actions.cancel(made.id, booking_id, now=NOON, by="staff:aoi.salon")
    client = Client()
    assert client.post(f"/b/{token}/late", {"minutes": "5"}).status_code == 409
    assert f"/b/{token}/late" not in client.get(f"/b/{token}").content.decode()
    assert said(made) == []


@pytest.mark.parametrize("minutes", ["", "7", "-5", "x", "1000", "traffic jam"])
def test_it_takes_no_other_word(made: Salon, token: str, minutes: str) -> None:
    assert Client().post(f"/b/{token}/late", {"minutes": minutes}).status_code == 404
    assert Client().get(f"/b/{token}/late").status_code == 405
    assert said(made) == []


def test_a_class_begins_on_time(made: Salon, vault: VaultProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    assert vault
    classes.schedule(made.id, now=NOON)
    lesson = NOON + timedelta(hours=22)
    wish = book.BookRequest(made.lesson, lesson, None, 1, book.Customer(**CUSTOMER), "ja")
    token = book.book(made.id, wish, now=NOON).token
    monkeypatch.setattr(clock, "now", lambda: lesson - timedelta(hours=1))
    assert "クラスは定刻に始まります" in late(token, "10")


def test_it_warns_of_the_moment_at_which_the_time_is_given_free(made: Salon, vault: VaultProcess) -> None:
    assert vault
    with shop(made.id), change():
        rule = {"opens_minutes": 60, "release_minutes": 15}
        Service.objects.filter(id=made.cut).update(check_in=rule)
    token = booked(made, SOON).token
    assert "14:15" not in late(token, "10")
    assert "14:15までに" in late(token, "15")


def test_a_move_ends_it(made: Salon, token: str, staff: Client) -> None:
    late(token, "20")
    assert "20分遅れ" in staff.get("/console/").content.decode()
    with shop(made.id):
        booking_id = Booking.objects.get().id
    actions.move(made.id, booking_id, SOON + timedelta(hours=1), None, now=NOON, by="staff:aoi.salon")
    assert "20分遅れ" not in staff.get("/console/").content.decode()


def test_the_shop_sees_it_on_todays_list_on_the_day_and_on_the_booking(
    made: Salon, token: str, staff: Client
) -> None:
    booked(made, SOON + timedelta(hours=2), mail="ichiro@example.jp")
    with shop(made.id):
        booking_id = Booking.objects.earliest("start").id
    pages = ("/console/", "/console/day", f"/console/bookings/{booking_id}")
    assert not [page for page in pages if "分遅れ" in staff.get(page).content.decode()]
    late(token, "15")
    for page in pages:
        assert staff.get(page).content.decode().count("15分遅れ") == 1, page
    assert "遅れるとのこと" in staff.get(pages[-1]).content.decode()
    late(token, "0")
    assert not [page for page in pages if "分遅れ" in staff.get(page).content.decode()]
