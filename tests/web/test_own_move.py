"""A customer moves her booking herself: choose another time, confirm, done; the engine decides."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from noren import clock
from noren.booking import actions, book, classes, sessions
from noren.booking.models import Booking, Event
from noren.shops.models import Service, Staff
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.servers import VaultProcess
from tests.web.conftest import TOMORROW, booked
from tests.web.flow import CUSTOMER, Visitor

LATER = TOMORROW + timedelta(hours=2)
TIERS = {"free_minutes": 0, "tiers": [{"since": {"minutes": 2880, "days": 0, "at": None}, "percent": 50}]}


@pytest.fixture
def token(made: Salon, vault: VaultProcess) -> str:
    assert vault
    return booked(made, TOMORROW).token


def one(made: Salon) -> Booking:
    with shop(made.id):
        return Booking.objects.get(person_id__isnull=False)


def stamp(at: datetime) -> str:
    return str(int(at.timestamp()))


def rule(made: Salon, **columns: object) -> None:
    with shop(made.id), change():
        Service.objects.filter(id=made.cut).update(**columns)


def test_she_moves_it_in_two_taps(made: Salon, token: str) -> None:
    customer = Visitor()
    customer.open(f"/b/{token}")
    assert f'href="/b/{token}/move"' in customer.text
    customer.open(f"/b/{token}/move")
    customer.press("at", stamp(LATER))
    assert "この日時に変更しますか" in customer.text
    assert "11月25日（水） 14:00まで、ご予約のページで日時を変更できます" in customer.text
    assert one(made).start == TOMORROW, "the first tap changes nothing"
    customer.press("step", "move")
    assert customer.now_at == f"/b/{token}?moved"
    assert "日時を変更しました" in customer.text
    assert one(made).start == LATER
    with shop(made.id):
        assert Event.objects.get(what="moved").by == "customer"


def test_it_changes_nothing_by_looking(made: Salon, token: str) -> None:
    client = Client()
    for query in ("", f"?at={stamp(LATER)}&step=move", "?staff=999&from=x&day=1900-01-01"):
        assert client.get(f"/b/{token}/move{query}").status_code == 200
    assert one(made).start == TOMORROW
    forged = Client(enforce_csrf_checks=True).post(f"/b/{token}/move", {"at": stamp(LATER), "step": "move"})
    assert forged.status_code == 403


def test_her_own_time_does_not_stand_in_her_way(made: Salon, token: str) -> None:
    """With whom she asked for, who is hers already for the hour: half an hour later is free."""
    with shop(made.id):
        Booking.objects.update(asked_staff_id=one(made).staff_id)
    half = TOMORROW + timedelta(minutes=30)
    customer = Visitor()
    customer.open(f"/b/{token}/move")
    customer.press("at", stamp(half))
    customer.press("step", "move")
    assert one(made).start == half


def test_the_same_time_again_is_no_move(made: Salon, token: str) -> None:
    answer = Client().post(f"/b/{token}/move", {"at": stamp(TOMORROW), "step": "move"})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/b/{token}")
    answer = Client(headers={"Accept-Language": "ja"}).post(f"/b/{token}/move", {"at": stamp(TOMORROW)})
    assert "すでにご予約の日時です" in answer.content.decode()
    assert one(made).changes == 0


def test_who_was_overtaken_is_shown_the_nearest_times(made: Salon, token: str) -> None:
    customer = Visitor()
    customer.open(f"/b/{token}/move")
    customer.press("at", stamp(LATER))
    for each in made.staff:
        actions.hold(made.id, actions.HoldRequest(made.cut, LATER, each, 1), now=NOON)
    customer.press("step", "move")
    assert customer.page.status_code == 409
    assert "たった今ほかの方" in customer.text
    assert one(made).start == TOMORROW
    near = customer.times()
    assert stamp(LATER) not in near
    customer.press("at", near[0])
    customer.press("step", "move")
    assert stamp(one(made).start) == near[0]


def test_a_time_that_is_not_offered_is_not_asked_to_be_confirmed(made: Salon, token: str) -> None:
    for at in (TOMORROW + timedelta(hours=9), TOMORROW + timedelta(days=400)):
        answer = Client().post(f"/b/{token}/move", {"at": stamp(at)})
        assert answer.status_code == 409
        assert 'value="move"' not in answer.content.decode()
    assert Client().post(f"/b/{token}/move", {"at": "x"}).status_code == 422


def test_it_is_the_shops_deadline(made: Salon, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rule(made, change={"minutes": 180})
    token = booked(made, LATER, mail="ichiro@example.jp").token
    deadline = LATER - timedelta(minutes=180)
    monkeypatch.setattr(clock, "now", lambda: deadline)
    client = Client(headers={"Accept-Language": "ja"})
    assert client.get(f"/b/{token}/move").status_code == 200
    monkeypatch.setattr(clock, "now", lambda: deadline + timedelta(seconds=1))
    wanted = {"at": stamp(LATER + timedelta(days=1)), "step": "move"}
    for answer in (client.get(f"/b/{token}/move"), client.post(f"/b/{token}/move", wanted)):
        assert answer.status_code == 409
        assert "お店へお電話ください" in answer.content.decode()
    page = client.get(f"/b/{token}").content.decode()
    assert "/move" not in page
    assert "ご予約のページでは日時を変更できません" in page


def test_it_tells_what_will_be_agreed_before_it_is(made: Salon, vault: VaultProcess) -> None:
    """The fee for somebody else, and a fee for cancelling that does not become less."""
    assert vault
    with shop(made.id), change():
        Staff.objects.filter(id=made.staff[1]).update(fee=550)
    rule(made, fees=TIERS)
    token = booked(made, TOMORROW).token
    customer = Visitor()
    customer.open(f"/b/{token}/move?staff={made.staff[1]}")
    assert "料金の50%" not in customer.text
    customer.press("at", stamp(TOMORROW + timedelta(days=7)))
    assert "<s>6,600円</s> 7,150円" in customer.text
    assert "料金の50%（3,300円）" in customer.text
    assert "現在：料金の50%（3,575円）" in customer.text
    customer.press("step", "move")
    agreed = one(made).agreed
    assert (agreed["price"], agreed["fee"], agreed["fee_floor"]) == (7150, 550, 50)


def test_it_says_before_that_a_time_so_near_cannot_be_changed_again(made: Salon, vault: VaultProcess) -> None:
    assert vault
    rule(made, change={"minutes": 1440})
    token = booked(made, TOMORROW + timedelta(days=2)).token
    client = Client(headers={"Accept-Language": "ja"})
    words = "変更後の日時は、ご予約のページで再度変更することはできません"
    for at, again in ((LATER, True), (TOMORROW - timedelta(hours=1), False)):
        page = client.post(f"/b/{token}/move", {"at": stamp(at)}).content.decode()
        assert (words not in page) is again


def test_a_place_in_a_class_goes_to_another_date(made: Salon, vault: VaultProcess) -> None:
    assert vault
    classes.schedule(made.id, now=NOON)
    lesson = TOMORROW - timedelta(hours=2)
    wish = book.BookRequest(made.lesson, lesson, None, 3, book.Customer(**CUSTOMER), "ja")
    token = book.book(made.id, wish, now=NOON).token
    customer = Visitor()
    customer.open(f"/b/{token}/move")
    customer.press("at", stamp(lesson + timedelta(days=7)))
    customer.press("step", "move")
    moved = one(made)
    assert (moved.start, moved.party) == (lesson + timedelta(days=7), 3)


def test_of_a_class_that_the_shop_moved_she_may_choose_another_date(made: Salon, vault: VaultProcess) -> None:
    """Nothing binds her until she has answered; another date of her own is an answer."""
    assert vault
    classes.schedule(made.id, now=NOON)
    lesson = TOMORROW - timedelta(hours=2)
    with shop(made.id), change():
        Service.objects.filter(id=made.lesson).update(fees=TIERS, change={"minutes": 2880})
    wish = book.BookRequest(made.lesson, lesson, None, 1, book.Customer(**CUSTOMER), "ja")
    token = book.book(made.id, wish, now=NOON).token
    assert Client().get(f"/b/{token}/move").status_code == 409
    session_id = one(made).session_id
    assert session_id is not None
    sessions.move_session(
        made.id, session_id, lesson + timedelta(hours=4), None, now=NOON, by="staff:aoi.salon"
    )
    customer = Visitor()
    customer.open(f"/b/{token}")
    assert f"/b/{token}/move" in customer.text
    customer.open(f"/b/{token}/move")
    customer.press("at", stamp(lesson + timedelta(days=14)))
    assert "日時を変更しても下がりません" not in customer.text
    customer.press("step", "move")
    assert (one(made).start, one(made).attention) == (lesson + timedelta(days=14), "")
    assert one(made).agreed["fee_floor"] == 0


@pytest.mark.parametrize("why", ["cancelled", "not offered", "course"])
def test_what_cannot_be_moved_leads_back(made: Salon, token: str, why: str) -> None:
    if why == "cancelled":
        actions.cancel(made.id, one(made).id, now=NOON, by="customer")
    else:
        rule(made, **({"bookable": False} if why == "not offered" else {"course": True}))
    client = Client()
    for answer in (
        client.get(f"/b/{token}/move"),
        client.post(f"/b/{token}/move", {"at": stamp(LATER), "step": "move"}),
    ):
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/b/{token}")
    assert f"/b/{token}/move" not in client.get(f"/b/{token}").content.decode()


def test_a_request_is_moved_too_and_still_waits(made: Salon, vault: VaultProcess) -> None:
    assert vault
    rule(made, approval="keeps")
    token = booked(made, TOMORROW).token
    customer = Visitor()
    customer.open(f"/b/{token}/move")
    customer.press("at", stamp(LATER))
    customer.press("step", "move")
    assert (one(made).start, one(made).status) == (LATER, "pending")
    assert "日時を変更しました" in customer.text
    assert "新しい日時のメール" not in customer.text


def test_it_speaks_english(token: str) -> None:
    client = Client(headers={"Accept-Language": "en"})
    assert "Choose another time" in client.get(f"/b/{token}/move").content.decode()
    page = client.post(f"/b/{token}/move", {"at": stamp(LATER)}).content.decode()
    assert "Move your booking to this time?" in page
