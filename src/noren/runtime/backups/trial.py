"""`noren backup verify`: a backup that nobody restored is a hope. The newest is restored and looked at.

It is laid out in a folder that is removed again, with a ledger and a ledger's key of its own: signed with the
true one, two histories of one ledger would come to be. The backup's ledger is checked as an outsider checks
it, by `noren-verify`.
"""

import hashlib
import secrets
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

from noren.errors import NorenError
from noren.people import wire
from noren.runtime import databases
from noren.runtime.backups import ledgerfiles, manifest
from noren.runtime.backups.lay import Layer, Source, remove
from noren.runtime.backups.restore import check_ledger, doctor
from noren.runtime.env import Env, StartRefused
from noren.runtime.paths import Paths

# A ledger's key of its own is made there.
TRIED = ("epoch", "index", "pepper")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a trial found: nothing in `wrong` is a backup that can be restored. `entry` tells so."""

    backup: str
    wrong: list[str]
    entry: int


def verify(given: Env, backup: str) -> Verdict:
    """Try one backup of the running system, and put the result on record.

    Raises VaultUnavailable, LedgerUnavailable when it cannot be recorded.
    """
    paths, size = Paths.of(given), 0
    try:
        source = Source.of(given.backups / backup, paths.keys, paths.backup_keys)
        size = source.manifest.size
        check_ledger(source, paths.ledger)
        wrong = _try(given, source)
    except StartRefused as refusal:
        wrong = [str(refusal)]
    except (NorenError, RuntimeError, psycopg.Error, OSError) as fault:
        wrong = [f"{type(fault).__name__}: the restored system did not answer as it must"]
    told = {"backup": backup, "told": "failed" if wrong else "verified", "size": size}
    entry = wire.call(str(paths.vault_socket), "backup_restored", told, seconds=60)["entry"]
    return Verdict(backup, wrong, entry)


def newest(given: Env) -> str:
    """Return the newest backup's id. Raises StartRefused where there is none."""
    found = manifest.ids(given.backups)
    if not found:
        raise StartRefused(f"There is no backup in {given.backups}: noren backup makes one.")
    return found[-1]


def _try(given: Env, source: Source) -> list[str]:
    # Beside the data, not in the temp folder: what is opened here stays on the same disk.
    folder = Path(tempfile.mkdtemp(prefix="trial-", dir=given.var))
    folder.chmod(0o755)
    into = folder / "var"
    layer = Layer(given, source, into)
    try:
        layer.keys(TRIED)
        layer.put(secrets.token_bytes(32), layer.paths.keys / f"ledger-0001-{secrets.token_hex(4)}.key")
        layer.secrets()
        wrong = _ledger(layer, folder / "ledger")
        with layer.filled():
            _forget_head(layer)
            with layer.vault() as vault:
                return wrong + doctor(layer) + _canary(source, vault)
    finally:
        remove(folder, layer.paths.sockets)


def _ledger(layer: Layer, folder: Path) -> list[str]:
    """Check the backup's ledger with the public key of the living one."""
    folder.mkdir()
    layer.ledger_of_backup(folder)
    end, found = ledgerfiles.end(folder), layer.source.manifest
    if (end.size, end.root) != (found.size, found.root):
        return ["the ledger in the backup does not end as its manifest says"]
    key = Paths.of(layer.given).ledger / "vkey"
    # The checkpoint's file is derived: the last head of the segments is the same text.
    (folder / "checkpoint").write_bytes(end.signed)
    done = subprocess.run(
        [sys.executable, "-m", "noren_verify", str(folder), "--key", str(key)],
        capture_output=True,
        text=True,
        check=False,
    )
    return [] if done.returncode == 0 else [f"noren-verify: {(done.stdout + done.stderr).strip()}"]


def _forget_head(layer: Layer) -> None:
    """Take the true ledger's head out of the trial's database, whose ledger begins anew."""
    words = databases.vault(layer.house.env, "migrator")
    with psycopg.connect(**words) as conn:  # type: ignore[arg-type]
        conn.execute(f"SET ROLE {databases.VAULT_OWNER}".encode())
        conn.execute("DELETE FROM vault.ledger_head")


def _canary(source: Source, vault: str) -> list[str]:
    """Reveal the one person who is in this backup alone: dump, wrapped keys and epoch keys fit together."""
    mail = wire.call(vault, "backup_canary", {"person": source.manifest.canary}, seconds=60)["mail"]
    if hashlib.sha256(mail.encode()).hexdigest() != source.manifest.canary_sha256:
        return ["the canary is not the one that was put in"]
    return []
