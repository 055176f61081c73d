"""The vault put together: which part is given which, and in what order they start and stop."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final

import psycopg
import structlog

from noren_vault import incident_parts, migrations, parts, replay, signin_parts
from noren_vault.alerts import Alerts
from noren_vault.api_keys import end_again
from noren_vault.backup_methods import BackupMethods
from noren_vault.backups import Backups, erase_again
from noren_vault.budgets import Budgets
from noren_vault.builds import Builds
from noren_vault.clock import Now
from noren_vault.database import Database, Heads
from noren_vault.defence import Defence
from noren_vault.errors import LedgerUnavailable, VaultError
from noren_vault.floors import Floors
from noren_vault.forced import Forced
from noren_vault.incident_parts import Aftermath, Beside
from noren_vault.index import Index
from noren_vault.keeping import Keeping, provider_of
from noren_vault.key_methods import KeyMethods
from noren_vault.keys import Keyring, Keys
from noren_vault.ledger import Ledger
from noren_vault.ledger.note import Signer
from noren_vault.merging import Merging
from noren_vault.methods import Methods
from noren_vault.nonces import Nonces
from noren_vault.notice_methods import NoticeMethods
from noren_vault.post import Post
from noren_vault.powers import Powers
from noren_vault.proofs import Proofs
from noren_vault.providers import KeysError
from noren_vault.record import Path, Record
from noren_vault.records import Records
from noren_vault.reset_methods import ResetMethods
from noren_vault.resets import Resets
from noren_vault.returns import Returns
from noren_vault.search import Search
from noren_vault.settings import Settings
from noren_vault.sso_provider import Providers
from noren_vault.transfers import Transfers
from noren_vault.witnesses import Policy, Store, Watch

# After a start, so that the app's late `keep`s come before the erasing.
_GRACE_SECONDS: Final = 600.0
_ERASE_EVERY_SECONDS: Final = 60.0
_Databases = tuple[Database, Heads]
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
    alerts: Alerts
    resets: Resets
    forced: Forced
    powers: Powers
    defence: Defence
    merging: Merging
    notices: NoticeMethods
    aftermath: Aftermath
    _stops: tuple[Callable[[], Awaitable[None]], ...]
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
            await vault.aftermath.signs.signs.start()
            return vault  # noqa: TRY300 - what is below closes what was opened
        except BaseException:
            if ledger is not None:
                await ledger.close()
            for one in databases:
                await one.close()
            raise

    @classmethod
    async def _assemble(cls, settings: Settings, now: Now, two: _Databases, opened: _Opened) -> "Vault":
        (ring, held, ledger, watch), database = opened, two[0]
        record, index = Record(ledger), Index(database, ledger)
        budgets, least, builds, nonces = Budgets(), Floors(), Builds(ledger.build), Nonces(now)
        ended = await asyncio.to_thread(replay.replay, ledger, budgets, least, builds, nonces)
        base = parts.base(settings, database, held, record, least=least, now=now)
        people, post = base.people, Post.of(settings, database, base.people, record, now)
        signin, providers = signin_parts.signin(base, post.courier), Providers(settings.sso_private, now)
        defence = await signin_parts.defence(base, post.courier)
        passwords, security, alerts = signin_parts.accounts(base, signin, post, defence=defence, index=index)
        search = Search(people, record, now, most_bytes=settings.search_bytes)
        proofs, members = signin_parts.proofs(base, post.courier, signin), parts.members(base, post.courier)
        keeping = parts.keeping(base, ring, index, least)
        records = parts.records(base, search, budgets, nonces, least)
        exports, importing, transfers = parts.lists(base, budgets, signin, index, (keeping, least))
        card, merging = parts.card(base, search, budgets, least, keeping)
        forced = parts.forced(base, passwords.passwords, post.courier)
        powers, lending = parts.powers(base, signin, members, post.courier)
        notices = parts.notices(base, signin, members, post.courier, (defence, index, least))
        beside = Beside(post.courier, defence, index, least, signin, members, keeping, notices)
        aftermath = incident_parts.aftermath(base, beside)
        methods = Methods(
            powers=lending,
            rights=parts.rights(base, budgets, signin, proofs),
            exports=exports,
            mydata=parts.mydata(base, proofs, defence, index, watch),
            customers=signin_parts.customers(base, least, proofs).acts | card.acts,
            records=records,
            importing=importing,
            courier=post.courier,
            messages=post.messages,
            members=members,
            shops=parts.shops(base, post, signin, members),
            signin=signin,
            grants=base.grants,
            scope=aftermath.scope,
            doctor=parts.doctor(base, ledger, index, watch),
            index=index,
            record=record,
            builds=builds,
            watch=watch,
            keys=KeyMethods(database, keeping, base.grants, base.freshness),
            passwords=passwords,
            security=security,
            resets=ResetMethods(passwords, defence, base.grants),
            backups=BackupMethods(Backups(records, people, record, keeping.backup_keys, settings.host)),
            ending=signin_parts.ending(base, passwords, alerts),
            api_keys=parts.api_keys(base, records),
            forced=forced,
            sso=signin_parts.sso(base, signin, post, members, providers),
            incidents=aftermath.acts,
            notices=notices,
        )
        await _go_on(database, budgets, ended, now())
        await _begin(index, post, record, ledger.build, erase_again(database, people, record, least))
        made = (record, records, search, index, post.returns, watch, proofs, budgets, keeping, transfers)
        more = (alerts, passwords.resets, forced, powers, defence, merging, notices, aftermath)
        stops = (aftermath.stop, watch.stop, proofs.stop, alerts.stop, powers.stop, signin.required.stop)
        last = (passwords.resets.stop, defence.letters.stop, defence.keep_if_possible, providers.close)
        return cls(settings, methods, *made, *more, (*stops, *last, post.courier.stop), two, now)

    async def erase_forever(self) -> None:
        """Erase what was not kept within its hour, and let go of what is not searched, every minute."""
        await asyncio.sleep(_GRACE_SECONDS)
        while True:
            await self.tidy()
            self.search.forget_idle()
            await asyncio.sleep(_ERASE_EVERY_SECONDS)

    async def tidy(self) -> None:
        """Do one round of it; what cannot be done holds nothing else up, and is tried again in the next."""
        acts: tuple[Callable[[], Awaitable[Any]], ...] = (
            lambda: self.records.erase_unkept(self._now()),
            self.keeping.erasure.erase_waiting,
            self.merging.settle_due,
            self.transfers.tidy,
            self.resets.tidy,
            self.powers.tidy,
            self.notices.tidy,
            *self.aftermath.tidies,
            lambda: _count_shops(self._databases[0], self.budgets),
        )
        for act in acts:
            try:
                await act()
            except (psycopg.Error, OSError, KeysError, VaultError) as fault:
                _log.error("cannot_tidy", fault=type(fault).__name__)

    async def close(self) -> None:
        """Write what waits, then let go."""
        for stop in self._stops:
            await stop()
        await self.record.settle()
        await self.index.stop()
        await self.record.ledger.close()
        for one in self._databases:
            await one.close()


async def _go_on(database: Database, budgets: Budgets, ended: Sequence[str], now: int) -> None:
    """What was ended stays ended; the budgets know how many shops there are."""
    await end_again(database, ended, now)
    await _count_shops(database, budgets)


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
