"""A number that no database holds, in an address or in a form, is one that is not there: never a fault."""

import itertools
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.matrix.addresses import SHAPES, Address, every
from tests.matrix.test_not_there import who_asks
from tests.matrix.test_pages import FORMS, LAST, ask
from tests.matrix.world import World

# Beyond 64 bits, and beyond what Python reads as one number at all.
NUMBERS = ("9" * 20, "9" * 4_400)
# What the pages' forms name by number.
NAMES = (
    *("staff", "service", "resource", "booking", "block", "request", "message", "number", "secret", "seen"),
    *("shop", "upto", "to", "move", "order", "off", "lane", "of", "skip", "weekday", "most", "a_minute"),
    *("minutes", "price", "tag", "there", "choice-", "persons", "page", "skew", "s-TOTAL_FORMS", "party"),
)


def _addresses() -> Iterator[tuple[Address, str]]:
    for address, number in itertools.product(every(), NUMBERS):
        if any(SHAPES.get(name, "").isdecimal() for name in address.parameters):
            yield address, number


@pytest.mark.parametrize(
    ("address", "number"),
    [pytest.param(*one, id=f"{one[0].route}-{len(one[1])}") for one in _addresses()],
)
def test_a_number_in_an_address_is_not_there(everybody: World, address: Address, number: str) -> None:
    who = everybody.players[who_asks(address, frozenset(address.parameters))]
    who.come_back()
    named = {name: number for name in address.parameters if SHAPES.get(name, "").isdecimal()}
    values = everybody.values(address.template) | named
    for method in ("GET", "POST"):
        assert ask(who.client, method, address, address.of(values)).status_code < 500


# What ends the sign-in by which all the others are asked, by itself or after some wrong passwords.
ENDS = (*LAST, "sessions/end", "end", "confirm/password")


@pytest.mark.parametrize(
    "address", [pytest.param(one, id=one.route) for one in every() if not one.template.endswith(ENDS)]
)
def test_a_number_in_a_form_or_a_question_is_refused(everybody: World, address: Address) -> None:
    who = everybody.players[who_asks(address, frozenset(address.parameters))]
    path = address.of(everybody.values(address.template))
    for number in NUMBERS:
        named = dict.fromkeys(NAMES, number) | {f"choice-{number}": "keep", "deed": f"staff-{number}"}
        who.come_back()
        assert who.client.get(path, named).status_code < 500
        who.come_back()
        form = urlencode({**FORMS.get(address.template, {}), **named})
        answer = who.client.post(path, form, content_type="application/x-www-form-urlencoded")
        assert answer.status_code < 500
    owner = everybody.players["owner"]
    owner.come_back()
    assert owner.client.get("/console/").status_code == 200  # who is out would meet no number at all
