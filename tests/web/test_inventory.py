"""The inventory of secrets as an operator uses it: the list, the query, what is written, and what is not."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from noren import clock
from tests.servers import VaultProcess
from tests.vault.cast import sql
from tests.web.test_incidents import opened

LIST = "/operations/secrets"
HOUR = timedelta(hours=1)


def _text(client: Client, address: str, **given: Any) -> str:
    answer = client.get(address, given, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, answer.content.decode()
    return str(answer.content.decode())


def _add(client: Client, **given: Any) -> str:
    answer = client.post(LIST, {"title": "DNS", "how": "in its console", **given})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def _ago(time: timedelta) -> str:
    """Before the vault's now, whose clock is the machine's."""
    return f"{datetime.now(UTC) - time:%Y-%m-%dT%H:%M}"


def _state(page: str, title: str) -> str:
    """The state that stands in the line of a secret."""
    found = re.search(rf">{re.escape(title)}</a><span class=\"state\" data-status=\"\w+\">([^<]+)<", page)
    assert found is not None, title
    return found[1]


def test_the_list_has_what_is_there_and_no_secret(operator: Client, vault: VaultProcess) -> None:
    page = _text(operator, LIST)
    assert "Epoch keys" in page
    assert "Password at the mail server" in page
    keys = sql(vault, "SELECT encode(id, 'hex') FROM keystore.epoch")
    assert keys
    assert not [key for (key,) in keys if key in page]


def test_what_is_reached_from_a_place_is_asked_for(operator: Client) -> None:
    """From a backup alone nothing; from the vault's side its tables, each secret with its verdict."""
    alone = _text(operator, LIST, **{"from": "backups"})
    assert "Nothing: alone it opens nothing." in alone
    page = _text(operator, LIST, **{"from": ["vault-side", ""], "since": _ago(HOUR), "zone": "UTC"})
    assert "<strong>The vault&#x27;s tables: ciphertext and hashes</strong>" in page
    assert _state(page, "Epoch keys: they wrap each person&#x27;s data key") == "made anew"
    assert _state(page, "Credentials at the provider of the master key") == "there is none"
    later = _text(operator, LIST, **{"from": "vault-side", "since": _ago(-HOUR), "zone": "UTC"})
    assert _state(later, "Epoch keys: they wrap each person&#x27;s data key") == "not made anew"
    assert "API keys of shops&#x27; programs</a>" not in later


def test_a_secret_of_elsewhere_is_added_placed_and_made_anew(operator: Client, vault: VaultProcess) -> None:
    """From the chat where it lies what it opens is reached; a word says that it was made anew, on record."""
    place = _add(operator, reaches=["mail-as-us", "nothing-known"])
    said = {"deed": "place", "place": "chat", "text": "the team's channel"}
    assert operator.post(f"{place}/deed", said).status_code == 302
    page = _text(operator, place)
    assert "the team&#x27;s channel" in page
    assert "Mail in our name" in page
    asked = {"from": "chat", "since": f"{clock.now() - HOUR:%Y-%m-%dT%H:%M}", "zone": "UTC"}
    before = _text(operator, LIST, **asked)
    assert _state(before, "DNS") == "not known"
    assert "<strong>Mail in our name</strong>" in before
    assert operator.post(f"{place}/deed", {"deed": "rotated", "text": "after the leak"}).status_code == 302
    after = _text(operator, LIST, **asked)
    assert _state(after, "DNS") == "made anew"
    assert "after the leak" in _text(operator, place)
    note = re.search(r'name="note" value="([0-9a-f]{16})"><span>', page)
    assert note is not None
    assert operator.post(f"{place}/deed", {"deed": "gone", "note": note[1]}).status_code == 302
    assert "<strong>Mail in our name</strong>" not in _text(operator, LIST, **asked)


def test_a_password_in_the_words_is_cut(operator: Client, vault: VaultProcess) -> None:
    """It is gone before it is stored, and the page says so."""
    place = _add(operator, title="root", how="パスワード: himitsu-Kagi-93")
    assert place.endswith("?cut=1")
    page = _text(operator, place)
    assert "himitsu-Kagi-93" not in page
    assert "was cut" in page


@pytest.mark.parametrize(
    ("secret", "given", "words"),
    [
        ("epoch-key", {"deed": "rotated", "text": "I say so"}, "The system sees itself"),
        ("smtp-password", {"deed": "rotated", "text": ""}, "The system sees itself"),
        ("inquiry-links", {"deed": "rotated", "text": ""}, "The system sees itself"),
        ("booking-links", {"deed": "rotated", "text": ""}, "Please say why."),
        ("booking-links", {"deed": "rotated", "text": "x", "at": "2150-01-01T00:00"}, "still to come"),
        ("booking-links", {"deed": "rotated", "text": "x", "at": "whenever"}, "a date and a time"),
        ("booking-links", {"deed": "place", "place": "moon", "text": "x"}, "which place"),
        ("booking-links", {"deed": "place", "place": "wiki", "text": " "}, "which place"),
        ("booking-links", {}, "Please choose what to do."),
    ],
)
def test_what_cannot_be_said_comes_back(
    operator: Client, vault: VaultProcess, secret: str, given: dict[str, str], words: str
) -> None:
    answer = operator.post(f"{LIST}/{secret}/deed", given, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert sql(vault, "SELECT count(*) FROM vault.secret_note") == [(0,)]


def test_there_is_no_other(operator: Client) -> None:
    assert operator.get(f"{LIST}/nothing-at-all").status_code == 404
    said = {"deed": "place", "place": "wiki", "text": "x"}
    assert operator.post(f"{LIST}/nothing-at-all/deed", said).status_code == 404
    said = {"deed": "rotated", "text": "x"}
    assert operator.post(f"{LIST}/own-12345678/deed", said).status_code == 404
    assert operator.post(f"{LIST}/epoch-key/deed", {"deed": "gone", "note": "0" * 16}).status_code == 404
    assert operator.post(LIST, {"title": " "}).status_code == 422


def test_an_incident_leads_to_the_query_since_it_began(operator: Client) -> None:
    page = _text(operator, opened(operator))
    found = re.search(r'href="(/operations/secrets\?since=[^"]+)"', page)
    assert found is not None
    asked = _text(operator, found[1].replace("&amp;", "&"))
    assert f"{datetime.now(UTC):%Y-%m-%dT%H}" in found[1]
    assert "not made anew:" in asked
