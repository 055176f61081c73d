"""The whole way of a new booking, with the real vault."""

from typing import Any

import pytest
from django.test import override_settings

from noren import people
from noren.booking import book, links
from noren.booking.book import BookRequest, Customer
from noren.booking.book_series import book_series
from noren.booking.models import Booking, Status
from noren.booking.report import SeriesRequest
from noren.errors import BadField, CannotTakeNewCustomers, IdempotencyKeyReused, SlotTaken, VaultUnavailable
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, salon, when
from tests.servers import VaultProcess

pytestmark = pytest.mark.usefixtures("module_app_db")
DAY = "2026-11-05"
HANA = Customer(name="佐藤 花", kana="サトウ ハナ", mail="hana@example.jp", phone="090-1234-5678")


def request(house: House, at: str, **more: Any) -> BookRequest:
    values: dict[str, Any] = {"staff": None, "party": 1, "customer": HANA, "locale": "ja", **more}
    return BookRequest(house.services["cut"], when(at), **values)


def statuses(house: House) -> list[str]:
    with shop(house.id):
        return list(Booking.objects.order_by("id").values_list("status", flat=True))


def test_it_books_a_new_customer(module_vault: VaultProcess) -> None:
    house = salon()
    booked = book.book(house.id, request(house, f"{DAY} 10:00"), now=NOW)
    assert booked.booking.status == Status.CONFIRMED
    assert booked.booking.person_id is not None
    assert links.resolve(booked.token).booking_id == booked.booking.id
    assert house.booking(booked.booking.id).agreed["consent"] == 1


def test_case_048_the_same_key_is_the_same_answer(module_vault: VaultProcess) -> None:
    house = salon()
    wish = request(house, f"{DAY} 10:00", idempotency_key="once")
    one, two = (book.book(house.id, wish, now=NOW) for _ in range(2))
    assert (one.booking.id, one.token) == (two.booking.id, two.token)
    assert statuses(house) == ["confirmed"]


def test_a_key_that_two_have_by_chance_gives_nobody_anothers_booking(module_vault: VaultProcess) -> None:
    """The answer holds the booking's link, with which it can be cancelled."""
    house = salon()
    wish = request(house, f"{DAY} 10:00", idempotency_key="1")
    booked = book.book(house.id, wish, now=NOW)
    assert booked.booking.person_id is not None
    other = Customer(name="鈴木 一", mail="hajime@example.jp")
    for _kept in range(2):
        with pytest.raises(IdempotencyKeyReused):
            book.book(house.id, request(house, f"{DAY} 10:00", idempotency_key="1", customer=other), now=NOW)
        assert book.book(house.id, wish, now=NOW).token == booked.token
        people.keep(house.id, booked.booking.person_id)
    with override_settings(VAULT_SOCKET="/nowhere"), pytest.raises(VaultUnavailable):
        book.book(house.id, wish, now=NOW)
    assert statuses(house) == ["confirmed"]


def test_it_lets_go_when_the_vault_is_away() -> None:
    house = salon()
    with override_settings(VAULT_SOCKET="/nowhere"), pytest.raises(CannotTakeNewCustomers):
        book.book(house.id, request(house, f"{DAY} 10:00", idempotency_key="once"), now=NOW)
    assert statuses(house) == ["released"]
    assert "10:00" in house.starts("cut", DAY)
    assert house.sheet_rows() == 0


def test_it_says_of_a_booking_that_stands_no_more_than_that_the_vault_is_away(
    module_vault: VaultProcess,
) -> None:
    """Its answer was lost, and the same key comes again: "nothing was booked" would not be true."""
    house = salon()
    wish = request(house, f"{DAY} 10:00", idempotency_key="once")
    booked = book.book(house.id, wish, now=NOW)
    with override_settings(VAULT_SOCKET="/nowhere/vault.sock"), pytest.raises(VaultUnavailable):
        book.book(house.id, wish, now=NOW)
    assert statuses(house) == ["confirmed"]
    assert book.book(house.id, wish, now=NOW).token == booked.token


def test_it_can_be_tried_again_when_the_vault_is_back(module_vault: VaultProcess) -> None:
    house = salon()
    wish = request(house, f"{DAY} 10:00", idempotency_key="once")
    with override_settings(VAULT_SOCKET="/nowhere"), pytest.raises(CannotTakeNewCustomers):
        book.book(house.id, wish, now=NOW)
    assert book.book(house.id, wish, now=NOW).booking.status == Status.CONFIRMED


def test_a_loser_is_answered_before_any_vault_is_asked() -> None:
    house = salon()
    house.book("cut", f"{DAY} 10:00")
    with override_settings(VAULT_SOCKET="/nowhere"), pytest.raises(SlotTaken):
        book.book(house.id, request(house, f"{DAY} 10:00"), now=NOW)


def test_it_lets_go_when_a_field_cannot_be(module_vault: VaultProcess) -> None:
    house = salon()
    wrong = Customer(name="佐藤 花", mail="no mail")
    with pytest.raises(BadField):
        book.book(house.id, request(house, f"{DAY} 10:00", customer=wrong), now=NOW)
    assert statuses(house) == ["released"]


def test_a_form_keeps_its_hold_when_a_field_cannot_be(module_vault: VaultProcess) -> None:
    house = salon()
    held = house.hold("cut", f"{DAY} 10:00")
    with pytest.raises(BadField):
        book.complete(house.id, held.id, Customer(name="花", mail="no mail"), now=NOW, locale="ja")
    assert book.complete(house.id, held.id, HANA, now=NOW, locale="ja").booking.id == held.id


def test_it_never_shows_a_customer() -> None:
    assert "佐藤" not in repr(HANA)
    house = House(1, "salon", services={"cut": 1})
    assert "佐藤" not in repr(request(house, f"{DAY} 10:00"))


def test_it_says_no_more_of_a_series_that_stands(module_vault: VaultProcess) -> None:
    house = salon()
    starts = tuple(when(f"2026-11-{day:02} 10:00") for day in (5, 12))
    wanted = SeriesRequest(house.services["cut"], None, 1, starts, key="once")
    booked = book_series(house.id, wanted, HANA, locale="ja", now=NOW)
    with override_settings(VAULT_SOCKET="/nowhere/vault.sock"), pytest.raises(VaultUnavailable):
        book_series(house.id, wanted, HANA, locale="ja", now=NOW)
    assert statuses(house) == ["confirmed", "confirmed"]
    assert book_series(house.id, wanted, HANA, locale="ja", now=NOW).bookings.keys() == booked.bookings.keys()
