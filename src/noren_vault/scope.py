"""Whose data, which fields, when, by which path: the question after a leak.

Answered from the index when it has caught up with a head, and complete up to that head. What passed in either
direction counts; what the record does not say was not told, counts as possibly told.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from noren_vault import keyside
from noren_vault.canaries import of_backups
from noren_vault.database import Database
from noren_vault.errors import BadRequest, NoSuchEntry
from noren_vault.exposure import Exposures
from noren_vault.index import Index
from noren_vault.ledger import LedgerDamaged, ProofInvalid
from noren_vault.passed import Passed
from noren_vault.protocol import Params
from noren_vault.question import Question
from noren_vault.record import Path, Record
from noren_vault.stores import Stores
from noren_vault.told import Told, told
from noren_vault.visits import Visits

_SECONDS: Final = 30.0
MOST_AT_ONCE: Final = 5000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted as evidence. `bounds` is a time in milliseconds, a node (level, index)."""

    bounds: tuple[int, int] | None
    outcomes: list[int]
    entries: list[int]
    nodes: list[tuple[int, int]]

    @classmethod
    def of(cls, params: Params) -> "Wanted":
        """Read it from the wire. Raises BadRequest."""
        bounds, nodes = params.raw.get("bounds"), params.raw.get("nodes", [])
        pairs = [one for one in nodes if _numbers(one) and len(one) == 2] if isinstance(nodes, list) else []
        lists = {name: params.raw.get(name, []) for name in ("outcomes", "entries")}
        whole = (bounds is None or (_numbers(bounds) and len(bounds) == 2)) and len(pairs) == len(nodes)
        if not whole or not all(_numbers(one) for one in lists.values()):
            raise BadRequest("evidence is asked for by numbers")
        return cls(
            None if bounds is None else (bounds[0], bounds[1]),
            lists["outcomes"],
            lists["entries"],
            [(level, index) for level, index in pairs],
        )


def _numbers(given: object) -> bool:
    return isinstance(given, list) and all(type(one) is int and 0 <= one < 1 << 53 for one in given)


class Scope:
    """Answers the question, and hands out what proves the answer. The question itself is on record."""

    def __init__(self, *, database: Database, record: Record, index: Index, visits: Visits) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._index = index
        self._passed = Passed(database, visits)
        self._stores = Stores(database)

    async def answer(self, question: Question, path: Path) -> dict[str, Any]:
        """Give every person with fields, times, states, and by which ways. VaultUnavailable, BadRequest,
        NoSuchEntry.
        """
        await self._record.settle()
        await self._record.write(
            "scope", path, shop=question.shop or 0, ref=question.to_ref(), note=question.to_note()
        )
        ledger = self._record.ledger
        head = ledger.head()
        await self._index.reach(head.size, _SECONDS)
        try:
            head = ledger.head_at(head.size if question.size is None else question.size)
        except ProofInvalid as fault:
            raise NoSuchEntry from fault
        by_then = await told(self._database, head.size)
        asked = await self._passed.resolve(question)
        found = Exposures()
        ways: list[dict[str, Any]] = []
        if question.passed:
            ways = await self._passed.read(question, asked, by_then, found)
        taken = await self._taken(question, by_then, found)
        if question.untouched:
            taken["untouched"] = await self._stores.untouched(question, by_then, found)
        if question.persons:
            found.ask_for(question.shop or 0, question.persons)
        exposed, spared = found.split()
        canaries = await of_backups(self._database)
        try:
            proofs = {str(index): ledger.proof(index, head) for index in question.proofs}
        except ProofInvalid as fault:
            raise BadRequest("no such entry") from fault
        return {
            "asked": asked.to_wire(),
            "persons": [one.to_wire() for one in exposed],
            "spared": [one.to_wire() for one in spared],
            # The entries alone do not tell them from people, so they stay where a proof has them.
            "canaries": sorted({one.person for one in (*exposed, *spared)} & canaries),
            "ways": ways,
            **taken,
            "entries": len({entry for one in exposed for entry in one.entries}),
            "head": {"size": head.size, "root": head.root.hex()},
            "checkpoint": head.signed,
            "complete": True,
            "proofs": proofs,
        }

    async def _taken(self, question: Question, by_then: Told, found: Exposures) -> dict[str, Any]:
        """What is said of stores, of the keys beside them, and of accounts in them."""
        if not question.taken:
            return {"stores": [], "keyside": None, "accounts": []}
        side = await keyside.read(
            self._database, since=question.since, until=question.until, size=by_then.size
        )
        stores, accounts = await self._stores.read(question, by_then, found, intact=side["intact"])
        return {"stores": stores, "keyside": side, "accounts": accounts}

    async def first_at(self, at: int) -> int:
        """Give the first entry of this time (milliseconds) or later; where there is none the size."""
        size = self._record.ledger.size
        await self._index.reach(size, _SECONDS)
        return (await self.bounds(at, at, size))[0]

    async def bounds(self, since: int, until: int, size: int) -> tuple[int, int]:
        """Give the entries [first, last) that hold all of a time: none before `first` is of it or later.

        What a clock that stood behind has made too late in the tree lies in it as well.
        """
        row = await self._database.row(
            "SELECT (SELECT coalesce(min(entry), %(size)s) FROM vault.ledger_entry "
            "WHERE at >= %(since)s AND entry < %(size)s), "
            "(SELECT coalesce(max(entry) + 1, 0) FROM vault.ledger_entry "
            "WHERE at <= %(until)s AND entry < %(size)s), "
            "(SELECT coalesce(max(entry) + 1, 0) FROM vault.ledger_entry "
            "WHERE skew > 0 AND at > %(until)s AND at - skew <= %(until)s AND entry < %(size)s)",
            {"since": since, "until": until, "size": size},
        )
        first, last, late = row or (0, 0, 0)
        return first, max(first, last, late)

    async def outcomes(self, entries: Sequence[int], size: int) -> list[int]:
        """Give the entries that say how these ended."""
        if not entries:
            return []
        rows = await self._database.rows(
            "SELECT entry FROM vault.ledger_entry "
            "WHERE kind = 'outcome' AND ref = ANY(%s) AND entry < %s ORDER BY entry",
            [[str(one) for one in entries], size],
        )
        return [row[0] for row in rows]

    async def texts(self, entries: Sequence[int]) -> list[str]:
        """Give entries as they stand in the ledger, in the order asked for. Raises BadRequest."""
        if len(entries) > MOST_AT_ONCE or any(not 0 <= one < self._record.ledger.size for one in entries):
            raise BadRequest(f"entries are at most {MOST_AT_ONCE} that are there")
        try:
            return await asyncio.to_thread(self._texts, entries)
        except LedgerDamaged as fault:
            raise BadRequest("an entry cannot be read") from fault

    async def nodes(self, wanted: Sequence[tuple[int, int]]) -> list[str]:
        """Give hashes of the tree in hex, by (level, index). Raises BadRequest."""
        size = self._record.ledger.size
        fine = all(0 <= level < 63 and index >= 0 and (index + 1) << level <= size for level, index in wanted)
        if len(wanted) > MOST_AT_ONCE or not fine:
            raise BadRequest(f"nodes are at most {MOST_AT_ONCE} whole ones")
        try:
            return [await self._node(level, index) for level, index in wanted]
        except OSError as fault:
            raise BadRequest("a tile is missing") from fault

    async def _node(self, level: int, index: int) -> str:
        # The tree is the loop's; between two hashes others have their turn.
        await asyncio.sleep(0)
        return self._record.ledger.node(level, index).hex()

    def _texts(self, entries: Sequence[int]) -> list[str]:
        found: dict[int, str] = {}
        for start, end in _runs(entries):
            for index, payload in self._record.ledger.payloads(start, end):
                found[index] = payload.decode("ascii")
        return [found[one] for one in entries]


def _runs(entries: Sequence[int], gap: int = 64) -> list[tuple[int, int]]:
    """Neighbours are read together: [start, end) each."""
    runs: list[tuple[int, int]] = []
    for one in sorted(set(entries)):
        if runs and one - runs[-1][1] < gap:
            runs[-1] = runs[-1][0], one + 1
        else:
            runs.append((one, one + 1))
    return runs
