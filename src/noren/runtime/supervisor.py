"""`noren up`: starts everything in its order, keeps it alive, stops it in the reverse order.

Databases, then the vault, then web and worker; each child in a process group of its own. Where the vault
has its own host, NOREN_VAULT_LISTEN starts its side alone, and NOREN_VAULT_URL the app's. One supervisor
holds the lock of a data folder. Where the vault refuses to run, the rest goes on: shop pages and bookings
by link need no name.
"""

import argparse
import asyncio
import fcntl
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

import psycopg

from noren.runtime import certs, child, databases, doorkey, env, folders, migrate, roles, users
from noren.runtime.backups import nightly
from noren.runtime.env import Env, StartRefused
from noren.runtime.house import House, source
from noren.runtime.keeper import Keeper, Process, Spec, say
from noren.runtime.logfile import LogFile
from noren.runtime.paths import Paths
from noren.runtime.record import Record


def main(argv: list[str]) -> int:
    """Run until SIGINT or SIGTERM. Raises StartRefused with words."""
    parser = argparse.ArgumentParser(prog="noren up", description=__doc__)
    parser.add_argument("--no-demo", action="store_true", help="leave an empty system empty")
    demo = not parser.parse_args(argv).no_demo
    given = env.read()
    if given.vault_here:
        given.mail_server()
    certs.check(given)
    sides, paths = users.sides(), Paths.of(given)
    house = House(given, paths, sides)
    folders.prepare(paths, sides, app=given.app_here, vault=given.vault_here)
    for user in (sides.app, sides.vault):
        users.check_reach(user, (source(), source() / "noren" / "runtime" / "env.py", paths.var))
    with _lock(paths):
        record = Record(paths.children)
        for name in record.stop_leftovers():
            say(f"Stopped the {name} that a killed supervisor had left.")
        _check_ports(given)
        doorkey.make(paths.door_keys)
        if not sides.separate:
            say("One user: process separation only. Started by root, app and vault run as two users.")
        return asyncio.run(Supervisor(house, record).run(demo=demo))


_CLOSING = "Ctrl-C stops everything."
_SLUGS = "SELECT slug FROM shops_directory ORDER BY id LIMIT 10"


class Supervisor:
    """One run of the house."""

    def __init__(self, house: House, record: Record) -> None:
        self.house = house
        self.record = record
        self.keepers: list[list[Keeper]] = []  # stages in the order of their start
        self._stop = asyncio.Event()
        self._nights: asyncio.Task[None] | None = None

    async def run(self, *, demo: bool) -> int:
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(sign, self._stop.set)
        loop.add_signal_handler(signal.SIGCHLD, self._poll)
        starting = asyncio.create_task(self._start(demo=demo))
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({starting, stop}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
            else:
                starting.cancel()
                await asyncio.wait({starting})
            await stop
            say("Stopping ...")
        finally:
            if self._nights is not None:
                self._nights.cancel()
                await asyncio.wait({self._nights})
            await self._stop_all()
        say("Stopped.")
        return 0

    async def _start(self, *, demo: bool) -> None:
        house = self.house
        await self._stage(house.clusters())
        if house.env.app_here:
            roles.ensure(migrate.app_side(house.env))
        founds = await self._start_vault() if house.env.vault_here else house.founds
        if not house.env.app_here:
            await self._stage([house.doors()])
            say(f"\nThe vault is open on {house.env.vault_listen}.\n{_CLOSING}")
            return
        await self._once("app database's tables", "migrate", house.migration)
        await self._stage([house.web(), house.worker(), *([house.doors()] if house.env.vault_here else [])])
        if demo and founds and self._empty():
            say("Putting in the example shops ...")
            await self._once("example shops", "import", house.import_examples)
        self._say_addresses()
        if founds and house.env.vault_here:
            self._nights = asyncio.create_task(nightly.nightly(house.env, self._back_up))

    async def _start_vault(self) -> bool:
        """Start the vault's side; gives whether it runs."""
        house = self.house
        roles.ensure(migrate.vault_side(house.env))
        await self._once("vault database's tables", "vault", house.vault_migration)
        if house.env.catches_mail:
            await self._stage([house.catcher()])
        (vault,) = await self._stage([house.vault()])
        if vault.refused:
            self._say_refused(vault)
        return not vault.refused

    async def _back_up(self) -> int:
        """Do the night's work; gives the backup's exit code. What is found amiss rings for itself."""
        environ = dict(os.environ)
        with suppress(StartRefused):
            await self._once("doctor", "doctor", nightly.launch(nightly.EXAMINE, environ))
        try:
            await self._once("backup", "backup", nightly.launch(nightly.BACKUP, environ))
        except StartRefused:
            return 1
        return 0

    async def _stage(self, specs: list[Spec]) -> list[Keeper]:
        """Start some children at once, and wait until each is ready."""
        log = self.house.paths.log
        stage = [Keeper(s, LogFile(log / f"{s.name.replace(' ', '-')}.log"), self.record) for s in specs]
        self.keepers.append(stage)
        await asyncio.gather(*(keeper.start() for keeper in stage))
        return stage

    async def _once(self, what: str, log: str, launch: Callable[[IO[bytes]], Process]) -> None:
        """Run a child that ends by itself; a failure refuses the start."""
        path = self.house.paths.log / f"{log}.log"
        with path.open("ab") as output:
            process = launch(output)
        self.record.add(what, process.pid, signal.SIGTERM)
        try:
            while process.poll() is None:  # noqa: ASYNC110 - a process is no event
                await asyncio.sleep(0.05)
        finally:
            child.stop_group(process, [])
            self.record.remove(what)
        if process.returncode != 0:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
            raise StartRefused(f"The {what} could not be made. The last of {path}:\n" + "\n".join(lines))

    def _empty(self) -> bool:
        words = databases.app(self.house.env, "web")
        with psycopg.connect(**doorkey.marked(words)) as conn:
            return conn.execute("SELECT FROM shops_directory LIMIT 1").fetchone() is None

    def _poll(self) -> None:
        for stage in self.keepers:
            for keeper in stage:
                keeper.poll()

    async def _stop_all(self) -> None:
        while self.keepers:
            stage = self.keepers[-1]
            await asyncio.gather(*(keeper.stop() for keeper in stage))
            self.keepers.pop()

    def _say_refused(self, vault: Keeper) -> None:
        say(
            f"The vault refuses to run:\n{vault.log.tail()}\n"
            "Shop pages and bookings by link go on without it; names can neither be taken nor shown.\n"
            "Stop, put the ledger's folder back as it was, and start again."
        )

    def _say_addresses(self) -> None:
        given = self.house.env
        with psycopg.connect(**doorkey.marked(databases.app(given, "web"))) as conn:
            slugs = [slug for (slug,) in conn.execute(_SLUGS)]
        lines = ["", "Noren is open."]
        lines += [f"  {'' if n else 'shops':11} {given.origin}/{slug}/" for n, slug in enumerate(slugs)]
        lines += [
            f"  {'console':11} {given.origin}/console/",
            f"  {'operations':11} {given.origin}/operations/",
        ]
        if given.catches_mail and given.vault_here:
            lines.append(
                f"  {'mailbox':11} http://localhost:{given.mailbox_port}/  (this machine's mail only)"
            )
        lines += [f"  {'data':11} {self.house.paths.var}", _CLOSING]
        say("\n".join(lines))


@contextmanager
def _lock(paths: Paths) -> Iterator[None]:
    """Hold the data folder's lock. It falls with the process, whatever becomes of it."""
    descriptor = os.open(paths.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(descriptor, 20, 0).decode().strip()
            raise StartRefused(
                f"Noren is already running on {paths.var} (process {pid}). Stop it first, or give another "
                "NOREN_VAR and NOREN_PORT to run a second system beside it."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _check_ports(given: Env) -> None:
    """Refuse at once what would fail later: a port that somebody else has."""
    ports = [given.port] if given.app_here else []
    if given.catches_mail and given.vault_here:
        ports += [given.mailbox_port, given.catcher_smtp_port]
    if given.bounce_domain is not None and given.vault_here:
        ports.append(given.bounce_port)
    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise StartRefused(
                    f"Port {port} cannot be used ({error.strerror}): give another NOREN_PORT "
                    "(in development the two ports above it are used as well)."
                ) from None
