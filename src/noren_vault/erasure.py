"""Erasing a person for good, with a certificate that an outsider can check against the ledger.

The data key is destroyed, and the fields and tokens with it. Copies of the wrapped key in backups are sealed
under backup keys, the last of which is destroyed on a day that is known now and stands in the entry.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import structlog

from noren_vault import holds, merges
from noren_vault.backup_keys import BackupKeys, date_text
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import ErasureHeld, MergeRefused, NoSuchPerson, VaultUnavailable
from noren_vault.floors import Floors
from noren_vault.index import Index
from noren_vault.people import People
from noren_vault.record import Outcome, Path, Record
from noren_vault.signin_mails import SigninMails

_SECONDS: Final = 30.0
_NOT_SETTLED: Final = """
SELECT e.entry, e.shop_id, array_agg(p.person::text), bool_and(v.state = 'erased')
FROM vault.ledger_entry e JOIN vault.ledger_person p USING (entry)
LEFT JOIN vault.person v ON v.shop_id = e.shop_id AND v.person = p.person
WHERE e.kind = 'erase' AND e.outcome = '' GROUP BY e.entry, e.shop_id ORDER BY e.entry
"""
_ERASURES: Final = """
SELECT e.entry, (SELECT min(o.entry) FROM vault.ledger_entry o
    WHERE o.kind = 'outcome' AND o.ref = e.entry::text AND o.note = 'done')
FROM vault.ledger_entry e JOIN vault.ledger_person p USING (entry)
WHERE e.kind = 'erase' AND e.shop_id = %s AND p.person = %s AND e.outcome = 'done' ORDER BY e.entry LIMIT 1
"""
# Of whom something still holds are not tried; under the lock it is asked again.
_WAITING: Final = (
    "SELECT w.shop_id, w.person::text, w.reason, w.by, w.credential, w.session "
    "FROM vault.erasure_waiting w JOIN vault.person p ON (p.shop_id, p.person) = (w.shop_id, w.person) "
    "WHERE w.done_at IS NULL AND " + holds.UNHELD.decode() + " ORDER BY w.asked_at, w.person LIMIT 500"
)
_log = structlog.get_logger("erasure")


class Reason(StrEnum):
    """Why somebody is erased; it stands in the entry."""

    ASKED = "asked"
    RETENTION = "retention"
    MISTAKE = "mistake"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was done, and the two entries with their proofs: the erasure, and that it was done.

    `erased_at` in milliseconds; `unreadable_from` a UTC date, empty for an erasure that named none.
    """

    shop: int
    person: str
    reason: str
    erased_at: int
    unreadable_from: str
    entries: tuple[tuple[int, str, str], tuple[int, str, str]]
    vkey: str

    def to_wire(self) -> dict[str, Any]:
        """The shape of the answer; the instant is POSIX seconds."""
        return {
            "shop": self.shop,
            "person": self.person,
            "reason": self.reason,
            "erased_at": self.erased_at / 1000,
            "unreadable_from": self.unreadable_from,
            "entries": [
                {"index": index, "entry": entry, "proof": proof} for index, entry, proof in self.entries
            ],
            "vkey": self.vkey,
        }


class Erasure:
    """The act of erasing. Once it is done, nothing that turns up of the person opens (floors)."""

    def __init__(
        self,
        *,
        database: Database,
        people: People,
        record: Record,
        index: Index,
        least: Floors,
        backup_keys: BackupKeys,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._people = people
        self._record = record
        self._index = index
        self._least = least
        self._backup_keys = backup_keys
        self._now = now

    async def erase(self, shop: int, person: str, reason: Reason, path: Path) -> Certificate:
        """Erase a customer, with every record that was joined to hers; who was erased already gets the
        certificate once more.

        Raises NoSuchPerson, LedgerUnavailable; MergeRefused: joined meanwhile; ErasureHeld: it waits until
        nothing holds her any more. Interrupted, it is done again or ended by `settle`.
        """
        last = await self._backup_keys.unreadable_from()
        date = date_text(last.destroy_at)
        async with self._database.transaction() as connection:
            # Records that were joined are one person: with either id all of them go.
            every = await merges.together(connection, shop, person)
            there = [one for one in sorted(every) if await self._lock(connection, shop, one)]
            if await merges.together(connection, shop, person) != every:
                raise MergeRefused("joined, or parted, meanwhile", reason="merged")
            person = every[0]
            held = await holds.until(connection, shop, there) if there else None
            if held is not None:
                await self._wait(connection, shop, person, reason, path)
                entry = None
            elif there:
                entry = await self._record.write(
                    "erase",
                    path,
                    shop=shop,
                    persons=there,
                    ref=f"backup:{last.stored.id.hex()}/unreadable_from:{date}",
                    note=reason,
                )
                await self._people.destroy(connection, shop, there)
                await SigninMails.forget(connection, shop, there)
            else:
                entry = None
        if held is not None:
            raise ErasureHeld("a legal hold", day=date_text(held))
        if entry is not None:
            for one in there:
                self._least.erase(shop, one)
            await self._record.write("outcome", path, ref=str(entry), note=Outcome.DONE)
        else:
            await self.settle()
        return await self._certificate(shop, person)

    async def settle(self) -> None:
        """Write the outcome of erasures that were committed when the process ended."""
        await self._index.reach(self._record.ledger.size, _SECONDS)
        for entry, shop, persons, erased in await self._database.rows(_NOT_SETTLED):
            if not erased:
                continue
            for person in persons:
                self._least.erase(shop, person)
            _log.warning("erasure_settled", entry=entry)
            await self._record.write("outcome", Path("vault"), ref=str(entry), note=Outcome.DONE)

    async def erase_waiting(self) -> int:
        """Erase those whose erasure waited and whom nothing holds any more; gives their number."""
        done = 0
        for shop, person, reason, *way in await self._database.rows(_WAITING):
            try:
                await self.erase(shop, person, Reason(reason), Path(*way))
            except ErasureHeld:
                continue
            await self._database.run(
                "UPDATE vault.erasure_waiting SET done_at = %s WHERE shop_id = %s AND person = %s",
                [self._now(), shop, person],
            )
            done += 1
        return done

    async def _wait(self, connection: Connection, shop: int, person: str, reason: Reason, path: Path) -> None:
        """Keep in mind, on record, that she is to be erased; asked for again it is the same wish."""
        cursor = await connection.execute(
            b"INSERT INTO vault.erasure_waiting (shop_id, person, reason, by, credential, session, asked_at) "
            b"VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [shop, person, reason, path.actor, path.credential, path.session, self._now()],
        )
        if cursor.rowcount:
            await self._record.write(
                "incident", path, shop=shop, ref=f"person:{person}", note=f"erasure_waits:{reason}"
            )

    async def _lock(self, connection: Connection, shop: int, person: str) -> bool:
        """Lock the customer; false when she was erased already. Raises NoSuchPerson."""
        cursor = await connection.execute(
            b"SELECT state FROM vault.person "
            b"WHERE shop_id = %s AND person = %s AND kind = 'customer' FOR UPDATE",
            [shop, person],
        )
        row = await cursor.fetchone()
        if row is None:
            raise NoSuchPerson("nobody to erase")
        return bool(row[0] != "erased")

    async def _certificate(self, shop: int, person: str) -> Certificate:
        """Build it from the ledger's own entries."""
        ledger = self._record.ledger
        await self._index.reach(ledger.size, _SECONDS)
        row = await self._database.row(_ERASURES, [shop, person])
        if row is None or row[1] is None:
            raise VaultUnavailable("the erasure is not on record yet")
        (_, erased), (_, done) = (next(ledger.entries(index, index + 1)) for index in row)
        parts = dict(part.split(":", 1) for part in erased.ref.split("/") if ":" in part)
        return Certificate(
            shop=shop,
            person=person,
            reason=erased.note,
            erased_at=done.time,
            unreadable_from=parts.get("unreadable_from", ""),
            entries=(
                (row[0], erased.to_bytes().decode(), ledger.proof(row[0])),
                (row[1], done.to_bytes().decode(), ledger.proof(row[1])),
            ),
            vkey=ledger.vkey(),
        )
