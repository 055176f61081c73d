"""A stolen backup: made by the vault and the product's own maker, opened by a thief's own hand.

What the thief opens (`noren.drill.sealed`: nothing of the vault's) is the truth for the answer.
"""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from bench.year import MINUTE, House
from noren.drill.sealed import Archives
from noren.people import wire
from noren.runtime import postgres
from noren.runtime.backups import manifest
from noren.runtime.backups.make import Files, vault_archives
from noren.runtime.paths import Paths

# -- the house's half


def make(house: House) -> Path:
    """Make a backup of the vault's side; gives its folder. It takes a minute of the house's clock."""
    backup = manifest.new_id(datetime.fromtimestamp(house.clock / 1000, UTC))
    paths, folder, socket = (
        Paths(house.folder),
        house.folder / "backups" / backup,
        str(house.configured.socket),
    )
    for needed in (folder, paths.log):
        needed.mkdir(parents=True, exist_ok=True)
    begun = wire.call(socket, "backup_begin", {"backup": backup}, seconds=60)
    files = Files(folder, paths, begun["recipient"])
    vault_archives(house.migrator, house.owner, files)
    done = files.manifest(backup, datetime.now(UTC), begun, files.ledger(paths.ledger))
    house.clock += MINUTE
    wire.call(socket, "backup_end", {"backup": backup, "manifest": done.write(folder)}, seconds=60)
    return folder


# -- the thief's half


def take(
    archives: Path, house: House, to: Path, *, backup_keys: bool = False, keys: bool = False
) -> Archives:
    """Copy what is taken, as it lies now, to a place of the thief's own."""
    there: dict[str, Path] = {}
    for name, source, taken in (
        ("folder", archives, True),
        ("backup_keys", Paths(house.folder).backup_keys, backup_keys),
        ("keys", house.configured.keys, keys),
    ):
        if taken:
            there[name] = Path(shutil.copytree(source, to / name))
    return Archives(tool=postgres.binaries() / "pg_restore", **there)
