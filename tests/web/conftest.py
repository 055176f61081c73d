"""A salon on a Tuesday at noon, and somebody of it signed in by a passkey."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client, override_settings

from noren import clock, people
from noren.booking import book
from tests.accounts.passkey import Passkey
from tests.api.salon import NOON, Salon, salon
from tests.environment import GIVEN
from tests.servers import AppDatabase, Sink, VaultProcess
from tests.web.flow import CUSTOMER

TOMORROW = NOON + timedelta(days=1)


@pytest.fixture
def made(app_db: AppDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Salon]:
    """A salon, on a fixed Tuesday."""
    assert app_db
    monkeypatch.setattr(clock, "now", lambda: NOON)
    with override_settings(LINK_KEY=b"l" * 32, IDEMPOTENCY_KEY=b"i" * 32, SECRET_KEY="s" * 50):
        yield salon()


def booked(made: Salon, at: datetime, **changed: str) -> book.Booked:
    """A booking of a customer at the salon."""
    customer = book.Customer(**{**CUSTOMER, **changed})
    wish = book.BookRequest(made.cut, at, None, 1, customer, "ja")
    return book.book(made.id, wish, now=NOON)


def last_from_noon(patch: pytest.MonkeyPatch) -> None:
    """The vault's clock is the machine's: its sign-ins last from the salon's noon here."""

    def finish(*args: Any, **named: Any) -> people.SignedIn:
        entered = register_finish(*args, **named)
        return replace(entered, who=replace(entered.who, expires=NOON + timedelta(hours=12)))

    register_finish = people.register_finish
    patch.setattr(people, "register_finish", finish)


@pytest.fixture
def here_and_now(monkeypatch: pytest.MonkeyPatch) -> None:
    last_from_noon(monkeypatch)


@pytest.fixture
def staff(made: Salon, vault: VaultProcess, mail: Sink, here_and_now: None) -> Client:
    assert vault
    return owner(made, mail)


def owner(made: Salon, mail: Sink) -> Client:
    """Aoi of the salon, signed in through her invitation."""
    aoi = people.Member(handle="aoi", role="owner", staff="aoi", name="青木 葵", mail="aoi@salon.example")
    people.found_shop(made.id, made.slug, [aoi])
    found = re.search(r"/join#(\S+)", mail.wait()[-1].get_content())
    assert found is not None
    return joined(found[1], "console")


@pytest.fixture
def operator(made: Salon, vault: VaultProcess, here_and_now: None) -> Client:
    """The first operator, invited from the machine itself."""
    assert made
    assert vault
    return joined(people.invite_operator(), "operations")


def joined(invite: str, area: str) -> Client:
    """Whoever was invited, signed in."""
    client = Client(headers={"Accept-Language": "ja"})
    passkey = Passkey(GIVEN.origin, "localhost")
    options = _posted(client, f"/{area}/join/begin", {"invite": invite})["options"]
    answer = passkey.create(options)
    told = _posted(client, f"/{area}/join/finish", {"invite": invite, "answer": answer})
    assert told["next"].startswith(f"/{area}/")
    return client


def _posted(client: Client, address: str, body: dict[str, Any]) -> dict[str, Any]:
    wanted = {"Accept": "application/json"}
    answer = client.post(address, body, content_type="application/json", headers=wanted)
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told
