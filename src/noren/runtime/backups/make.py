"""Making a backup: four archives under four keys, in an order that lets them be put together again.

1. The vault names the day's backup key, before any snapshot.
2. The app's database. Whoever a booking names is in the vault already, and so in its later dump.
3. The vault's database without its wrapped data keys, and those alone, both of one state.
4. The ledger, last: it holds at least the head that the vault's database knows.
"""

import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from noren.people import wire
from noren.runtime import databases, secrets_file
from noren.runtime.backups import age, dumps, ledgerfiles, manifest
from noren.runtime.backups.manifest import File, Manifest
from noren.runtime.env import Env, StartRefused
from noren.runtime.paths import Paths

KEYSTORE = "keystore"
# The app's own keys without which every link that was mailed is void. Passwords are made anew.
APP_SECRETS = ("django_key", "link_key", "idempotency_key")
# Derived from the ledger, and made again from it at the start.
_DERIVED = ("--exclude-table-data=vault.ledger_entry", "--exclude-table-data=vault.ledger_person")
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup, and the ledger's entry about it."""

    manifest: Manifest
    folder: Path
    entry: int

    @property
    def size(self) -> int:
        """Bytes of all its archives."""
        return sum(file.size for file in self.manifest.files.values())


def make(given: Env, now: datetime) -> Made:
    """Make a backup of the running system. Raises StartRefused, VaultUnavailable, LedgerUnavailable."""
    paths = Paths.of(given)
    backup = manifest.new_id(now)
    with _unfinished(given.backups, backup) as half:
        begun = wire.call(str(paths.vault_socket), "backup_begin", {"backup": backup}, seconds=_SECONDS)
        files = Files(half, paths, begun["recipient"])
        _app(given, files)
        vault_archives(databases.vault(given, "migrator"), databases.VAULT_OWNER, files)
        done = files.manifest(backup, now, begun, files.ledger(paths.ledger))
        digest = done.write(half)
        told = {"backup": backup, "manifest": digest}
        entry = wire.call(str(paths.vault_socket), "backup_end", told, seconds=_SECONDS)["entry"]
    return Made(done, given.backups / backup, entry)


def prune(given: Env, now: datetime) -> list[str]:
    """Remove the backups whose key is destroyed by now, and erase their canaries; gives their ids.

    The newest is kept in any case.
    """
    oldest = now - timedelta(days=given.vault_backup_days + 1)
    old = [one for one in manifest.ids(given.backups)[:-1] if manifest.made(one) < oldest]
    for backup in old:
        canary = manifest.read(given.backups / backup)[0].canary
        asked = {"shop": 0, "person": canary, "reason": "retention"}
        wire.call(str(Paths.of(given).vault_socket), "erase", asked, seconds=_SECONDS)
        shutil.rmtree(given.backups / backup)
    return old


class Files:
    """Writes the archives of one backup."""

    def __init__(self, folder: Path, paths: Paths, keystore: str) -> None:
        self.folder = folder
        self.log = paths.log / "backup.log"
        self.made: dict[str, File] = {}
        self._recipients = {name: age.recipient(paths.backup_keys, name) for name in age.KEPT}
        self._recipients[KEYSTORE] = keystore

    def manifest(self, backup: str, now: datetime, begun: dict[str, Any], end: ledgerfiles.End) -> Manifest:
        """Say what was made: `begun` is the vault's answer at the beginning, `end` the packed ledger's."""
        return Manifest(
            id=backup,
            made_at=f"{now:%Y-%m-%dT%H:%M:%SZ}",
            key=begun["key"],
            sealed=begun["sealed"],
            origin=end.origin,
            size=end.size,
            root=end.root,
            canary=begun["canary"]["person"],
            canary_sha256=begun["canary"]["sha256"],
            files=self.made,
        )

    def add(self, name: str, archive: str, source: age.Readable) -> None:
        """Encrypt a stream into a file under its archive's key."""
        sha256, size = age.encrypt(source, self.folder / name, self._recipients[archive])
        self.made[name] = File(archive, sha256, size)

    def dump(self, archive: str, words: databases.Conninfo, owner: str, *options: str) -> None:
        """Dump a database, or a part of it."""
        with dumps.dump(words, owner, options, self.log) as output:
            self.add(f"{archive}.dump.age", archive, output)

    def ledger(self, folder: Path) -> ledgerfiles.End:
        """Pack the ledger; gives the head that it ends with."""
        with tempfile.TemporaryFile() as tar:
            end = ledgerfiles.pack(folder, tar)
            tar.seek(0)
            self.add("ledger.tar.age", "ledger", tar)
        return end


def _app(given: Env, files: Files) -> None:
    files.dump("app", databases.app(given, "owner"), databases.APP_OWNER)
    kept = secrets_file.read(Paths.of(given).app_secrets)
    text = json.dumps({name: kept[name] for name in APP_SECRETS})
    files.add("app.secrets.age", "app", io.BytesIO(text.encode()))


def vault_archives(words: databases.Conninfo, owner: str, files: Files) -> None:
    """Write the vault's two archives, both of one state of its database."""
    with dumps.snapshot(words, owner) as name:
        same = f"--snapshot={name}"
        files.dump("vault", words, owner, same, "--exclude-schema=keystore", *_DERIVED)
        files.dump(KEYSTORE, words, owner, same, "--schema=keystore")


@contextmanager
def _unfinished(backups: Path, backup: str) -> Iterator[Path]:
    """Give a folder that gets the backup's name when all went well, and is removed when not."""
    try:
        backups.mkdir(mode=0o700, parents=True, exist_ok=True)
        half = backups / f".{backup}.half"
        half.mkdir(mode=0o700)
    except OSError as error:
        raise StartRefused(f"No backup can be written to {backups}: {error.strerror}.") from None
    try:
        yield half
        half.rename(backups / backup)
        handle = os.open(backups, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
