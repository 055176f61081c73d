"""The vault put together: which part is given which, and in what order they start and stop."""

import asyncio
import hashlib
from collections.abc import Awaitable
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

import psycopg
import structlog

from noren_vault import migrations, replay
from noren_vault.addresses import Addresses
from noren_vault.allowances import Allowances
from noren_vault.backup_methods import BackupMethods
from noren_vault.backups import Backups, erase_again
from noren_vault.budgets import Budgets
from noren_vault.builds import Builds
from noren_vault.canaries import Canaries
from noren_vault.clock import Now
from noren_vault.courier import Courier
from noren_vault.database import Database, Heads
from noren_vault.defence import Defence
from noren_vault.doctor import Doctor
from noren_vault.doors import Doors
from noren_vault.ending import Ending
from noren_vault.errors import LedgerUnavailable
from noren_vault.export_methods import ExportMethods
from noren_vault.exporting import Exporting
from noren_vault.floors import Floors
from noren_vault.grants import Grants
from noren_vault.importing import Importing
from noren_vault.index import Index
from noren_vault.invites import Invites
from noren_vault.keeping import Keeping, provider_of
from noren_vault.key_methods import KeyMethods
from noren_vault.keys import Keyring, Keys
from noren_vault.ledger import Ledger
from noren_vault.ledger.note import Signer
from noren_vault.members import Members
from noren_vault.memberships import Memberships
from noren_vault.messages import Messages
from noren_vault.methods import Methods
from noren_vault.mydata import MyData
from noren_vault.mydata_methods import MyDataMethods
from noren_vault.naming import Investigations, Naming
from noren_vault.narrowing import Narrowing
from noren_vault.nonces import Nonces
from noren_vault.owner_letters import OwnerLetters
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
from noren_vault.signin_methods import SigninMethods
from noren_vault.trace import Trace
from noren_vault.transfers import Transfers
from noren_vault.visits import Visits
from noren_vault.witnesses import Policy, Store, Watch

# After a start, so that the app's late `keep`s come before the erasing.
_GRACE_SECONDS: Final = 600.0
_ERASE_EVERY_SECONDS: Final = 60.0
_Opened = tuple[Keyring, Keys, Ledger, Watch]
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
    keeping: Keeping
    transfers: Transfers
    defence: Defence
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
            ring = Keyring(await asyncio.to_thread(provider_of, settings), databases[0], now)
            held = await ring.load()
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
            vault = await cls._assemble(settings, now, databases, (ring, held, ledger, watch))
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
        cls, settings: Settings, now: Now, databases: tuple[Database, Heads], opened: _Opened
    ) -> "Vault":
        (ring, held, ledger, watch), database = opened, databases[0]
        record, index, visits = Record(ledger), Index(database, ledger), Visits(database, held)
        budgets, least, builds, nonces = Budgets(), Floors(), Builds(ledger.build), Nonces(now)
        await asyncio.to_thread(replay.replay, ledger, budgets, least, builds, nonces)
        people = People(database, held, least)
        grants, invites = Grants(database, now), Invites(database, now)
        base = _Base(settings, database, held, record, people, grants, invites, visits, now)
        post, signin = Post.of(settings, database, people, record, now), _signin(base)
        proofs, defence = _proofs(base, post.courier, signin), _defence(base, post.courier)
        await defence.load()
        search = Search(people, record, now, most_bytes=settings.search_bytes)
        keeping = Keeping.of(
            settings, ring, keys=held, people=people, record=record, index=index, least=least, now=now
        )
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
        exports, importing, transfers = _lists(base, budgets, signin, index)
        methods = Methods(
            rights=_rights(base, budgets, signin, proofs),
            exports=exports,
            mydata=_mydata(base, proofs, defence, index, watch),
            records=records,
            importing=importing,
            courier=post.courier,
            messages=post.messages,
            members=_members(base, post.courier),
            signin=signin,
            grants=base.grants,
            scope=Scope(database=database, record=record, index=index, visits=visits),
            doctor=_doctor(base, ledger, index, watch),
            index=index,
            record=record,
            builds=builds,
            watch=watch,
            keys=KeyMethods(database, keeping, grants),
            passwords=_passwords(base, signin, post.messages, defence),
            backups=BackupMethods(Backups(records, people, record, keeping.backup_keys, settings.host)),
            doors=Doors(database=database, record=record, index=index, keys=held, now=now),
            ending=Ending(database=database, record=record, grants=grants, now=now),
        )
        await _count_shops(database, budgets)
        await _begin(index, post, record, ledger.build, erase_again(database, people, record, least))
        parts = (record, records, search, index, post.returns, watch, proofs, budgets, keeping, transfers)
        return cls(settings, methods, *parts, defence, databases, now)

    async def erase_forever(self) -> None:
        """Erase what was not kept within its hour, and let go of what is not searched, every minute."""
        await asyncio.sleep(_GRACE_SECONDS)
        while True:
            try:
                await self.records.erase_unkept(self._now())
                await self.transfers.tidy()
                await _count_shops(self._databases[0], self.budgets)
            except (psycopg.Error, LedgerUnavailable) as fault:
                _log.error("cannot_erase", fault=type(fault).__name__)
            self.search.forget_idle()
            await asyncio.sleep(_ERASE_EVERY_SECONDS)

    async def close(self) -> None:
        """Write what waits, then let go."""
        await self.watch.stop()
        await self.proofs.stop()
        await self.defence.letters.stop()
        await self.defence.keep_if_possible()
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
    visits: Visits
    now: Now


def _signin(base: _Base) -> SignIn:
    return SignIn(
        database=base.database,
        record=base.record,
        ceremonies=Ceremonies(base.settings.origin, base.settings.host, Challenges(base.now)),
        invites=base.invites,
        grants=base.grants,
        visits=base.visits,
        keys=base.held,
        now=base.now,
    )


def _defence(base: _Base, courier: Courier) -> Defence:
    letters = OwnerLetters(base.database, courier, base.record, base.settings.origin)
    return Defence(database=base.database, keys=base.held, record=base.record, letters=letters, now=base.now)


def _passwords(base: _Base, signin: SignIn, messages: Messages, defence: Defence) -> SigninMethods:
    return SigninMethods.of(
        database=base.database,
        keys=base.held,
        people=base.people,
        record=base.record,
        grants=base.grants,
        invites=base.invites,
        signin=signin,
        messages=messages,
        defence=defence,
        host=base.settings.host,
        now=base.now,
    )


def _members(base: _Base, courier: Courier) -> Members:
    return Members(
        database=base.database,
        people=base.people,
        keys=base.held,
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
        keys=base.held,
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
            keys=base.held,
            now=now,
        ),
    )


def _lists(
    base: _Base, budgets: Budgets, signin: SignIn, index: Index
) -> tuple[ExportMethods, Importing, Transfers]:
    database, record, people, grants, now = base.database, base.record, base.people, base.grants, base.now
    canaries = Canaries(database, people, base.held, base.settings.canaries_at, now)
    transfers = Transfers(
        database=database, record=record, grants=grants, signin=signin, keys=base.held, now=now
    )
    importing = Importing(people, base.held, record, now, transfers=transfers, flock=canaries)
    exporting = Exporting(
        database=database,
        people=people,
        record=record,
        grants=grants,
        budgets=budgets,
        transfers=transfers,
        canaries=canaries,
        now=now,
    )
    methods = ExportMethods(
        grants=grants,
        transfers=transfers,
        exporting=exporting,
        importing=importing,
        trace=Trace(database=database, canaries=canaries, record=record, index=index),
    )
    return methods, importing, transfers


def _mydata(base: _Base, proofs: Proofs, defence: Defence, index: Index, watch: Watch) -> MyDataMethods:
    database, record, now = base.database, base.record, base.now
    naming = Naming(database=database, record=record, now=now)
    return MyDataMethods(
        grants=base.grants,
        people=base.people,
        proofs=proofs,
        defence=defence,
        mydata=MyData(database=database, record=record, index=index, naming=naming, watch=watch),
        naming=naming,
        investigations=Investigations(database=database, record=record, now=now),
        now=now,
    )


async def _count_shops(database: Database, budgets: Budgets) -> None:
    """The platform's budget grows with its shops; those founded since are counted within minutes."""
    row = await database.row("SELECT count(*) FROM vault.shop")
    budgets.shops = max(1, row[0] if row is not None else 0)


def _doctor(base: _Base, ledger: Ledger, index: Index, watch: Watch) -> Doctor:
    return Doctor(
        database=base.database,
        url=base.settings.database_url,
        keys=base.held,
        ledger=ledger,
        index=index,
        watch=watch,
        now=base.now,
        certificates=None if base.settings.listen is None else base.settings.listen.certificates,
    )


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


async def _begin(index: Index, post: Post, record: Record, build: str, again: Awaitable[int]) -> None:
    """Take up what the last run left, record the start, and erase again whom an older database has."""
    await index.start()
    await post.courier.settle_after_start()
    try:
        await record.write("start", Path("vault"), ref=f"sha256:{build}")
    except LedgerUnavailable:
        # It serves all the same: health says why, and everything personal is refused one by one.
        _log.critical("start_not_recorded", reason=record.refused)
    await again
