"""`noren backup` and `noren restore`, as the user who starts the system."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from noren.runtime import env
from noren.runtime.backups import manifest, trial
from noren.runtime.backups.lay import Source
from noren.runtime.backups.make import make, prune
from noren.runtime.backups.restore import refuse_living, restore
from noren.runtime.env import Env, StartRefused
from noren.runtime.paths import Paths


def backup(words: Sequence[str]) -> int:
    """Make a backup of the running system, and remove those whose key is destroyed."""
    parser = argparse.ArgumentParser(prog="noren backup", description=backup.__doc__)
    parser.add_argument(
        "--verify", action="store_true", help="then restore it in a folder of its own and look"
    )
    asked, given = parser.parse_args(words), env.read()
    if not (given.app_here and given.vault_here):
        raise StartRefused(
            "a backup holds both sides of one moment, and the other side is on another host. Copy each "
            "host's data folder and databases by the means of that host"
        )
    now = datetime.now(UTC)
    made = make(given, now)
    _say(
        f"{made.manifest.id}: {made.size} bytes in {made.folder}, entry {made.entry} of the ledger. "
        f"Readable for {given.vault_backup_days} days, and only with keys/ and backup-keys/."
    )
    for old in prune(given, now):
        _say(f"{old}: removed, its key is destroyed.")
    return _verify(given, made.manifest.id) if asked.verify else 0


def verify(words: Sequence[str]) -> int:
    """Restore a backup for a moment, examine it, reveal its canary, and put the result on record."""
    parser = argparse.ArgumentParser(prog="noren backup verify", description=verify.__doc__)
    parser.add_argument("id", metavar="ID", nargs="?", help="the backup (the newest, unless given)")
    asked, given = parser.parse_args(words), env.read()
    return _verify(given, asked.id or trial.newest(given))


def listed(words: Sequence[str]) -> int:
    """List the backups, oldest first."""
    argparse.ArgumentParser(prog="noren backup list", description=listed.__doc__).parse_args(words)
    given = env.read()
    for one in manifest.ids(given.backups):
        found, _ = manifest.read(given.backups / one)
        size = sum(file.size for file in found.files.values())
        _say(f"{one}  {size:>12} bytes  ledger {found.size}  backup key {found.key}")
    return 0


def restored(words: Sequence[str]) -> int:
    """Restore a backup into a new data folder. The system that it was made of must not run any more."""
    parser = argparse.ArgumentParser(prog="noren restore", description=restored.__doc__)
    parser.add_argument("id", metavar="ID", help="the backup")
    parser.add_argument("--into", metavar="FOLDER", type=Path, required=True, help="the new data folder")
    parser.add_argument("--keys", metavar="FOLDER", type=Path, help="the vault's keys (NOREN_VAR/keys)")
    parser.add_argument("--backup-keys", metavar="FOLDER", type=Path, help="(NOREN_VAR/backup-keys)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--ledger", metavar="FOLDER", type=Path, help="the newest ledger (NOREN_VAR/ledger)")
    which.add_argument(
        "--backups-ledger",
        action="store_true",
        help="go on with the backup's own ledger: what was written after it is lost, which is put on record",
    )
    asked, given = parser.parse_args(words), env.read()
    paths = Paths.of(given)
    refuse_living(paths)
    refuse_living(Paths(asked.into.resolve()))
    keys = (asked.keys or paths.keys).resolve()
    source = Source.of(given.backups / asked.id, keys, (asked.backup_keys or paths.backup_keys).resolve())
    ledger = None if asked.backups_ledger else (asked.ledger or paths.ledger).resolve()
    if ledger is not None and not (ledger / "segments").is_dir():
        raise StartRefused(
            f"There is no ledger in {ledger}. Give the newest one (--ledger). If it is lost, "
            "--backups-ledger goes on with the backup's own: who was erased after it is not known then."
        )
    done = restore(given, source, asked.into.resolve(), ledger=ledger)
    for line in done.findings:
        _say(line)
    _say(f"Restored into {done.into}: {done.size} entries in the ledger, {done.known} at the backup.")
    if done.findings:
        _say("It is not whole: see above.")
        return 1
    _say(f"Start it with NOREN_VAR={done.into} noren up, and never the old folder again: destroy {keys}.")
    return 0


def _verify(given: Env, backup_id: str) -> int:
    verdict = trial.verify(given, backup_id)
    for line in verdict.wrong:
        sys.stderr.write(f"{verdict.backup}: {line}\n")
    if verdict.wrong:
        sys.stderr.write(f"ALARM: {verdict.backup} cannot be restored (entry {verdict.entry}).\n")
        return 1
    _say(f"{verdict.backup}: restored, examined and whole (entry {verdict.entry}).")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
