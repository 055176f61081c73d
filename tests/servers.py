"""Real servers for tests: both databases, the vault process, an SMTP sink."""

import asyncio
import email
import email.policy
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from aiosmtpd.smtp import SMTP, Envelope
from django.db import connection, connections
from django.db.backends.signals import connection_created
from django.test import override_settings
from psycopg import sql

from noren.runtime import child, databases, env, migrate, postgres, roles, users
from noren.runtime.databases import Conninfo
from noren.runtime.env import Role
from noren.runtime.paths import Paths
from noren.shops.guard import ShopGuard
from tests import nursery

_numbers = count(1)


def wait_for(what: Callable[[], bool], seconds: float = 240.0) -> None:
    """Wait until `what()` is true; fail when it does not become so."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


# -- databases


@dataclass
class Server:
    """A running PostgreSQL and the template from which each test's database is cloned."""

    side: roles.Side

    @contextmanager
    def clone(self) -> Iterator[str]:
        """Give the name of a fresh copy of the template; drop it afterwards."""
        name = f"{self.side.database}_{next(_numbers)}"
        # Files are copied at half the work of writing each page to the log, which here nobody would replay.
        words = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy").format(
            sql.Identifier(name), sql.Identifier(self.side.owner), sql.Identifier(self.side.database)
        )
        self.run(words)
        try:
            yield name
        finally:
            self.drop(name)

    def drop(self, name: str) -> None:
        """Drop a database once its last connection is gone: a server's answer to a close takes a moment."""

        def gone() -> bool:
            try:
                self.run(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
            except psycopg.errors.ObjectInUse:
                return False
            return True

        wait_for(gone)

    def run(self, words: sql.Composed) -> None:
        elsewhere = self.side.migrator | {"dbname": "postgres"}
        with psycopg.connect(**elsewhere, autocommit=True) as conn:  # type: ignore[arg-type]
            conn.execute(words)


@contextmanager
def embedded(paths: Paths, *, vault: bool) -> Iterator[None]:
    """Run one side's embedded cluster, without its promise to survive a crash of the machine."""
    sides = users.sides()
    given = env.read()
    if vault:
        data, sockets, user = paths.vault_pg, paths.vault_pg_socket_dir, sides.vault
        login, words = databases.VAULT_MIGRATOR, migrate.vault_side(given).migrator
    else:
        data, sockets, user = paths.app_pg, paths.app_pg_socket_dir, sides.app
        login, words = databases.APP_MIGRATOR, migrate.app_side(given).migrator
    cluster = postgres.Cluster(data, sockets, user, login, durable=False)
    cluster.prepare(words["password"])
    with (data.parent / "pg.log").open("wb") as log:
        server = cluster.start(log)
        try:
            wait_for(lambda: cluster.ready(server.pid))
            yield
        finally:
            child.stop_group(server, [(signal.SIGQUIT, 10.0)])


@contextmanager
def serve_app(given: env.Env) -> Iterator[Server]:
    """Make the template of the app's database, with this version's tables."""
    side = _named(migrate.app_side(given))
    server = Server(side)
    _make_roles(side)
    try:
        with pointed(side.migrator, "migrate"):
            migrate.app_tables()
        yield server
    finally:
        server.drop(side.database)


@contextmanager
def serve_vault(given: env.Env) -> Iterator[Server]:
    """Make the template of the vault's database, with this version's tables."""
    side = _named(migrate.vault_side(given))
    server = Server(side)
    _make_roles(side)
    try:
        url = databases.url(side.migrator, become=side.owner)
        environ = child.environment({"NOREN_VAULT_DATABASE_URL": url}, home=Path("/"))
        subprocess.run([sys.executable, "-m", "noren_vault", "migrate"], env=environ, check=True)
        yield server
    finally:
        server.drop(side.database)


def _make_roles(side: roles.Side) -> None:
    """Make the roles, alone: they are the server's, and another worker may be about to make them too."""
    elsewhere = side.migrator | {"dbname": "postgres"}
    with psycopg.connect(**elsewhere, autocommit=True) as conn:  # type: ignore[arg-type]
        conn.execute("SELECT pg_advisory_lock(hashtext('noren tests: roles'))")
        roles.ensure(side)


def _named(side: roles.Side) -> roles.Side:
    return replace(side, migrator=side.migrator | {"dbname": f"noren_test_{side.owner[6]}{os.getpid()}"})


@contextmanager
def pointed(words: Conninfo, role: Role) -> Iterator[None]:
    """Point Django's `default` at a database, in every thread, and back again."""
    entry = connections.settings["default"]
    before = dict(entry)
    fresh = databases.django(words, role)
    # Without the pool: a clone can be dropped only when nobody keeps a connection to it.
    fresh["OPTIONS"].pop("pool", None)
    connection.close()
    entry.update(fresh)
    try:
        yield
    finally:
        connection.close()
        entry.update(before)


@dataclass(frozen=True)
class AppDatabase:
    """One test's own app database. Django's `default` is the role noren_app there; commits are real."""

    name: str

    def words(self, role: Role = "web") -> Conninfo:
        """Return psycopg's connection words for a role (owner and migrate: the migrator's login)."""
        return databases.app(env.read(), role) | {"dbname": self.name}

    @contextmanager
    def role(self, role: Role) -> Iterator[None]:
        """Make Django's `default` this role inside the block."""
        with pointed(self.words(role), role):
            yield

    def connect(self, role: Role = "web", *, autocommit: bool = False) -> "psycopg.Connection[Any]":
        """Open a connection beside Django's; owner and migrate have become noren_owner."""
        words = self.words(role)
        if role in ("owner", "migrate"):
            words["options"] = f"-c role={databases.APP_OWNER}"
        return psycopg.connect(**words, autocommit=autocommit)  # type: ignore[arg-type]


@contextmanager
def app_database(server: Server) -> Iterator[AppDatabase]:
    """Clone a database and point Django at it; SQL of a shop's table without `shop_id` fails the test."""
    with server.clone() as name:
        database = AppDatabase(name)
        guard = ShopGuard()

        def watch(connection: Any, **_others: Any) -> None:
            owner = "assume_role" in connection.settings_dict["OPTIONS"]
            if not owner and guard not in connection.execute_wrappers:
                connection.execute_wrappers.append(guard)

        with pointed(database.words(), "web"):
            connection_created.connect(watch)
            try:
                yield database
            finally:
                connection_created.disconnect(watch)
                connection.close()
                while guard in connection.execute_wrappers:
                    connection.execute_wrappers.remove(guard)


# -- mail


@dataclass
class Sink:
    """An SMTP server that keeps what it is sent. `refuse` is answered instead while it is set.

    While `hold` is set it has taken what it was sent and does not say so.
    """

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    refuse: str | None = None
    hold: bool = False

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - theirs
        if self.refuse is not None:
            return self.refuse
        content = envelope.content
        assert isinstance(content, bytes)
        self.envelopes.append((envelope.mail_from or "", list(envelope.rcpt_tos)))
        self.messages.append(email.message_from_bytes(content, policy=email.policy.default))
        while self.hold:  # noqa: ASYNC110 - another thread lets go
            await asyncio.sleep(0.02)
        return "250 OK"

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def wait(self, number: int = 1) -> list[EmailMessage]:
        """Wait until at least so many messages have come, and return all."""
        wait_for(lambda: len(self.messages) >= number)
        return list(self.messages)


@contextmanager
def sink() -> Iterator[Sink]:
    """Run an SMTP sink on a free port."""
    kept = Sink()
    loop = asyncio.new_event_loop()
    made = loop.create_server(lambda: SMTP(kept, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0)
    server = loop.run_until_complete(made)
    kept.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(_end(server))
        loop.close()


async def _end(server: asyncio.Server) -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await server.wait_closed()


# -- the vault


@dataclass
class VaultProcess:
    """The real vault, on a database of its own, with keys and ledger of its own. Peers: the tests."""

    folder: Path
    settings: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "s" / "vault.sock"

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def log(self) -> str:
        """What the vault has written on its two streams so far."""
        return (self.folder / "log").read_text(encoding="utf-8")

    @property
    def database_url(self) -> str:
        return self.settings["NOREN_VAULT_DATABASE_URL"]

    def fork(self) -> None:
        """Start it out of the nursery."""
        self.process = nursery.fork(
            self.settings, home=self.folder, user=users.sides().vault, log=self.folder / "log"
        )
        self._wait()
        assert self.process.poll() is None, self.log

    def start(self, *, ready: bool = True) -> "subprocess.Popen[bytes]":
        """Start it, and wait until it says `ready` (or, with ready=False, until it ends)."""
        environ = child.environment(self.settings, home=self.folder)
        with (self.folder / "log").open("wb") as log:
            argv = [sys.executable, "-m", "noren_vault", "serve"]
            self.process = child.start(argv, env=environ, user=users.sides().vault, stdout=log)
        process = self.process
        self._wait()
        if ready:
            assert process.poll() is None, self.log
        else:
            process.wait(10)
        return process

    def _wait(self) -> None:
        process = self.process
        assert process is not None
        wait_for(lambda: process.poll() is not None or "ready" in self.log.splitlines())

    def stop(self) -> None:
        """Stop it as the supervisor does."""
        if self.process is not None:
            child.stop_group(self.process, [(signal.SIGTERM, 10.0)])
            self.process = None

    def kill(self) -> None:
        """End it as a crash does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def vault_process(server: Server, mail: Sink, top: Path, origin: str) -> Iterator[VaultProcess]:
    """Start the vault; Django's VAULT_SOCKET is its socket meanwhile."""
    folder = top / f"v{next(_numbers)}"
    user = users.sides().vault
    users.own(folder, user, 0o755)
    for name, mode in (("s", 0o755), ("ledger", 0o755), ("keys", 0o700)):
        users.own(folder / name, user, mode)
    with server.clone() as name:
        given = env.read()
        words = databases.vault(given, "vault") | {"dbname": name}
        vault = VaultProcess(folder, {})
        vault.settings = {
            "NOREN_VAULT_SOCKET": str(vault.socket),
            "NOREN_VAULT_DATABASE_URL": databases.url(words),
            "NOREN_VAULT_KEYS": str(vault.keys),
            "NOREN_VAULT_LEDGER": str(vault.ledger),
            "NOREN_VAULT_ORIGIN": origin,
            "NOREN_VAULT_SMTP_URL": mail.url,
            "NOREN_VAULT_MAIL_FROM": given.mail_from,
            "NOREN_VAULT_PEER_UIDS": str(os.geteuid()),
            "NOREN_VAULT_ADMIN_UIDS": str(os.geteuid()),
        }
        try:
            if "PYTEST_VERSION" in os.environ:
                vault.fork()
            else:
                vault.start()
            with override_settings(VAULT_SOCKET=vault.socket):
                yield vault
        finally:
            vault.stop()
            shutil.rmtree(folder, ignore_errors=True)
