"""What is another's and what is not at all cannot be told apart: same status, same headers, same bytes."""

import itertools
import re
from collections.abc import Iterator

import pytest
from django.test import Client

from noren.accounts.rules import Kind
from tests.matrix.addresses import SHAPES, Address, every
from tests.matrix.test_pages import FORMS, OWNED, ask
from tests.matrix.world import World

# Ids that nobody has, of each parameter that names a shop's own things.
NOBODYS = {
    "booking_id": "999999999",
    "block_id": "999999999",
    "person": SHAPES["person"],
    "pack": SHAPES["pack"],
    "kept": SHAPES["kept"],
    "transfer": "0123456789abcdef",
    "handle": "nobody.salon",
    "service_id": "999999999",
    "work_id": "999999999",
    "change_id": "999999999",
    "many_id": "999999999",
    "staff_id": "999999999",
    "resource_id": "999999999",
    "entry": "999999",
    "name": "pk-0123456789abcdef01234567",
    "what": SHAPES["what"],
    "shop_id": "999999999",
    "about": "service-999999999",
    "photo_id": "999999999",
}
TELLING = OWNED | {"entry", "name", "what", "shop_id", "photo_id"}
# Where more is said: a sign-in is looked up once somebody says "this was not me"; a power comes first.
SAYS = {"what": (200, 302, 404), "shop_id": (403, 404)}


def cells() -> Iterator[tuple[Address, str]]:
    for address, method in itertools.product(every(), ("GET", "POST")):
        kinds = {rule.kind for rule in address.rules.values() if rule is not None}
        # Who reads the record reads all of it.
        if TELLING & set(address.parameters) and Kind.RECORD not in kinds:
            yield address, method


def who_asks(address: Address, named: frozenset[str]) -> str:
    """Give the player who is let in at the address."""
    kinds = {rule.kind for rule in address.rules.values() if rule is not None}
    if kinds & {Kind.KEY, Kind.POWER, Kind.OPERATOR}:
        return "program" if Kind.KEY in kinds else "lent"
    return "customer" if "entry" in named else "owner"


def said(client: Client, method: str, address: Address, values: dict[str, str]) -> tuple[object, ...]:
    """Say what an answer tells, without what differs in every answer: the ids asked for, a form's token."""
    path = address.of(values)
    answer = ask(client, method, address, path)
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
    moment = ("Content-Length", "Expires")
    headers = {name: value for name, value in answer.headers.items() if name not in moment}
    return answer.status_code, headers, text.replace(path, "PATH")


@pytest.mark.parametrize(
    ("address", "method"), [pytest.param(*cell, id=f"{cell[0].route}-{cell[1]}") for cell in cells()]
)
def test_it_says_the_same_of_anothers_and_of_nobodys(everybody: World, address: Address, method: str) -> None:
    named = TELLING & set(address.parameters)
    who = everybody.players[who_asks(address, named)]
    who.come_back()
    own = everybody.values(address.template)
    others = everybody.values(address.template, "yoga")
    anothers = said(who.client, method, address, own | {name: others[name] for name in named})
    nobodys = said(who.client, method, address, own | {name: NOBODYS[name] for name in named})
    assert anothers == nobodys
    # In a frame a form that comes from no page of ours is refused before anything is looked up.
    forged = {403} if method == "POST" and "/embed/" in address.template else set()
    assert anothers[0] in {405, *forged, *next((SAYS[one] for one in named if one in SAYS), (404,))}


@pytest.mark.parametrize(
    "way", ["/b/{}", "/b/{}/cancel", "/w/{}", "/api/v1/bookings/{}", "/api/v1/waiting/{}"]
)
def test_it_says_the_same_of_a_link_that_is_made_up_and_of_one_that_is_nearly_right(
    everybody: World, way: str
) -> None:
    """The number of a booking that is there with a wrong seal, one that is not there, and no link at all."""
    waits = "waiting" in way or way.startswith("/w/")
    token = everybody.salon["waiting_token" if waits else "booking_token"]
    head, _, seal = token.rpartition(".")
    forged = (f"{head}.{seal[::-1]}", f"{head[:-1]}9.{seal}", "made-up")
    client = Client(headers={"Accept-Language": "en"})
    method = "POST" if way.endswith("cancel") else "GET"
    answers = {
        (answer.status_code, re.sub(r'value="\w+"', "", answer.content.decode()).replace(one, "TOKEN"))
        for one in forged
        for answer in [client.generic(method, way.format(one))]
    }
    assert len(answers) == 1
    assert {status for status, _ in answers} == {404}


def test_it_asks_for_a_sample_of_each_id() -> None:
    """The forms that are said apart are of addresses that there are."""
    assert set(FORMS) <= {one.template for one in every()}
    assert set(NOBODYS) == TELLING
