"""Erasing for good: nothing opens any more, a certificate proves it, an older database brings nobody back."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from noren import errors, people
from noren.incidents import erasing
from noren.people import Certificate, Purpose
from noren_vault.backup_keys import DAY_MS, date_text
from noren_vault.erasure import Reason
from noren_vault.record import Path as Way
from noren_vault.vault import Vault
from tests.servers import VaultProcess
from tests.vault.cast import SALON, YOGA, Cast, customer, customers, sql
from tests.vault.conftest import START, Bench, ask

ADMIN = Way("admin", "uid:0")


def _rows(vault: VaultProcess, person: UUID) -> list[int]:
    tables = ("keystore.person_key", "vault.field", "vault.blind")
    return [sql(vault, f"SELECT count(*) FROM {t} WHERE person = %s", person)[0][0] for t in tables]  # noqa: S608


def test_it_erases_a_customer_and_certifies_it(cast: Cast, module_vault: VaultProcess) -> None:
    """Key, fields and tokens are gone; nobody finds or opens her; the certificate has entries and a day."""
    [person] = customers(SALON, 100, 1)
    told = people.erase(SALON, person, "asked", grant=cast.owner.grant)
    assert _rows(module_vault, person) == [0, 0, 0]
    for act in (
        lambda: people.reveal(cast.owner.grant, Purpose.CUSTOMER, [person], ["name"]),
        lambda: people.update(cast.owner.grant, person, {"name": "x"}),
        lambda: people.keep(SALON, person),
        lambda: people.send(SALON, person, "k", subject="x", text="y"),
    ):
        with pytest.raises(errors.NoSuchPerson):
            act()
    assert people.search(cast.owner.grant, customer(100)["mail"]).persons == {}
    assert (told.shop_id, told.person, told.reason) == (SALON, person, "asked")
    assert datetime.now(UTC) - told.erased_at < timedelta(minutes=1)
    assert told.unreadable_from == datetime.now(UTC).date() + timedelta(days=36)
    erased, done = (json.loads(one.entry) for one in told.entries)
    assert (erased["kind"], erased["persons"], erased["note"]) == ("erase", [str(person)], "asked")
    assert erased["ref"].endswith(f"/unreadable_from:{told.unreadable_from}")
    assert erased["actor"] == cast.owner.handle
    assert (done["kind"], done["ref"], done["note"]) == ("outcome", str(told.entries[0].index), "done")


def test_it_gives_the_same_certificate_again(cast: Cast) -> None:
    """To erase the erased changes nothing and gives the same entries."""
    [person] = customers(SALON, 110, 1)
    first = people.erase(SALON, person, "retention")
    again = people.erase(SALON, person, "asked")
    assert [one.index for one in again.entries] == [one.index for one in first.entries]
    assert (again.reason, again.erased_at) == ("retention", first.erased_at)


def test_it_erases_only_for_the_owner_or_an_administrator(cast: Cast) -> None:
    """Manager and staff are refused, another shop's owner too; a member and a stranger cannot be erased."""
    [person] = customers(SALON, 120, 1)
    for grant in (cast.manager.grant, cast.staff.grant, cast.outsider.grant):
        with pytest.raises(errors.GrantRefused):
            people.erase(SALON, person, "asked", grant=grant)
    with pytest.raises(errors.NoSuchPerson):
        people.erase(YOGA, person, "asked", grant=cast.outsider.grant)
    with pytest.raises(errors.NoSuchPerson):
        people.erase(SALON, uuid4(), "asked")
    with pytest.raises(RuntimeError, match="reason is one of"):
        people.erase(SALON, person, "because")
    assert people.reveal(cast.owner.grant, Purpose.CUSTOMER, [person], ["name"]).persons


def test_it_erases_no_member(cast: Cast, module_vault: VaultProcess) -> None:
    """Who works there is not a customer."""
    [[member]] = sql(module_vault, "SELECT person FROM vault.actor WHERE handle = 'ren.salon'")
    with pytest.raises(errors.NoSuchPerson):
        people.erase(SALON, member, "asked")


def test_it_makes_a_new_person_of_the_same_key(cast: Cast) -> None:
    """Who was erased and comes again is another person."""
    [person] = customers(SALON, 130, 1)
    people.erase(SALON, person, "asked")
    [again] = customers(SALON, 130, 1)
    assert again != person


@pytest.fixture
def certificate(cast: Cast) -> Certificate:
    [person] = customers(SALON, 140, 1)
    return people.erase(SALON, person, "asked")


def _verify(folder: Path, index: int, entry: Path) -> "subprocess.CompletedProcess[str]":
    words = [
        "--key",
        str(folder / "vkey"),
        "--proof",
        str(folder / f"{index}.tlog-proof"),
        "--entry",
        str(entry),
    ]
    return subprocess.run(
        [sys.executable, "-m", "noren_verify", *words], check=False, capture_output=True, text=True
    )


def test_it_prints_what_an_outsider_can_check(certificate: Certificate, tmp_path: Path) -> None:
    """The printed files satisfy the verifier; with another person written into the entry they do not."""
    text = erasing.keep(certificate, tmp_path)
    folder = tmp_path / f"erased-{certificate.person}"
    assert (folder / "certificate.txt").read_text() == text
    assert f"unrecoverable from backups from {certificate.unreadable_from} on" in text
    assert str(certificate.person) in text
    for one in certificate.entries:
        assert f"--proof {folder}/{one.index}.tlog-proof --entry {folder}/{one.index}.entry" in text
        good = _verify(folder, one.index, folder / f"{one.index}.entry")
        assert good.returncode == 0, good.stderr
    forged = tmp_path / "forged"
    forged.write_text(certificate.entries[0].entry.replace(str(certificate.person), str(uuid4())))
    assert _verify(folder, certificate.entries[0].index, forged).returncode == 1


# -- in this process


async def _erased(vault: Vault) -> tuple[str, str]:
    """Put, keep and erase somebody: her id, and the day of the backups."""
    person = (await ask(vault, "put", shop=YOGA, key="a", fields=customer(1), session=""))["person"]
    await ask(vault, "keep", shop=YOGA, person=person)
    told = await vault.keeping.erasure.erase(YOGA, person, Reason.ASKED, ADMIN)
    return person, told.unreadable_from


def test_it_names_the_day_of_the_last_backup_key(bench: Bench) -> None:
    """The certificate's day is when the newest backup key is destroyed, and on that day it is."""
    _, day = bench.run(_erased)
    assert day == date_text((START // DAY_MS + 36) * DAY_MS)
    bench.clock = (START // DAY_MS + 36) * DAY_MS

    async def due(vault: Vault) -> tuple[int, int]:
        return await vault.keeping.backup_keys.destroy_due(), len(await vault.keeping.backup_keys.ring())

    assert bench.run(due) == (1, 0)


def test_it_brings_nobody_back_with_an_older_database(bench: Bench) -> None:
    """Rows of the erased put back as they were: nothing opens, and the next start erases them again."""

    async def kept(vault: Vault) -> tuple[str, list[list[tuple[object, ...]]]]:
        person = (await ask(vault, "put", shop=YOGA, key="a", fields=customer(1), session=""))["person"]
        await ask(vault, "keep", shop=YOGA, person=person)
        rows = _copy(bench, person)
        await vault.keeping.erasure.erase(YOGA, person, Reason.ASKED, ADMIN)
        return person, rows

    person, rows = bench.run(kept)

    async def again(vault: Vault) -> None:
        _restore(bench, person, rows)
        [sealed] = await vault.records._people.read(YOGA, [person], ["name"])
        with pytest.raises(Exception, match="decryption failed"):
            vault.records._people.open(YOGA, sealed, ["name"])

    async def gone(vault: Vault) -> list[object]:
        return list(await vault.records._people.read(YOGA, [person], ["name"]))

    bench.run(again)
    assert bench.run(gone) == []


def _copy(bench: Bench, person: str) -> list[list[tuple[object, ...]]]:
    """What an older dump holds of her."""
    with psycopg.connect(bench.configured.database_url) as connection:
        key = connection.execute("SELECT * FROM keystore.person_key WHERE person = %s", [person])
        fields = connection.execute("SELECT * FROM vault.field WHERE person = %s", [person])
        return [key.fetchall(), fields.fetchall()]


def _restore(bench: Bench, person: str, rows: list[list[tuple[object, ...]]]) -> None:
    [[shop, who, epoch, wrapped, versions, keyed_at]], fields = rows
    with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
        connection.execute("UPDATE vault.person SET state = 'kept' WHERE person = %s", [person])
        connection.execute(
            "INSERT INTO keystore.person_key VALUES (%s, %s, %s, %s, %s, %s)",
            [shop, who, epoch, wrapped, Jsonb(versions), keyed_at],
        )
        for row in fields:
            connection.execute("INSERT INTO vault.field VALUES (%s, %s, %s, %s, %s, %s)", row)


def test_it_ends_an_erasure_that_a_crash_cut_off(bench: Bench) -> None:
    """Committed, and the outcome not yet on record: it is written once, and the floor holds from then on."""

    async def cut(vault: Vault) -> str:
        person = (await ask(vault, "put", shop=YOGA, key="a", fields=customer(1), session=""))["person"]
        async with vault.records._database.transaction() as connection:
            ref = "backup:0/unreadable_from:2027-01-01"
            await vault.record.write("erase", ADMIN, shop=YOGA, persons=[person], note="asked", ref=ref)
            await vault.records._people.destroy(connection, YOGA, [person])
        return str(person)

    person = bench.run(cut)

    async def settled(vault: Vault) -> list[str]:
        for _ in range(2):
            await vault.keeping.erasure.settle()
        told = await vault.keeping.erasure.erase(YOGA, person, Reason.ASKED, ADMIN)
        assert told.unreadable_from == "2027-01-01"
        return [e.note for _, e in vault.record.ledger.entries() if e.kind == "outcome"]

    assert bench.run(settled) == ["done"]


def test_it_erases_nobody_whose_erasure_cannot_be_written_down(bench: Bench) -> None:
    """No ledger, no erasure: she is as she was."""

    async def act(vault: Vault) -> int:
        person = (await ask(vault, "put", shop=YOGA, key="a", fields=customer(1), session=""))["person"]
        await vault.keeping.backup_keys.current()
        for path in (bench.configured.ledger / "segments").iterdir():
            path.unlink()
        with pytest.raises(Exception, match=r"ledger|segment|written"):
            await vault.keeping.erasure.erase(YOGA, person, Reason.ASKED, ADMIN)
        row = await vault.records._database.row("SELECT count(*) FROM keystore.person_key")
        assert row is not None
        return int(row[0])

    assert bench.run(act) == 1
