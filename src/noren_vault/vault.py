"""The vault put together: which part is given which, and in what order they start and stop."""

import asyncio
import hashlib
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

import psycopg
import structlog

from noren_vault import keys, migrations, replay
from noren_vault.addresses import Addresses
from noren_vault.allowances import Allowances
from noren_vault.budgets import Budgets
from noren_vault.builds import Builds
from noren_vault.clock import Now
from noren_vault.courier import Courier
from noren_vault.database import Database, Heads
from noren_vault.doctor import Doctor
from noren_vault.errors import LedgerUnavailable
from noren_vault.floors import Floors
from noren_vault.grants import Grants
from noren_vault.importing import Importing
from noren_vault.index import Index
from noren_vault.invites import Invites
from noren_vault.keys import Keys, KeysError
from noren_vault.ledger import Ledger
from noren_vault.ledger.note import Signer
from noren_vault.members import Members
from noren_vault.memberships import Memberships
from noren_vault.methods import Methods
from noren_vault.mydata import MyData
from noren_vault.mydata_methods import MyDataMethods
from noren_vault.naming import Investigations, Naming
from noren_vault.narrowing import Narrowing
from noren_vault.nonces import Nonces
from noren_vault.passkeys import Ceremonies, Challenges
from noren_vault.people import People
from noren_vault.post import Post
from noren_vault.proofs import Proofs
from noren_vault.record import Path, Record
from noren_vault.records import Records
from noren_vault.returns import Returns
from noren_vault.rights_methods import RightsMethods
from noren_vault.scope import Scope
from noren_vault.search import Search
from noren_vault.settings import Settings
from noren_vault.signin import SignIn
from noren_vault.visits import Visits
from noren_vault.witnesses import Policy, Store, Watch

# After a start, so that the app's late `keep`s come before the erasing.
_GRACE_SECONDS: Final = 600.0
_ERASE_EVERY_SECONDS: Final = 60.0
_Opened = tuple[Ledger, Watch]
_log = structlog.get_logger("vault")


@dataclass(slots=True)
class Vault:
    """An open vault. `methods` is its way in, `records` what its own loop needs."""

    settings: Settings
    methods: Methods
    record: Record
    records: Records
    search: Search
    index: Index
    returns: Returns | None
    watch: Watch
    proofs: Proofs
    budgets: Budgets
    _databases: tuple[Database, Heads]
    _now: Now

    @classmethod
    async def open(cls, settings: Settings, now: Now) -> "Vault":
        """Open database, keys and ledger, bring memory up to the ledger, and record the start.

        Raises MigrationError, KeysError, the ledger's errors, psycopg.Error.
        """
        await asyncio.to_thread(migrations.check, settings.database_url)
        databases = Database(settings.database_url), Heads(settings.database_url)
        ledger: Ledger | None = None
        policy = Policy.of(settings.witnesses)
        try:
            for one in databases:
                await one.open()
            held = await _keys(settings, databases[0])
            verifier = Signer(held.origin, held.ledger).verifier
            policy.is_of(verifier.vkey())
            watch = Watch(policy, Store(databases[0]), now, minutes=settings.witness_minutes)
            ledger = await Ledger.open(
                settings.ledger,
                held.ledger,
                held.origin,
                heads=databases[1],
                now=now,
                build=build_hash(),
                witnessed=await watch.known(verifier),
            )
            vault = await cls._assemble(settings, now, databases, held, (ledger, watch))
            watch.start(vault.record)
            return vault  # noqa: TRY300 - what is below closes what was opened
        except BaseException:
            if ledger is not None:
                await ledger.close()
            for one in databases:
                await one.close()
            raise

    @classmethod
    async def _assemble(
        cls, settings: Settings, now: Now, databases: tuple[Database, Heads], held: Keys, opened: _Opened
    ) -> "Vault":
        (ledger, watch), database = opened, databases[0]
        build = ledger.build
        record, index, visits = Record(ledger), Index(database, ledger), Visits(database, held.addresses)
        budgets, least, builds, nonces = Budgets(), Floors(), Builds(build), Nonces(now)
        await asyncio.to_thread(replay.replay, ledger, budgets, least, builds, nonces)
        people = People(database, held, least)
        base = _Base(
            settings, database, held, record, people, Grants(database, now), Invites(database, now), now
        )
        post, signin = Post.of(settings, database, people, record, now), _signin(base, visits)
        proofs = _proofs(base, post.courier, signin)
        search = Search(people, record, now, most_bytes=settings.search_bytes)
        records = Records(
            database=database,
            keys=held,
            people=people,
            search=search,
            record=record,
            grants=base.grants,
            budgets=budgets,
            nonces=nonces,
            least=least,
            now=now,
        )
        methods = Methods(
            rights=_rights(base, budgets, signin, proofs),
            mydata=_mydata(base, proofs, index, watch),
            records=records,
            importing=Importing(people, record, now),
            courier=post.courier,
            messages=post.messages,
            members=_members(base, post.courier),
            signin=signin,
            grants=base.grants,
            scope=Scope(database=database, record=record, index=index, visits=visits),
            doctor=Doctor(
                database=database,
                url=settings.database_url,
                keys=held,
                ledger=ledger,
                index=index,
                watch=watch,
            ),
            index=index,
            record=record,
            builds=builds,
            watch=watch,
        )
        await index.start()
        await post.courier.settle_after_start()
        await _count_shops(database, budgets)
        await _record_start(record, build)
        parts = (record, records, search, index, post.returns, watch, proofs, budgets)
        return cls(settings, methods, *parts, databases, now)

    async def erase_forever(self) -> None:
        """Erase what was not kept within its hour, and let go of what is not searched, every minute."""
        await asyncio.sleep(_GRACE_SECONDS)
        while True:
            try:
                await self.records.erase_unkept(self._now())
                await _count_shops(self._databases[0], self.budgets)
            except (psycopg.Error, LedgerUnavailable) as fault:
                _log.error("cannot_erase", fault=type(fault).__name__)
            self.search.forget_idle()
            await asyncio.sleep(_ERASE_EVERY_SECONDS)

    async def close(self) -> None:
        """Write what waits, then let go."""
        await self.watch.stop()
        await self.proofs.stop()
        await self.record.settle()
        await self.index.stop()
        await self.record.ledger.close()
        for one in self._databases:
            await one.close()


@dataclass(frozen=True, slots=True)
class _Base:
    """What nearly every part is given."""

    settings: Settings
    database: Database
    held: Keys
    record: Record
    people: People
    grants: Grants
    invites: Invites
    now: Now


def _signin(base: _Base, visits: Visits) -> SignIn:
    return SignIn(
        database=base.database,
        record=base.record,
        ceremonies=Ceremonies(base.settings.origin, base.settings.host, Challenges(base.now)),
        invites=base.invites,
        grants=base.grants,
        visits=visits,
        now=base.now,
    )


def _members(base: _Base, courier: Courier) -> Members:
    return Members(
        database=base.database,
        people=base.people,
        record=base.record,
        invites=base.invites,
        courier=courier,
        origin=base.settings.origin,
        now=base.now,
    )


def _proofs(base: _Base, courier: Courier, signin: SignIn) -> Proofs:
    return Proofs(
        database=base.database,
        people=base.people,
        record=base.record,
        courier=courier,
        signin=signin,
        addresses=Addresses(base.database, base.record, base.now),
        now=base.now,
    )


def _rights(base: _Base, budgets: Budgets, signin: SignIn, proofs: Proofs) -> RightsMethods:
    database, record, grants, now = base.database, base.record, base.grants, base.now
    return RightsMethods(
        grants=grants,
        memberships=Memberships(database=database, record=record, grants=grants, now=now),
        narrowing=Narrowing(database=database, record=record, grants=grants, now=now),
        proofs=proofs,
        allowances=Allowances(
            database=database,
            record=record,
            counters=budgets,
            grants=grants,
            signin=signin,
            words=base.held.addresses,
            now=now,
        ),
    )


def _mydata(base: _Base, proofs: Proofs, index: Index, watch: Watch) -> MyDataMethods:
    database, record, now = base.database, base.record, base.now
    naming = Naming(database=database, record=record, now=now)
    return MyDataMethods(
        grants=base.grants,
        people=base.people,
        proofs=proofs,
        mydata=MyData(database=database, record=record, index=index, naming=naming, watch=watch),
        naming=naming,
        investigations=Investigations(database=database, record=record, now=now),
        now=now,
    )


async def _count_shops(database: Database, budgets: Budgets) -> None:
    """The platform's budget grows with its shops; those founded since are counted within minutes."""
    row = await database.row("SELECT count(*) FROM vault.shop")
    budgets.shops = max(1, row[0] if row is not None else 0)


def build_hash() -> str:
    """SHA-256 over the vault's own code and SQL: which software answered."""
    digest = hashlib.sha256()
    for name, data in sorted(_sources(resources.files("noren_vault"), "")):
        digest.update(f"{name}\x00{len(data)}\x00".encode() + data)
    return digest.hexdigest()


def _sources(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for one in folder.iterdir():
        if one.is_dir():
            found += _sources(one, f"{prefix}{one.name}/")
        elif one.name.endswith((".py", ".sql")):
            found.append((f"{prefix}{one.name}", one.read_bytes()))
    return found


async def _record_start(record: Record, build: str) -> None:
    try:
        await record.write("start", Path("vault"), ref=f"sha256:{build}")
    except LedgerUnavailable:
        # It serves all the same: health says why, and everything personal is refused one by one.
        _log.critical("start_not_recorded", reason=record.refused)


async def _keys(settings: Settings, database: Database) -> Keys:
    """Load the keys; they are made only where nothing was ever sealed or signed with others."""
    if absent := keys.missing(settings.keys):
        row = await database.row(
            "SELECT EXISTS (SELECT 1 FROM keystore.person_key) OR EXISTS (SELECT 1 FROM vault.ledger_head)"
        )
        if row is None or row[0]:
            raise KeysError(
                f"no {', '.join(absent)} key in {settings.keys}, but the database was used with one"
            )
        keys.make(settings.keys)
    return keys.load(settings.keys)
