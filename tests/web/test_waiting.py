"""A place on a waiting list, by its link."""

from datetime import timedelta

import pytest
from django.test import Client

from noren import clock
from noren.booking import actions, book, waiting
from noren.booking.models import Booking, Status, Waiting
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.servers import VaultProcess
from tests.web.conftest import TOMORROW, booked
from tests.web.flow import CUSTOMER, Visitor

JIRO = {"name": "佐藤 二郎", "mail": "jiro@example.com"}


def state(made: Salon) -> str:
    with shop(made.id):
        return Waiting.objects.get().state


@pytest.fixture
def token(made: Salon, vault: VaultProcess) -> str:
    """Jiro waits for tomorrow at noon; all three stylists are booked then."""
    assert vault
    with shop(made.id), change():
        Service.objects.filter(id=made.cut).update(waiting={"hours": 4})
    for number in range(3):
        booked(made, TOMORROW, name=f"客 {number}")
    request = waiting.JoinRequest(made.cut, start=TOMORROW)
    return waiting.join(made.id, request, book.Customer(**JIRO), now=NOON).token


@pytest.fixture
def offered(made: Salon, token: str) -> str:
    with shop(made.id):
        booking = Booking.objects.earliest("id")
    actions.cancel(made.id, booking.id, now=NOON, by="staff:1")
    assert waiting.offer(made.id, now=NOON) == 1
    return token


def page(token: str) -> str:
    answer = Client(headers={"Accept-Language": "ja"}).get(f"/w/{token}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_shows_what_is_waited_for_and_nobodys_data(made: Salon, token: str, vault: VaultProcess) -> None:
    vault.stop()
    answer = Client(headers={"Accept-Language": "ja"}).get(f"/w/{token}")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "キャンセル待ちを承っています" in text
    assert "2026年11月25日（水）" in text
    assert not [value for value in (*JIRO.values(), *CUSTOMER.values()) if value in text]
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_it_changes_nothing_by_looking(made: Salon, offered: str) -> None:
    Client().get(f"/w/{offered}")
    for deed in ("accept", "decline", "leave"):
        assert Client().get(f"/w/{offered}/{deed}").status_code == 405
    assert state(made) == "offered"


def test_it_books_what_is_kept_and_goes_to_the_booking(made: Salon, offered: str) -> None:
    assert "11月24日（火） 16:00までに" in page(offered)
    jiro = Visitor()
    jiro.open(f"/w/{offered}")
    jiro.press("")
    assert jiro.now_at.startswith("/b/")
    assert "ご予約を承りました" in jiro.text
    assert state(made) == "booked"
    with shop(made.id):
        assert Booking.objects.latest("id").status == Status.CONFIRMED
    assert "ご予約を見る" in page(offered)


def test_it_lets_an_offer_go(made: Salon, offered: str) -> None:
    assert Client().post(f"/w/{offered}/decline").status_code == 302
    assert state(made) == "passed"
    assert "次の方にご案内しました" in page(offered)


def test_it_leaves_the_list(made: Salon, token: str) -> None:
    for _again in range(2):
        assert Client().post(f"/w/{token}/leave").status_code == 302
    assert state(made) == "left"
    assert "キャンセル待ちを取りやめました" in page(token)


def test_it_refuses_what_is_over_or_not_there_yet(
    made: Salon, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = Client(headers={"Accept-Language": "ja"}).post(f"/w/{token}/accept")
    assert early.status_code == 409
    assert "いまお取りしている席はありません" in early.content.decode()
    with shop(made.id):
        booking = Booking.objects.earliest("id")
    actions.cancel(made.id, booking.id, now=NOON, by="staff:1")
    waiting.offer(made.id, now=NOON)
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(hours=4))
    assert "次の方にご案内しました" in page(token), "also before the job that writes it down"
    late = Client(headers={"Accept-Language": "ja"}).post(f"/w/{token}/accept")
    assert late.status_code == 410


def test_it_does_not_leave_what_is_booked(made: Salon, offered: str) -> None:
    Client().post(f"/w/{offered}/accept")
    answer = Client(headers={"Accept-Language": "ja"}).post(f"/w/{offered}/leave")
    assert answer.status_code == 409
    assert state(made) == "booked"


def test_it_says_when_the_day_has_passed(made: Salon, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: TOMORROW)
    assert "空きが出ないままお時間になりました" in page(token)
    assert made


@pytest.mark.parametrize("deed", ["accept", "decline", "leave"])
def test_it_needs_the_forms_own_token(made: Salon, offered: str, deed: str) -> None:
    forged = Client(enforce_csrf_checks=True).post(f"/w/{offered}/{deed}")
    assert forged.status_code == 403
    assert state(made) == "offered"


@pytest.mark.parametrize("wrong", ["x", "w.1.1.1.abc", "%00", "1.1.1." + "A" * 22])
def test_it_does_not_know_a_wrong_link(made: Salon, wrong: str) -> None:
    assert made
    assert Client().get(f"/w/{wrong}").status_code == 404


def test_a_link_of_the_one_kind_is_none_of_the_other(made: Salon, token: str) -> None:
    assert Client().get(f"/b/{token}").status_code == 404
    assert Client().get(f"/w/{booked(made, NOON + timedelta(days=2)).token}").status_code == 404


def test_an_older_link_is_no_longer_valid(made: Salon, token: str) -> None:
    with shop(made.id):
        Waiting.objects.update(generation=2)
    assert Client().get(f"/w/{token}").status_code == 410
