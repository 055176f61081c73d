"""Lists of persons that leave a shop or come into it: asked for with a reason, agreed to by a second person.

Up to `ALONE` persons whoever asks needs nobody, and pays for what leaves out of the own budget. Beyond,
another owner or manager agrees with a fresh passkey within a day; from then on whoever asked has an hour.
Each step is an entry with `ref` `export:ID` or `import:ID`; the reason's words lie sealed, and never stand in
the ledger.
"""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from noren_vault import freezes, rights
from noren_vault.clock import Now
from noren_vault.database import Connection, Database, Row
from noren_vault.errors import (
    BadRequest,
    BudgetHeld,
    GrantRefused,
    NoSuchTransfer,
    TransferOver,
    TransferWaits,
)
from noren_vault.grants import HOUR_MS, Grant, Grants
from noren_vault.keys import Keys
from noren_vault.permissions import Permission
from noren_vault.record import Path, Record
from noren_vault.rights import DECIDING, Purpose
from noren_vault.signin import SignIn

ALONE: Final = rights.MOST_OTHERWISE
WAITS_MS: Final = 24 * HOUR_MS
LIFE_MS: Final = HOUR_MS
REASONS: Final = ("moving", "letters", "figures", "authority", "other")
MOST_PERSONS: Final = 1_000_000
_LONGEST: Final = 300
_SHOWN_MS: Final = 90 * 24 * HOUR_MS
_FIND: Final = """
SELECT t.transfer, t.kind, t.shop_id, t.actor::text, a.handle, m.role, t.reason, t.sealed, t.fields, t.about,
       t.persons, t.places, t.second, t.state, t.told, t.runs, t.asked_at, t.expires_at,
       t.decided_by::text, b.handle, n.role, t.decided_at
FROM vault.transfer t JOIN vault.actor a USING (actor)
LEFT JOIN vault.actor b ON b.actor = t.decided_by
LEFT JOIN vault.membership m ON m.shop_id = t.shop_id AND m.actor = t.actor AND m.ended_at IS NULL
LEFT JOIN vault.membership n ON n.shop_id = t.shop_id AND n.actor = t.decided_by AND n.ended_at IS NULL
"""
_OVER: Final = (
    " USING vault.transfer t WHERE t.transfer = p.transfer "
    "AND (t.state IN ('declined', 'cancelled') OR t.expires_at <= %s)"
)
_TIDY: Final = tuple(
    f"DELETE FROM vault.{each} p{_OVER}"  # noqa: S608 - made of constants alone
    for each in ("transfer_place", "transfer_rows")
)


def reason_of(text: str) -> str:
    """Read the code of a reason. Raises BadRequest."""
    if text not in REASONS:
        raise BadRequest(f"a reason is one of {', '.join(REASONS)}")
    return text


class Kind(StrEnum):
    """Which way the list goes; also the kind of its entries."""

    EXPORT = "export"
    IMPORT = "import"


# What whoever asks for such a list, takes it or agrees to it must be permitted.
_NEEDED: Final[Mapping[Kind, Permission]] = {
    Kind.EXPORT: Permission.LISTS_EXPORT,
    Kind.IMPORT: Permission.LISTS_IMPORT,
}


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer as it stands. Instants in milliseconds; roles are None once the membership has ended."""

    id: str
    kind: Kind
    shop: int
    actor: str
    handle: str
    role: str | None
    reason: str
    sealed: bytes
    fields: tuple[str, ...]
    about: str
    persons: int
    places: int
    second: bool
    state: str
    told: int
    runs: int
    asked_at: int
    expires_at: int
    decided_by: str | None
    decider: str | None
    decider_role: str | None
    decided_at: int | None

    @property
    def ref(self) -> str:
        """How entries name it."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. `about` is a file's hash, where there is one."""

    kind: Kind
    reason: str
    words: str
    fields: tuple[str, ...]
    persons: int
    about: str = ""

    def check(self) -> None:
        """Raise BadRequest for what no page would ask."""
        if self.reason not in REASONS or not self.words.strip() or len(self.words) > _LONGEST:
            raise BadRequest(f"a reason is one of {', '.join(REASONS)}, and 1 to {_LONGEST} characters")
        if not 0 < self.persons <= MOST_PERSONS:
            raise BadRequest(f"a list has 1 to {MOST_PERSONS} persons")


class Transfers:
    """Asks, agrees, cancels, and knows what may go on."""

    def __init__(
        self,
        *,
        database: Database,
        record: Record,
        grants: Grants,
        signin: SignIn,
        keys: Keys,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._grants = grants
        self._signin = signin
        self._keys = keys
        self._now = now

    async def may_ask(self, grant: Grant, wanted: Wanted) -> bool:
        """Say whether a second person must agree. GrantRefused, PurposeRefused; BudgetHeld: there is none."""
        _decides(grant, wanted.kind)
        wanted.check()
        _allows(grant, wanted.kind, wanted.fields)
        if wanted.persons <= ALONE:
            return False
        if not await self._grants.another_decides(grant):
            await self._record.write(
                "refused", grant.path, shop=grant.shop, ref=wanted.kind, note="budget:hold"
            )
            raise BudgetHeld("there is no second person", today=0, left=0)
        return True

    async def begin(
        self, connection: Connection, grant: Grant, wanted: Wanted, *, places: int, second: bool
    ) -> str:
        """Write down that it was asked for, and store it in the caller's transaction; gives its id."""
        transfer, now = secrets.token_hex(8), self._now()
        note = f"asked:{wanted.reason}"
        await self._write(grant.path, grant.shop, f"{wanted.kind}:{transfer}", note, wanted.fields)
        await connection.execute(
            b"INSERT INTO vault.transfer (transfer, kind, shop_id, actor, reason, sealed, fields, about, "
            b"persons, places, second, state, asked_at, expires_at) "
            b"VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                transfer,
                wanted.kind,
                grant.shop,
                grant.actor,
                wanted.reason,
                self._keys.addresses.seal(wanted.words.strip().encode(), place(transfer)),
                list(wanted.fields),
                wanted.about,
                wanted.persons,
                places,
                second,
                "asked" if second else "ready",
                now,
                now + (WAITS_MS if second else LIFE_MS),
            ],
        )
        return transfer

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Open a transaction for `begin`, while the keys stay."""
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            yield connection

    async def all(self, grant: Grant) -> list[dict[str, Any]]:
        """The shop's transfers of the last 90 days, newest first; who decides there may see them."""
        _decides(grant)
        rows = await self._database.rows(
            _FIND + "WHERE t.shop_id = %s AND t.asked_at > %s ORDER BY t.asked_at DESC LIMIT 200",
            [grant.shop, self._now() - _SHOWN_MS],
        )
        return [self._told(_transfer(row), grant) for row in rows]

    async def decide_begin(self, grant: Grant, transfer: str) -> dict[str, Any]:
        """Options for the second person's passkey, good for this transfer alone."""
        await self._to_decide(grant, transfer)
        return await self._signin.fresh_begin(grant, deed=transfer)

    async def approve(self, grant: Grant, transfer: str, response: Mapping[str, Any]) -> None:
        """Agree to it with a fresh passkey. GrantRefused, PasskeyRefused, NoSuchTransfer, TransferOver."""
        await self._to_decide(grant, transfer)
        path = await self._signin.fresh_finish(grant, response, deed=transfer)
        await self._decide(grant, transfer, path, "ready")

    async def decline(self, grant: Grant, transfer: str) -> None:
        """Say no to it; whoever else decides there."""
        await self._decide(grant, transfer, grant.path, "declined")

    async def cancel(self, grant: Grant, transfer: str) -> None:
        """End it, also in the middle; whoever decides there may. What was told stays told."""
        _decides(grant)
        async with self._database.transaction() as connection:
            one = await self._find(connection, grant, transfer)
            _decides(grant, one.kind)
            self._not_over(one)
            await self._write(grant.path, one.shop, one.ref, "cancelled", one.fields)
            await self._settle(connection, one, grant, "cancelled")

    async def ready(self, grant: Grant, transfer: str, kind: Kind) -> Transfer:
        """Give a transfer that may go on now, under the rights as they are now.

        Raises NoSuchTransfer, TransferWaits, TransferOver, ExportsFrozen, GrantRefused, PurposeRefused.
        """
        row = await self._database.row(
            _FIND + "WHERE t.transfer = %s AND t.shop_id = %s AND t.kind = %s", [transfer, grant.shop, kind]
        )
        if row is None:
            raise NoSuchTransfer
        one = _transfer(row)
        self._not_over(one)
        if one.actor != grant.actor:
            raise GrantRefused("who asked for a list takes it")
        _decides(grant, kind)
        _allows(grant, kind, one.fields)
        if one.state == "asked":
            raise TransferWaits
        if kind is Kind.EXPORT:
            await freezes.check(self._database, grant.shop)
        if one.second and one.decider_role not in DECIDING:
            raise TransferOver("who agreed to it decides there no more")
        return one

    async def opened(self, grant: Grant, one: Transfer) -> None:
        """Record that a run of it begins, and count it."""
        await self._write(grant.path, one.shop, one.ref, "opened", one.fields)
        await self._database.run(
            "UPDATE vault.transfer SET runs = runs + 1, told = 0 WHERE transfer = %s", [one.id]
        )

    async def reached(self, one: Transfer, place: int) -> None:
        """Say up to which place it has come."""
        await self._database.run(
            "UPDATE vault.transfer SET told = greatest(told, %s) WHERE transfer = %s",
            [min(place, one.places), one.id],
        )

    async def left(self, shop: int, transfer: str) -> Transfer:
        """Give an import whose rows were left here, for them to come in: while it is agreed to, and whoever
        asked and whoever agreed decide there. Raises NoSuchTransfer, TransferOver.
        """
        row = await self._database.row(
            _FIND + "WHERE t.transfer = %s AND t.shop_id = %s AND t.kind = %s", [transfer, shop, Kind.IMPORT]
        )
        if row is None:
            raise NoSuchTransfer
        one = _transfer(row)
        self._not_over(one)
        if one.state != "ready" or one.role not in DECIDING:
            raise TransferOver("whoever asked for it decides there no more")
        if one.second and one.decider_role not in DECIDING:
            raise TransferOver("who agreed to it decides there no more")
        return one

    async def keeps_on(self, one: Transfer) -> None:
        """Give what was left here a day to come in: it may be stopped, and go on."""
        await self._database.run(
            "UPDATE vault.transfer SET expires_at = greatest(expires_at, %s) WHERE transfer = %s",
            [self._now() + WAITS_MS, one.id],
        )

    async def brings(self, transfer: str, persons: Sequence[str]) -> None:
        """Keep in mind whom an import is about to bring in."""
        await self._database.run(
            "INSERT INTO vault.transfer_brought (transfer, person) SELECT %s, unnest(%s::uuid[])",
            [transfer, list(persons)],
        )

    async def tidy(self) -> int:
        """Let go of the places, and of the rows left here, of what is over; gives the number of both."""
        return sum([await self._database.run(each, [self._now()]) for each in _TIDY])

    # -- inside

    async def _to_decide(self, grant: Grant, transfer: str) -> None:
        async with self._database.transaction() as connection:
            await self._undecided(connection, grant, transfer)

    async def _undecided(self, connection: Connection, grant: Grant, transfer: str) -> Transfer:
        """Lock one that waits for this person. The rights of whoever asked must still be there."""
        _decides(grant)
        one = await self._find(connection, grant, transfer)
        _decides(grant, one.kind)
        if one.actor == grant.actor:
            await self._record.write("refused", grant.path, shop=one.shop, ref=one.ref, note="same_person")
            raise GrantRefused("nobody is their own second person")
        self._not_over(one)
        if one.state != "asked" or one.role not in DECIDING:
            raise TransferOver("it does not wait any more")
        return one

    async def _decide(self, grant: Grant, transfer: str, path: Path, state: str) -> None:
        async with self._database.transaction() as connection:
            one = await self._undecided(connection, grant, transfer)
            note = "approved" if state == "ready" else state
            await self._write(path, one.shop, one.ref, note, one.fields)
            await self._settle(connection, one, grant, state)

    async def _settle(self, connection: Connection, one: Transfer, grant: Grant, state: str) -> None:
        now = self._now()
        decided = (grant.actor, now) if state != "cancelled" else (one.decided_by, one.decided_at)
        await connection.execute(
            b"UPDATE vault.transfer SET state = %s, decided_by = %s, decided_at = %s, expires_at = %s "
            b"WHERE transfer = %s",
            [state, *decided, now + LIFE_MS if state == "ready" else now, one.id],
        )

    async def _find(self, connection: Connection, grant: Grant, transfer: str) -> Transfer:
        cursor = await connection.execute(
            _FIND.encode() + b"WHERE t.transfer = %s AND t.shop_id = %s FOR UPDATE OF t",
            [transfer, grant.shop],
        )
        row = await cursor.fetchone()
        if row is None:
            raise NoSuchTransfer
        return _transfer(row)

    def _not_over(self, one: Transfer) -> None:
        if one.state in ("declined", "cancelled") or one.expires_at <= self._now():
            raise TransferOver(one.state)

    async def _write(self, path: Path, shop: int, ref: str, note: str, fields: Sequence[str]) -> None:
        kind = ref.partition(":")[0]
        purpose = Purpose.EXPORT if kind == Kind.EXPORT else ""
        await self._record.write(kind, path, shop=shop, purpose=purpose, fields=fields, ref=ref, note=note)

    def _told(self, one: Transfer, grant: Grant) -> dict[str, Any]:
        over = one.state in ("asked", "ready") and one.expires_at <= self._now()
        return {
            "transfer": one.id,
            "kind": one.kind,
            "handle": one.handle,
            "reason": one.reason,
            "words": self._opened(one),
            "fields": list(one.fields),
            "about": one.about,
            "persons": one.persons,
            # Of the places some are the canaries': in parts of the persons, they do not show.
            "told": one.persons * one.told // one.places,
            "runs": one.runs,
            "second": one.second,
            "state": "over" if over else one.state,
            "asked": one.asked_at / 1000,
            "until": one.expires_at / 1000,
            "decider": one.decider,
            "own": one.actor == grant.actor,
        }

    def _opened(self, one: Transfer) -> str:
        return self._keys.opens(one.sealed).open(one.sealed, place(one.id)).decode()


def _decides(grant: Grant, kind: Kind | None = None) -> None:
    """Raise GrantRefused unless the grant's holder moves lists of this kind, or of any."""
    grant.needs(*(_NEEDED.values() if kind is None else [_NEEDED[kind]]))


def _allows(grant: Grant, kind: Kind, fields: tuple[str, ...]) -> None:
    if kind is Kind.EXPORT:
        rights.check_reveal(grant.role, Purpose.EXPORT, fields, grant.narrowed)
    else:
        rights.check_update(grant.role, fields)


def _transfer(row: Row) -> Transfer:
    told = list(row)
    told[1], told[7], told[8] = Kind(told[1]), bytes(told[7]), tuple(told[8])
    return Transfer(*told)


def place(transfer: str) -> str:
    """Binds the sealed words to their transfer."""
    return f"transfer:{transfer}"
