"""A shop founded from answers: nothing opens before it may, and there is one way into the tables."""

from datetime import timedelta

import pytest

from noren.booking import founding
from noren.errors import NothingHere, NotOpenYet, ShopFounded
from noren.shops import curtain, described, setup
from noren.shops.models import Resource, Service, Setup, Shop, Staff
from noren.shops.tenancy import shop
from tests.servers import AppDatabase
from tests.shops.aoba import ABOUT, LEGAL, NOW, founded, opened

LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def database(app_db: AppDatabase) -> None:
    assert app_db


def test_it_is_nobodys_before_it_opens_and_says_who_opened_it() -> None:
    shop_id = founded("salon")
    assert not curtain.is_open(shop_id)
    with pytest.raises(NotOpenYet) as caught:
        founding.hang_out(shop_id, now=NOW, by="staff:owner.aoba")
    assert caught.value.facts["lacks"] == ["mail"]
    opened(shop_id)
    assert curtain.is_open(shop_id)
    with shop(shop_id):
        kept = Setup.objects.get()
    assert (kept.opened_at, kept.opened_by) == (NOW, "staff:owner.aoba")
    # Pressed twice is pressed once.
    founding.hang_out(shop_id, now=LATER, by="staff:other.aoba")
    with shop(shop_id):
        assert Setup.objects.get().opened_at == NOW
    with pytest.raises(NothingHere):
        founding.answer(shop_id, "kind", "stay", now=NOW, by="staff:owner.aoba")
    with pytest.raises(ShopFounded):
        founding.found("aoba", locale="ja", zone="Asia/Tokyo", now=NOW)


def test_it_needs_what_the_law_asks_for_where_something_is_paid() -> None:
    words = setup.begun("words", "salon")
    shop_id = founded("salon", words={"policy": {}, "privacy": {}, "legal": {}})
    with shop(shop_id):
        Setup.objects.update(mail_proved=ABOUT["mail"])
        assert setup.lacking(Shop.objects.get()) == ["policy", "seller", "person"]
    free = [{**each, "price": 0} for each in setup.begun("services", "salon")]
    founding.answer(shop_id, "words", words, now=NOW, by="staff:owner.aoba")
    founding.answer(shop_id, "services", free, now=NOW, by="staff:owner.aoba")
    with shop(shop_id):
        assert setup.lacking(Shop.objects.get()) == []


def test_a_home_salon_may_tell_address_and_phone_on_request() -> None:
    home = {**ABOUT, "address": {}, "phone": ""}
    words = {**setup.begun("words", "salon"), "legal": LEGAL}
    shop_id = founded("salon", about=home, words=words)
    with shop(shop_id):
        assert setup.lacking(Shop.objects.get()) == ["mail", "address", "phone"]
    hidden = {**words, "legal": {**LEGAL, "on_request": ["address", "phone"]}}
    founding.answer(shop_id, "words", hidden, now=NOW, by="staff:owner.aoba")
    with shop(shop_id):
        assert setup.lacking(Shop.objects.get()) == ["mail"]


def test_it_changes_what_was_answered_before() -> None:
    shop_id = founded("salon")
    staff = [{"ja": "葵"}, {"ja": "律"}]
    founding.answer(shop_id, "team", {"staff": staff, "places": 1}, now=NOW, by="staff:owner.aoba")
    cut, colour = setup.begun("services", "salon")[:2]
    new = {**cut, "key": "own-1", "name": {"ja": "着付け"}, "minutes": 40, "price": 4000}
    rows = [{**cut, "minutes": 45}, {**colour, "minutes": 120}, new]
    founding.answer(shop_id, "services", rows, now=NOW, by="staff:owner.aoba")
    with shop(shop_id):
        assert Staff.objects.count() == 2
        assert list(Resource.objects.filter(kind="chair", bookable=True).values_list("key", flat=True)) == [
            "chair-1"
        ]
        made = {each.key: each for each in Service.objects.filter(bookable=True).order_by("position")}
    assert list(made) == ["cut", "colour", "own-1"]
    assert [each["minutes"] for each in made["colour"].segments] == [30, 30, 60]
    assert "about" not in made["colour"].texts
    assert made["own-1"].texts == {"name": {"ja": "着付け"}}
    assert [each["minutes"] for each in made["own-1"].segments] == [40]


def test_another_kind_begins_anew_and_keeps_who_the_shop_is() -> None:
    shop_id = founded("salon")
    founding.answer(shop_id, "kind", "stay", now=NOW, by="staff:owner.aoba")
    with shop(shop_id):
        assert set(setup.answers()) == {"kind", "about"}


def test_what_no_file_could_say_is_not_kept() -> None:
    shop_id = founded("salon")
    hours = {**setup.begun("hours", "salon"), "mon": "25 o'clock"}
    with pytest.raises(described.Faulty):
        founding.answer(shop_id, "hours", hours, now=NOW, by="staff:owner.aoba")
    with shop(shop_id):
        assert setup.answers()["hours"]["mon"] == "closed"
