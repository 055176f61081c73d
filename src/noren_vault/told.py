"""What had been told when the ledger had so many entries: an answer that is asked for again is the same."""

from dataclasses import dataclass
from typing import Any, Final

from noren_vault.database import Database

# An outcome that came in later is not in the tree that the answer names, though the index knows it by now.
_LATER: Final = """
SELECT DISTINCT ref FROM vault.ledger_entry WHERE kind = 'outcome' AND entry >= %(size)s
  AND CASE WHEN ref ~ '^[0-9]{1,18}$' THEN ref::bigint < %(size)s ELSE false END
"""
_BEFORE: Final = """
SELECT DISTINCT ON (ref) ref, note FROM vault.ledger_entry
WHERE kind = 'outcome' AND ref = ANY(%(refs)s) AND entry > %(first)s AND entry < %(size)s
ORDER BY ref, entry DESC
"""
_OUTCOME: Final = (
    "coalesce((SELECT l.note FROM unnest(%(later)s::bigint[], %(notes)s::text[]) AS l(entry, note) "
    "WHERE l.entry = e.entry), e.outcome)"
)


@dataclass(frozen=True, slots=True)
class Told:
    """The tree's size, and the outcomes, as of then, of what had another one since."""

    size: int
    later: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """SQL for the outcome of the entry `e`."""
        return _OUTCOME if self.later else "e.outcome"

    @property
    def params(self) -> dict[str, Any]:
        """What a statement with it, or with `size`, is given."""
        return {"size": self.size, "later": list(self.later), "notes": list(self.notes)}


async def told(database: Database, size: int) -> Told:
    """Read it from the index, which must have caught up with a head beyond `size`."""
    rows = await database.rows(_LATER, {"size": size})
    if not rows:
        return Told(size)
    later = sorted(int(row[0]) for row in rows)
    given = {"refs": [row[0] for row in rows], "first": later[0], "size": size}
    before = {int(ref): note for ref, note in await database.rows(_BEFORE, given)}
    return Told(size, tuple(later), tuple(before.get(one, "") for one in later))
