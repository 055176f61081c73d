"""The page of API keys: made and shown once, listed, ended; for those who manage, freshly signed in."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client

from noren import people
from noren.errors import FreshSignInNeeded
from tests.api.salon import Salon
from tests.servers import Sink, VaultProcess
from tests.web.conftest import last_from_noon
from tests.web.desk.test_budget import Person

HERE = "/console/api-keys"
KEY = re.compile(r"noren_\d+_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}")


@pytest.fixture(scope="module")
def two(made: Salon, module_vault: VaultProcess, module_mail: Sink) -> Iterator[tuple[Person, Person]]:
    """The manager and somebody of the staff."""
    assert module_vault
    with pytest.MonkeyPatch.context() as patch:
        last_from_noon(patch)
        roles = {"mei": "manager", "ren": "staff"}
        people.found_shop(
            made.id,
            made.slug,
            [people.Member(name, role, name, name, f"{name}@salon.example") for name, role in roles.items()],
        )
        invited = {message["To"]: message.get_content() for message in module_mail.messages}
        found = [Person(invited[f"{name}@salon.example"].partition("/join#")[2].split()[0]) for name in roles]
        yield found[0], found[1]


def _make(person: Person, **changed: object) -> tuple[int, str]:
    wish: dict[str, object] = {
        "label": "会計ソフト",
        "scopes": ["bookings:read", "people:read"],
        "days": "30",
    }
    answer = person.client.post(f"{HERE}/make", wish | changed)
    assert "no-store" in answer["Cache-Control"]
    return answer.status_code, answer.content.decode()


def _text(person: Person) -> str:
    return person.client.get(HERE).content.decode()


def test_it_shows_a_new_key_once(made: Salon, two: tuple[Person, Person]) -> None:
    manager, _ = two
    status, text = _make(manager)
    assert status == 200
    [key] = KEY.findall(text)
    name = people.use_api_key(key, made.id, "people:read")
    again = _text(manager)
    assert not KEY.search(again)
    assert key.split("_")[2] not in again
    for words in ("会計ソフト", name, "See customers&#x27; names and contacts", "mei.salon"):
        assert words in again, words
    ended = manager.client.post(f"{HERE}/end", {"key": name})
    assert (ended.status_code, ended["Location"]) == (302, HERE)
    assert "· ended" in _text(manager)
    assert not re.search(f'value="{name}"', _text(manager))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"label": " "}, "Please say what the key is for."),
        ({"label": "a\x00b"}, "Please say what the key is for."),
        ({"scopes": []}, "Please choose what the key may do."),
        ({"scopes": ["people:write"]}, "Please choose what the key may do."),
    ],
    ids=["no label", "nul", "no scope", "unknown scope"],
)
def test_it_says_what_is_missing(two: tuple[Person, Person], changed: dict[str, object], words: str) -> None:
    status, text = _make(two[0], **changed)
    assert status == 422
    assert words in text
    assert not KEY.search(text)


def test_it_leads_to_sign_in_who_came_long_ago(
    two: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the vault refuses stands on the page, with the way back to it."""

    def late(*_: object, **__: object) -> None:
        raise FreshSignInNeeded

    monkeypatch.setattr(people, "make_api_key", late)
    status, text = _make(two[0])
    assert status == 403
    assert f'href="/console/sign-in?next={HERE}"' in text
    assert 'value="会計ソフト"' in text


def test_it_is_for_those_who_manage(two: tuple[Person, Person]) -> None:
    manager, staff = two
    for method, address in (("get", HERE), ("post", f"{HERE}/make"), ("post", f"{HERE}/end")):
        assert getattr(staff.client, method)(address).status_code == 403
        answer = getattr(Client(), method)(address)
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/console/sign-in")
    for address in (f"{HERE}/make", f"{HERE}/end"):
        assert manager.client.get(address).status_code == 405
    assert manager.client.post(f"{HERE}/end", {"key": "key-0"}).status_code == 404
