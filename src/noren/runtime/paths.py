"""Where things lie in the data folder, and which sockets stand for it."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

# A unix socket's path holds 107 bytes and an end mark (Linux; 103 on macOS). PostgreSQL's lock file adds
# ".s.PGSQL.5432.lock" to its folder.
_LONGEST_SOCKET = 103
_LONGEST_NAME = len("/vault-pg/.s.PGSQL.5432.lock")
# Fixed, not the user's TMPDIR: the supervisor, its children and a later command must all find the same one.
# The supervisor refuses it when somebody else made it.
_SHORT = Path("/tmp")  # noqa: S108


class HasVar(Protocol):
    @property
    def var(self) -> Path: ...


@dataclass(frozen=True, slots=True)
class Paths:
    """The data folder: everything is derived from it, so it can be moved while the system is down."""

    var: Path

    @classmethod
    def of(cls, env: HasVar) -> "Paths":
        return cls(env.var)

    # -- the app's own folder (OS user app, 0700)

    @property
    def app(self) -> Path:
        return self.var / "app"

    @property
    def app_pg(self) -> Path:
        return self.app / "pg"

    @property
    def app_secrets(self) -> Path:
        return self.app / "secrets.json"

    @property
    def static(self) -> Path:
        """Hashed and compressed static files, written by `noren migrate`."""
        return self.app / "static"

    @property
    def mail(self) -> Path:
        """The mail catcher's mailbox (development only)."""
        return self.var / "mail"

    @property
    def app_pg_log(self) -> Path:
        """The app database's connection log, written by the server itself."""
        return self.app / "pg-log"

    # -- the vault's own folders (OS user vault, 0700; the ledger's holds ids only and may be read)

    @property
    def vault(self) -> Path:
        return self.var / "vault"

    @property
    def vault_pg(self) -> Path:
        return self.vault / "pg"

    @property
    def vault_pg_log(self) -> Path:
        return self.vault / "pg-log"

    @property
    def vault_secrets(self) -> Path:
        return self.vault / "secrets.json"

    @property
    def keys(self) -> Path:
        return self.var / "keys"

    @property
    def ledger(self) -> Path:
        return self.var / "ledger"

    # -- the supervisor's folders

    @property
    def backup_keys(self) -> Path:
        """What opens the backups' archives; the wrapped keys' is not there."""
        return self.var / "backup-keys"

    @property
    def tls(self) -> Path:
        """Certificates of the line to a vault on another host; each key is its user's, the folder is ours."""
        return self.var / "tls"

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def run(self) -> Path:
        return self.var / "run"

    @property
    def lock(self) -> Path:
        return self.run / "lock"

    @property
    def children(self) -> Path:
        """The record of the children that run, by which a later start stops what a killed one left."""
        return self.run / "children.json"

    @property
    def door_keys(self) -> Path:
        """The keys of the last starts, by which known sessions are told (0600)."""
        return self.run / "door-keys.json"

    @property
    def sockets(self) -> Path:
        """`run`, or a short folder in the temp folder where a socket's path there would be too long."""
        if len(os.fsencode(self.run)) + _LONGEST_NAME <= _LONGEST_SOCKET:
            return self.run
        mark = hashlib.sha256(os.fsencode(self.var)).hexdigest()[:16]
        return _SHORT / f"noren-{mark}"

    @property
    def app_pg_socket_dir(self) -> Path:
        return self.sockets / "app-pg"

    @property
    def vault_pg_socket_dir(self) -> Path:
        return self.sockets / "vault-pg"

    @property
    def vault_socket(self) -> Path:
        return self.sockets / "vault" / "vault.sock"
