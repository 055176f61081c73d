"""Laying a backup out in an empty data folder, and running its databases and vault there for a moment."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from noren.runtime import child, databases, folders, migrate, postgres, roles, secrets_file, users
from noren.runtime.backups import age, dumps, ledgerfiles, manifest
from noren.runtime.backups.make import KEYSTORE
from noren.runtime.backups.manifest import Manifest
from noren.runtime.env import Env, StartRefused
from noren.runtime.house import LEDGER_NOT_WHOLE, House
from noren.runtime.paths import Paths
from noren.runtime.users import OsUser

_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Source:
    """A backup and what opens it: `keys` is the vault's folder of keys, `backup_keys` the one of the rest."""

    folder: Path
    manifest: Manifest
    digest: str
    keys: Path
    backup_keys: Path

    @classmethod
    def of(cls, folder: Path, keys: Path, backup_keys: Path) -> "Source":
        """Read a backup's manifest and hold its files against it. Raises StartRefused."""
        found, digest = manifest.read(folder)
        manifest.check_files(folder, found)
        return cls(folder, found, digest, keys, backup_keys)


def house(given: Env, into: Path) -> House:
    """Return the house of another data folder: embedded databases, no mail, nothing that comes back."""
    env = replace(
        given,
        var=into,
        database_url=None,
        vault_database_url=None,
        smtp_url=given.smtp_url or "smtp://127.0.0.1:9",
        bounce_domain=None,
    )
    return House(env, Paths.of(env), users.sides())


class Layer:
    """Fills one data folder."""

    def __init__(self, given: Env, source: Source, into: Path) -> None:
        """Make the folders. Raises StartRefused where there is something already."""
        if into.exists() and any(into.iterdir()):
            raise StartRefused(f"{into} is not empty: a backup is restored into a new folder only.")
        self.given = given
        self.source = source
        self.house = house(given, into)
        self.paths = self.house.paths
        folders.prepare(self.paths, self.house.sides)
        self.log = self.paths.log / "restore.log"

    def keys(self, kinds: tuple[str, ...]) -> None:
        """Copy the vault's keys of these kinds."""
        for path in sorted(self.source.keys.iterdir()):
            if path.name.partition("-")[0] in kinds:
                self.put(path.read_bytes(), self.paths.keys / path.name)

    def put(self, content: bytes, path: Path) -> None:
        """Write a file of the vault's user, 0600."""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        _give(path, self.house.sides.vault)

    def ledger_of_backup(self, target: Path) -> None:
        """Unpack the backup's own ledger."""
        with tempfile.TemporaryFile() as tar:
            identity = age.identity(self.source.backup_keys, "ledger")
            age.decrypt(self.source.folder / "ledger.tar.age", tar, identity)
            tar.seek(0)
            ledgerfiles.unpack(tar, target)

    def give_ledger(self) -> None:
        """Hand the ledger's files to the vault's user."""
        for path in (self.paths.ledger, *self.paths.ledger.rglob("*")):
            _give(path, self.house.sides.vault)

    def secrets(self) -> None:
        """Put back the app's own keys; passwords are made when roles are."""
        path = self.paths.app_secrets
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            identity = age.identity(self.source.backup_keys, "app")
            age.decrypt(self.source.folder / "app.secrets.age", file, identity)
        _give(path, self.house.sides.app)
        secrets_file.read(path)

    @contextmanager
    def filled(self) -> Iterator[None]:
        """Run both clusters, filled from the dumps."""
        env, paths = self.house.env, self.paths
        app, vault = migrate.app_side(env), migrate.vault_side(env)
        clusters = [
            (self.house.app_cluster(), app, paths.log / "restore-app-pg.log"),
            (self.house.vault_cluster(), vault, paths.log / "restore-vault-pg.log"),
        ]
        with ExitStack() as stack:
            for cluster, side, log in clusters:
                stack.enter_context(_running(cluster, side.migrator["password"], log))
                roles.ensure(side)
            self._read_in("app", databases.app(env, "owner"), databases.APP_OWNER)
            words = databases.vault(env, "migrator")
            self._read_in("vault", words, databases.VAULT_OWNER)
            self._read_in(KEYSTORE, words, databases.VAULT_OWNER)
            yield

    @contextmanager
    def vault(self) -> Iterator[str]:
        """Run the vault on what was laid out; gives its socket. Raises StartRefused when it refuses."""
        log = self.paths.log / "restore-vault.log"
        with log.open("ab") as output:
            process = self.house.vault().launch(output)

        def ready() -> bool:
            return process.poll() is not None or b"ready\n" in log.read_bytes()

        try:
            wait(ready)
            if process.poll() is not None:
                lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
                why = "refuses the ledger" if process.returncode == LEDGER_NOT_WHOLE else "does not start"
                raise StartRefused(f"The restored vault {why}:\n" + "\n".join(lines))
            yield str(self.paths.vault_socket)
        finally:
            child.stop_group(process, [(signal.SIGTERM, 15.0)])

    def _read_in(self, archive: str, words: databases.Conninfo, owner: str) -> None:
        with tempfile.NamedTemporaryFile(dir=self.paths.run, suffix=".dump") as dump:
            age.decrypt(self.source.folder / f"{archive}.dump.age", dump, self._identity(archive))
            dump.flush()
            dumps.restore(words, owner, Path(dump.name), self.log)

    def _identity(self, archive: str) -> str:
        """Return what opens an archive; the wrapped keys' identity is opened by the vault's program."""
        if archive != KEYSTORE:
            return age.identity(self.source.backup_keys, archive)
        found, user = self.source.manifest, self.house.sides.vault
        environ = house(self.given, self.source.keys.parent).vault_environment()
        done = subprocess.run(
            [sys.executable, "-m", "noren_vault", "backup-identity", found.key, found.id],
            env=environ | {"NOREN_VAULT_KEYS": str(self.source.keys)},
            input=found.sealed,
            user=None if user is None else user.uid,
            group=None if user is None else user.gid,
            extra_groups=None if user is None else [],
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
        )
        if done.returncode != 0:
            raise StartRefused(f"The wrapped keys cannot be opened: {done.stderr.strip()[-500:]}")
        return done.stdout.strip()


@contextmanager
def _running(cluster: postgres.Cluster, password: str, log: Path) -> Iterator[None]:
    cluster.prepare(password)
    with log.open("ab") as output:
        server = cluster.start(output)
    try:
        wait(lambda: cluster.ready(server.pid) or server.poll() is not None)
        if server.poll() is not None:
            raise StartRefused(f"The database in {cluster.data} does not start; see {log}.")
        yield
    finally:
        child.stop_group(server, postgres.STOP)


def wait(what: Callable[[], bool]) -> None:
    """Wait until it is so. Raises StartRefused when it does not become so."""
    deadline = time.monotonic() + _SECONDS
    while not what():
        if time.monotonic() > deadline:
            raise StartRefused(f"A part of the restored system did not get ready in {_SECONDS:.0f} s.")
        time.sleep(0.05)


def remove(folder: Path, sockets: Path) -> None:
    """Remove a trial's folder, and that of its sockets where it lies elsewhere."""
    shutil.rmtree(folder, ignore_errors=True)
    if not sockets.is_relative_to(folder):
        shutil.rmtree(sockets, ignore_errors=True)


def _give(path: Path, user: OsUser | None) -> None:
    if user is not None:
        os.chown(path, user.uid, user.gid)
