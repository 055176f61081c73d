"""Lists that leave: a reason, two people beyond a hundred persons, every person on record, no canary told."""

import contextlib
import threading
import time
from typing import Any
from uuid import UUID

import pytest

from noren import clock, errors, people
from noren.people import Purpose
from tests.servers import Sink, VaultProcess
from tests.vault.cast import SALON, Cast, Player, customer, customers, invitation_of, join, member, sql

CARD = ("name", "kana", "mail", "phone", "note")
WHY = {"reason": "moving", "words": "別の台帳へ移す"}


def asked(player: Player, persons: list[UUID] | None = None, fields: Any = CARD) -> str:
    return people.ask_export(player.grant, fields=fields, persons=persons, **WHY)


def agreed(player: Player, transfer: str) -> None:
    options = people.agree_begin(player.grant, transfer)
    people.agree_finish(player.grant, transfer, player.passkey.get(options))


def taken(player: Player, transfer: str) -> list[list[str]]:
    opened = people.open_export(player.grant, transfer)
    return [row for rows in people.export_rows(player.grant, transfer, opened) for row in rows]


def named(transfer: str) -> dict[UUID, str]:
    """Who is in it by the record, and how surely."""
    now = clock.now()
    found = people.scope(since=now - (now - now.replace(year=2020)), until=now, export=transfer)
    return {one.person: str(one.state) for one in found.persons}


def canaries(vault: VaultProcess, transfer: str) -> set[str]:
    rows = sql(vault, "SELECT person::text FROM vault.canary WHERE transfer = %s", transfer)
    return {row[0] for row in rows}


def _notes(vault: VaultProcess, transfer: str) -> list[tuple[str, str]]:
    people.doctor()  # waits until the index has caught up
    query = "SELECT actor, note FROM vault.ledger_entry WHERE kind = 'export' AND ref = %s ORDER BY entry"
    return sql(vault, query, f"export:{transfer}")


def test_it_takes_a_second_person_and_then_tells_everybody_on_record(
    fresh_cast: Cast, vault: VaultProcess
) -> None:
    """1,230 customers in three pieces: the file's rows less the canaries are what scope answers."""
    there = {*fresh_cast.customers, *customers(SALON, 1000, 1200)}
    transfer = asked(fresh_cast.manager)
    with pytest.raises(errors.TransferWaits):
        people.open_export(fresh_cast.manager.grant, transfer)
    with pytest.raises(errors.GrantRefused):
        people.agree_begin(fresh_cast.manager.grant, transfer)
    agreed(fresh_cast.owner, transfer)
    rows = taken(fresh_cast.manager, transfer)
    hidden = canaries(vault, transfer)
    assert len(hidden) == 1230 // 50
    mails = {customer(number)["mail"] for number in [*range(30), *range(1000, 2200)]}
    assert mails == {row[2] for row in rows} & mails
    assert len(rows) == len(mails) + len(hidden)
    assert set(named(transfer)) == there
    assert set(named(transfer).values()) == {"exposed"}
    assert _notes(vault, transfer) == [
        ("mei.salon", "asked:moving"),
        ("aoi.salon", "approved"),
        ("mei.salon", "opened"),
        *[("mei.salon", "piece")] * 3,
    ]
    [one] = people.transfers(fresh_cast.owner.grant)
    assert (one.persons, one.told, one.runs, one.decider) == (1230, 1230, 1, "aoi.salon")
    assert one.words == WHY["words"]
    dump = str(sql(vault, "SELECT * FROM vault.transfer")) + str(
        sql(vault, "SELECT * FROM vault.ledger_entry")
    )
    assert WHY["words"] not in dump
    # Taken twice is told twice.
    taken(fresh_cast.manager, transfer)
    assert _notes(vault, transfer)[6:] == [("mei.salon", "opened"), *[("mei.salon", "piece")] * 3]


def test_it_mixes_the_canaries_in_and_shows_them_nowhere_else(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Among the rows, and unlike any other's; no search, reveal, mail or later export knows them."""
    customers(SALON, 1000, 100)
    transfer = asked(fresh_cast.owner)
    agreed(fresh_cast.manager, transfer)
    rows = taken(fresh_cast.owner, transfer)
    real = {customer(number)["mail"] for number in [*range(30), *range(1000, 1100)]}
    strange = [number for number, row in enumerate(rows) if row[2] not in real]
    assert len(strange) == len(canaries(vault, transfer)) == 5
    assert strange != list(range(len(rows) - 5, len(rows)))
    for number in strange:
        assert all(rows[number][:3])
        assert rows[number][3].startswith("090-0")
        found = people.search(fresh_cast.owner.grant, rows[number][2])
        assert found.found == 0
    for person in canaries(vault, transfer):
        with pytest.raises(errors.NoSuchPerson):
            people.reveal(fresh_cast.owner.grant, Purpose.CUSTOMER, [UUID(person)], ["name"])
        with pytest.raises(errors.NoSuchPerson):
            people.send(SALON, UUID(person), f"k-{person}", subject="x", text="{name}")
    later = asked(fresh_cast.owner)
    assert people.transfers(fresh_cast.owner.grant)[0].persons == 130
    assert canaries(vault, later).isdisjoint(canaries(vault, transfer))
    assert all(one.ok for one in people.doctor())


def test_up_to_a_hundred_whoever_asks_pays_from_the_own_budget(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Without a second person, debited as looks are: again costs nothing, and a restart fills nothing."""
    owner = fresh_cast.owner
    before = people.standing(owner.grant).budget
    transfer = asked(owner, fresh_cast.customers[:20], ["name", "mail"])
    rows = taken(owner, transfer)
    assert len(rows) == 20 + 5
    assert people.standing(owner.grant).budget == people.Budget(before.today + 40, before.left - 40)
    taken(owner, transfer)
    assert people.standing(owner.grant).budget.left == before.left - 40
    vault.kill()
    vault.start()
    assert people.standing(owner.grant).budget.left == before.left - 40
    more = customers(SALON, 5000, 480)
    for start in range(0, 400, 100):
        with contextlib.suppress(errors.BudgetExceeded):
            taken(owner, asked(owner, more[start : start + 100], ["name"]))
    with pytest.raises(errors.StepUpNeeded):
        taken(owner, asked(owner, more[400:480], ["name"]))
    assert people.transfers(owner.grant)[-1].persons == 20


def test_it_goes_on_after_a_kill_and_counts_what_was_lost_as_possible(
    fresh_cast: Cast, vault: VaultProcess
) -> None:
    """Killed between two pieces: nobody is left out, and nobody is told without an entry."""
    customers(SALON, 1000, 1100)
    transfer = asked(fresh_cast.owner)
    agreed(fresh_cast.manager, transfer)
    opened = people.open_export(fresh_cast.owner.grant, transfer)
    got = people.export_piece(fresh_cast.owner.grant, transfer, 0)
    vault.kill()
    with pytest.raises(errors.VaultUnavailable):
        people.export_piece(fresh_cast.owner.grant, transfer, 1)
    vault.start()
    stated = named(transfer)
    assert len(stated) == 500 - _hidden_before(vault, transfer, 500)
    assert set(stated.values()) <= {"exposed", "possibly"}
    for piece in range(1, opened.pieces):
        got += people.export_piece(fresh_cast.owner.grant, transfer, piece)
    assert len(got) == 1130 + len(canaries(vault, transfer))
    assert len({tuple(row) for row in got}) == len(got)
    assert len(named(transfer)) == 1130


def _hidden_before(vault: VaultProcess, transfer: str, place: int) -> int:
    query = (
        "SELECT count(*) FROM vault.transfer_place JOIN vault.canary USING (transfer, person) "
        "WHERE transfer = %s AND place < %s"
    )
    return int(sql(vault, query, transfer, place)[0][0])


def test_nobody_but_the_two_gets_it(fresh_cast: Cast) -> None:
    """Staff ask for none, another shop finds none, a passkey's answer is good for one deed, no is no."""
    customers(SALON, 1000, 100)
    owner, manager, staff = fresh_cast.owner, fresh_cast.manager, fresh_cast.staff
    with pytest.raises(errors.GrantRefused):
        asked(staff)
    with pytest.raises(errors.PurposeRefused):
        asked(owner, None, ["health"])
    transfer, other = asked(owner), asked(owner)
    for act in (people.agree_begin, people.decline_transfer, people.open_export):
        with pytest.raises(errors.NoSuchTransfer):
            act(fresh_cast.outsider.grant, transfer)
        with pytest.raises(errors.GrantRefused):
            act(staff.grant, transfer) if act is not people.open_export else act(manager.grant, transfer)
    for options in (people.step_up_begin(manager.grant), people.agree_begin(manager.grant, other)):
        with pytest.raises(errors.PasskeyRefused):
            people.agree_finish(manager.grant, transfer, manager.passkey.get(options))
    with pytest.raises(errors.PasskeyRefused):
        people.agree_finish(
            manager.grant, transfer, owner.passkey.get(people.agree_begin(manager.grant, transfer))
        )
    people.decline_transfer(manager.grant, transfer)
    with pytest.raises(errors.TransferOver):
        people.agree_begin(manager.grant, transfer)
    with pytest.raises(errors.TransferOver):
        people.open_export(owner.grant, transfer)
    agreed(manager, other)
    with pytest.raises(errors.GrantRefused):
        people.open_export(manager.grant, other)


def test_it_ends_in_the_middle(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Cancelled between two pieces, or a right lost: the next piece is refused, the first stays told."""
    customers(SALON, 1000, 1100)
    owner, manager = fresh_cast.owner, fresh_cast.manager
    transfer = asked(manager)
    agreed(owner, transfer)
    people.open_export(manager.grant, transfer)
    assert people.export_piece(manager.grant, transfer, 0)
    people.cancel_transfer(owner.grant, transfer)
    with pytest.raises(errors.TransferOver):
        people.export_piece(manager.grant, transfer, 1)
    assert set(named(transfer).values()) == {"exposed"}
    second = asked(manager)
    agreed(owner, second)
    people.open_export(manager.grant, second)
    people.change_member(owner.grant, "mei.salon", "reception")
    again = manager.sign_in().grant
    with pytest.raises(errors.GrantRefused):
        people.export_piece(again, second, 0)
    assert named(second) == {}
    assert _notes(vault, second)[-1][1] == "opened"


def test_it_holds_who_decides_no_more(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Whoever agreed was let go before it was taken; whoever is alone has nobody to ask."""
    customers(SALON, 1000, 100)
    owner, manager = fresh_cast.owner, fresh_cast.manager
    transfer = asked(owner)
    agreed(manager, transfer)
    people.end_member(owner.grant, "mei.salon")
    with pytest.raises(errors.TransferOver):
        people.open_export(owner.grant, transfer)
    with pytest.raises(errors.BudgetHeld):
        asked(owner)
    people.doctor()
    assert sql(vault, "SELECT note FROM vault.ledger_entry WHERE kind = 'refused' AND ref = 'export'") == [
        ("budget:hold",)
    ]


def test_an_asking_whose_right_ended_is_not_agreed_to(fresh_cast: Cast, mail: Sink) -> None:
    """Whoever asked was let go before anybody answered."""
    customers(SALON, 1000, 100)
    people.add_member(fresh_cast.owner.grant, member("yui", "manager"))
    yui = join(invitation_of(mail, "yui@staff.example.jp"))
    transfer = asked(yui)
    people.end_member(fresh_cast.owner.grant, "yui.salon")
    with pytest.raises(errors.TransferOver):
        people.agree_begin(fresh_cast.manager.grant, transfer)


def test_it_ends_by_time(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Not answered within a day, or not taken within its hour: over, and the places are let go."""
    customers(SALON, 1000, 100)
    owner, manager = fresh_cast.owner, fresh_cast.manager
    waits, ready = asked(owner), asked(owner)
    agreed(manager, ready)
    days = {one.transfer: (one.until - one.asked).total_seconds() for one in people.transfers(owner.grant)}
    assert days[waits] == 24 * 3600
    assert 3600 <= days[ready] < 2 * 3600
    sql(vault, "UPDATE vault.transfer SET expires_at = asked_at")
    with pytest.raises(errors.TransferOver):
        people.agree_begin(manager.grant, waits)
    with pytest.raises(errors.TransferOver):
        people.open_export(owner.grant, ready)
    assert {one.state for one in people.transfers(owner.grant)} == {"over"}


def test_a_kill_in_the_middle_of_pieces_loses_nobody(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Whoever arrived is named; whoever is named and did not arrive is possibly exposed, never silent."""
    by_mail = {customer(number)["mail"]: number for number in [*range(30), *range(1000, 3000)]}
    ids = dict(zip(range(1000, 3000), customers(SALON, 1000, 2000), strict=True))
    ids |= dict(enumerate(fresh_cast.customers))
    transfer = asked(fresh_cast.owner)
    agreed(fresh_cast.manager, transfer)
    opened = people.open_export(fresh_cast.owner.grant, transfer)
    got: list[list[str]] = []

    def read() -> None:
        with contextlib.suppress(errors.VaultUnavailable):
            for _ in range(100):
                for piece in range(opened.pieces):
                    got.extend(people.export_piece(fresh_cast.owner.grant, transfer, piece))

    reader = threading.Thread(target=read)
    reader.start()
    while len(got) < 1000:
        time.sleep(0.001)
    vault.kill()
    reader.join()
    vault.start()
    held = {ids[by_mail[row[2]]] for row in got if row[2] in by_mail}
    found = named(transfer)
    assert held <= set(found)
    assert {found[person] for person in set(found) - held} <= {"possibly"}


def test_nobody_but_an_administrator_imports_without_asking(fresh_cast: Cast, vault: VaultProcess) -> None:
    """The app's own process is told no; what came in by an administrator has its reason on record."""
    assert fresh_cast
    people.import_rows(SALON, [people.Row("x1", customer(9001))], reason="other")
    people.doctor()
    [(actor, note)] = sql(
        vault, "SELECT actor, note FROM vault.ledger_entry WHERE kind = 'import' AND note <> 'moving'"
    )
    assert (actor, note) == ("app", "other")
    with pytest.raises(RuntimeError):
        people.import_rows(SALON, [people.Row("x2", customer(9002))], reason="fun")


def test_without_a_ledger_no_piece_is_told(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Its files gone from the folder: the piece is refused, and so is asking for another list."""
    customers(SALON, 1000, 100)
    transfer = asked(fresh_cast.owner)
    agreed(fresh_cast.manager, transfer)
    people.open_export(fresh_cast.owner.grant, transfer)
    for path in (vault.ledger / "segments").iterdir():
        path.unlink()
    with pytest.raises(errors.LedgerUnavailable):
        people.export_piece(fresh_cast.owner.grant, transfer, 0)
    with pytest.raises(errors.LedgerUnavailable):
        asked(fresh_cast.owner)


def test_nobody_is_opened_before_the_entry_is_durable(fresh_cast: Cast, vault: VaultProcess) -> None:
    """What a damaged row refuses has its entry already, which says that nothing was told."""
    customers(SALON, 1000, 100)
    transfer = asked(fresh_cast.owner)
    agreed(fresh_cast.manager, transfer)
    people.open_export(fresh_cast.owner.grant, transfer)
    sql(vault, "UPDATE vault.field SET sealed = sealed || '\\x00'::bytea WHERE field = 'mail'")
    with pytest.raises(errors.RecordDamaged):
        people.export_piece(fresh_cast.owner.grant, transfer, 0)
    assert named(transfer) == {}
    people.doctor()
    [(outcome, count)] = sql(
        vault,
        "SELECT outcome, (SELECT count(*) FROM vault.ledger_person p WHERE p.entry = e.entry) "
        "FROM vault.ledger_entry e WHERE kind = 'export' AND note = 'piece'",
    )
    assert (outcome, count) == ("failed", 130)


def test_a_list_comes_in_by_two_and_on_record(fresh_cast: Cast, vault: VaultProcess) -> None:
    """No more rows and no other fields than were agreed to; everybody of it in entries; again is the same."""
    owner, manager = fresh_cast.owner, fresh_cast.manager
    rows = [people.Row(f"n{number}", customer(number)) for number in range(7000, 7700)]
    about = {"fields": ["name", "kana", "mail", "phone"], "rows": len(rows), "about": "0" * 64}
    transfer = people.ask_import(owner.grant, **WHY, **about)  # type: ignore[arg-type]
    with pytest.raises(errors.TransferWaits):
        people.take_import(owner.grant, transfer, rows)
    agreed(manager, transfer)
    for wrong in ([*rows, rows[0]], [people.Row("x", {"name": "x", "note": "y"})]):
        with pytest.raises(RuntimeError):
            people.take_import(owner.grant, transfer, wrong, check=True)
    with pytest.raises(errors.GrantRefused):
        people.take_import(manager.grant, transfer, rows)
    done = people.take_import(owner.grant, transfer, rows)
    assert not done.bad
    vault.kill()
    vault.start()
    assert people.take_import(owner.grant, transfer, rows).persons == done.persons
    people.doctor()
    told = sql(
        vault,
        "SELECT DISTINCT p.person FROM vault.ledger_entry e JOIN vault.ledger_person p USING (entry) "
        "WHERE e.kind = 'import' AND e.ref = %s AND e.actor = 'aoi.salon'",
        f"import:{transfer}",
    )
    assert {row[0] for row in told} == set(done.persons.values())
    [one] = people.transfers(owner.grant)
    assert (one.kind, one.told, one.runs) == ("import", 700, 2)
