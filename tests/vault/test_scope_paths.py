"""By which path: addresses, devices, processes, unions, single fields, a clock that was set back."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from noren import people
from noren.people import ExposureState, Purpose, Scope
from noren_vault.errors import BadRequest
from noren_vault.exposure import PRESENCE, SILENT, State, state_of
from noren_vault.ledger.entry import KINDS
from noren_vault.question import Question
from noren_vault.record import Outcome, session_name
from noren_vault.record import Path as Way
from noren_vault.vault import Vault
from tests.servers import VaultProcess
from tests.vault.cast import SALON, Cast, customer, sql
from tests.vault.conftest import START, Bench, ask

PERSONS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(6)]
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) Safari/604.1"
DESK = "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0"


def _scope(**named: Any) -> Scope:
    now = datetime.now(UTC)
    return people.scope(since=now - timedelta(hours=1), until=now + timedelta(minutes=1), **named)


def _seen(found: Scope) -> dict[UUID, str]:
    return {one.person: str(one.state) for one in found.persons}


def _look(cast: Cast, number: int, **visit: str) -> UUID:
    """Sign Ren in from somewhere and look at one customer's name."""
    signed = cast.staff.sign_in(**visit)
    people.reveal(signed.grant, Purpose.TODAY, [cast.customers[number]], ["name"])
    return cast.customers[number]


def test_it_answers_by_address_network_and_device(cast: Cast, module_vault: VaultProcess) -> None:
    """Sealed at sign-in, opened for the question; what was done elsewhere is not in the answer."""
    desk = _look(cast, 0, session="a-1", address="198.51.100.7", device=DESK)
    phone = _look(cast, 1, session="a-2", address="198.51.100.9", device=PHONE)
    far = _look(cast, 2, session="a-3", address="2001:db8::1", device=PHONE)
    for named, expected in (
        ({"address": "198.51.100.7"}, {desk}),
        ({"address": "198.51.100.0/24"}, {desk, phone}),
        ({"address": ["198.51.100.7", "2001:db8::/32"]}, {desk, far}),
        ({"address": "198.51.100.70"}, set()),
        ({"device": "iphone"}, {phone, far}),
        ({"device": "iphone", "address": "198.51.100.7"}, {desk, phone, far}),
        ({"device": "Android"}, set()),
    ):
        assert _seen(_scope(**named)) == dict.fromkeys(expected, "exposed")
    with pytest.raises(RuntimeError, match="an address is"):
        _scope(address="next door")
    rows = sql(
        module_vault, "SELECT ref, note FROM vault.ledger_entry WHERE kind = 'scope' AND note = 'address'"
    )
    assert ("", "address") in rows
    segments = b"".join(path.read_bytes() for path in module_vault.ledger.glob("segments/*"))
    assert b"198.51.100" not in segments
    assert b"iPhone" not in segments


def test_it_is_not_sure_of_a_session_from_two_places(cast: Cast) -> None:
    """Opened here and there under one name: which of the two looked, nobody can tell."""
    one = _look(cast, 3, session="b-1", address="203.0.113.1")
    assert _seen(_scope(address="203.0.113.1")) == {one: "exposed"}
    other = _look(cast, 4, session="b-1", address="203.0.113.2")
    assert _seen(_scope(address="203.0.113.1")) == {one: "possibly", other: "possibly"}
    assert _scope(address="203.0.113.1").asked.keys() == {"unsure"}


def test_it_counts_a_session_whose_address_cannot_be_opened(cast: Cast, module_vault: VaultProcess) -> None:
    """With the row's key gone it may have come from anywhere: possibly, not nobody."""
    there = _look(cast, 5, session="c-1", address="203.0.113.50")
    name = session_name("c-1")
    sql(module_vault, "UPDATE vault.session SET sealed = sealed || '\\x00' WHERE session = %s", name)
    assert _seen(_scope(address="203.0.113.50")) == {there: "possibly"}


def test_it_answers_by_process(cast: Cast) -> None:
    """The kernel's word on who is at the other end of the socket: this very process, by number and start."""
    start = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    me = f"uid:{os.geteuid()}/{os.getpid()}.{start}"
    person = people.put(SALON, "by-process", customer(77))
    found = _scope(process=me)
    assert {one.process for one in found.ways} == {me}
    assert found.persons == _scope().persons
    assert person in _seen(found)
    assert not _scope(process=f"uid:{os.geteuid()}/{os.getpid()}.1").persons


def test_it_says_who_was_asked_for_and_is_spared(cast: Cast) -> None:
    """A person's question: by which ways, and in words that it was by none."""
    seen = _look(cast, 6, session="d-1", address="192.0.2.99")
    unseen = cast.customers[29]
    found = _scope(person=[str(seen), str(unseen)], address="192.0.2.99")
    assert _seen(found) == {seen: "exposed"}
    assert [(one.person, one.state) for one in found.spared] == [(unseen, ExposureState.NOT)]
    ways = _scope(person=str(seen)).ways
    assert {(one.actor, one.kind) for one in ways} == {("app", "import"), ("ren.salon", "intent")}


def _entry(vault: Vault, who: str, person: int, **more: Any) -> Any:
    named = {"shop": 1, "purpose": "today", "fields": ["name"], **more}
    return vault.record.write("intent", Way(who, f"pk-{who}", f"s-{who}"), persons=[PERSONS[person]], **named)


def test_it_tells_each_field_by_itself(bench: Bench) -> None:
    """First and last time and state are a field's own, and the person's are over those that count."""

    async def act(vault: Vault) -> None:
        for step, (names, outcome) in enumerate(
            [(["name"], "released"), (["name", "mail"], ""), (["phone"], "failed"), (["name"], "failed")]
        ):
            bench.clock = START + step * 1000
            entry = await _entry(vault, "a", 0, fields=names)
            if outcome:
                await vault.record.outcome(entry, Outcome(outcome), Way("a"))
        [one] = (await ask(vault, "scope", actor="a", since=0, until=START / 1000 + 9))["persons"]
        assert one["fields"] == {
            "mail": [START / 1000 + 1, START / 1000 + 1, "possibly"],
            "name": [START / 1000, START / 1000 + 1, "exposed"],
        }
        assert (one["state"], one["first"], one["last"]) == ("exposed", START / 1000, START / 1000 + 1)

    bench.run(act)


def test_it_puts_paths_together(bench: Bench) -> None:
    """A union counts each entry once; a person seen by two is one person."""

    async def act(vault: Vault) -> None:
        entries = [
            await _entry(vault, who, person) for who, person in (("a", 0), ("b", 0), ("c", 1), ("d", 2))
        ]
        found = await ask(
            vault, "scope", actor=["a", "b"], session=["s-a", "s-c"], since=0, until=START / 1000
        )
        assert {one["person"]: one["entries"] for one in found["persons"]} == {
            PERSONS[0]: entries[:2],
            PERSONS[1]: entries[2:3],
        }
        assert found["entries"] == 3

    bench.run(act)


def test_it_finds_what_a_wrong_clock_wrote(bench: Bench) -> None:
    """A clock a day ahead for a moment: what followed says that day, and is found under its own time, too."""

    async def act(vault: Vault) -> None:
        bench.clock = START + 86_400_000
        await _entry(vault, "a", 0)
        bench.clock = START
        await _entry(vault, "a", 1)
        found = await ask(vault, "scope", actor="a", since=START / 1000 - 1, until=START / 1000 + 1)
        assert [one["person"] for one in found["persons"]] == [PERSONS[1]]

    bench.run(act)


def test_it_counts_what_names_no_field(bench: Bench) -> None:
    """An entry that names persons and no field tells that they are there; a refusal or a sign-in does not."""

    async def act(vault: Vault) -> None:
        await vault.record.write("search", Way("a"), shop=1, persons=[PERSONS[0]])
        await vault.record.write("refused", Way("a"), shop=1, persons=[PERSONS[1]], note="budget")
        found = await ask(vault, "scope", actor="a", since=0, until=START / 1000)
        assert [(one["person"], list(one["fields"])) for one in found["persons"]] == [
            (PERSONS[0], [PRESENCE])
        ]

    bench.run(act)


def test_it_counts_every_kind_that_is_not_known_to_be_silent() -> None:
    """A way out that somebody adds later counts before anybody thinks of it here."""
    telling = {"intent", "search", "send", "put", "update", "import", "member"}
    assert KINDS - set(SILENT) >= telling
    assert state_of("someday", "", sure=True) is State.POSSIBLY


def test_it_knows_every_outcome() -> None:
    """Only a failure says that nothing was told; what is not known is possible."""
    expected = dict.fromkeys(Outcome, State.EXPOSED) | {
        Outcome.FAILED: State.NOT,
        Outcome.UNKNOWN: State.POSSIBLY,
    }
    assert {one: state_of("send", one, sure=True) for one in Outcome} == expected
    assert {one: state_of("put", one, sure=True) for one in Outcome} == dict.fromkeys(Outcome, State.EXPOSED)


@pytest.mark.parametrize(
    "wrong",
    [
        {"since": 2, "until": 1},
        {"actor": ["a", 5]},
        {"actor": [""]},
        {"store": "attic"},
        {"person": "hanako"},
        {"shop": "1"},
        {"proofs": ["1"]},
        {"until": 1e13},
    ],
)
def test_it_refuses_a_path_that_is_none(wrong: dict[str, object]) -> None:
    """Kinds and shapes are checked before anything is read."""
    with pytest.raises(BadRequest):
        Question.of({"since": 0, "until": 1, **wrong})


def test_it_widens_to_whole_milliseconds() -> None:
    """What lies between two milliseconds is asked for, not cut off."""
    question = Question.of({"since": 1.0009, "until": 1.0011})
    assert (question.since, question.until) == (1000, 1002)


def test_it_writes_nothing_typed_into_the_record() -> None:
    """An address, a device or a name that somebody typed as an actor does not get into the ledger."""
    for named in ({"address": "192.0.2.1"}, {"device": "x"}, {"actor": "山田 花子"}):
        assert Question.of({"since": 0, "until": 1, **named}).to_ref() == ""
