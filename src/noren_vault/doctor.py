"""The vault examines itself: what must be true of its files and tables, each told as found."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from noren_vault import migrations, tls
from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import VaultUnavailable
from noren_vault.evidence import Evidence
from noren_vault.incidents import Incidents
from noren_vault.index import Index
from noren_vault.keys import Keys
from noren_vault.ledger import Ledger, LedgerDamaged
from noren_vault.ledger.merkle import CompactRange, leaf_hash
from noren_vault.reported import Reported
from noren_vault.witnesses import Watch


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its name, whether it holds, and a number or what is wrong."""

    check: str
    ok: bool
    detail: str


class Doctor:
    """Runs the checks; changes nothing."""

    def __init__(
        self,
        *,
        database: Database,
        url: str,
        keys: Keys,
        ledger: Ledger,
        index: Index,
        watch: Watch,
        now: Now,
        certificates: Path | None,
        books: Incidents,
        evidence: Evidence,
        reported: Reported,
    ) -> None:
        """Keep the parts. `url` is the process's own login, `certificates` the folder of its TLS."""
        self._database = database
        self._url = url
        self._keys = keys
        self._ledger = ledger
        self._index = index
        self._watch = watch
        self._now = now
        self._certificates = certificates
        self._books = books
        self._evidence = evidence
        self._reported = reported

    async def examine(self) -> list[dict[str, Any]]:
        """Give all findings."""
        findings = [
            await self._schema(),
            await asyncio.to_thread(self._whole),
            await self._indexed(),
            await self._keys_have_persons(),
            await self._persons_have_keys(),
            await self._epochs(),
            self._witnessed(),
            await self._data_keys(),
            self._certified(),
            await self._glass(),
            await self._incidents(),
            await self._files(),
            await self._reports(),
            await self._merges(),
        ]
        return [asdict(one) for one in findings]

    async def _schema(self) -> Finding:
        try:
            await asyncio.to_thread(migrations.check, self._url)
        except migrations.MigrationError as fault:
            return Finding("schema", ok=False, detail=str(fault))
        return Finding("schema", ok=True, detail=f"{len(migrations.all_of_them())} migrations")

    def _whole(self) -> Finding:
        """Compute the root of all entries anew from the files."""
        head, tree = self._ledger.head(), CompactRange()
        try:
            for _, entry in self._ledger.entries(0, head.size):
                tree.append(leaf_hash(entry.to_bytes()))
        except LedgerDamaged as fault:
            return Finding("ledger", ok=False, detail=str(fault))
        whole = (tree.size, tree.root()) == (head.size, head.root)
        return Finding("ledger", ok=whole, detail=f"{tree.size} entries" if whole else "the root is another")

    async def _indexed(self) -> Finding:
        try:
            await self._index.reach(self._ledger.size, 30.0)
            words = await self._index.differs()
        except (LedgerDamaged, VaultUnavailable) as fault:
            words = f"cannot be held against the files: {fault}"
        return Finding("index", ok=not words, detail=words or f"{self._index.size} entries")

    async def _keys_have_persons(self) -> Finding:
        row = await self._database.row(
            "SELECT count(*), count(*) FILTER (WHERE p.person IS NULL) FROM keystore.person_key k "
            "LEFT JOIN vault.person p "
            "ON p.shop_id = k.shop_id AND p.person = k.person AND p.state <> 'erased'"
        )
        total, alone = row or (0, 0)
        return Finding("keys have persons", ok=not alone, detail=f"{alone} of {total} without")

    async def _persons_have_keys(self) -> Finding:
        row = await self._database.row(
            "SELECT count(*), count(*) FILTER (WHERE k.person IS NULL) FROM vault.person p "
            "LEFT JOIN keystore.person_key k USING (shop_id, person) WHERE p.state <> 'erased'"
        )
        total, alone = row or (0, 0)
        return Finding("persons have keys", ok=not alone, detail=f"{alone} of {total} without")

    def _witnessed(self) -> Finding:
        told = self._watch.to_wire()
        if not told["wanted"]:
            return Finding("witnesses", ok=True, detail="no quorum of witnesses is set")
        words = f"{told['entries']} entries not witnessed, the first {told['seconds']} seconds old"
        if told["forked"]:
            words += f"; another history of this ledger is witnessed by {', '.join(told['forked'])}"
        return Finding("witnesses", ok=not (told["late"] or told["forked"]), detail=words)

    def _certified(self) -> Finding:
        """Say in time that the vault's own certificate, or its authority, ends."""
        if self._certificates is None:
            return Finding("certificates", ok=True, detail="not asked over the network")
        try:
            days, name = tls.days_left(self._certificates, self._now() / 1000)
        except tls.TlsError as fault:
            return Finding("certificates", ok=False, detail=str(fault))
        return Finding("certificates", ok=days >= tls.WARN_DAYS, detail=f"{name} ends in {days} days")

    async def _glass(self) -> Finding:
        """What was taken without a second operator stays an alarm until another one has looked at it."""
        row = await self._database.row(
            "SELECT count(*) FROM vault.power w LEFT JOIN vault.power_review v USING (power) "
            "WHERE w.glass AND v.power IS NULL"
        )
        left = 0 if row is None else row[0]
        return Finding("break-glass", ok=not left, detail=f"{left} not reviewed by another operator")

    async def _incidents(self) -> Finding:
        """Each record of an incident is there, and as it was written."""
        wrong = await self._surely(self._books.damaged)
        words = f"not as the ledger has them: {', '.join(wrong[:20])}" if wrong else "every record as written"
        return Finding("incidents", ok=not wrong, detail=words)

    async def _files(self) -> Finding:
        """Each file of an incident is there, with the hash that its record has."""
        wrong = await self._surely(self._evidence.damaged)
        words = (
            f"not as their records have them: {', '.join(wrong[:20])}" if wrong else "every file as it came"
        )
        return Finding("evidence", ok=not wrong, detail=words)

    async def _reports(self) -> Finding:
        """Each report from outside is there, with its files, as it came."""
        wrong = await self._surely(self._reported.damaged)
        words = f"not as the ledger has them: {', '.join(wrong[:20])}" if wrong else "every report as it came"
        return Finding("reports", ok=not wrong, detail=words)

    async def _surely(self, look: Callable[[], Awaitable[list[str]]]) -> list[str]:
        """Look again at what seems wrong: it may have been written while it was looked at."""
        wrong = await look()
        if wrong:
            with suppress(VaultUnavailable):
                await self._index.reach(self._ledger.size, 30.0)
            wrong = sorted(set(wrong) & set(await look()))
        return wrong

    async def _merges(self) -> Finding:
        """Who can still be parted is there, and so is who she was joined to, unless both are erased."""
        row = await self._database.row(
            "SELECT count(*), count(*) FILTER (WHERE (p.state = 'erased') <> (o.state = 'erased') "
            "OR EXISTS (SELECT FROM vault.merge n WHERE n.shop_id = m.shop_id AND n.person = m.into_person "
            "AND n.state <> 'undone')) "
            "FROM vault.merge m JOIN vault.person p ON (p.shop_id, p.person) = (m.shop_id, m.person) "
            "JOIN vault.person o ON (o.shop_id, o.person) = (m.shop_id, m.into_person) "
            "WHERE m.state = 'merged'"
        )
        total, wrong = row or (0, 0)
        return Finding("merges", ok=not wrong, detail=f"{wrong} of {total} not whole")

    async def _epochs(self) -> Finding:
        rows = await self._database.rows("SELECT DISTINCT epoch FROM keystore.person_key")
        missing = sorted(bytes(epoch).hex() for (epoch,) in rows if bytes(epoch) not in self._keys.epochs)
        return Finding(
            "epoch keys", ok=not missing, detail=", ".join(missing) or f"{len(self._keys.epochs)} keys"
        )

    async def _data_keys(self) -> Finding:
        """Every sealed field names the data key that its person has."""
        row = await self._database.row(
            "SELECT count(*), count(*) FILTER (WHERE substring(f.sealed FROM 2 FOR 4) "
            "IS DISTINCT FROM substring(k.wrapped FROM 1 FOR 4)) "
            "FROM vault.field f LEFT JOIN keystore.person_key k USING (shop_id, person)"
        )
        total, other = row or (0, 0)
        return Finding("data keys", ok=not other, detail=f"{other} of {total} fields under another key")
