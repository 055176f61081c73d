"""Revealing: against a grant, for a purpose, within a budget, on record."""

import contextlib
from uuid import UUID, uuid4

import psycopg
import pytest

from noren import errors, people
from noren.people import Purpose
from noren_vault.budgets import LIMITS
from noren_vault.grants import IDLE_MS, LIFE_MS
from noren_vault.rights import Role
from tests.servers import VaultProcess
from tests.vault.cast import SALON, YOGA, Cast, customer, customers, in_parallel, sql


def _names(grant: str, persons: list[UUID]) -> people.Revealed:
    return people.reveal(grant, Purpose.TODAY, persons, ["name"])


def test_it_reveals_what_was_asked_and_no_more(cast: Cast) -> None:
    """The asked persons with the asked fields, the entry's index, and what is left of the budget."""
    told = _names(cast.staff.grant, cast.customers[:3])
    assert told.persons == {one: {"name": customer(n)["name"]} for n, one in enumerate(cast.customers[:3])}
    assert told.budget == people.Budget(today=3, left=297)
    assert _names(cast.staff.grant, cast.customers[:3]).entry > told.entry


def test_it_leaves_out_who_is_not_of_this_shop(cast: Cast) -> None:
    """Another shop's person and one that never was look alike: absent, or refused when nobody is left."""
    [theirs] = customers(YOGA, 500, 1)
    told = _names(cast.owner.grant, [cast.customers[5], theirs, uuid4()])
    assert list(told.persons) == [cast.customers[5]]
    for person in (theirs, uuid4()):
        with pytest.raises(errors.NoSuchPerson):
            _names(cast.owner.grant, [person])


def test_it_shows_members_to_no_colleague(cast: Cast, module_vault: VaultProcess) -> None:
    """A member's own name and mail are for the member alone, by the purpose `own`."""
    rows = sql(module_vault, "SELECT handle, person FROM vault.actor")
    persons = {str(handle): UUID(str(person)) for handle, person in rows}
    with pytest.raises(errors.NoSuchPerson):
        people.reveal(cast.owner.grant, Purpose.CUSTOMER, [persons["ren.salon"]], ["name", "mail"])
    with pytest.raises(errors.NoSuchPerson):
        people.reveal(cast.owner.grant, Purpose.OWN, [persons["ren.salon"]], ["name", "mail"])
    told = people.reveal(cast.staff.grant, Purpose.OWN, [persons["ren.salon"]], ["name", "mail"])
    assert list(told.persons.values()) == [{"name": "renさん", "mail": "ren@staff.example.jp"}]


@pytest.mark.parametrize("purpose", ["message", "support", "incident", "export", ""])
def test_it_refuses_purposes_that_are_nobodys(cast: Cast, purpose: str) -> None:
    """Purposes without a standing right, and unknown ones, reveal nothing even to an owner."""
    with pytest.raises(errors.PurposeRefused):
        people.reveal(cast.owner.grant, purpose, cast.customers[:1], ["name"])


def test_it_refuses_fields_the_purpose_does_not_need(cast: Cast) -> None:
    """Today's list shows no mail, and staff see no card digits."""
    with pytest.raises(errors.PurposeRefused):
        people.reveal(cast.staff.grant, Purpose.TODAY, cast.customers[:1], ["name", "mail"])
    with pytest.raises(errors.PurposeRefused):
        people.reveal(cast.staff.grant, Purpose.CUSTOMER, cast.customers[:1], ["card_last4"])


@pytest.mark.parametrize("token", ["", "x", "1.a.b", "1.0000000000000000.AAAA", "x" * 500, "１.a.b"])
def test_it_knows_no_such_grant(cast: Cast, token: str) -> None:
    """What is no grant asks for a new sign-in, whatever is wrong with it."""
    with pytest.raises(errors.GrantExpired):
        _names(token, cast.customers[:1])


def test_it_refuses_a_grant_turned_to_another_shop(cast: Cast) -> None:
    """The shop in a token is not a claim: changed, the grant is refused."""
    _, grant_id, secret = cast.owner.grant.split(".")
    with pytest.raises(errors.GrantRefused):
        _names(f"{YOGA}.{grant_id}.{secret}", cast.customers[:1])


def test_it_refuses_a_grant_whose_secret_is_changed(cast: Cast) -> None:
    """The grant's id alone opens nothing."""
    with pytest.raises(errors.GrantExpired):
        _names(cast.owner.grant[:-1] + ("A" if cast.owner.grant[-1] != "A" else "B"), cast.customers[:1])


def test_it_keeps_no_grants_secret(cast: Cast, module_vault: VaultProcess) -> None:
    """The database holds the secret's hash only."""
    text = str(sql(module_vault, "SELECT * FROM vault.access_grant"))
    assert cast.owner.grant.split(".")[1] in text
    assert cast.owner.grant.split(".")[2] not in text


@pytest.mark.parametrize("ending", ["expires_at = %s - 1", "seen_at = %s - 1", "revoked_at = %s"])
def test_it_ends_a_grant(fresh_cast: Cast, vault: VaultProcess, ending: str) -> None:
    """Past its hours, idle for too long, or revoked: the next use is refused."""
    assert fresh_cast.staff.passkey
    [[issued]] = sql(vault, "SELECT max(issued_at) FROM vault.access_grant")
    assert isinstance(issued, int)
    at = issued - (IDLE_MS if "seen" in ending else 0)
    sql(vault, f"UPDATE vault.access_grant SET {ending}", at)  # noqa: S608 - this test's own words
    with pytest.raises(errors.GrantExpired):
        _names(fresh_cast.staff.grant, fresh_cast.customers[:1])
    assert LIFE_MS == 12 * IDLE_MS


def test_it_refuses_who_does_not_work_there_any_more(fresh_cast: Cast, vault: VaultProcess) -> None:
    """An ended membership bites at the next use, with the grant still in its time."""
    sql(vault, "UPDATE vault.membership SET ended_at = 1 WHERE role = 'staff'")
    with pytest.raises(errors.GrantRefused):
        _names(fresh_cast.staff.grant, fresh_cast.customers[:1])
    assert _names(fresh_cast.owner.grant, fresh_cast.customers[:1])


def test_it_follows_a_changed_role_at_once(fresh_cast: Cast, vault: VaultProcess) -> None:
    """The role is read at each use: a manager made reception has a reception's rights in the same minute."""
    grant, person = fresh_cast.manager.grant, fresh_cast.customers[:1]
    people.reveal(grant, Purpose.CUSTOMER, person, ["answers"])
    sql(vault, "UPDATE vault.membership SET role = 'reception' WHERE role = 'manager'")
    with pytest.raises(errors.PurposeRefused):
        people.reveal(grant, Purpose.CUSTOMER, person, ["answers"])


def test_it_caps_one_request(cast: Cast) -> None:
    """More persons than a purpose may have in one request are refused before anything is looked up."""
    with pytest.raises(errors.BudgetExceeded):
        people.reveal(cast.owner.grant, Purpose.TODAY, [uuid4() for _ in range(201)], ["name"])
    with pytest.raises(errors.BudgetExceeded):
        people.reveal(cast.owner.grant, Purpose.CUSTOMER, [uuid4() for _ in range(101)], ["name"])


def test_it_never_overspends_a_budget_by_a_race(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Two hundred reveals at once at the edge, on two grants: as many new persons as were left, no more."""
    limit = LIMITS[Role.STAFF].hour
    everybody = customers(SALON, 1000, limit + 200)
    first, rest = everybody[: limit - 20], everybody[limit - 20 :]
    for start in range(0, len(first), 200):
        _names(fresh_cast.staff.grant, first[start : start + 200])
    grants = [fresh_cast.staff.grant, fresh_cast.staff.sign_in().grant]
    got: list[UUID] = []

    def drain(number: int) -> None:
        with contextlib.suppress(errors.BudgetExceeded):
            got.extend(_names(grants[number % 2], [rest[number]]).persons)

    in_parallel(200, drain)
    assert len(got) == 20
    vault.kill()
    vault.start()
    with pytest.raises(errors.BudgetExceeded):
        _names(grants[0], [rest[-1]])
    assert len(_names(grants[0], got).persons) == 20


def test_it_records_a_refusal_for_want_of_budget(fresh_cast: Cast, vault: VaultProcess) -> None:
    """A search that finds somebody and may not show it has told that there is somebody: it is on record."""
    for start in (0, 200):
        _names(fresh_cast.staff.grant, customers(SALON, 1000 + start, 200 - start // 2))
    with pytest.raises(errors.BudgetExceeded):
        people.search(fresh_cast.staff.grant, customer(3)["mail"])
    people.doctor()
    query = (
        "SELECT p.person FROM vault.ledger_entry e JOIN vault.ledger_person p USING (entry) "
        "WHERE e.kind = 'refused' AND e.note = 'budget:step_up'"
    )
    assert sql(vault, query) == [(fresh_cast.customers[3],)]


@pytest.mark.parametrize(
    "swap",
    [
        "sealed = (SELECT sealed FROM vault.field o WHERE o.person = %(other)s AND o.field = 'name')",
        "sealed = (SELECT sealed FROM vault.field o WHERE o.person = %(one)s AND o.field = 'kana')",
        "version = 2",
    ],
    ids=["person", "field", "version"],
)
def test_it_refuses_a_swapped_ciphertext(fresh_cast: Cast, vault: VaultProcess, swap: str) -> None:
    """Another person's value, another field's or another version's in the row: refused, and on record."""
    one, other = fresh_cast.customers[:2]
    with psycopg.connect(vault.database_url) as connection:
        query = f"UPDATE vault.field SET {swap} WHERE person = %(one)s AND field = 'name'"  # noqa: S608
        connection.execute(query.encode(), {"one": one, "other": other})
    with pytest.raises(errors.RecordDamaged):
        _names(fresh_cast.staff.grant, [one, other])
    assert _last_outcomes(vault, fresh_cast.staff.handle) == ["failed"]
    assert _names(fresh_cast.staff.grant, [other]).persons


def test_it_refuses_a_row_moved_to_another_shop(fresh_cast: Cast, vault: VaultProcess) -> None:
    """A person's rows, key included, copied whole into another shop do not open there."""
    person = fresh_cast.customers[0]
    for table, columns in (
        ("vault.person", "person, kind, state, NULL, NULL, made_at"),
        ("vault.field", "person, field, version, sealed, written_at"),
        ("keystore.person_key", "person, epoch, wrapped, versions, keyed_at"),
    ):
        copy = f"INSERT INTO {table} SELECT {YOGA}, {columns} FROM {table} WHERE person = %s"  # noqa: S608
        sql(vault, copy, person)
    with pytest.raises(errors.RecordDamaged):
        _names(fresh_cast.outsider.grant, [person])


def test_it_refuses_a_field_that_was_taken_away(fresh_cast: Cast, vault: VaultProcess) -> None:
    """A deleted field row is damage, not an empty field."""
    person = fresh_cast.customers[0]
    sql(vault, "DELETE FROM vault.field WHERE person = %s AND field = 'name'", person)
    with pytest.raises(errors.RecordDamaged):
        _names(fresh_cast.staff.grant, [person])


@pytest.mark.parametrize(
    "tables", [["vault.field"], ["vault.field", "keystore.person_key"]], ids=["row", "both"]
)
@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
def test_it_refuses_a_rollback(
    fresh_cast: Cast, vault: VaultProcess, tables: list[str], *, restart: bool
) -> None:
    """An older state put back, the row alone or with its wrapped key, is refused, after a restart too."""
    person, grant = fresh_cast.customers[0], fresh_cast.staff.grant
    people.update(grant, person, {"mail": "second@example.jp"})
    with psycopg.connect(vault.database_url, autocommit=True) as connection:
        for number, table in enumerate(tables):
            query = f"CREATE TEMP TABLE kept{number} AS SELECT * FROM {table} WHERE person = '{person}'"  # noqa: S608
            connection.execute(query.encode())
        people.update(grant, person, {"mail": "third@example.jp"})
        for number, table in enumerate(tables):
            connection.execute(f"DELETE FROM {table} WHERE person = '{person}'".encode())  # noqa: S608
            connection.execute(f"INSERT INTO {table} SELECT * FROM kept{number}".encode())  # noqa: S608
    if restart:
        vault.stop()
        vault.start()
    with pytest.raises(errors.RecordDamaged):
        people.reveal(grant, Purpose.CUSTOMER, [person], ["mail"])


def _last_outcomes(vault: VaultProcess, actor: str) -> list[object]:
    """The newest outcome of this actor in the ledger, once the index has it."""
    people.doctor()
    rows = sql(
        vault,
        "SELECT note FROM vault.ledger_entry WHERE kind = 'outcome' AND actor = %s "
        "ORDER BY entry DESC LIMIT 1",
        actor,
    )
    return [row[0] for row in rows]
