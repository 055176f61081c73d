"""From which export a list comes: its canaries, looked for among the texts of a file that turned up.

A canary's address or number stands for her; names alone are met by chance and are told as such. A list
without canaries proves nothing: they may have been taken out, or it has another source.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

from noren_vault.canaries import Canaries, Flock
from noren_vault.database import Database
from noren_vault.errors import BadRequest
from noren_vault.index import Index
from noren_vault.record import Path, Record

MOST_TEXTS: Final = 100_000
_LONGEST: Final = 400
_SECONDS: Final = 60.0
_EXPORTS: Final = """
SELECT t.transfer, t.shop_id, s.slug, t.reason, t.fields, t.persons, t.state, a.handle, b.handle,
       (SELECT count(*) FROM vault.canary c WHERE c.transfer = t.transfer)
FROM vault.transfer t JOIN vault.actor a USING (actor) JOIN vault.shop s ON s.shop_id = t.shop_id
LEFT JOIN vault.actor b ON b.actor = t.decided_by
WHERE t.transfer = ANY(%s) ORDER BY t.asked_at
"""
_STEPS: Final = """
SELECT e.entry, e.at, e.actor, e.credential, e.session, e.note, e.outcome,
       (SELECT count(*) FROM vault.ledger_person p WHERE p.entry = e.entry)
FROM vault.ledger_entry e
WHERE e.kind = 'export' AND e.ref = %s AND e.entry < %s ORDER BY e.entry
"""


class Trace:
    """Looks a list's texts up among all exports' canaries. The asking is on record."""

    def __init__(self, *, database: Database, canaries: Canaries, record: Record, index: Index) -> None:
        """Keep the parts."""
        self._database = database
        self._canaries = canaries
        self._record = record
        self._index = index

    async def find(self, texts: Sequence[Any], path: Path) -> dict[str, Any]:
        """Give each export of which a canary is among the texts, with all that the ledger has of it."""
        if len(texts) > MOST_TEXTS or not all(isinstance(one, str) and len(one) <= _LONGEST for one in texts):
            raise BadRequest(f"at most {MOST_TEXTS} texts of {_LONGEST} characters")
        await self._record.settle()
        await self._record.write("scope", path, note="trace", ref=f"texts:{len(texts)}")
        ledger = self._record.ledger
        head = ledger.head()
        await self._index.reach(head.size, _SECONDS)
        flock = await self._canaries.flock()
        matched = await asyncio.to_thread(_matched, flock, texts)
        rows = await self._database.rows(_EXPORTS, [list(matched)])
        exports = [await self._told(row, matched[row[0]], head.size) for row in rows]
        for one in exports:
            await self._record.write("sign", Path("vault"), note="canary", ref=f"export:{one['export']}")
        return {"exports": exports, "size": head.size, "checkpoint": head.signed}

    async def _told(self, row: Sequence[Any], matched: dict[int, set[str]], size: int) -> dict[str, Any]:
        transfer, shop, slug, reason, names, persons, state, handle, decider, canaries = row
        steps = [_step(one) for one in await self._database.rows(_STEPS, [f"export:{transfer}", size])]
        # A proof for each step; for the pieces, `noren scope --export` writes a bundle.
        proved = [one["entry"] for one in steps if one["note"] not in ("piece", "alone")]
        return {
            "export": transfer,
            "shop": shop,
            "slug": slug,
            "reason": reason,
            "fields": list(names),
            "persons": persons,
            "state": state,
            "asked_by": handle,
            "decided_by": decider,
            "canaries": canaries,
            "matched": {str(number): sorted(found) for number, found in sorted(matched.items())},
            "steps": steps,
            "proofs": {str(entry): self._record.ledger.proof(entry) for entry in proved},
        }


def _matched(flock: Flock, texts: Iterable[str]) -> dict[str, dict[int, set[str]]]:
    found: dict[str, dict[int, set[str]]] = {}
    for text in texts:
        for name, one in flock.find(text):
            found.setdefault(one.transfer, {}).setdefault(one.number, set()).add(name)
    return found


def _step(row: Sequence[Any]) -> dict[str, Any]:
    entry, at, actor, credential, session, note, outcome, persons = row
    return {
        "entry": entry,
        "at": at / 1000,
        "actor": actor,
        "credential": credential,
        "session": session,
        "note": note,
        "outcome": outcome,
        "persons": persons,
    }
