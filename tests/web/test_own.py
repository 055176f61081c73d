"""A customer's own booking, by its link."""

from datetime import timedelta

import pytest
from django.test import Client

from noren import clock
from noren.booking import links
from noren.booking.models import Booking, Status
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
    assert answer.headers["Content-Type"].startswith("text/calendar")
    assert b"BEGIN:VEVENT" in answer.content


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
