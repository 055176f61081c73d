"""Incidents: only added to, read by members alone, each record committed to on the ledger."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from noren import errors, people
from noren.people import incidents
from noren.people.incidents import Book
from noren_vault.incidents import commitment
from noren_vault.vault import Vault
from tests.servers import Sink, VaultProcess
from tests.vault import operators
from tests.vault.cast import Cast, as_owner, sql
from tests.vault.conftest import Bench, ask
from tests.vault.operators import Platform

SWAPPED = """
UPDATE vault.incident_record SET sealed = o.sealed FROM vault.incident_record o
WHERE vault.incident_record.number = 2 AND o.number = 1
"""
WORDS = "佐藤の鍵で夜中に名簿が見られている"


@pytest.fixture
def platform(fresh_cast: Cast, vault: VaultProcess, mail: Sink) -> Platform:
    assert fresh_cast
    return operators.found(vault, mail)


def _said(book: Book) -> list[tuple[int, str, str, str]]:
    return [(one.number, one.by, one.kind, one.words) for one in book.records]


def _finding() -> people.Finding:
    return next(one for one in people.doctor() if one.check == "incidents")


def test_it_is_opened_added_to_and_read(platform: Platform, vault: VaultProcess) -> None:
    """Every record is there in order; the ledger has what was done, by whom, and none of the words."""
    first, second = platform.first, platform.second
    incident = incidents.open_one(first.grant, WORDS)
    assert incidents.change_member(first.grant, incident, second.handle, "in") == 2
    assert incidents.add(second.grant, incident, "note", "鍵は今朝のうちに止めた") == 3
    book = incidents.read(second.grant, incident)
    assert _said(book) == [
        (1, first.handle, "opened", WORDS),
        (2, first.handle, "member", json.dumps({"handle": second.handle, "standing": "in"})),
        (3, second.handle, "note", "鍵は今朝のうちに止めた"),
    ]
    assert dict(book.members) == {first.handle: "in", second.handle: "in"}
    (listed,) = incidents.all_of(second.grant)
    assert (listed.incident, listed.by, listed.records, listed.words) == (incident, first.handle, 3, WORDS)
    people.doctor()  # waits until the index has caught up
    rows = sql(
        vault,
        "SELECT actor, note, ref FROM vault.ledger_entry WHERE kind = 'incident' ORDER BY entry",
    )
    place = f"incident:{incident}"
    assert rows == [
        (first.handle, "added:opened", f"{place}/1"),
        (first.handle, "added:member", f"{place}/2"),
        (second.handle, "added:note", f"{place}/3"),
        (second.handle, "read", place),
        (second.handle, "listed", ""),
    ]
    dump = str(sql(vault, "SELECT * FROM vault.incident_record")) + str(
        sql(vault, "SELECT * FROM vault.ledger_entry")
    )
    assert "佐藤" not in dump
    assert "鍵は今朝" not in dump


def test_each_record_can_be_proved_with_its_salt(platform: Platform, vault: VaultProcess) -> None:
    """Whoever is shown a record and its salt computes the entry's commitment."""
    incident = incidents.open_one(platform.first.grant, WORDS)
    (one,) = incidents.read(platform.first.grant, incident).records
    people.doctor()
    ((entry,),) = sql(vault, "SELECT entry FROM vault.ledger_entry WHERE ref = %s", f"incident:{incident}/1")
    (line,) = people.evidence(size=people.health().size, entries=[entry]).entries
    at = int(one.at.timestamp() * 1000)
    shown = commitment(incident, 1, at=at, by=one.by, kind=one.kind, words=one.words, salt=one.salt)
    assert json.loads(line)["commit"] == shown
    other = commitment(incident, 1, at=at, by=one.by, kind=one.kind, words="別の言葉", salt=one.salt)
    assert other != shown


def test_to_others_there_is_none(platform: Platform, fresh_cast: Cast) -> None:
    """An operator who is no member, an auditor, an owner: the same answer as for one that never was."""
    incident = incidents.open_one(platform.first.grant, WORDS)
    assert incidents.all_of(platform.second.grant) == []
    for name in (incident, "0" * 16, "none"):
        with pytest.raises(errors.NoSuchIncident):
            incidents.read(platform.second.grant, name)
        with pytest.raises(errors.NoSuchIncident):
            incidents.add(platform.second.grant, name, "note", "x")
        with pytest.raises(errors.NoSuchIncident):
            incidents.change_member(platform.second.grant, name, platform.second.handle, "in")
    for grant in (platform.auditor.grant, fresh_cast.owner.grant):
        with pytest.raises(errors.GrantRefused):
            incidents.read(grant, incident)
        with pytest.raises(errors.GrantRefused):
            incidents.all_of(grant)


def test_whom_it_may_be_about_is_barred(platform: Platform) -> None:
    """She reads no more of it, and cannot be talked in again by herself; somebody else always reads it."""
    first, second = platform.first, platform.second
    incident = incidents.open_one(first.grant, WORDS)
    incidents.change_member(first.grant, incident, second.handle, "in")
    assert incidents.read(second.grant, incident).records
    incidents.change_member(first.grant, incident, second.handle, "barred")
    assert incidents.all_of(second.grant) == []
    with pytest.raises(errors.NoSuchIncident):
        incidents.read(second.grant, incident)
    with pytest.raises(errors.NoSuchIncident):
        incidents.change_member(second.grant, incident, second.handle, "in")
    with pytest.raises(errors.LastMember):
        incidents.change_member(first.grant, incident, first.handle, "out")
    with pytest.raises(errors.GrantRefused):
        incidents.change_member(first.grant, incident, first.handle, "barred")
    for nobody in ("nobody.operator", platform.auditor.handle):
        with pytest.raises(errors.NoSuchMember):
            incidents.change_member(first.grant, incident, nobody, "in")
    assert dict(incidents.read(first.grant, incident).members) == {
        first.handle: "in",
        second.handle: "barred",
    }


def test_an_administrators_shell_opens_one_too(platform: Platform) -> None:
    """Where the only operator is whom it is about, the machine's administrator is who is left."""
    incident = incidents.open_one(None, WORDS)
    with pytest.raises(errors.NoSuchIncident):
        incidents.read(platform.first.grant, incident)
    incidents.change_member(None, incident, platform.second.handle, "in")
    assert [one.by for one in incidents.read(platform.second.grant, incident).records] == ["admin", "admin"]
    assert [one.incident for one in incidents.all_of(None)] == [incident]


NO_RECORDS = (
    ("note", " "),
    ("note", ""),
    ("note", "x" * 20_001),
    ("opened", "x"),
    ("member", "x"),
    ("A b", "x"),
)


def test_what_is_no_record_is_refused(platform: Platform) -> None:
    """Empty, too long, or of a kind that is the vault's own: nothing is added."""
    incident = incidents.open_one(platform.first.grant, WORDS)
    for kind, words in NO_RECORDS:
        with pytest.raises(RuntimeError, match="add_to_incident"):
            incidents.add(platform.first.grant, incident, kind, words)
    assert len(incidents.read(platform.first.grant, incident).records) == 1


def test_many_at_once_are_all_there(platform: Platform) -> None:
    """Numbers without a gap or a double, whoever writes at the same time."""
    incident = incidents.open_one(platform.first.grant, WORDS)
    with ThreadPoolExecutor(8) as pool:
        numbers = list(
            pool.map(lambda n: incidents.add(platform.first.grant, incident, "note", f"{n}"), range(24))
        )
    assert sorted(numbers) == list(range(2, 26))
    book = incidents.read(platform.first.grant, incident)
    assert sorted(int(one.words) for one in book.records[1:]) == list(range(24))
    assert _finding().ok


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        ("UPDATE vault.incident_record SET by = 'kei.operator' WHERE number = 2", True),
        ("UPDATE vault.incident_record SET at = at + 1 WHERE number = 2", True),
        ("UPDATE vault.incident_record SET kind = 'fact' WHERE number = 2", True),
        (SWAPPED, True),
        ("DELETE FROM vault.incident_record WHERE number = 2", True),
        ("DELETE FROM vault.incident_record WHERE number = 3", True),
        ("UPDATE vault.incident_record SET at = at WHERE number = 2", False),
    ],
)
def test_the_doctor_finds_what_was_changed_or_taken_out(
    platform: Platform, vault: VaultProcess, spoil: str, found: bool
) -> None:
    """Whoever has the database itself may change a row; not unseen, the last one neither."""
    incident = incidents.open_one(platform.first.grant, WORDS)
    for text in ("one", "two"):
        incidents.add(platform.first.grant, incident, "note", text)
    assert _finding().ok
    as_owner(vault, spoil)
    assert _finding().ok is not found


def test_a_record_that_does_not_open_hides_no_other(platform: Platform, vault: VaultProcess) -> None:
    """Whoever has the database takes no book from those who need it: the doctor names the record."""
    incident = incidents.open_one(platform.first.grant, WORDS)
    for text in ("one", "two"):
        incidents.add(platform.first.grant, incident, "note", text)
    as_owner(vault, SWAPPED)
    assert [one.words for one in incidents.read(platform.first.grant, incident).records] == [WORDS, "", "two"]
    assert incidents.add(platform.first.grant, incident, "note", "three") == 4
    assert not _finding().ok


def test_an_adding_that_was_cut_off_is_none(platform: Platform, vault: VaultProcess) -> None:
    """An entry whose row never came is no fault; the next record takes its number."""
    incident = incidents.open_one(platform.first.grant, WORDS)
    as_owner(vault, "ALTER TABLE vault.incident_record ADD CONSTRAINT cut CHECK (number < 2)")
    with pytest.raises(errors.VaultUnavailable):
        incidents.add(platform.first.grant, incident, "note", "half")
    as_owner(vault, "ALTER TABLE vault.incident_record DROP CONSTRAINT cut")
    assert _finding().ok
    assert incidents.add(platform.first.grant, incident, "note", "whole") == 2
    assert [one.words for one in incidents.read(platform.first.grant, incident).records] == [WORDS, "whole"]
    assert _finding().ok


def test_what_is_added_while_the_doctor_looks_is_no_finding(bench: Bench) -> None:
    """Between its look at the ledger and that at the table a record may come."""

    async def act(vault: Vault) -> None:
        incident = (await ask(vault, "open_incident", words=WORDS))["incident"]
        database = vault.records._database
        rows, added = database.rows, list[dict[str, Any]]()

        async def late(query: str, *params: Any, **more: Any) -> Any:
            found = await rows(query, *params, **more)
            if query.startswith("SELECT ref, entry, outcome") and not added:
                words = {"incident": incident, "kind": "note", "words": WORDS}
                added.append(await ask(vault, "add_to_incident", **words))
            return found

        database.rows = late  # type: ignore[method-assign]
        findings = (await ask(vault, "doctor"))["findings"]
        assert added
        assert [one for one in findings if one["check"] == "incidents" and not one["ok"]] == []

    bench.run(act)
