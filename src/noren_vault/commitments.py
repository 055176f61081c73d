"""What the ledger committed to, held against what lies in the tables now."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from noren_vault.database import Database
from noren_vault.record import Outcome, Record


async def broken(
    database: Database, record: Record, kind: str, notes: Sequence[str], there: Mapping[str, Collection[str]]
) -> list[str]:
    """Name by their refs what is not as its entry has it, and what was stored and is gone.

    `notes` are patterns of the entries' notes; `there` gives for each ref the commitments that may stand.
    """
    rows = await database.rows(
        "SELECT ref, entry, outcome FROM vault.ledger_entry "
        "WHERE kind = %s AND note LIKE ANY(%s) ORDER BY entry",
        [kind, list(notes)],
    )
    # Of one ref the newest entry counts: what was cut off leaves its place to the next.
    newest = {str(ref): (int(entry), str(outcome)) for ref, entry, outcome in rows}
    commits = await asyncio.to_thread(_commits, record, {ref: entry for ref, (entry, _) in newest.items()})
    changed = {ref for ref, may in there.items() if commits.get(ref) not in may}
    gone = {ref for ref, (_, outcome) in newest.items() if outcome == Outcome.DONE and ref not in there}
    return sorted(changed | gone)


def _commits(record: Record, places: Mapping[str, int]) -> dict[str, str]:
    ledger = record.ledger
    return {ref: next(ledger.entries(entry, entry + 1))[1].commit for ref, entry in places.items()}
