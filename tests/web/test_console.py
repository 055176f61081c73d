"""The console: who comes, by name while the vault tells, by number when it does not."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from noren import people
from noren.booking.models import Booking, Status
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon, salon
from tests.servers import VaultProcess
from tests.web.conftest import TOMORROW, booked
from tests.web.flow import CUSTOMER

LATER = NOON + timedelta(hours=2)
CONSOLE = ["/console/", "/console/day", "/console/customers", "/console/bookings/1", "/operations/"]


def _text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


@pytest.mark.parametrize("address", CONSOLE)
def test_it_lets_nobody_in_who_has_not_signed_in(made: Salon, address: str) -> None:
    assert made
    answer = Client().get(address)
    assert answer.status_code == 302
    assert "/sign-in" in answer.headers["Location"]


@pytest.mark.parametrize("door", ["sign-in", "join"])
@pytest.mark.parametrize("area", ["console", "operations"])
def test_it_opens_the_doors_to_everybody(made: Salon, area: str, door: str) -> None:
    assert made
    answer = Client().get(f"/{area}/{door}")
    assert answer.status_code == 200
    assert "data-passkey" in answer.content.decode()


def test_it_shows_todays_arrivals_with_names_in_one_recorded_batch(made: Salon, staff: Client) -> None:
    booked(made, LATER)
    booked(made, LATER + timedelta(hours=1), name="髙橋 健一", mail="ken@example.jp")
    booked(made, TOMORROW, name="明日 あさこ", mail="asako@example.jp")
    page = _text(staff, "/console/")
    assert "山田 花子" in page
    assert "髙橋 健一" in page
    assert "明日 あさこ" not in page
    assert "今日見たお客様：2名" in page
    told = people.scope(since=datetime.now(UTC) - timedelta(hours=1), until=datetime.now(UTC))
    batch = [found for found in told.persons if "today" in found.purposes]
    assert len(batch) == 2
    assert set.intersection(*[set(found.entries) for found in batch])


def test_it_says_what_to_do_when_nobody_comes(made: Salon, staff: Client) -> None:
    assert made
    page = _text(staff, "/console/")
    assert "今日の予約はまだありません" in page
    assert 'href="/salon/"' in page


def test_it_goes_on_by_numbers_when_the_vault_is_away(
    made: Salon, staff: Client, vault: VaultProcess
) -> None:
    made_booking = booked(made, LATER).booking
    vault.stop()
    page = _text(staff, "/console/")
    assert "予約の受付は続いています" in page
    assert "カット" in page
    assert str(made_booking.person_id)[:6] in page
    assert "山田 花子" not in page
    assert staff.get("/console/day").status_code == 200
    assert staff.get(f"/console/bookings/{made_booking.id}").status_code == 200


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

    booked(made, LATER)
    asked()  # what is kept in memory is read once
    one = asked()
    for hours in range(1, 4):
        booked(made, LATER + timedelta(hours=hours), mail=f"c{hours}@example.jp")
    assert asked() == one


def test_it_asks_before_it_shows_the_names_of_another_day(made: Salon, staff: Client) -> None:
    there = NOON + timedelta(days=5)
    booked(made, there)
    address = f"/console/day?date={there:%Y-%m-%d}"
    assert "山田 花子" not in _text(staff, address)
    assert "山田 花子" in staff.post(address).content.decode()


def test_it_masks_a_customer_until_it_is_asked(made: Salon, staff: Client) -> None:
    booking = booked(made, LATER).booking
    address = f"/console/bookings/{booking.id}"
    page = _text(staff, address)
    assert "山田 花子" in page
    assert CUSTOMER["mail"] not in page
    shown = staff.post(address, {"show": "card"}).content.decode()
    assert CUSTOMER["mail"] in shown
    assert CUSTOMER["note"] in shown


def test_it_shows_a_customers_history(made: Salon, staff: Client) -> None:
    booking = booked(made, LATER).booking
    page = _text(staff, f"/console/customers/{booking.person_id}")
    assert "山田 花子" in page
    assert f"/console/bookings/{booking.id}" in page


SPELLINGS = ["山田花子", "ヤマダ ハナコ", "やまだはなこ", "090 1234 5678", "HANAKO@example.jp"]


@pytest.mark.parametrize("query", SPELLINGS)
def test_it_finds_a_customer_however_it_is_spelled(made: Salon, staff: Client, query: str) -> None:
    booking = booked(made, LATER).booking
    page = staff.post("/console/customers", {"query": query}).content.decode()
    assert f"/console/customers/{booking.person_id}" in page


def test_it_cancels_for_the_shop_with_a_code_as_reason(made: Salon, staff: Client) -> None:
    booking = booked(made, LATER).booking
    staff.post(f"/console/bookings/{booking.id}/cancel", {"reason": "she has a fever"})
    with shop(made.id):
        assert Booking.objects.get().status == Status.CANCELLED
    again = staff.post(f"/console/bookings/{booking.id}/cancel", {"reason": "shop"})
    assert again.status_code == 409


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


def test_it_signs_out(made: Salon, staff: Client) -> None:
    assert made
    assert staff.post("/console/sign-out").status_code == 302
    assert staff.get("/console/").status_code == 302


def test_it_tells_a_program_why_an_invitation_was_refused(made: Salon, vault: VaultProcess) -> None:
    assert made
    assert vault
    answer = Client().post(
        "/console/join/begin",
        {"invite": "nothing"},
        content_type="application/json",
        headers={"Accept": "application/json", "Accept-Language": "en"},
    )
    assert answer.status_code == 410
    assert answer.json()["code"] == "invite_refused"


@pytest.mark.parametrize("body", ["", "[]", "{", '{"answer": 1}'])
def test_it_refuses_what_no_browser_sends(made: Salon, body: str) -> None:
    assert made
    answer = Client().post("/console/sign-in/finish", body, content_type="application/json")
    assert answer.status_code == 403


def test_it_shows_an_operator_what_runs(operator: Client) -> None:
    page = _text(operator, "/operations/")
    assert "稼働状況" in page
    assert "応答あり" in page
    assert operator.get("/console/").status_code == 302


def test_it_tells_an_operator_when_the_vault_is_away(operator: Client, vault: VaultProcess) -> None:
    vault.stop()
    assert "応答なし" in _text(operator, "/operations/")
