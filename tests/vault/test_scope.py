"""Whose data: the answer equals what the path really had in hand."""

import random
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from noren import errors, people
from noren.people import ExposureState, Purpose, Scope, powers
from noren.people.powers import Ask, under
from noren_vault.errors import BadRequest
from noren_vault.index import Index
from noren_vault.question import Question
from noren_vault.record import Outcome, Path
from noren_vault.vault import Vault
from tests.servers import VaultProcess
from tests.vault.cast import SALON, YOGA, Cast, customer, customers, join, sql
from tests.vault.conftest import START, Bench, ask
from tests.vault.operators import broken, second_passkey


def _scope(**path: str | int | None) -> Scope:
    now = datetime.now(UTC)
    return people.scope(since=now - timedelta(hours=1), until=now + timedelta(minutes=1), **path)  # type: ignore[arg-type]


def _settled(vault: VaultProcess) -> None:
    """Outcomes follow the answer by a moment."""
    deadline = time.monotonic() + 10
    while sql(vault, _OPEN) and time.monotonic() < deadline:
        time.sleep(0.02)
        people.doctor()


_OPEN = "SELECT 1 FROM vault.ledger_entry WHERE kind IN ('intent', 'search') AND outcome = '' LIMIT 1"


def test_it_names_exactly_whom_an_actor_saw(cast: Cast, module_vault: VaultProcess) -> None:
    """Random looks by several people: for each the answer is the very set of persons and fields they got."""
    chance, truth = random.Random(5), dict[str, dict[UUID, set[str]]]()
    for _ in range(40):
        player = chance.choice([cast.manager, cast.staff])
        wanted = chance.sample(cast.customers, chance.randrange(1, 6))
        names = chance.sample(["name", "kana", "mail", "phone"], 2)
        told = people.reveal(player.grant, Purpose.CUSTOMER, wanted, names)
        for person in told.persons:
            truth.setdefault(player.handle, {}).setdefault(person, set()).update(names)
    _settled(module_vault)
    for handle, seen in truth.items():
        found = _scope(actor=handle)
        assert {one.person: set(one.fields) for one in found.persons} == seen
        assert {one.state for one in found.persons} == {ExposureState.EXPOSED}
        assert {one.purposes for one in found.persons} == {("customer",)}
        assert found.complete


def test_it_answers_by_credential_and_by_session(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Two sign-ins of one person are told apart by session, and together by credential and actor."""
    first, second = fresh_cast.staff.sign_in("session-1"), fresh_cast.staff.sign_in("session-2")
    for signed, person in ((first, fresh_cast.customers[0]), (second, fresh_cast.customers[1])):
        people.reveal(signed.grant, Purpose.TODAY, [person], ["name"])
    for session, number in (("session-1", 0), ("session-2", 1)):
        assert [one.person for one in _scope(session=session).persons] == [fresh_cast.customers[number]]
    rows = sql(
        vault, "SELECT name FROM vault.passkey JOIN vault.actor USING (actor) WHERE handle = 'ren.salon'"
    )
    both = set(fresh_cast.customers[:2])
    assert {one.person for one in _scope(credential=str(rows[0][0])).persons} == both
    assert {one.person for one in _scope(actor="ren.salon").persons} == both
    assert not _scope(actor="nobody.salon").persons


def test_it_counts_what_came_in_and_what_was_mailed(fresh_cast: Cast) -> None:
    """A customer's own put, by the session it came through, and a mail to them are on the list."""
    person = people.put(SALON, "hold", customer(1), session="web-1")
    assert people.send(SALON, person, "k", subject="x", text="{name}") == "sent"
    [came] = _scope(session="web-1").persons
    assert (came.person, came.fields, came.purposes) == (person, ("kana", "mail", "name", "phone"), ("put",))
    [sent] = [one for one in _scope(actor="app").persons if one.person == person]
    assert (sent.fields, sent.purposes) == (("kana", "mail", "name", "phone"), ("message", "put"))


def test_it_answers_for_one_shop(fresh_cast: Cast) -> None:
    """A shop's answer holds its own persons only."""
    theirs = customers(YOGA, 0, 2)
    people.reveal(fresh_cast.outsider.grant, Purpose.TODAY, theirs, ["name"])
    found = _scope(shop_id=YOGA)
    assert {one.shop_id for one in found.persons} == {YOGA}
    assert set(theirs) <= {one.person for one in found.persons}
    assert not set(fresh_cast.customers) & {one.person for one in found.persons}


def test_it_proves_its_entries(fresh_cast: Cast) -> None:
    """The entries named can be had with proofs under the checkpoint that is given."""
    told = people.reveal(fresh_cast.staff.grant, Purpose.TODAY, fresh_cast.customers[:1], ["name"])
    now = datetime.now(UTC)
    found = people.scope(since=now - timedelta(hours=1), until=now, actor="ren.salon", proofs=[told.entry])
    assert found.persons[0].entries == (told.entry,)
    assert found.proofs[told.entry].startswith(f"c2sp.org/tlog-proof@v1\nindex {told.entry}\n")
    assert found.checkpoint.splitlines()[1] == str(found.head_size)


def test_it_is_asked_on_record(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Who asked about whom is itself an entry, without the answer."""
    _scope(actor="ren.salon")
    people.doctor()
    rows = sql(vault, "SELECT actor, ref, note FROM vault.ledger_entry WHERE kind = 'scope'")
    assert rows == [("admin", "ren.salon", "actor")]


def test_it_is_an_operators_or_an_administrators_to_ask(fresh_cast: Cast, vault: VaultProcess) -> None:
    """A shop's owner may not ask, nor an operator without a power; under one she may, and sees no name."""
    with pytest.raises(errors.GrantRefused):
        _scope(grant=fresh_cast.owner.grant)
    operator = join(people.invite_operator())
    with pytest.raises(errors.PowerNeeded):
        _scope(grant=operator.grant, actor="aoi.salon")
    second_passkey(vault.database_url, operator.handle)
    power = broken(operator, Ask(what="read_ledger_entries", words="調査", minutes=15))
    powers.enter_power(operator.grant, power)
    assert _scope(grant=under(operator.grant, power), actor="aoi.salon").complete


def test_it_calls_possible_what_has_no_outcome(bench: Bench) -> None:
    """Told: exposed. Failed: not on the list. Neither on record: possibly, whatever is asked by."""

    async def act(vault: Vault) -> None:
        path = Path("ren.salon", "pk-1", "s-1")
        persons = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(4)]
        for person, outcome in zip(persons, ["released", "failed", "", "unknown"], strict=True):
            entry = await vault.record.write(
                "intent", path, shop=1, purpose="today", persons=[person], fields=["name"]
            )
            if outcome:
                await vault.record.outcome(entry, Outcome(outcome), path)
        found = await ask(vault, "scope", actor="ren.salon", since=0, until=START / 1000)
        assert {one["person"]: one["state"] for one in found["persons"]} == {
            persons[0]: "exposed",
            persons[2]: "possibly",
            persons[3]: "possibly",
        }

    bench.run(act)


def test_it_keeps_to_its_time(bench: Bench) -> None:
    """Both ends of the time are included, to the millisecond, and nothing beyond."""

    async def act(vault: Vault) -> None:
        for step in range(5):
            bench.clock = START + step * 1000
            person = f"00000000-0000-4000-8000-00000000000{step}"
            await vault.record.write("intent", Path("a.b"), shop=1, persons=[person], fields=["name"])
        found = await ask(vault, "scope", since=START / 1000 + 1, until=START / 1000 + 3)
        assert [one["person"][-1] for one in found["persons"]] == ["1", "2", "3"]

    bench.run(act)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"since": "x", "until": 1},
        {"since": 0, "until": 1, "actor": 5},
        {"since": 0, "until": 1, "proofs": 1},
    ],
)
def test_it_refuses_a_question_that_is_none(params: dict[str, object]) -> None:
    """A question has two instants and a path of texts."""
    with pytest.raises(BadRequest):
        Question.of(params)


# -- the index behind it


def test_it_rebuilds_the_index_from_the_files(fresh_cast: Cast, vault: VaultProcess) -> None:
    """An index that was tampered with is found by the doctor and is whole again after a rebuild."""
    people.reveal(fresh_cast.staff.grant, Purpose.TODAY, fresh_cast.customers[:5], ["name"])
    _settled(vault)
    before = _scope(actor="ren.salon")
    sql(vault, "UPDATE vault.ledger_entry SET actor = 'aoi.salon' WHERE actor = 'ren.salon'")
    assert not _scope(actor="ren.salon").persons
    assert [one.check for one in people.doctor() if not one.ok] == ["index"]
    assert people.rebuild_index() == people.health().size
    assert all(one.ok for one in people.doctor())
    assert _scope(actor="ren.salon").persons == before.persons


def test_it_makes_the_index_anew_when_it_is_another_ledgers(bench: Bench) -> None:
    """A start with rows that are not this ledger's drops them and reads the files."""

    async def fill(vault: Vault) -> None:
        for _ in range(10):
            await vault.record.write("intent", Path("a.b"), shop=1)

    async def forge(vault: Vault) -> None:
        await _index(vault).reach(vault.record.ledger.size, 5)
        await vault.index.stop()
        await vault.records._database.run("UPDATE vault.ledger_entry SET leaf = sha256(leaf)")

    async def check(vault: Vault) -> None:
        await _index(vault).reach(vault.record.ledger.size, 5)
        assert await _index(vault).differs() == ""

    for act in (fill, forge, check):
        bench.run(act)


def _index(vault: Vault) -> Index:
    return vault.index
