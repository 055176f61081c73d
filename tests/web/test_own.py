"""A customer's own booking, by its link."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from noren import clock
from noren.booking import book, classes, links, sessions
from noren.booking.models import Booking, Status
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.servers import VaultProcess
from tests.web.conftest import TOMORROW, booked
from tests.web.flow import CUSTOMER, Visitor


def _status(made: Salon) -> str:
    with shop(made.id):
        return Booking.objects.get().status


@pytest.fixture
def token(made: Salon, vault: VaultProcess) -> str:
    assert vault
    return booked(made, TOMORROW).token


def test_it_shows_the_booking_and_nobodys_data(made: Salon, token: str, vault: VaultProcess) -> None:
    vault.stop()
    answer = Client(headers={"Accept-Language": "ja"}).get(f"/b/{token}")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "カット" in page
    assert "2026年11月25日（水）" in page
    assert not [value for value in CUSTOMER.values() if value in page]
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert made


def test_it_changes_nothing_by_looking(made: Salon, token: str) -> None:
    for address in (f"/b/{token}", f"/b/{token}?new", f"/b/{token}/booking.ics"):
        Client().get(address)
    assert Client().get(f"/b/{token}/cancel").status_code == 405
    assert _status(made) == Status.CONFIRMED


def test_it_cancels_with_a_post_and_frees_the_time(made: Salon, token: str) -> None:
    customer = Visitor()
    customer.open(f"/b/{token}")
    customer.press("")
    assert "ご予約を取り消しました" in customer.text
    assert _status(made) == Status.CANCELLED
    customer.open(f"/salon/book/{made.cut}/")
    assert str(int(TOMORROW.timestamp())) in customer.times()


def test_it_needs_the_forms_own_token_to_cancel(made: Salon, token: str) -> None:
    forged = Client(enforce_csrf_checks=True, headers={"Accept-Language": "ja"}).post(f"/b/{token}/cancel")
    assert forged.status_code == 403
    assert "フォームの有効期限" in forged.content.decode()
    assert _status(made) == Status.CONFIRMED


def test_it_says_the_same_when_it_was_cancelled_already(made: Salon, token: str) -> None:
    client = Client()
    client.post(f"/b/{token}/cancel")
    assert client.post(f"/b/{token}/cancel").status_code == 302
    assert _status(made) == Status.CANCELLED


def test_it_refuses_to_cancel_after_the_deadline(
    made: Salon, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: TOMORROW - timedelta(minutes=119))
    answer = Client(headers={"Accept-Language": "ja"}).post(f"/b/{token}/cancel")
    assert answer.status_code == 409
    assert "お店へお電話ください" in answer.content.decode()
    assert _status(made) == Status.CONFIRMED


def test_it_gives_the_calendar_entry(token: str) -> None:
    answer = Client().get(f"/b/{token}/booking.ics")
    assert answer.headers["Content-Type"] == "text/calendar; method=PUBLISH; charset=utf-8"
    assert b"METHOD:PUBLISH" in answer.content
    assert b"BEGIN:VEVENT" in answer.content
    Client().post(f"/b/{token}/cancel")
    gone = Client().get(f"/b/{token}/booking.ics")
    assert gone.headers["Content-Type"] == "text/calendar; method=CANCEL; charset=utf-8"
    assert b"STATUS:CANCELLED" in gone.content
    assert b"SEQUENCE:1" in gone.content


@pytest.mark.parametrize("wrong", ["x", "1.1.1.abc", "..", "%00", "1.1.1." + "A" * 22])
def test_it_does_not_know_a_wrong_link(made: Salon, wrong: str) -> None:
    assert made
    assert Client().get(f"/b/{wrong}").status_code == 404


def test_it_says_that_an_older_link_is_no_longer_valid(made: Salon, token: str) -> None:
    with shop(made.id):
        row = Booking.objects.get()
        Booking.objects.filter(id=row.id).update(generation=2)
    assert Client().get(f"/b/{token}").status_code == 410
    assert Client().get(f"/b/{links.token(made.id, row.id, 2)}").status_code == 200


def test_it_leaves_a_link_after_the_visit(made: Salon, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(days=9))
    assert Client().get(f"/b/{token}").status_code == 200
    assert made


LESSON = TOMORROW - timedelta(hours=2)
"""The Wednesday, 10:00 in Tokyo."""


@pytest.fixture
def lesson(made: Salon, vault: VaultProcess) -> str:
    """The link of a place in a class, which may be cancelled until two days before."""
    assert vault
    with shop(made.id), change():
        Service.objects.filter(id=made.lesson).update(cancel={"minutes": 2880})
    classes.schedule(made.id, now=NOON)
    customer = book.Customer(**CUSTOMER)
    wish = book.BookRequest(made.lesson, LESSON, None, 2, customer, "ja")
    return book.book(made.id, wish, now=NOON).token


def move_lesson(made: Salon, start: datetime) -> None:
    with shop(made.id):
        session_id = Booking.objects.get().session_id
    assert session_id is not None
    sessions.move_session(made.id, session_id, start, made.staff[0], now=NOON, by="staff:1")


def test_case_072_it_shows_a_moved_class_with_both_times_and_keeps_it(made: Salon, lesson: str) -> None:
    move_lesson(made, LESSON + timedelta(days=1, hours=4))
    customer = Visitor()
    customer.open(f"/b/{lesson}")
    assert "お店がクラスの日時または担当を変更しました" in customer.text
    assert "2026年11月25日（水）<br>10:00–11:30" in customer.text
    assert "2026年11月26日（木）<br>14:00–15:30" in customer.text
    keep, cancel, _relink = customer.forms()
    assert (keep.action, cancel.action) == (f"/b/{lesson}/keep", f"/b/{lesson}/cancel")
    customer.press("")
    assert "当日お待ちしております" in customer.text
    assert not [form for form in customer.forms() if "keep" in form.action]
    assert "お店へお電話ください" in customer.text, "and what was agreed binds again"
    with shop(made.id):
        assert Booking.objects.get().attention == ""


def test_case_072_she_cancels_a_moved_class_whatever_was_agreed(made: Salon, lesson: str) -> None:
    assert Client().post(f"/b/{lesson}/cancel").status_code == 409
    move_lesson(made, LESSON + timedelta(hours=4))
    assert Client().post(f"/b/{lesson}/cancel").status_code == 302
    assert _status(made) == Status.CANCELLED
    again = Client().post(f"/b/{lesson}/keep")
    assert (again.status_code, again.headers["Location"]) == (302, f"/b/{lesson}")


def test_case_072_she_answers_in_her_language_by_a_post_alone(made: Salon, lesson: str) -> None:
    move_lesson(made, LESSON + timedelta(hours=4))
    page = Client(headers={"Accept-Language": "en"}).get(f"/b/{lesson}").content.decode()
    assert "The shop has changed your class." in page
    assert "Cancel free of charge" in page
    assert Client().get(f"/b/{lesson}/keep").status_code == 405
    assert Client(enforce_csrf_checks=True).post(f"/b/{lesson}/keep").status_code == 403
    with shop(made.id):
        assert Booking.objects.get().attention == "moved"


def test_what_is_over_or_off_leads_to_the_same_again(
    made: Salon, lesson: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With as many as came; where the service is not offered any more, to the shop."""
    again = f"/salon/book/{made.lesson}/?party=2"
    client = Client(headers={"Accept-Language": "ja"})
    assert again not in client.get(f"/b/{lesson}").content.decode()
    monkeypatch.setattr(clock, "now", lambda: LESSON + timedelta(days=1))
    page = client.get(f"/b/{lesson}").content.decode()
    assert f'href="{again}"' in page
    assert "同じ内容でもう一度予約する" in page
    assert client.get(again).status_code == 200
    with shop(made.id), change():
        Service.objects.filter(id=made.lesson).update(bookable=False)
    assert again not in client.get(f"/b/{lesson}").content.decode()


def test_a_cancelled_one_leads_to_the_same_again(made: Salon, token: str) -> None:
    customer = Visitor()
    customer.open(f"/b/{token}")
    customer.press("")
    assert f'href="/salon/book/{made.cut}/"' in customer.text
