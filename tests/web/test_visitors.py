"""A service for first visits, or for returning ones: said, chosen by her word, refused to who is known."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from noren.booking import actions, book, visitors
from noren.booking.models import Booking, Status
from noren.errors import NotForHer
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from noren.shops.terms import Visitors
from noren.web import known
from tests.api.salon import NOON, Salon
from tests.web.conftest import TOMORROW, booked

pytestmark = pytest.mark.usefixtures("vault")
EN = {"Accept-Language": "en"}


def only(made: Salon, whom: str) -> None:
    with shop(made.id), change():
        Service.objects.filter(id=made.cut).update(visitors=whom)


def held(made: Salon, hours: int = 0) -> int:
    wanted = actions.HoldRequest(made.cut, TOMORROW + timedelta(hours=hours), None, 1)
    return actions.hold(made.id, wanted, now=NOON).id


def been(made: Salon, booking: Booking) -> None:
    """The booking was two weeks ago, and she came."""
    with shop(made.id):
        at = {"start": NOON - timedelta(days=14), "end": NOON - timedelta(days=14) + timedelta(hours=1)}
        Booking.objects.filter(id=booking.id).update(status=Status.CHECKED_IN, **at)


def test_the_page_says_it_and_her_word_chooses(made: Salon) -> None:
    plain = Client().get("/salon/", headers=EN).content.decode()
    assert "First time here" not in plain, "where there is no such service nobody is asked"
    only(made, "first")
    page = Client().get("/salon/", headers=EN).content.decode()
    assert "First time here" in page
    assert "for your first visit" in page
    here = f"/salon/book/{made.cut}/"
    assert f'href="{here}"' in Client().get("/salon/?been=first").content.decode()
    assert f'href="{here}"' not in Client().get("/salon/?been=again").content.decode()
    assert f'href="{here}"' in Client().get("/salon/?been=%00x").content.decode()
    assert "By booking it you say that you do." in Client().get(here, headers=EN).content.decode()


def test_who_is_signed_in_is_shown_what_is_for_her(made: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    """By her history, without a word of hers; her word, and a look at all, stay hers."""
    earlier = booked(made, TOMORROW).booking
    been(made, earlier)
    here = f'href="/salon/book/{made.cut}/"'

    def shown(person: UUID | None, query: str = "") -> bool:
        monkeypatch.setattr(known, "person_of", lambda *_: None if person is None else ("", person))
        return here in Client().get(f"/salon/{query}").content.decode()

    with shop(made.id):
        person = Booking.objects.get(id=earlier.id).person_id
    only(made, "first")
    assert (shown(person), shown(uuid4()), shown(None)) == (False, True, True)
    assert shown(person, "?been=all")
    only(made, "again")
    assert (shown(person), shown(uuid4()), shown(None)) == (True, False, True)
    assert not shown(person, "?been=first")


def test_who_is_known_is_held_to_her_history_and_a_guest_to_her_word(made: Salon) -> None:
    earlier = booked(made, TOMORROW).booking
    been(made, earlier)
    with shop(made.id):
        person = Booking.objects.get(id=earlier.id).person_id
    assert person is not None
    hers, strangers = book.Own("", person, ""), book.Own("", uuid4(), "")
    said: dict[str, Any] = {"now": NOON, "locale": "ja"}
    only(made, "first")
    with pytest.raises(NotForHer):
        book.complete_own(made.id, held(made, 1), hers, **said)
    assert book.complete_own(made.id, held(made, 1), strangers, **said).booking.agreed["visitors"] == "first"
    only(made, "again")
    with pytest.raises(NotForHer):
        book.complete_own(made.id, held(made, 2), strangers, **said)
    assert book.complete_own(made.id, held(made, 2), hers, **said).booking.agreed["visitors"] == "again"
    assert booked(made, TOMORROW + timedelta(hours=3)).booking.agreed["visitors"] == "again", "her word"


def test_reception_sees_where_word_and_history_differ(made: Salon) -> None:
    only(made, "first")
    own = booked(made, TOMORROW).booking
    with shop(made.id):
        row = Booking.objects.get(id=own.id)
        assert row.person_id is not None
        assert visitors.odd(row.person_id, row.agreed, row.start) is None
    earlier = booked(made, TOMORROW + timedelta(hours=3)).booking
    with shop(made.id):
        Booking.objects.filter(id=earlier.id).update(person_id=row.person_id)
    been(made, earlier)
    with shop(made.id):
        assert visitors.odd(row.person_id, row.agreed, row.start) == visitors.Odd(Visitors.FIRST, 1)
