"""Every address, by GET and by POST, as everybody: what its rule says is what they get.

Made of the site's own table; a page that is special is said apart, with why.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client

from noren.accounts.rules import Kind, Rule
from noren_vault.rights import Role
from tests.matrix.addresses import Address, every
from tests.matrix.world import World

PLAYERS = (
    "anonymous",
    "customer",
    "other_customer",
    "without",
    "owner",
    "other_owner",
    # Nothing is lent to her; to `lent` the power to support the salon is.
    "operator",
    "lent",
    "auditor",
    # Whoever has a key of the salon, with all scopes.
    "program",
    "expired",
)
NOBODY_HERE = ("anonymous", "expired", "program")
# Whose ids these are is looked at: another shop's owner gets what nobody gets, "not there".
OWNED = frozenset(
    {"booking_id", "block_id", "person", "kept", "transfer", "handle", "about", "service_id", "work_id"}
    | {"staff_id", "resource_id", "many_id", "change_id", "pack"}
)
# What ends a sign-in comes last.
LAST = ("relink", "sign-out", "my-data/leave", "account/leave", "account/end")
# What a form must hold at least, where an empty one is no deed at all.
FORMS: Mapping[str, Mapping[str, str]] = {
    "b/%(token)s/late": {"minutes": "5"},
    "console/attention/%(booking_id)s": {"deed": "keep"},
    "console/safety/packs/%(pack)s/read": {"number": "5"},
    "operations/powers/%(power)s/deed": {"deed": "decline"},
    "operations/incidents": {"title": "夜中の閲覧"},
    "operations/incidents/%(incident)s/add": {"kind": "note", "text": "鍵を止めた"},
    "operations/incidents/%(incident)s/contain": {"deed": "freeze", "shop": ""},
    "operations/incidents/%(incident)s/member": {"handle": "kei.operator", "standing": "in"},
    "operations/inquiries/%(inquiry)s/deed": {"deed": "note", "words": "電話もあった"},
    "operations/inquiries/made-anew": {"secret": "1"},
    "operations/secrets": {"title": "DNS の管理"},
    "operations/secrets/%(secret)s/deed": {"deed": "place", "place": "wiki", "text": "鍵の頁"},
    "operations/signs": {"text": "鍵の束がない"},
    "operations/signs/%(sign)s/deed": {"deed": "take"},
    "security/report": {"key": "1" * 32, "text": "番号を変えると名前が見える"},
    "news/mail/%(reader)s": {"deed": "confirm"},
    "inquiry/own/%(link)s/more": {"deed": "add", "words": "追伸"},
    "operations/tellings/%(telling)s/deed": {"deed": "stop"},
    "settings/security/sessions/end": {"which": "others"},
}
# An empty form names none of the shop's own things, a made-up id none of one's own.
NAMES_NONE = ("console/operators/end", "console/api-keys/end", "settings/security/not-me/%(what)s")
# For who may sign in by a password: a shop's members and customers.
OF_A_PASSWORD = tuple(
    f"settings/security/{name}" for name in ("password", "codes", "codes/on", "codes/off", "recovery")
)
# What a customer has come in for too long ago, by now, leads to her door; so does each once she is out.
ACCOUNT = "%(slug)s/account"
# And what a passkey's answer looks like, where one is looked at before all else.
JSON = "application/json"
# Nothing is there, for nobody.
NOTHING = ("api/v1/", "api/v1/%(_0)s")
# Nobody here signs in by an organisation.
NO_PROVIDER = ("console/sso/link", "operations/sso/link", "sso/begin")
SIGN_IN = {"console": "/console/sign-in", "operations": "/operations/sign-in"}
MAY_NOT = ("You may not do this.", "この操作の権限がありません")
NEEDS_POWER = ("This needs a power", "権限が必要です")


class Gets(StrEnum):
    """What somebody gets at an address."""

    IN = "in"
    CONSOLE = "led to the console's sign-in"
    OPERATIONS = "led to the operations' sign-in"
    MAY_NOT = "told that she may not"
    NEEDS_POWER = "told that it needs a power"
    NO_KEY = "told that it needs a key"
    NOT_THERE = "not there"
    DOOR = "shown the way in"


# Where these public addresses lead, signed in or not.
LEADS: Mapping[str, tuple[Gets, ...]] = {
    "sign-out": (Gets.CONSOLE, Gets.OPERATIONS),
    "leave": (Gets.DOOR,),
    "code": (Gets.DOOR,),
    "enter": (Gets.DOOR,),
    "account": (Gets.DOOR,),
    "again": (Gets.DOOR,),
    # The first who does it makes the link invalid.
    "relink": (Gets.NOT_THERE,),
    "password": (Gets.DOOR,),
    "second": (Gets.DOOR,),
}


def expected(address: Address, rule: Rule, player: str) -> frozenset[Gets]:
    """Say what somebody may get, by the rule alone."""
    match rule.kind:
        case Kind.PUBLIC | Kind.OWN_LINK if address.template in NOTHING:
            found: tuple[Gets, ...] = (Gets.NOT_THERE,)
        case Kind.PUBLIC | Kind.OWN_LINK:
            found = (Gets.IN, *LEADS.get(address.template.rpartition("/")[2], ()))
        case Kind.CUSTOMER:
            found = (Gets.IN if player == "customer" else Gets.DOOR,)
            if player == "customer" and address.template.startswith(f"{ACCOUNT}/"):
                found = (Gets.IN, Gets.DOOR, Gets.NOT_THERE)
        case Kind.KEY:
            found = (Gets.IN if player == "program" else Gets.NO_KEY,)
        case Kind.SIGNED_IN:
            found = _of_oneself(address, player)
        case Kind.OPERATOR | Kind.AUDITOR | Kind.PLATFORM | Kind.POWER | Kind.RECORD:
            found = _of_platform(address, rule, player)
        case Kind.MEMBER | Kind.PERMISSION:
            found = (_of_shop(address, rule, player),)
            if Gets.IN in found and address.template in NAMES_NONE:
                found = (Gets.IN, Gets.NOT_THERE)
        case _:
            pytest.fail(f"{address.route}: say here what {rule} gives to whom")
    absent = (Gets.NOT_THERE,) if address.template in NO_PROVIDER and Gets.IN in found else ()
    return frozenset((*found, *absent))


def _of_oneself(address: Address, player: str) -> tuple[Gets, ...]:
    """What everybody has: each their own, and nobody another's passkey or sign-in."""
    if player in NOBODY_HERE:
        return (Gets.CONSOLE,)
    if "name" in address.parameters:
        return (Gets.IN if player == "owner" else Gets.NOT_THERE,)
    if address.template in NAMES_NONE:
        return (Gets.IN, Gets.NOT_THERE)
    platform = player in ("operator", "lent", "auditor")
    if address.template in OF_A_PASSWORD and platform:
        return (Gets.IN, Gets.MAY_NOT)
    return (Gets.IN,)


def _of_platform(address: Address, rule: Rule, player: str) -> tuple[Gets, ...]:
    operator = player in ("operator", "lent")
    may_come = {
        Kind.OPERATOR: operator,
        Kind.AUDITOR: player == "auditor",
        Kind.PLATFORM: operator or player == "auditor",
        Kind.POWER: operator,
        Kind.RECORD: operator or player == "auditor",
    }
    if not may_come[rule.kind]:
        return (Gets.OPERATIONS,)
    if rule.kind is Kind.POWER and not (player == "lent" and "support_shop" in rule.names):
        return (Gets.NEEDS_POWER,)
    if rule.kind is Kind.RECORD and operator:
        return (Gets.NEEDS_POWER,)
    if player == "lent" and {"power", "ask", "way"} & set(address.parameters):
        # She asked for it: nobody is her own second operator.
        return (Gets.IN, Gets.MAY_NOT)
    return (Gets.IN,)


def _of_shop(address: Address, rule: Rule, player: str) -> Gets:
    if player not in ("owner", "without", "other_owner"):
        return Gets.CONSOLE
    if rule.kind is Kind.PERMISSION and player == "without":
        return Gets.MAY_NOT
    other = player == "other_owner" and bool(OWNED & set(address.parameters))
    return Gets.NOT_THERE if other else Gets.IN


def asked() -> Iterator[tuple[Address, str]]:
    addresses = sorted(every(), key=lambda one: one.template.endswith(LAST))
    yield from itertools.product(addresses, ("GET", "POST"))


def got(answer: HttpResponse | StreamingHttpResponse) -> Gets:
    """Say what somebody got."""
    location = answer.headers.get("Location", "")
    for area, way in SIGN_IN.items():
        if answer.status_code == 302 and location.split("?")[0] == way:
            return Gets.CONSOLE if area == "console" else Gets.OPERATIONS
    if isinstance(answer, StreamingHttpResponse):
        return Gets.IN
    text = answer.content.decode(errors="replace")
    if answer.status_code == 403 and any(words in text for words in MAY_NOT):
        return Gets.MAY_NOT
    if answer.status_code == 403 and any(words in text for words in NEEDS_POWER):
        return Gets.NEEDS_POWER
    if answer.status_code == 404:
        return Gets.NOT_THERE
    if answer.status_code == 401 and "api_key_refused" in text:
        return Gets.NO_KEY
    assert answer.status_code < 500, f"{answer.status_code}: {text[-2000:]}"
    assert answer.status_code != 401
    door = re.search(r"/salon/(my-data|account|account/again)(\?|$)", location)
    if door or "/my-data/code" in text or "/account/code" in text:
        return Gets.DOOR
    return Gets.IN


def ask(client: Client, method: str, address: Address, path: str) -> Any:
    """Ask in English, with the least that a form holds."""
    headers = {"Accept-Language": "en"}
    if method == "POST" and address.template in FORMS:
        return client.post(path, FORMS[address.template], headers=headers)
    if method == "POST" and address.template.endswith("/finish"):
        return client.post(path, {"answer": {}}, content_type=JSON, headers=headers)
    return client.generic(method, path, headers=headers)


def _rules(address: Address) -> Mapping[str, Rule | None]:
    rules = address.rules
    return {"GET": rules["*"], "POST": rules["*"]} if "*" in rules else rules


@pytest.mark.parametrize(
    ("address", "method"), [pytest.param(*one, id=f"{one[0].route}-{one[1]}") for one in asked()]
)
def test_it_gives_what_the_rule_says(everybody: World, address: Address, method: str) -> None:
    """To everybody, one after another: a test for each of the thousands of cells costs more than the cell."""
    faults = []
    for player in PLAYERS:
        try:
            gives_what_the_rule_says(everybody, address, method, player)
        except AssertionError as fault:
            faults.append(f"{player}: {fault}")
    assert not faults, "\n".join(faults)


def gives_what_the_rule_says(everybody: World, address: Address, method: str, player: str) -> None:
    rules = _rules(address)
    who = everybody.players[player]
    who.come_back()
    path = address.of(everybody.values(address.template))
    answer = ask(who.client, method, address, path)
    if method not in rules:
        assert answer.status_code == 405
        return
    rule = rules[method]
    assert rule is not None, f"{address.route} declares no rule: see tests/house/test_addresses.py"
    wanted = expected(address, rule, player)
    kept_out = not wanted & {Gets.IN, Gets.DOOR, Gets.NOT_THERE}
    if answer.status_code == 405:
        # Who is not let in is told so, and no more of the page.
        assert not kept_out
        return
    told = got(answer)
    assert told in wanted, f"{answer.status_code} {answer.headers.get('Location', '')}"
    if kept_out:
        assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("address", every(), ids=lambda one: one.route)
def test_it_answers_to_get_or_to_post(everybody: World, address: Address) -> None:
    """An address that answers to neither is none; one that serves both says so by its form."""
    kind = (rule := address.rules.get("*")) and rule.kind
    of_platform = {Kind.OPERATOR: "lent", Kind.POWER: "lent", Kind.AUDITOR: "auditor", Kind.RECORD: "auditor"}
    who = everybody.players[of_platform.get(kind, "owner") if kind else "owner"]
    path = address.of(everybody.values(address.template))
    assert [who.client.generic(m, path).status_code for m in ("GET", "POST")] != [405, 405]


def test_it_has_a_player_of_every_role() -> None:
    """A role that is new comes to every address: put one who has it into the world."""
    played = {"owner", "reception", "operator", "auditor", "customer", "key"}
    as_reception_without = {"manager", "staff", "accountant"}
    assert set(Role) == played | as_reception_without
