"""From a service to a booking, without JavaScript, on real databases and a real vault."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from noren import clock
from noren.booking import classes
from noren.booking.models import Booking, Claim, Status
from noren.shops.tenancy import shop
from noren.web.held import read
from tests.api.salon import NOON, Salon, salon
from tests.servers import AppDatabase, VaultProcess
from tests.web.conftest import TOMORROW
from tests.web.flow import CUSTOMER, Visitor


def _at(made: Salon, at: datetime) -> Visitor:
    """A customer who has chosen this time."""
    customer = Visitor()
    customer.open(f"/salon/book/{made.cut}/")
    customer.press("at", str(int(at.timestamp())))
    return customer


def _rows(made: Salon) -> list[Booking]:
    with shop(made.id):
        return list(Booking.objects.order_by("id"))


def test_it_books_in_four_presses(made: Salon, vault: VaultProcess) -> None:
    assert vault
    customer = Visitor()
    customer.open("/salon/")
    customer.open(f"/salon/book/{made.cut}/")
    assert len(customer.times()) > 20
    customer.press("at")
    customer.press("step", "final", **CUSTOMER)
    assert "この内容で予約する" in customer.text
    customer.press("step", "book")
    assert "ご予約を承りました" in customer.text
    assert customer.now_at.startswith("/b/")
    (booking,) = _rows(made)
    assert (booking.status, booking.locale, booking.agreed["consent"]) == (Status.CONFIRMED, "ja", 1)


def test_it_shows_the_six_items_before_booking(made: Salon) -> None:
    customer = _at(made, TOMORROW)
    customer.press("step", "final", **CUSTOMER)
    items = ("カット", "11月25日（水）", "12:00–13:00", "1名", "6,600円", "お店でのお支払い", "取り消せます")
    assert [item for item in items if item not in customer.text] == []
    assert "前日の20時まで取り消せます。" in customer.text


def test_it_marks_each_wrong_field_and_keeps_the_others(made: Salon) -> None:
    customer = _at(made, TOMORROW)
    customer.press("step", "final", **{**CUSTOMER, "mail": "hanako@", "phone": "12"})
    assert customer.page.status_code == 422
    assert 'aria-describedby="id_mail_helptext id_mail_error"' in customer.text
    assert 'value="山田 花子"' in customer.text
    assert "前髪は短めで" in customer.text


def test_it_marks_what_only_the_vault_refuses(made: Salon, vault: VaultProcess) -> None:
    assert vault
    customer = _at(made, TOMORROW)
    customer.press("step", "final", **{**CUSTOMER, "mail": '"a b"@example.jp'})
    customer.press("step", "book")
    assert customer.page.status_code == 422
    assert 'id="id_mail_error"' in customer.text


def test_it_lets_the_customer_correct_something(made: Salon) -> None:
    customer = _at(made, TOMORROW)
    customer.press("step", "final", **CUSTOMER)
    customer.press("step", "who")
    assert 'value="hanako@example.jp"' in customer.text
    assert customer.page.status_code == 200


def test_case_051_it_offers_the_nearest_when_the_time_was_lost_on_the_page(made: Salon) -> None:
    late = Visitor()
    late.open(f"/salon/book/{made.cut}/")
    for _each in made.staff:
        _at(made, TOMORROW)
    late.press("at", str(int(TOMORROW.timestamp())))
    assert late.page.status_code == 409
    assert "たった今" in late.text
    assert late.forms()[0].buttons


def test_case_051_it_keeps_the_filled_form_when_the_time_was_lost_meanwhile(
    made: Salon, vault: VaultProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vault
    slow = _at(made, TOMORROW)
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(minutes=30))
    for _each in made.staff:
        _at(made, TOMORROW)
    slow.press("step", "final", **CUSTOMER)
    assert slow.page.status_code == 409
    assert 'value="山田 花子"' in slow.text
    slow.press("at")
    assert "このお時間をお取りしました" in slow.text
    slow.press("step", "book")
    assert "ご予約を承りました" in slow.text


def test_it_takes_the_same_time_again_when_the_hold_ran_out_and_nobody_came(
    made: Salon, vault: VaultProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vault
    customer = _at(made, TOMORROW)
    customer.press("step", "final", **CUSTOMER)
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(minutes=30))
    customer.press("step", "book")
    assert "ご予約を承りました" in customer.text


def test_it_says_plainly_that_nothing_was_booked_while_the_vault_is_away(
    made: Salon, vault: VaultProcess
) -> None:
    customer = _at(made, TOMORROW)
    customer.press("step", "final", **CUSTOMER)
    vault.stop()
    customer.press("step", "book")
    assert customer.page.status_code == 503
    assert "予約はまだ成立していません" in customer.text
    assert 'value="山田 花子"' in customer.text
    with shop(made.id):
        assert not Claim.objects.exists()
    assert {row.status for row in _rows(made)} == {Status.RELEASED}
    vault.start()
    customer.press("step", "final")
    customer.press("step", "book")
    assert "ご予約を承りました" in customer.text


def test_it_books_once_however_often_the_button_is_pressed(made: Salon, vault: VaultProcess) -> None:
    assert vault
    customer = _at(made, TOMORROW)
    customer.press("step", "final", **CUSTOMER)
    twice = replace(customer)
    customer.press("step", "book")
    twice.press("step", "book")
    assert customer.now_at == twice.now_at
    assert [row.status for row in _rows(made)] == [Status.CONFIRMED]


def test_it_lets_go_of_the_first_time_when_another_is_chosen(made: Salon) -> None:
    customer = _at(made, TOMORROW)
    token = customer.forms()[0].values["held"]
    customer.open(f"/salon/book/{made.cut}/?held={token}")
    assert str(int(TOMORROW.timestamp())) in customer.times()
    customer.press("at", str(int((TOMORROW + timedelta(hours=2)).timestamp())))
    assert sorted(row.status for row in _rows(made)) == [Status.HELD, Status.RELEASED]


def test_it_serves_the_one_who_was_asked_for(made: Salon) -> None:
    customer = Visitor()
    customer.open(f"/salon/book/{made.cut}/?staff={made.staff[2]}")
    customer.press("at")
    assert [row.staff_id for row in _rows(made)] == [made.staff[2]]


@pytest.mark.parametrize(
    ("at", "status"),
    [
        (NOON - timedelta(days=1), 422),
        (NOON + timedelta(days=400), 422),
        (NOON + timedelta(minutes=7), 422),
        (NOON + timedelta(hours=12), 422),
    ],
)
def test_it_refuses_a_time_typed_by_hand(made: Salon, at: datetime, status: int) -> None:
    customer = Visitor()
    customer.open(f"/salon/book/{made.cut}/")
    customer.press("at", str(int(at.timestamp())))
    assert customer.page.status_code == status
    assert not _rows(made)


@pytest.mark.parametrize("at", ["", "soon", "1e9", "9" * 30, "-1"])
def test_it_refuses_what_is_no_time(made: Salon, at: str) -> None:
    answer = Visitor().client.post(f"/salon/book/{made.cut}/", {"at": at})
    assert answer.status_code in {404, 422}


@pytest.mark.parametrize("held", ["", "x", "a:b:c"])
def test_it_says_that_the_time_is_free_again_for_a_form_that_names_no_hold(made: Salon, held: str) -> None:
    assert Visitor().client.get(f"/salon/book/{made.cut}/you", {"held": held}).status_code == 410


def test_it_takes_no_form_of_another_shop(made: Salon) -> None:
    customer = _at(made, TOMORROW)
    token = customer.forms()[0].values["held"]
    other = salon("other")
    assert read(token, made.id).hold
    assert Visitor().client.get(f"/other/book/{other.cut}/you", {"held": token}).status_code == 410


def test_it_stores_nothing_of_the_form_before_it_is_booked(made: Salon, app_db: AppDatabase) -> None:
    customer = _at(made, TOMORROW)
    customer.press("step", "final", **CUSTOMER)
    with app_db.connect("owner") as conn:
        tables = conn.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        kept = "".join(str(conn.execute(f'SELECT * FROM "{name}"').fetchall()) for (name,) in tables)  # noqa: S608
    assert str(made.cut) in kept
    assert "hanako" not in kept
    assert "山田" not in kept


def test_it_shows_a_class_as_a_timetable_with_the_seats_left(made: Salon) -> None:
    classes.schedule(made.id, now=NOON)
    customer = Visitor()
    customer.open(f"/salon/book/{made.lesson}/")
    assert "残り 8 席" in customer.text
    assert "Aoi" in customer.text or "aoi" in customer.text


def test_it_holds_as_many_seats_as_people_come(made: Salon) -> None:
    classes.schedule(made.id, now=NOON)
    customer = Visitor()
    customer.open(f"/salon/book/{made.lesson}/?party=3")
    customer.press("at")
    assert [row.party for row in _rows(made)] == [3]
    customer.open(f"/salon/book/{made.lesson}/")
    assert "残り 5 席" in customer.text
