"""A customer's account in pages: in by a code, her bookings and nobody else's, her data, its end."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from noren import clock, people
from noren.booking import actions, links
from noren.booking.models import Booking, Event
from noren.errors import LimitReached
from noren.shops import rules
from noren.shops.models import Service
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.booking.asks import question
from tests.servers import Sink, VaultProcess, wait_for
from tests.vault.cast import sql
from tests.web.conftest import TOMORROW, booked
from tests.web.flow import CUSTOMER, Visitor
from tests.web.test_mydata import _codes

OTHER = {"name": "鈴木 一郎", "kana": "", "mail": "ichiro@example.jp", "phone": "090-9999-0000", "note": ""}
PASSWORD = "umbrella lemon tram forty"
DOOR = "メールの確認コードで"

pytestmark = pytest.mark.usefixtures("hanako")


@pytest.fixture
def hanako(made: Salon, vault: VaultProcess, mail: Sink, monkeypatch: pytest.MonkeyPatch) -> Iterator[UUID]:
    """Hanako, who booked once as a guest. The vault's clock is the machine's; sign-ins last from the noon."""
    assert vault
    for name in ("own_finish", "password_check", "totp_check"):
        monkeypatch.setattr(people, name, _from_noon(getattr(people, name)))
    yield kept(made, TOMORROW)
    assert mail


def _from_noon(finish: Any) -> Any:
    def here(*args: Any, **named: Any) -> Any:
        entered = finish(*args, **named)
        if isinstance(entered, people.Second):
            return entered
        return replace(entered, who=replace(entered.who, expires=NOON + timedelta(days=30)))

    return here


def kept(made: Salon, at: Any, **changed: str) -> UUID:
    """A guest's booking, whose person is kept."""
    person = booked(made, at, **changed).booking.person_id
    assert person is not None
    people.keep(made.id, person)
    return person


def come_in(
    mail: Sink, visitor: Visitor, address: str = CUSTOMER["mail"], at: str = "/salon/account"
) -> None:
    before = len(_codes(mail))
    visitor.open("/salon/account")
    visitor.press("", mail=address)
    wait_for(lambda: len(_codes(mail)) > before)
    visitor.press("", code=_codes(mail)[-1])


def type_password(visitor: Visitor, **filled: str) -> None:
    form = next(form for form in visitor.forms() if "password" in form.values)
    visitor._keep(visitor.client.post(form.action, {**form.values, **filled}, follow=True), form.action)


def own_links(visitor: Visitor) -> list[str]:
    return re.findall(r'href="(/b/[^"]+)"', visitor.text)


def test_she_sees_her_bookings_and_nobody_elses(made: Salon, mail: Sink) -> None:
    """Those made as a guest come with the code; another customer's are nowhere, and theirs not here."""
    kept(made, TOMORROW + timedelta(hours=2))
    theirs = booked(made, TOMORROW + timedelta(hours=4), **OTHER)
    assert theirs.booking.person_id
    people.keep(made.id, theirs.booking.person_id)
    visitor, stranger = Visitor(), Visitor()
    come_in(mail, visitor)
    assert visitor.now_at == "/salon/account"
    assert len(own_links(visitor)) == 2
    assert theirs.token not in visitor.text
    assert CUSTOMER["name"] not in visitor.text
    for address in own_links(visitor):
        assert Client().get(address).status_code == 200
    come_in(mail, stranger, OTHER["mail"])
    assert own_links(stranger) == [f"/b/{theirs.token}"]


def test_it_asks_as_often_for_many_bookings(made: Salon, mail: Sink) -> None:
    visitor = Visitor()
    come_in(mail, visitor)

    def asked() -> int:
        with CaptureQueriesContext(connection) as caught:
            visitor.open("/salon/account")
        return len(caught)

    asked()  # what is kept in memory is read once
    one = asked()
    for number in range(5):
        kept(made, TOMORROW + timedelta(days=1 + number))
    assert asked() == one
    assert len(own_links(visitor)) == 6


def test_it_says_the_same_to_everybody(mail: Sink) -> None:
    """A code for who is known, who is not, and for what is no address: one page; no mail but the first."""
    pages = []
    for address in (CUSTOMER["mail"], "nobody@example.jp", "no address"):
        visitor = Visitor()
        visitor.open("/salon/account")
        visitor.press("", mail=address)
        text = visitor.text.replace(address, "")
        pages.append((visitor.page.status_code, re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)))
    assert pages[0] == pages[1] == pages[2]
    wait_for(lambda: len(_codes(mail)) == 1)


def test_who_has_lost_her_link_finds_it_by_her_mail(made: Salon, mail: Sink) -> None:
    """The door says so; a link that is valid no longer leads to the door, and the code to the new one."""
    with shop(made.id):
        row = Booking.objects.get()
        Booking.objects.update(generation=2)
    old = Client(headers={"Accept-Language": "ja"}).get(f"/b/{links.token(made.id, row.id, 1)}")
    assert old.status_code == 410
    assert 'href="/salon/account"' in old.content.decode()
    visitor = Visitor()
    visitor.open("/salon/")
    assert '<a href="/salon/account">予約のリンクをなくした方</a>' in visitor.text
    visitor.open("/salon/account")
    assert "リンクをなくされた方" in visitor.text
    come_in(mail, visitor)
    assert own_links(visitor) == [f"/b/{links.token(made.id, row.id, 2)}"]
    visitor.open(own_links(visitor)[0])
    assert "カット" in visitor.text


def test_she_books_the_same_again_with_one_tap(
    made: Salon, mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past ones alone have the way; it opens where something is free, with what she had chosen."""
    with shop(made.id):
        Booking.objects.update(asked_staff_id=made.staff[1])
    visitor = Visitor()
    come_in(mail, visitor)
    again = f"/salon/book/{made.cut}/?staff={made.staff[1]}"
    assert again not in visitor.text
    monkeypatch.setattr(clock, "now", lambda: TOMORROW + timedelta(hours=1))
    visitor.open("/salon/account")
    assert f'href="{again}"' in visitor.text
    visitor.open(own_links(visitor)[0])
    assert f'href="{again}"' in visitor.text
    visitor.open(again)
    assert visitor.times()
    assert f'id="staff-{made.staff[1]}"' in visitor.text


def test_each_page_leads_who_is_not_in_to_the_door() -> None:
    """By GET and by POST, and nothing is changed; a shop that is not there is not there."""
    client = Client(headers={"Accept-Language": "ja"})
    for way in ("data", "ways", "end", "address"):
        answer = client.get(f"/salon/account/{way}")
        assert answer.headers["Location"] == f"/salon/account?next=%2Fsalon%2Faccount%2F{way}"
        assert client.post(f"/salon/account/{way}").headers["Location"] == "/salon/account"
        assert client.get(f"/nowhere/account/{way}").status_code == 404
    for way in ("not-mine", "ways/password", "ways/passkey/begin", "ways/passkey/finish"):
        assert client.post(f"/salon/account/{way}").headers["Location"] == "/salon/account"
    assert DOOR in client.get("/salon/account").content.decode()
    assert client.get("/nowhere/account").status_code == 404


def test_a_sign_in_of_one_shop_opens_no_other(made: Salon, mail: Sink) -> None:
    """Her session says which shop's customer she is; so does her grant."""
    visitor = Visitor()
    come_in(mail, visitor)
    assert visitor.client.get("/console/").headers["Location"].startswith("/console/sign-in")
    session = visitor.client.session
    session["customer"] = {**session["customer"], "shop": made.id + 1}
    session.save()
    visitor.open("/salon/account")
    assert DOOR in visitor.text


def test_who_works_there_is_a_customer_beside(mail: Sink, staff: Client, vault: VaultProcess) -> None:
    """Two sign-ins stand in one browser: coming in as one, and out, leaves the other as it is."""
    visitor = Visitor(client=staff)
    come_in(mail, visitor)
    assert staff.get("/console/").status_code == 200
    assert len(own_links(visitor)) == 1
    staff.post("/salon/account/leave")
    assert staff.get("/console/").status_code == 200
    visitor.open("/salon/account")
    assert DOOR in visitor.text
    come_in_again(mail, visitor, vault)
    staff.post("/console/sign-out")
    assert staff.get("/console/").status_code == 302
    visitor.open("/salon/account")
    assert len(own_links(visitor)) == 1


def come_in_again(mail: Sink, visitor: Visitor, vault: VaultProcess) -> None:
    """Once more: codes are paced by the vault's clock, so let the last one be of a minute ago."""
    sql(vault, "UPDATE vault.code SET made_at = made_at - 60000")
    come_in(mail, visitor)


def test_she_books_again_without_typing(made: Salon, hanako: UUID, mail: Sink, staff: Client) -> None:
    """The form shows her own data; the booking is on her own person, and her word stands under the note."""
    visitor = Visitor()
    come_in(mail, visitor)
    visitor.open(f"/salon/book/{made.cut}/")
    visitor.press("at")
    assert CUSTOMER["name"] in visitor.text
    assert 'name="name"' not in visitor.text
    visitor.press("step", "final", note="今回は短く")
    assert CUSTOMER["phone"] in visitor.text
    visitor.press("step", "book")
    with shop(made.id):
        newest = Booking.objects.order_by("-id").first()
        assert newest is not None
        assert newest.person_id == hanako
        assert newest.status == "confirmed"
    card = staff.post(f"/console/customers/{hanako}", {"show": "card"}).content.decode()
    assert CUSTOMER["note"] in card
    assert "今回は短く" in card


def test_she_books_for_somebody_else(made: Salon, hanako: UUID, mail: Sink) -> None:
    """The plain form is a link away, and what is typed there is a person of its own."""
    visitor = Visitor()
    come_in(mail, visitor)
    visitor.open(f"/salon/book/{made.cut}/")
    visitor.press("at")
    found = re.search(r'href="([^"]+&amp;guest=1)"', visitor.text)
    assert found is not None
    visitor.open(found[1].replace("&amp;", "&"))
    visitor.press("step", "final", **OTHER)
    visitor.press("step", "book")
    with shop(made.id):
        newest = Booking.objects.order_by("-id").first()
        assert newest is not None
        assert newest.person_id not in (None, hanako)


def test_what_she_answered_is_hers_to_read_to_take_and_to_erase(
    made: Salon, mail: Sink, staff: Client
) -> None:
    """Two bookings' answers stand side by side, and what was not booked leaves none."""
    ask = [question("words"), {**question("allergy"), "health": True}]
    with shop(made.id), rules.change():
        Service.objects.filter(id=made.cut).update(questions=ask)
    visitor = Visitor()
    come_in(mail, visitor)
    for number, words in ((3, "短め"), (4, "長め")):
        visitor.open(f"/salon/book/{made.cut}/")
        visitor.press("at", str(int((TOMORROW + timedelta(hours=number)).timestamp())))
        said = {"answers.words": words, "answers.allergy": "ジアミン", "health_consent": "1"}
        visitor.press("step", "final", **said, whom="other", **{"guests.0.name": "花"})
        visitor.press("step", "book")
        assert "ご予約を承りました" in visitor.text
    visitor.open("/salon/my-data/kept")
    for kept_words in ("短め", "長め", "ジアミン", "花", CUSTOMER["mail"]):
        assert kept_words in visitor.text
    told = visitor.client.get("/salon/my-data/kept.json").json()
    assert [each["said"] for each in told["answers"]] == [
        [{"question": "wordsは？", "answer": "長め"}],
        [{"question": "wordsは？", "answer": "短め"}],
    ]
    assert told["guests"][0]["guests"] == [{"name": "花", "kana": ""}]
    assert visitor.client.post("/salon/account/forget", {"which": "name"}).status_code == 404
    visitor.press("which", "health")
    assert "消去しました" in visitor.text
    assert "ジアミン" not in visitor.text
    assert "短め" in visitor.text
    numbers = [each["booking"] for each in told["answers"]]
    page = staff.post(f"/console/bookings/{numbers[0]}", {"show": "answers"}).content.decode()
    assert "長め" in page
    assert "短め" not in page


def test_what_was_not_booked_leaves_no_answer(
    made: Salon, hanako: UUID, mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop(made.id), rules.change():
        Service.objects.filter(id=made.cut).update(questions=[question("words")])
    visitor = Visitor()
    come_in(mail, visitor)
    visitor.open(f"/salon/book/{made.cut}/")
    visitor.press("at", str(int((TOMORROW + timedelta(hours=3)).timestamp())))
    visitor.press("step", "final", **{"answers.words": "短め"})

    def lost(*_args: Any, **_named: Any) -> None:
        raise LimitReached(nearest=())

    monkeypatch.setattr(actions, "confirm", lost)
    visitor.press("step", "book")
    assert visitor.page.status_code == 409
    assert "短め" in visitor.text
    assert hanako
    assert visitor.client.get("/salon/my-data/kept.json").json()["answers"] == []


def test_she_lets_go_of_a_booking_that_is_not_hers(made: Salon, mail: Sink) -> None:
    """It leaves her list and stands; her own cannot be let go, nor somebody else's."""
    kept(made, TOMORROW + timedelta(hours=2))
    theirs = booked(made, TOMORROW + timedelta(hours=4), **OTHER).booking
    visitor = Visitor()
    come_in(mail, visitor)
    numbers = {links.resolve(link[3:]).booking_id: link for link in own_links(visitor)}
    [mine] = set(numbers) - set(_guests(visitor))
    for none in (str(mine), str(theirs.id), "0", "x", "9" * 30):
        assert visitor.client.post("/salon/account/not-mine", {"booking": none}).status_code == 404
    [guest] = _guests(visitor)
    visitor.client.post("/salon/account/not-mine", {"booking": guest})
    visitor.open("/salon/account")
    assert own_links(visitor) == [numbers[mine]]
    with shop(made.id):
        assert Booking.objects.get(id=guest).status == "confirmed"


def _guests(visitor: Visitor) -> list[int]:
    return [int(form.values["booking"]) for form in visitor.forms() if "booking" in form.values]


def test_she_changes_her_data_and_proves_the_new_address(
    made: Salon, hanako: UUID, mail: Sink, vault: VaultProcess
) -> None:
    """Only what she changed is written; the new address says so until its code came back."""
    visitor = Visitor()
    come_in(mail, visitor)
    visitor.open("/salon/account/data")
    assert CUSTOMER["mail"] in visitor.text
    visitor.press("", phone="03-5555-0000")
    assert "情報を変更しました" in visitor.text
    assert sql(vault, "SELECT field FROM vault.field WHERE version = 2 AND person = %s", hanako) == [
        ("phone",)
    ]
    visitor.open("/salon/account/data")
    visitor.press("", mail="not an address")
    assert visitor.page.status_code == 422
    visitor.press("", mail="new@example.jp")
    assert visitor.now_at == "/salon/account/address"
    sql(vault, "UPDATE vault.code SET made_at = made_at - 60000")
    before = len(_codes(mail))
    visitor.press("step", "ask")
    wait_for(lambda: len(_codes(mail)) > before)
    visitor.press("", code="000000")
    assert visitor.page.status_code == 403
    visitor.press("", code=_codes(mail)[-1])
    assert "メールアドレスが未確認です" not in visitor.text
    assert mail.messages[-1]["To"] == "new@example.jp"


def test_she_signs_in_with_a_password_that_she_set(mail: Sink) -> None:
    """Refused with its reason first; then it lets her in, and nobody else; then the account ends."""
    visitor = Visitor()
    come_in(mail, visitor)
    visitor.open("/salon/account/ways")
    type_password(visitor, password="カット salon")
    assert visitor.page.status_code == 422
    assert "15文字以上" in visitor.text
    type_password(visitor, password=PASSWORD)
    assert "追加しました" in visitor.text
    other = Visitor()
    for typed, entered in (("wrong", False), (PASSWORD, True)):
        other.open("/salon/account")
        type_password(other, mail=CUSTOMER["mail"], password=typed)
        assert (DOOR not in other.text) == entered
    visitor.open("/salon/account/end")
    visitor.press("")
    assert "アカウントを終了し" in visitor.text
    other.open("/salon/account")
    assert DOOR in other.text


def test_a_sign_in_of_a_while_ago_changes_nothing(mail: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Her list is there for days; to change something she comes in once more, and then back to it."""
    visitor = Visitor()
    come_in(mail, visitor)
    monkeypatch.setattr("noren.clock.now", lambda: NOON + timedelta(minutes=15))
    visitor.open("/salon/account")
    assert len(own_links(visitor)) == 1
    for way in ("data", "ways", "end"):
        visitor.open(f"/salon/account/{way}")
        assert visitor.now_at == f"/salon/account/again?next=%2Fsalon%2Faccount%2F{way}"
    assert visitor.client.post("/salon/account/end").headers["Location"] == "/salon/account/again"
    answer = visitor.client.post("/salon/account/ways/passkey/begin", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (403, "fresh_sign_in_needed")
    visitor.open("/salon/account")
    assert len(own_links(visitor)) == 1


def test_a_link_is_made_invalid_and_a_new_one_mailed(made: Salon) -> None:
    """The old one shows nothing any more; GET changes nothing; a booking that ended gets none."""
    done = booked(made, TOMORROW + timedelta(hours=2))
    client = Client(headers={"Accept-Language": "ja"})
    assert client.get(f"/b/{done.token}/relink").status_code == 405
    assert "無効になりました" in client.post(f"/b/{done.token}/relink").content.decode()
    for way in ("", "/booking.ics"):
        assert client.get(f"/b/{done.token}{way}").status_code == 410
    for way in ("/relink", "/cancel", "/keep"):
        assert client.post(f"/b/{done.token}{way}").status_code == 410
    token = links.token(made.id, done.booking.id, 2)
    assert client.get(f"/b/{token}").status_code == 200
    with shop(made.id):
        assert Event.objects.filter(booking_id=done.booking.id, what="relinked").count() == 1
    client.post(f"/b/{token}/cancel")
    assert client.post(f"/b/{token}/relink").status_code == 409
