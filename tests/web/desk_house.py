"""A form of the inquiry desk as a browser fills and sends it, its puzzle solved."""

import re
from html import unescape
from typing import Any

from django.test import Client

from noren_vault import puzzles

FORM = "/inquiry"
WORDS = "予約のメールが届きません。どうしたらよいですか。"


def proof_of(page: str) -> str:
    """What the browser's worker finds."""
    text, bits = re.search(r'data-challenge="([^"]+)" data-bits="([0-9]+)"', page).groups()  # type: ignore[union-attr]
    return puzzles.solve(unescape(text), int(bits))


def send(client: Client, **given: Any) -> Any:
    """Fill the form and send it; the answer."""
    page = client.get(FORM).content.decode()
    return client.post(FORM, {"about": "booking", "words": WORDS, "proof": proof_of(page), **given})


def asked(client: Client, **given: Any) -> str:
    """Ask; gives the address of the inquiry's own page."""
    answer = send(client, **given)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def inquiry_of(address: str) -> str:
    """The inquiry's id, which stands before its link's seal."""
    return address.rpartition("/")[2].partition("-")[0]
