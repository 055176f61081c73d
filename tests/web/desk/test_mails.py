"""The console says at the customer and at the booking which mails went, and that mail does not arrive."""

from datetime import timedelta

from django.test import Client, override_settings

from noren.messages.deliver import deliver
from noren.messages.models import State
from noren.messages.notice import Kind
from tests.api.salon import NOON, Salon
from tests.servers import Sink
from tests.web.conftest import booked


def _text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_it_shows_that_a_mail_went_and_when_none_arrives(
    made: Salon, staff: Client, module_mail: Sink
) -> None:
    """Sent; then the address is refused: said in words, and opened again by a press that is on record."""
    first = booked(made, NOON + timedelta(days=3)).booking
    customer, booking = f"/console/customers/{first.person_id}", f"/console/bookings/{first.id}"
    assert '<h2 id="mails">' not in _text(staff, customer)
    assert deliver(made.id, first.id, Kind.BOOKED, now=NOON) is State.SENT
    for page in (_text(staff, customer), _text(staff, booking)):
        assert "予約の確認</b><br>送信済み" in page
        assert "メールが届きません" not in page
    module_mail.refuse = "550 5.1.1 nobody"
    assert deliver(made.id, first.id, Kind.REMINDER, now=first.start - timedelta(hours=1)) is State.FAILED
    module_mail.refuse = None
    for page in (_text(staff, customer), _text(staff, booking)):
        assert "リマインダー</b><br>受け取りを拒否されました" in page
        assert "メールが届きません: アドレスが拒否されました。" in page
    pressed = staff.post(customer, {"address": "try"})
    assert (pressed.status_code, pressed["Location"]) == (302, customer)
    assert "メールが届きません" not in _text(staff, customer)
    assert deliver(made.id, first.id, Kind.REMINDER, now=first.start - timedelta(hours=1)) is State.SENT


def test_it_shows_a_mail_at_its_booking_only(made: Salon, staff: Client) -> None:
    one, other = (booked(made, NOON + timedelta(days=each)).booking for each in (4, 5))
    assert deliver(made.id, one.id, Kind.BOOKED, now=NOON) is State.SENT
    assert 'id="mails"' in _text(staff, f"/console/bookings/{one.id}")
    assert 'id="mails"' not in _text(staff, f"/console/bookings/{other.id}")


def test_it_goes_on_without_the_vault(made: Salon, staff: Client) -> None:
    """The page stands, without what only the vault knows."""
    one = booked(made, NOON + timedelta(days=6)).booking
    with override_settings(VAULT_SOCKET="/nowhere/vault.sock"):
        page = staff.get(f"/console/customers/{one.person_id}")
    assert page.status_code == 200
    assert 'id="mails"' not in page.content.decode()
