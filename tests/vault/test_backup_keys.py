"""The ring of backup keys: one a day, each destroyed on its day, all on record."""

import os

import psycopg
import pytest

from noren.runtime import databases, env, migrate
from noren_vault.backup_keys import DAY_MS, date_text
from noren_vault.errors import BackupKeyGone, RecordDamaged
from noren_vault.vault import Vault
from tests.vault.conftest import START, Bench


def _files(bench: Bench) -> list[str]:
    return sorted(path.name for path in bench.configured.keys.glob("backup-*"))


async def _sealed(vault: Vault) -> tuple[bytes, bytes]:
    """Seal something under today's key: the key's id and the sealed part."""
    key = await vault.keeping.backup_keys.current()
    return key.id, key.seal(b"wrapped keys", "backup:1/part:1")


def _notes(vault: Vault) -> list[tuple[str, str]]:
    return [(entry.note, entry.ref) for _, entry in vault.record.ledger.entries() if entry.kind == "key"]


def test_it_has_one_key_a_day_that_outlives_a_restart(bench: Bench) -> None:
    """All backups of a day are under one key, tomorrow's under another; each opens what it sealed."""
    first, part = bench.run(_sealed)
    again, _ = bench.run(_sealed)
    bench.clock += DAY_MS
    next_day, _ = bench.run(_sealed)
    assert first == again != next_day
    assert len(_files(bench)) == 2

    async def opened(vault: Vault) -> bytes:
        key = await vault.keeping.backup_keys.open(first)
        with pytest.raises(RecordDamaged):
            key.open(part, "backup:1/part:2")
        return key.open(part, "backup:1/part:1")

    assert bench.run(opened) == b"wrapped keys"


def test_it_destroys_a_key_when_its_days_are_over(bench: Bench) -> None:
    """After 35 days no backup of that day can be opened, and the record says when the key was destroyed."""
    first, _ = bench.run(_sealed)
    last_midnight = (START // DAY_MS + 36) * DAY_MS
    bench.clock = last_midnight - 1

    async def kept(vault: Vault) -> None:
        assert await vault.keeping.backup_keys.destroy_due() == 0
        await vault.keeping.backup_keys.open(first)

    bench.run(kept)
    bench.clock = last_midnight

    async def gone(vault: Vault) -> list[tuple[str, str]]:
        with pytest.raises(BackupKeyGone):
            await vault.keeping.backup_keys.open(first)
        assert _files(bench)
        assert await vault.keeping.backup_keys.destroy_due() == 1
        assert await vault.keeping.backup_keys.destroy_due() == 0
        return _notes(vault)

    assert bench.run(gone) == [
        ("backup_made", f"backup:{first.hex()}/destroyed:{date_text(last_midnight)}"),
        ("backup_destroyed", f"backup:{first.hex()}"),
    ]
    assert _files(bench) == []


def test_it_takes_up_a_key_that_the_table_does_not_know(bench: Bench) -> None:
    """A restored older database forgets keys that were made since: their files still die on their day."""
    first, _ = bench.run(_sealed)
    path = next(bench.configured.keys.glob("backup-*"))
    os.utime(path, (START / 1000, START / 1000))

    async def forgotten(vault: Vault) -> int:
        with pytest.raises(BackupKeyGone):
            await vault.keeping.backup_keys.open(first)
        return await vault.keeping.backup_keys.destroy_due()

    _forget(bench)
    assert bench.run(forgotten) == 0
    bench.clock = START + 36 * DAY_MS

    async def due(vault: Vault) -> int:
        return await vault.keeping.backup_keys.destroy_due()

    assert bench.run(due) == 1
    assert _files(bench) == []


def _forget(bench: Bench) -> None:
    """Take the table back to before the key was made: what a restored dump does."""
    side = migrate.vault_side(env.read())
    words = side.migrator | {"dbname": bench.configured.database_url.rpartition("/")[2].split("?")[0]}
    with psycopg.connect(databases.url(words, become=side.owner), autocommit=True) as connection:
        connection.execute("DELETE FROM vault.backup_key")


def test_it_tells_the_day_by_which_todays_state_is_unreadable(bench: Bench) -> None:
    """The certificate's date is that of the key that lives longest, made now if there is none."""

    async def told(vault: Vault) -> str:
        return date_text((await vault.keeping.backup_keys.unreadable_from()).destroy_at)

    assert bench.run(told) == date_text((START // DAY_MS + 36) * DAY_MS)
    assert len(_files(bench)) == 1
