"""A year of some shops on a real vault, in little time: its clock is an argument, all else of it is real.

Everybody acts through the app's own door (`noren.people`). A `Hand` keeps what came into it, outside Noren.
"""

import asyncio
import os
import random
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

from django.test import override_settings

from bench.line import Line
from noren import people
from noren.errors import BudgetExceeded
from noren.people import Purpose
from noren.runtime import databases, env
from noren_vault import settings
from noren_vault.network import Network, holds
from noren_vault.server import Server as Socket
from noren_vault.tls import Trust
from noren_vault.vault import Vault
from tests.environment import GIVEN, PATHS, TOP
from tests.servers import Server, Sink, embedded, serve_vault, sink, wait_for
from tests.vault.authenticator import Passkey

MINUTE, DAY = 60_000, 86_400_000
CARD = ("name", "kana", "mail", "phone")
LIST = ("name", "kana")
Held = dict[tuple[int, UUID], set[str]]


@dataclass
class Hand:
    """What somebody holds: fields by shop and person. Looks by it are looks of its holder."""

    held: Held = field(default_factory=dict)

    def take(self, shop: int, told: people.Revealed) -> people.Revealed:
        """Keep what an answer brought."""
        for person, values in told.persons.items():
            self.add(shop, person, values)
        return told

    def add(self, shop: int, person: UUID, names: Iterable[str]) -> None:
        """Keep fields of one person."""
        self.held.setdefault((shop, person), set()).update(names)


@dataclass
class Player:
    """Somebody with a passkey, working for a shop, and the place they sign in from."""

    shop: int
    handle: str
    mail: str
    passkey: Passkey
    address: str
    device: str
    grant: str = ""

    def sign_in(self, session: str, *, address: str = "", device: str = "") -> str:
        """Sign in; gives the session's name."""
        options = people.signin_begin()
        signed = people.signin_finish(
            options["challenge"],
            self.passkey.get(options),
            session=session,
            address=address or self.address,
            device=device or self.device,
        )
        self.grant = signed.grant
        return session


@dataclass
class House:
    """The vault, run in a thread of this process or as a process of its own, always on the same files."""

    folder: Path
    database_url: str
    migrator: databases.Conninfo
    owner: str
    mail: Sink
    clock: int
    line: Line
    process: "subprocess.Popen[bytes] | None" = None
    rebuilt: float = 0.0

    @property
    def configured(self) -> settings.Settings:
        """What it is set to."""
        me = frozenset({os.geteuid()})
        return settings.Settings(
            socket=self.folder / "v.sock",
            database_url=self.database_url,
            keys=self.folder / "keys",
            ledger=self.folder / "ledger",
            origin=GIVEN.origin,
            smtp_url=self.mail.url,
            mail_from="Noren <noren@example.jp>",
            bounces=None,
            peer_uids=me,
            admin_uids=me,
        )

    @contextmanager
    def simulated(self) -> Iterator[None]:
        """Open it with this house's clock; the socket is the real one."""
        loop, ready, done = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
        failed: list[BaseException] = []

        async def serve() -> None:
            given = self.configured
            vault = await Vault.open(given, lambda: self.clock)
            self.line.prepare()
            trust = Trust(self.line.certificates)
            socket = Socket(
                vault.methods,
                vault.record,
                peers=given.peer_uids,
                admins=given.admin_uids,
                holds=holds(trust, lambda: self.clock),
            )
            await socket.start(given.socket)
            network = Network(trust, socket, lambda: self.clock, self.line.certificates)
            self.line.port = await network.start("127.0.0.1", 0)
            ready.set()
            await done.wait()
            await network.stop()
            await socket.stop()
            await vault.close()

        def run() -> None:
            try:
                loop.run_until_complete(serve())
            except BaseException as fault:
                failed.append(fault)
                ready.set()
                raise

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        ready.wait()
        if failed:
            raise RuntimeError("the vault did not open") from failed[0]
        try:
            with override_settings(VAULT_SOCKET=self.configured.socket):
                yield
        finally:
            loop.call_soon_threadsafe(done.set)
            thread.join(60)
            loop.close()

    @contextmanager
    def real(self) -> Iterator[None]:
        """Run it as the process that it is in production; `kill` and `start` meanwhile."""
        self.start()
        try:
            with override_settings(VAULT_SOCKET=self.configured.socket):
                yield
        finally:
            self.kill()

    def start(self) -> None:
        """Start the process and wait until it serves."""
        given = self.configured
        environ = {name: value for name, value in os.environ.items() if not name.startswith("NOREN_")} | {
            "NOREN_VAULT_SOCKET": str(given.socket),
            "NOREN_VAULT_DATABASE_URL": given.database_url,
            "NOREN_VAULT_KEYS": str(given.keys),
            "NOREN_VAULT_LEDGER": str(given.ledger),
            "NOREN_VAULT_ORIGIN": given.origin,
            "NOREN_VAULT_SMTP_URL": given.smtp_url,
            "NOREN_VAULT_MAIL_FROM": given.mail_from,
            "NOREN_VAULT_PEER_UIDS": str(os.geteuid()),
            "NOREN_VAULT_ADMIN_UIDS": str(os.geteuid()),
        }
        log = self.folder / "vault.log"
        with log.open("wb") as out:
            command = [sys.executable, "-m", "noren_vault", "serve"]
            self.process = subprocess.Popen(command, env=environ, stdout=out, stderr=out)
        wait_for(lambda: "ready" in log.read_text().splitlines())

    def kill(self) -> None:
        """End it as a crash does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def stage() -> Iterator[tuple[Server, Sink, Path]]:
    """A database server for the vault, a mail server and a folder; nothing of it is left afterwards."""
    try:
        with embedded(PATHS, vault=True), serve_vault(GIVEN) as server, sink() as mail:
            folder = TOP / "house"
            folder.mkdir()
            yield server, mail, folder
    finally:
        shutil.rmtree(TOP, ignore_errors=True)


@contextmanager
def house(server: Server, mail: Sink, folder: Path, begin: int) -> Iterator[House]:
    """A place for the vault, with a database of its own; `begin` is its clock's first instant."""
    with server.clone() as name:
        words = databases.vault(env.read(), "vault") | {"dbname": name}
        migrator = server.side.migrator | {"dbname": name}
        yield House(folder, databases.url(words), migrator, server.side.owner, mail, begin, Line(folder))


# -- the honest year


def card(number: int) -> dict[str, str]:
    """The fields of a customer."""
    return {
        "name": f"山田 花子{number}",
        "kana": f"ヤマダ ハナコ{number}",
        "mail": f"hanako{number}@example.jp",
        "phone": f"090-{number // 10_000:04d}-{number % 10_000:04d}",
    }


@dataclass
class Shop:
    """One shop: who works there and who comes."""

    number: int
    owner: Player
    manager: Player
    staff: Player
    desk: Player
    customers: list[UUID] = field(default_factory=list)
    numbers: dict[UUID, int] = field(default_factory=dict)

    def add(self, person: UUID, number: int) -> None:
        """Know one more customer; `number` tells their fields."""
        self.customers.append(person)
        self.numbers[person] = number


class Year:
    """The shops and their days."""

    def __init__(self, house: House, seed: int) -> None:
        self.house = house
        self.chance = random.Random(seed)
        self.shops: list[Shop] = []
        self._count = 0

    def found(self, number: int, customers: int) -> Shop:
        """Found a shop whose owner, manager, staff and desk are signed in, and import its customers."""
        slug = f"shop{number}"
        members = [
            people.Member(name, role, name, f"{name}さん", f"{name}@{slug}.example.jp")
            for name, role in (("aoi", "owner"), ("mei", "manager"), ("ren", "staff"), ("sora", "reception"))
        ]
        people.found_shop(number, slug, members)
        names = ("aoi", "mei", "ren", "sora")
        owner, manager, staff, desk = (self._join(number, slug, name) for name in names)
        shop = Shop(number, owner, manager, staff, desk)
        rows = [people.Row(f"c{self.next()}", card(self._count)) for _ in range(customers)]
        persons = people.import_rows(number, rows).persons
        for row in rows:
            shop.add(persons[row.key], int(row.key[1:]))
        self.shops.append(shop)
        return shop

    def next(self) -> int:
        """A number that no other customer has."""
        self._count += 1
        return self._count

    def tick(self, minutes: float = 1) -> None:
        """Let time go on."""
        self.house.clock += int(minutes * MINUTE)

    def day(self, number: int) -> None:
        """One day of each shop: new bookings, the day's list, some cards, a search, reminders."""
        for shop in self.shops:
            for player in (shop.staff, shop.manager):
                player.sign_in(f"{player.handle}-day-{number}")
            for _ in range(self.chance.randrange(1, 4)):
                book(shop, self.next(), f"web-{self._count}")
                self.tick()
            today = self.chance.sample(shop.customers, 12)
            people.reveal(shop.staff.grant, Purpose.TODAY, today, ["name", "kana"])
            self.tick(5)
            people.reveal(shop.manager.grant, Purpose.CUSTOMER, today[:2], CARD)
            people.search(shop.staff.grant, f"hanako{shop.numbers[today[3]]}@example.jp")
            self.tick(5)
            for person in today[4:6]:
                people.send(
                    shop.number, person, f"remind-{number}-{person}", subject="明日", text="{name} 様"
                )
        self.tick(30)

    def _join(self, number: int, slug: str, name: str) -> Player:
        address = f"{name}@{slug}.example.jp"
        wait_for(lambda: any(message["To"] == address for message in self.house.mail.messages))
        token = _token([one for one in self.house.mail.messages if one["To"] == address][-1])
        passkey = Passkey()
        place = f"198.51.{number}.{len(name) + ord(name[0]) % 100}"
        people.register_finish(
            token,
            passkey.create(people.register_begin(token)),
            session=f"join-{name}-{number}",
            address=place,
        )
        return Player(
            number, f"{name}.{slug}", address, passkey, place, "Mozilla/5.0 (Macintosh) Safari/605.1.15"
        )


@dataclass(frozen=True, slots=True)
class Look:
    """How somebody looks: at so many at once, for what, at which fields."""

    each: int
    purpose: Purpose
    names: tuple[str, ...]


def book(shop: Shop, number: int, session: str) -> UUID:
    """A customer books: the vault takes their fields, and keeps them."""
    person = people.put(shop.number, f"hold-{number}", card(number), session=session)
    people.keep(shop.number, person)
    shop.add(person, number)
    return person


def drain(hand: Hand, player: Player, persons: Sequence[UUID], look: Look) -> None:
    """Look at many, until the budget ends it."""
    for start in range(0, len(persons), look.each):
        some = persons[start : start + look.each]
        try:
            hand.take(player.shop, people.reveal(player.grant, look.purpose, some, look.names))
        except BudgetExceeded:
            return


def _token(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    found = re.search(r"/console/join#(\S+)", "" if body is None else body.get_content())
    if found is None:
        raise RuntimeError("the mail is no invitation")
    return found[1]
