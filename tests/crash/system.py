"""One whole system for the long tests, as `noren up` runs it, and how its truth is read from outside."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psycopg

from noren.errors import LedgerUnavailable, VaultUnavailable
from noren.people import wire
from noren.runtime import databases, doorkey, env
from noren.runtime.paths import Paths
from tests.ports import free_port
from tests.runtime.up import Up

SHOP = Path(__file__).with_name("shop.toml")
SLUG = "crash"
Row = tuple[Any, ...]


@dataclass
class System:
    """`up` runs it. What is read here passes by no code of the product but its connection words."""

    up: Up
    within: "psycopg.Connection[Row] | None" = None
    """A connection in whose transaction the app's rows are read, where somebody has changed them in it."""
    within_vault: "psycopg.Connection[Row] | None" = None

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.up.port}"

    @property
    def settings(self) -> dict[str, str]:
        return {"NOREN_VAR": str(self.up.var), "NOREN_PORT": str(self.up.port)}

    def noren(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run `noren WORDS` on this system."""
        return subprocess.run(
            [sys.executable, "-m", "noren.cli", *words],
            env={"PATH": os.environ["PATH"], **self.settings},
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )

    def app(self) -> "psycopg.Connection[Row]":
        """Open the app's database as its owner, who sees every shop."""
        words = databases.app(env.read(self.settings), "owner")
        return self._connect(words, databases.APP_OWNER)

    def rows(self, query: str, *values: object) -> list[Row]:
        """Read from the app's database."""
        with nullcontext(self.within) if self.within is not None else self.app() as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def vault(self) -> "psycopg.Connection[Row]":
        """Open the vault's database as its owner."""
        return self._connect(databases.vault(env.read(self.settings), "migrator"), databases.VAULT_OWNER)

    def vault_rows(self, query: str) -> list[Row]:
        """Read from the vault's database."""
        with nullcontext(self.within_vault) if self.within_vault is not None else self.vault() as connection:
            return connection.execute(query.encode()).fetchall()

    def vault_answers(self) -> bool:
        """Whether the vault is there, and its ledger and its database with it."""
        socket, nobody = (
            str(Paths(self.up.var).vault_socket),
            {"credential": "nobody", "since": 0, "until": 1},
        )
        try:
            wire.call(socket, "scope", nobody, seconds=5)
        except (VaultUnavailable, LedgerUnavailable):
            return False
        return True

    def log(self, name: str) -> str:
        """Return all that a child has written."""
        side, _, kind = name.partition("-")
        files = sorted((self.up.var / "log").glob(f"{name}.log*"), reverse=True)
        if kind == "database":
            # What the server writes itself, once it runs.
            files += sorted((self.up.var / side / "pg-log").glob("*.json"))
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in files)

    def _connect(self, words: dict[str, str], role: str) -> "psycopg.Connection[Row]":
        """Connect as a process of the system does, with its mark: who looks here is no stranger."""
        known = doorkey.marked(words, Paths(self.up.var).door_keys)
        return psycopg.connect(**known, options=f"-c role={role}", autocommit=True, connect_timeout=5)

    def mails(self) -> list[EmailMessage]:
        """Return what the mail catcher holds."""
        return [
            message_from_bytes(path.read_bytes(), policy=policy.default)
            for path in sorted((self.up.var / "mail").glob("*.eml"))
        ]


@contextmanager
def running(shops: Sequence[Path] = (SHOP,)) -> Iterator[System]:
    """Start everything on an empty folder and put the shops in; remove it at the end."""
    top = Path(tempfile.mkdtemp(prefix="nc-", dir="/tmp"))
    top.chmod(0o755)
    system = System(Up(top / "var", free_port()))
    try:
        system.up.start()
        done = system.noren("shop", "import", *map(str, shops))
        assert done.returncode == 0, done.stdout + done.stderr + system.up.text()
        yield system
    finally:
        system.up.end()
        shutil.rmtree(top, ignore_errors=True)
