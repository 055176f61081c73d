"""Putting, keeping and changing persons, on a real vault."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from noren import errors, people
from noren.people import Purpose
from noren_vault.errors import LedgerUnavailable, NoSuchPerson
from noren_vault.fields import Value
from noren_vault.grants import Grant
from noren_vault.people import People, Sealed
from noren_vault.permissions import Permission
from noren_vault.records import PROVISIONAL_MS
from noren_vault.rights import Purpose as VaultPurpose
from noren_vault.rights import Role
from noren_vault.vault import Vault
from tests.vault.cast import SALON, Cast, customer, in_parallel
from tests.vault.conftest import Bench, ask

FIELDS = ["name", "mail"]


def _seen(cast: Cast, person: UUID, *fields: str) -> dict[str, str]:
    return people.reveal(cast.owner.grant, Purpose.CUSTOMER, [person], fields or FIELDS).persons[person]


def test_it_gives_back_what_was_put(cast: Cast) -> None:
    """What a customer typed is what staff see, every field of it."""
    given = customer(100) | {"note": "一行目\n二行目"}
    person = people.put(SALON, "hold-100", given, session="s")
    assert _seen(cast, person, "name", "kana", "mail", "phone", "note") == given


def test_it_gives_the_same_person_for_the_same_key(cast: Cast) -> None:
    """A put that is tried again, its answer lost, makes nobody new."""
    first = people.put(SALON, "hold-101", customer(101))
    assert people.put(SALON, "hold-101", customer(101)) == first
    assert people.put(SALON, "hold-102", customer(101)) != first
    assert people.put(2, "hold-101", customer(101)) != first


def test_it_takes_corrected_values_while_provisional(cast: Cast) -> None:
    """The form sent again with another mail, before anything is booked, counts."""
    person = people.put(SALON, "hold-103", {"name": "花子", "mail": "typo@example.jp", "note": "x"})
    assert people.put(SALON, "hold-103", {"name": "花子", "mail": "right@example.jp"}) == person
    assert _seen(cast, person, "name", "mail", "note") == {"name": "花子", "mail": "right@example.jp"}


def test_it_changes_nobody_who_is_kept_by_the_same_key(cast: Cast) -> None:
    """After the booking, a put with its key finds the person and leaves the fields alone."""
    person = people.put(SALON, "hold-104", {"name": "花子", "mail": "first@example.jp"})
    people.keep(SALON, person)
    people.keep(SALON, person)
    assert people.put(SALON, "hold-104", {"name": "別人", "mail": "other@example.jp"}) == person
    assert _seen(cast, person) == {"name": "花子", "mail": "first@example.jp"}


def test_it_keeps_nobody_it_does_not_know(cast: Cast) -> None:
    """Keeping an unknown person, or another shop's, is an error and no silence."""
    person = people.put(SALON, "hold-105", customer(105))
    for shop, one in ((SALON, uuid4()), (2, person)):
        with pytest.raises(errors.NoSuchPerson):
            people.keep(shop, one)


def test_it_says_what_is_wrong_with_each_field(cast: Cast) -> None:
    """A refused put names every bad field with its reason, and stores nothing."""
    with pytest.raises(errors.BadField) as refusal:
        people.put(SALON, "hold-106", {"name": "あ" * 10_000, "mail": "x", "phone": "1"})
    assert refusal.value.facts["fields"] == {"name": "too_long", "mail": "mail", "phone": "phone"}
    person = people.put(SALON, "hold-106", customer(106))
    assert _seen(cast, person)["name"] == customer(106)["name"]


def test_it_writes_fields_anew(cast: Cast) -> None:
    """An update changes the named fields, removes the empty ones and leaves the rest."""
    person = cast.customers[0]
    assert people.update(cast.staff.grant, person, {"mail": "new@example.jp", "phone": ""}) == 2
    assert people.update(cast.staff.grant, person, {"mail": "newer@example.jp"}) == 3
    seen = _seen(cast, person, "name", "mail", "phone")
    assert seen == {"name": customer(0)["name"], "mail": "newer@example.jp"}


def test_it_updates_nobody_of_another_shop(cast: Cast) -> None:
    """Another shop's owner cannot change a person, and cannot tell whether there is one."""
    for person in (cast.customers[0], uuid4()):
        with pytest.raises(errors.NoSuchPerson):
            people.update(cast.outsider.grant, person, {"name": "x"})


def test_it_puts_at_once_by_many_with_one_key(cast: Cast) -> None:
    """Twenty puts of one key at the same time give one person."""
    found = in_parallel(20, lambda _: people.put(SALON, "hold-107", customer(107)))
    assert len(set(found)) == 1


def test_it_erases_who_is_not_kept_within_the_hour(bench: Bench) -> None:
    """A provisional person is gone after an hour, with key and fields; a kept one stays."""

    async def act(vault: Vault) -> None:
        left = (await ask(vault, "put", shop=1, key="a", fields=customer(1)))["person"]
        kept = (await ask(vault, "put", shop=1, key="b", fields=customer(2)))["person"]
        await ask(vault, "keep", shop=1, person=kept)
        assert await vault.records.erase_unkept(bench.clock + PROVISIONAL_MS - 1) == 0
        assert await vault.records.erase_unkept(bench.clock + PROVISIONAL_MS) == 1
        assert await vault.records.erase_unkept(bench.clock + PROVISIONAL_MS) == 0
        with pytest.raises(NoSuchPerson):
            await ask(vault, "keep", shop=1, person=left)
        again = await ask(vault, "put", shop=1, key="a", fields=customer(1))
        assert again["created"]
        assert again["person"] != left

    bench.run(act)
    with psycopg.connect(bench.configured.database_url) as connection:
        keys = connection.execute("SELECT count(*) FROM keystore.person_key").fetchone()
        assert keys == (2,)


def test_it_records_an_erasure_before_and_after(bench: Bench) -> None:
    """The ledger names who was erased, and that it was done."""

    async def act(vault: Vault) -> None:
        person = (await ask(vault, "put", shop=1, key="a", fields=customer(1)))["person"]
        await vault.records.erase_unkept(bench.clock + PROVISIONAL_MS)
        entries = [entry for _, entry in vault.record.ledger.entries()]
        assert [entry.kind for entry in entries] == ["start", "put", "erase", "outcome"]
        assert entries[2].persons == (person,)
        assert (entries[3].ref, entries[3].note) == ("2", "done")

    bench.run(act)


def test_it_opens_nothing_before_it_is_written_down(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the ledger takes no entry, no sealed value is opened, for a list, a search or a letter."""
    opened: list[str] = []
    real = People.open

    def watched(self: People, shop: int, sealed: Sealed, names: Sequence[str]) -> dict[str, Value]:
        opened.append(sealed.person)
        return real(self, shop, sealed, names)

    async def act(vault: Vault) -> None:
        person = (await ask(vault, "put", shop=1, key="a", fields=customer(1)))["person"]
        until, all_of_it = bench.clock + 1, frozenset(Permission)
        grant = Grant(
            "g", 1, str(uuid4()), "a.b", None, Role.OWNER, None, "c", "s", until, permissions=all_of_it
        )
        told = await vault.records.reveal(grant, VaultPurpose.TODAY, [person], ("name",))
        assert (opened, list(told.persons)) == ([person], [person])
        for path in (bench.configured.ledger / "segments").iterdir():
            path.unlink()
        for attempt in (
            vault.records.reveal(grant, VaultPurpose.TODAY, [person], ("name",)),
            vault.records.search(grant, "山田花子1", 20),
            ask(vault, "send", shop=1, person=person, message_key="k", subject="x", text="y"),
        ):
            with pytest.raises(LedgerUnavailable):
                await attempt
        assert opened == [person]

    monkeypatch.setattr(People, "open", watched)
    bench.run(act)


def test_it_shows_who_is_changed_while_the_look_is_written_down(bench: Bench) -> None:
    """The newest values, and no alarm: what was read before the entry is replaced, not damaged."""

    async def act(vault: Vault) -> None:
        person = (await ask(vault, "put", shop=1, key="a", fields=customer(1)))["person"]
        until, all_of_it = bench.clock + 1, frozenset(Permission)
        grant = Grant(
            "g", 1, str(uuid4()), "a.b", None, Role.OWNER, None, "c", "s", until, permissions=all_of_it
        )
        write = vault.record.write

        async def slow(kind: str, *args: Any, **named: Any) -> int:
            entry = await write(kind, *args, **named)
            if kind == "intent":
                await vault.records.update(grant, person, {"name": "新しい名"})
            return entry

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(vault.record, "write", slow)
            told = await vault.records.reveal(grant, VaultPurpose.TODAY, [person], ("name",))
        assert told.persons == {person: {"name": "新しい名"}}

    bench.run(act)
