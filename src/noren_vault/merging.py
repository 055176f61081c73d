"""Joining two records of one customer, undoing it while it can be, and ending what cannot be undone any more.

Staff join; an unproved guest's record may go into any other, one whose address was proved only into another
with the same proved address: whoever proved who she is loses nothing to a record that anybody may have typed.
Both ids are on record. Each act is one transaction and is done once, however often it is asked for.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from noren_vault import holds, joining, spelling
from noren_vault.backup_keys import BackupKeys, date_text
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import MergeRefused, NoSuchPerson
from noren_vault.fields import FIELDS, Values
from noren_vault.floors import Floors, to_ref
from noren_vault.grants import Grant, Grants
from noren_vault.joining import BEFORE
from noren_vault.keys import Keys
from noren_vault.people import People, Rewrite, Sealed, opened_under_lock
from noren_vault.permissions import Permission
from noren_vault.proofs import readdressed
from noren_vault.record import Outcome, Path, Record
from noren_vault.signin_mails import SigninMails

UNDO_MS: Final = 30 * 86_400_000
_VAULT: Final = Path("vault")
_KEPT: Final = ("kept",)
_OPENED: Final = (*FIELDS, BEFORE)
_STATE: Final = b"SELECT state, into_person::text, until FROM vault.merge WHERE shop_id = %s AND person = %s"
_MERGED: Final = b"""
INSERT INTO vault.merge (shop_id, person, into_person, state, at, until) VALUES (%s, %s, %s, 'merged', %s, %s)
ON CONFLICT (shop_id, person) DO UPDATE SET into_person = excluded.into_person, state = 'merged',
    at = excluded.at, until = excluded.until
"""
_OTHERS: Final = b"""
SELECT 1 FROM vault.merge WHERE shop_id = %s AND into_person = %s AND state <> 'undone' LIMIT 1
"""
_PROVED: Final = b"""
SELECT coalesce(bool_or(f.proved_at IS NOT NULL AND f.version = (k.versions ->> 'mail')::integer), false),
    coalesce(bool_or(EXISTS (SELECT 1 FROM vault.actor a WHERE a.kind = 'customer'
        AND a.handle = 'person:' || p.person::text
        AND (EXISTS (SELECT 1 FROM vault.passkey y WHERE y.actor = a.actor)
            OR EXISTS (SELECT 1 FROM vault.password w WHERE w.actor = a.actor)))), false)
FROM vault.person p JOIN keystore.person_key k USING (shop_id, person)
LEFT JOIN vault.proof f USING (shop_id, person)
WHERE p.shop_id = %s AND p.person = %s
"""
_DUE: Final = f"""
SELECT m.shop_id, m.person::text FROM vault.merge m JOIN vault.person p USING (shop_id, person)
WHERE m.state = 'merged' AND m.until <= %s AND p.state = 'kept' AND {holds.UNHELD.decode()}
ORDER BY m.until LIMIT %s
"""  # noqa: S608 - made of constants alone
_MOST: Final = 500
_log = structlog.get_logger("merging")


@dataclass(slots=True)
class _Both:
    """Two locked records, opened: who stays and who goes."""

    stays: Sealed
    goes: Sealed
    hers: Values
    others: Values


class Merging:
    """The acts. What is opened here is written anew and told to nobody."""

    def __init__(
        self,
        *,
        database: Database,
        people: People,
        keys: Keys,
        record: Record,
        grants: Grants,
        least: Floors,
        backup_keys: BackupKeys,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._people = people
        self._keys = keys
        self._record = record
        self._grants = grants
        self._least = least
        self._backup_keys = backup_keys
        self._now = now

    async def merge(self, grant: Grant, person: str, into: str, take: Sequence[str]) -> int:
        """Join a record to another; gives until when it can be undone. `take`: of joining.CHOSEN, what the
        record that goes says better. Again it changes nothing. Raises MergeRefused, NoSuchPerson.
        """
        grant.needs(Permission.CUSTOMERS_CHANGE)
        if person == into:
            raise MergeRefused("one record", reason="same")

        async def act(connection: Connection) -> tuple[int, list[_Written]]:
            both = await self._both(connection, grant.shop, person, into)
            standing = await _standing(connection, grant.shop, person)
            if standing is not None and standing[0] == "merged":
                if standing[1] == into:
                    return standing[2], []
                raise MergeRefused("joined already", reason="merged")
            await self._check(connection, grant.shop, both, take)
            try:
                changed = joining.joined(both.hers, both.others, take)
            except joining.Full as full:
                raise MergeRefused("no room for both", reason="full") from full
            entry = await self._entry(grant, person, into, "merged")
            new = Rewrite.of(both.stays, list(changed), changed)
            kept = Rewrite.of(both.goes, [BEFORE], {BEFORE: joining.before(both.hers, changed, new.versions)})
            written = [
                await self._write(connection, grant.shop, both.stays, new),
                await self._write(connection, grant.shop, both.goes, kept),
            ]
            now = self._now()
            await connection.execute(_MERGED, [grant.shop, person, into, now, now + UNDO_MS])
            self._database.after(connection, lambda: self._people.changed(grant.shop, [person, into]))
            return now + UNDO_MS, [*written, _Written(grant.shop, into, {}, entry, grant.path)]

        until: int = await self._done(act)
        return until

    async def undo(self, grant: Grant, person: str, bookings: Sequence[int]) -> None:
        """Part the two again: what was there before comes back, lines go with their bookings. Again it
        changes nothing. Raises MergeRefused (never joined, or too late), NoSuchPerson.
        """
        grant.needs(Permission.CUSTOMERS_CHANGE)

        async def act(connection: Connection) -> tuple[None, list[_Written]]:
            standing = await _standing(connection, grant.shop, person)
            if standing is None or standing[0] == "settled":
                raise MergeRefused("nothing to undo", reason="over")
            into = standing[1]
            both = await self._both(connection, grant.shop, person, into)
            # Under the locks: somebody else may have parted them, or joined them anew, a moment ago.
            standing = await _standing(connection, grant.shop, person)
            if standing is None or standing[:2] == ("undone", into):
                return None, []
            if standing[:2] != ("merged", into) or self._now() >= standing[2]:
                raise MergeRefused("too late", reason="over")
            text = both.others.pop(BEFORE).text if BEFORE in both.others else ""
            kept, back = joining.parted(
                both.hers, both.others, joining.read_before(text), both.stays.versions, bookings
            )
            entry = await self._entry(grant, person, into, "undone")
            written = [
                await self._write(connection, grant.shop, one, Rewrite.of(one, names, fields))
                for one, names, fields in (
                    (both.stays, list(kept), kept),
                    # What the other one had before is hers again, and lies nowhere else.
                    (both.goes, [*back, BEFORE], back),
                )
            ]
            await connection.execute(
                b"UPDATE vault.merge SET state = 'undone' WHERE shop_id = %s AND person = %s",
                [grant.shop, person],
            )
            self._database.after(connection, lambda: self._people.changed(grant.shop, [person, into]))
            return None, [*written, _Written(grant.shop, person, {}, entry, grant.path)]

        await self._done(act)

    async def settle_due(self) -> int:
        """Erase the records whose time to be parted again is over; gives their number."""
        settled = 0
        for shop, person in await self._database.rows(_DUE, [self._now(), _MOST]):
            settled += await self._settle(shop, person)
        return settled

    # -- inside

    async def _entry(self, grant: Grant, person: str, into: str, note: str) -> int:
        return await self._record.write(
            "merge", grant.path, shop=grant.shop, persons=[into, person], ref=f"into:{into}", note=note
        )

    async def _settle(self, shop: int, person: str) -> bool:
        last = await self._backup_keys.unreadable_from()
        async with self._database.transaction() as connection:
            if await self._people.lock(connection, shop, person, _KEPT) is None:
                return False
            standing = await _standing(connection, shop, person)
            if standing is None or standing[0] != "merged" or standing[2] > self._now():
                return False
            if await holds.until(connection, shop, [person]) is not None:
                return False
            until = f"backup:{last.stored.id.hex()}/unreadable_from:{date_text(last.destroy_at)}"
            entry = await self._record.write(
                "erase", _VAULT, shop=shop, persons=[person], ref=until, note="merged"
            )
            await self._people.destroy(connection, shop, [person])
            await SigninMails.forget(connection, shop, [person])
            await connection.execute(
                b"UPDATE vault.merge SET state = 'settled' WHERE shop_id = %s AND person = %s", [shop, person]
            )
        self._least.erase(shop, person)
        await self._record.outcome(entry, Outcome.DONE, _VAULT)
        return True

    async def _done(self, act: "Callable[[Connection], Awaitable[tuple[Any, list[_Written]]]]") -> Any:
        """Do an act in one transaction, then say of each entry that it is done."""
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            told, written = await act(connection)
        for one in written:
            self._least.raise_to(one.shop, one.person, one.versions)
            if one.entry is not None:
                await self._record.outcome(one.entry, Outcome.DONE, one.path)
            self._grants.changed(*one.ended)
        return told

    async def _both(self, connection: Connection, shop: int, goes: str, stays: str) -> _Both:
        """Lock both in one order, and open them."""
        locked: dict[str, Sealed] = {}
        for one in sorted((goes, stays)):
            sealed = await self._people.lock(connection, shop, one, _KEPT)
            if sealed is None:
                raise NoSuchPerson("not a customer who stays")
            locked[one] = sealed
        opened = [
            await opened_under_lock(self._people, connection, shop, locked[one], _OPENED)
            for one in (stays, goes)
        ]
        return _Both(locked[stays], locked[goes], *opened)

    async def _check(self, connection: Connection, shop: int, both: _Both, take: Sequence[str]) -> None:
        """Raise MergeRefused where the record that goes must not, or the other one cannot take it."""
        cursor = await connection.execute(_OTHERS, [shop, both.goes.person])
        if await cursor.fetchone() is not None:
            raise MergeRefused("others went into it", reason="has_others")
        standing = await _standing(connection, shop, both.stays.person)
        if standing is not None and standing[0] != "undone":
            raise MergeRefused("it went into another one", reason="into_merged")
        why = why_not(
            await proved(connection, shop, both.stays.person),
            await proved(connection, shop, both.goes.person),
            both.hers,
            both.others,
        )
        if why:
            raise MergeRefused("a proved address", reason=why)
        if "mail" in take and "mail" in both.hers and (await proved(connection, shop, both.stays.person))[0]:
            raise MergeRefused("a proved address stays", reason="proved_mail")

    async def _write(self, connection: Connection, shop: int, sealed: Sealed, new: Rewrite) -> "_Written":
        """Write a record's fields anew, on record as the vault's own doing: nobody brought or saw them.

        Of BEFORE, which no request can name, the record says nothing.
        """
        if not new.versions:
            return _Written(shop, sealed.person, {}, None, _VAULT)
        entry, named = None, {name: at for name, at in new.versions.items() if name != BEFORE}
        if named:
            entry = await self._record.write(
                "update",
                _VAULT,
                shop=shop,
                persons=[sealed.person],
                fields=sorted(named),
                ref=to_ref(named),
                note="merge",
            )
        await self._people.rewrite(connection, shop, sealed, new, self._now())
        ended: list[str] = []
        if "mail" in new.versions:
            ended = await readdressed(
                connection, self._grants, shop, sealed.person, new.versions["mail"], but=""
            )
        return _Written(shop, sealed.person, named, entry, _VAULT, tuple(ended))


@dataclass(frozen=True, slots=True)
class _Written:
    """What is to be said once the transaction stands."""

    shop: int
    person: str
    versions: dict[str, int]
    entry: int | None
    path: Path
    ended: tuple[str, ...] = ()


def why_not(
    stays: tuple[bool, bool], goes: tuple[bool, bool], stays_fields: Values, goes_fields: Values
) -> str:
    """Say why a record may not go into the other, as a code, or nothing. Of each: proved, has an account."""
    if not any(goes):
        return ""
    if not stays[0]:
        return "proved"
    mails = [spelling.mail(one["mail"].text) if "mail" in one else "" for one in (stays_fields, goes_fields)]
    return "" if mails[0] and mails[0] == mails[1] else "two_proved"


async def proved(connection: Connection, shop: int, person: str) -> tuple[bool, bool]:
    """Whether her present address is proved, and whether she has a way to sign in beside it."""
    cursor = await connection.execute(_PROVED, [shop, person])
    row = await cursor.fetchone()
    return (False, False) if row is None else (bool(row[0]), bool(row[1]))


async def _standing(connection: Connection, shop: int, person: str) -> tuple[str, str, int] | None:
    cursor = await connection.execute(_STATE, [shop, person])
    row = await cursor.fetchone()
    return None if row is None else (str(row[0]), str(row[1]), int(row[2]))
