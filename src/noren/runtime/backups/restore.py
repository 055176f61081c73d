"""`noren restore`: a backup becomes a system in a new folder.

Whoever was erased stays erased, whatever the backup holds: the ledger says who, and the vault looks before it
serves. So the newest ledger is wanted, the one that was lost last; to go on with the backup's own, which
knows nothing of later, is a decision that has to be said, and is put on record.
"""

import fcntl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from noren.people import wire
from noren.runtime import databases
from noren.runtime.backups import ledgerfiles
from noren.runtime.backups.lay import Layer, Source
from noren.runtime.env import Env, StartRefused
from noren.runtime.paths import Paths

KINDS = ("epoch", "index", "pepper", "ledger", "backup")


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it: entries in the ledger, of which the backup itself had `known`."""

    into: Path
    known: int
    size: int
    findings: list[str]


def restore(given: Env, source: Source, into: Path, *, ledger: Path | None) -> Restored:
    """Bring a system up in a new folder, look whether it is whole, and stop it again.

    `ledger` is the newest one's folder; None goes on with the backup's own, on record. Raises StartRefused.
    """
    if ledger is not None:
        check_ledger(source, ledger)
    layer = Layer(given, source, into)
    layer.keys(KINDS)
    if ledger is None:
        layer.ledger_of_backup(layer.paths.ledger)
    else:
        ledgerfiles.copy(ledger, layer.paths.ledger)
    layer.give_ledger()
    layer.secrets()
    for archive in ("app", "vault", "ledger"):
        _copy_key(source.backup_keys, layer.paths.backup_keys, f"{archive}.txt")
    told = "older_ledger" if ledger is None else "restored"
    with layer.filled(), layer.vault() as vault:
        said = {"backup": source.manifest.id, "told": told, "size": source.manifest.size}
        wire.call(vault, "backup_restored", said, seconds=60)
        findings = doctor(layer)
        size = wire.call(vault, "health", {}, seconds=60)["size"]
    return Restored(into, source.manifest.size, size, findings)


def check_ledger(source: Source, ledger: Path) -> None:
    """Raise StartRefused unless this ledger is the backup's, goes at least as far, and names its manifest."""
    end, found = ledgerfiles.end(ledger), source.manifest
    if end.origin != found.origin:
        raise StartRefused(f"{ledger} is another ledger ({end.origin}) than the backup's ({found.origin}).")
    if end.size < found.size:
        raise StartRefused(
            f"{ledger} has {end.size} entries, the backup's own {found.size}: give a newer one, or "
            "--backups-ledger."
        )
    if not ledgerfiles.names(ledger, f"backup:{found.id}/manifest:{source.digest}"):
        raise StartRefused(
            f"{ledger} does not hold the SHA-256 of this backup's manifest: the backup was changed, or was "
            "never finished."
        )


def refuse_living(paths: Paths) -> None:
    """Raise StartRefused while a system runs on the data folder: two would write one ledger."""
    if not paths.lock.exists():
        return
    with paths.lock.open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartRefused(f"Noren runs on {paths.var}: stop it first, then restore.") from None


def doctor(layer: Layer) -> list[str]:
    """Have `noren doctor` examine the restored system; gives what is wrong."""
    env = layer.house.env
    done = subprocess.run(
        [sys.executable, "-m", "noren.cli", "doctor"],
        env=layer.house.app_environment("owner"),
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )
    if done.returncode == 0:
        return []
    words = (done.stdout + done.stderr).strip().splitlines()
    return words or [
        f"noren doctor ended with code {done.returncode} on {databases.APP_DATABASE} of {env.var}"
    ]


def _copy_key(old: Path, new: Path, name: str) -> None:
    new.mkdir(mode=0o700, exist_ok=True)
    path = new / name
    path.touch(mode=0o600)
    path.write_bytes((old / name).read_bytes())
