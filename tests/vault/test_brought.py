"""A list that comes in: looked at before, joined to who is there, undone as a whole."""

import pytest

from noren import errors, people
from noren.people import Purpose, Row, card, lists
from tests.servers import VaultProcess
from tests.vault.cast import SALON, Cast, customer, customers, sql
from tests.vault.test_transfers import WHY, agreed

FIELDS = ("name", "kana", "mail", "phone")


def rows(first: int, count: int) -> list[Row]:
    return [Row(f"new{n}", customer(n)) for n in range(first, first + count)]


def taken(cast: Cast, given: list[Row], *, join: bool = False) -> tuple[str, people.Imported]:
    transfer = people.ask_import(cast.owner.grant, fields=FIELDS, rows=len(given), about="", **WHY)
    if len(given) > lists.ALONE:
        agreed(cast.manager, transfer)
    return transfer, people.take_import(cast.owner.grant, transfer, given, join=join)


def last_entry(vault: VaultProcess, kind: str) -> tuple[str, str, int]:
    people.doctor()
    query = (
        "SELECT e.note, e.ref, count(p.person) FROM vault.ledger_entry e "
        "LEFT JOIN vault.ledger_person p USING (entry) WHERE e.kind = %s "
        "GROUP BY e.entry ORDER BY e.entry DESC LIMIT 1"
    )
    [(note, ref, persons)] = sql(vault, query, kind)
    return note, ref, persons


def test_a_look_says_who_is_there_and_is_on_record(fresh_cast: Cast, vault: VaultProcess) -> None:
    """By key or by address; faults by row; nobody is stored, and the look stands in the ledger."""
    grant = fresh_cast.owner.grant
    taken(fresh_cast, rows(500, 3))
    [beside] = customers(SALON, 700, 1)
    assert beside
    other = Row("other", customer(800) | {"mail": customer(700)["mail"].upper()})
    looked = lists.look_import(grant, [*rows(500, 2), *rows(600, 2), other, Row("bad", {"phone": "1"})])
    assert looked.known == {"new500", "new501", "other"}
    assert {(one.key, one.field) for one in looked.bad} == {("bad", "name"), ("bad", "phone")}
    assert last_entry(vault, "import") == ("looked", "", 3)
    assert people.search(grant, customer(600)["mail"]).found == 0
    with pytest.raises(errors.GrantRefused):
        lists.look_import(fresh_cast.staff.grant, rows(500, 1))


def test_who_has_the_address_is_joined_and_never_overwritten(fresh_cast: Cast) -> None:
    """Joined she keeps her name; without that a second person stands beside her."""
    grant = fresh_cast.owner.grant
    [there] = customers(SALON, 700, 1)
    row = Row("other", {"name": "別の 名", "mail": customer(700)["mail"]})
    assert taken(fresh_cast, [row], join=True)[1].persons == {"other": there}
    told = people.reveal(grant, Purpose.CUSTOMER, [there], ["name"]).persons[there]
    assert told["name"] == customer(700)["name"]
    beside = taken(fresh_cast, [row])[1].persons["other"]
    assert beside != there


def test_a_key_alone_names_who_came_earlier(fresh_cast: Cast) -> None:
    """A row without any field is whom its key names, or nobody."""
    first = taken(fresh_cast, rows(500, 1))[1]
    _, again = taken(fresh_cast, [Row("new500", {}), Row("nobody", {})])
    assert again.persons == first.persons
    assert [(one.key, one.field, one.reason) for one in again.bad] == [("nobody", "name", "empty")]


def test_an_import_is_undone_and_who_was_touched_stays(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Only who came with it and is as she came; an entry names each; again nothing happens."""
    grant = fresh_cast.owner.grant
    before = customers(SALON, 700, 1)
    transfer, done = taken(fresh_cast, [*rows(500, 120), Row("joined", customer(700))], join=True)
    fresh = [done.persons[f"new{n}"] for n in range(500, 620)]
    people.update(grant, fresh[0], {"note": "左利き"})
    found = dict(lists.import_brought(grant, transfer))
    assert found == {person: person != fresh[0] for person in fresh}
    stranger = fresh_cast.customers[0]
    assert lists.undo_import(grant, transfer, [*fresh, *before, stranger]) == 119
    note, ref, persons = last_entry(vault, "erase")
    assert (note, persons) == ("mistake", 119)
    assert ref.endswith(f"/import:{transfer}")
    assert dict(lists.import_brought(grant, transfer)) == {fresh[0]: False}
    assert lists.undo_import(grant, transfer, fresh) == 0
    with pytest.raises(errors.NoSuchPerson):
        people.reveal(grant, Purpose.CUSTOMER, [fresh[1]], ["name"])
    kept = [fresh[0], *before, stranger]
    assert set(people.reveal(grant, Purpose.CUSTOMER, kept, ["name"]).persons) == set(kept)
    certificate = people.erase(SALON, fresh[1], "asked", grant=grant)
    assert certificate.reason == "mistake"
    assert all(one.ok for one in people.doctor())


def test_an_undo_is_for_who_moves_lists_of_that_shop(fresh_cast: Cast) -> None:
    """Not for staff, and of no list that is not there."""
    transfer, _ = taken(fresh_cast, rows(500, 1))
    with pytest.raises(errors.GrantRefused):
        lists.undo_import(fresh_cast.staff.grant, transfer, [])
    with pytest.raises(errors.NoSuchTransfer):
        lists.undo_import(fresh_cast.owner.grant, "0123456789abcdef", [])


def test_whom_another_record_was_joined_to_is_not_as_she_came(fresh_cast: Cast) -> None:
    """She stands for somebody who was there before: with her the other one would go."""
    grant = fresh_cast.owner.grant
    transfer, done = taken(fresh_cast, rows(500, 2))
    stands, fresh = done.persons["new500"], done.persons["new501"]
    [there] = customers(SALON, 700, 1)
    people.update(grant, there, {"kana": "", "phone": ""})
    card.merge(grant, there, stands, [])
    assert dict(lists.import_brought(grant, transfer)) == {stands: False, fresh: True}
    assert lists.undo_import(grant, transfer, [stands, fresh]) == 1
    assert set(people.reveal(grant, Purpose.CUSTOMER, [stands], ["name"]).persons) == {stands}


def test_a_step_tells_who_came_until_it_is_written_down(fresh_cast: Cast, vault: VaultProcess) -> None:
    """The same rows give the same ids as often as they are asked for; what is written down goes, no sooner.

    Who has the address of somebody of an earlier piece is her; a key alone is who came with an earlier list.
    """
    earlier = taken(fresh_cast, rows(900, 1))[1].persons["new900"]
    shared = Row("shared", customer(7) | {"mail": customer(505)["mail"]})
    given = [*rows(500, 150), shared, Row("new900", {}), *rows(650, 98)]
    transfer = people.ask_import(fresh_cast.owner.grant, fields=FIELDS, rows=len(given), about="", **WHY)
    agreed(fresh_cast.manager, transfer)
    assert lists.leave_import(fresh_cast.owner.grant, transfer, given, join=True) == ()

    def step(first: int) -> lists.Came:
        came = lists.step_import(SALON, transfer, first)
        assert came is not None
        return came

    def left() -> list[int]:
        query = "SELECT place FROM vault.transfer_rows WHERE transfer = %s ORDER BY place"
        return [row[0] for row in sql(vault, query, transfer)]

    one = step(0)
    assert (set(one.persons), one.place) == ({row.key for row in given[:100]}, 100)
    assert step(0) == one
    assert step(99) == one
    assert left() == [0, 100, 200]
    two = step(100)
    assert (two.place, left()) == (200, [100, 200])
    assert two.persons["shared"] == one.persons["new505"]
    assert two.persons["new900"] == earlier
    assert step(100) == two
    assert (step(200).place, left()) == (250, [200])
    assert (lists.step_import(SALON, transfer, 250), left()) == (None, [])
    assert len(dict(lists.import_brought(fresh_cast.owner.grant, transfer))) == 248
    sql(vault, "UPDATE vault.transfer SET expires_at = 1 WHERE transfer = %s", transfer)
    with pytest.raises(errors.TransferOver):
        lists.step_import(SALON, transfer, 250)
