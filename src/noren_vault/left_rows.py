"""Rows of an import that wait in the vault, sealed, until a step brings them in.

A page that was asked to bring a long list in leaves it here and is done. Some hundred rows are one sealed
piece; it goes when whoever asked for the step has kept whom it brought, and all go when the import is over.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from noren_vault.database import Database
from noren_vault.keys import Keys

MOST_A_PIECE: Final = 500
_LEAVE: Final = """
INSERT INTO vault.transfer_rows (transfer, place, rows, sealed) VALUES (%s, %s, %s, %s)
ON CONFLICT (transfer, place) DO UPDATE SET rows = excluded.rows, sealed = excluded.sealed
"""


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows from a place of the list on. `join`: see `Importing.take`."""

    place: int
    rows: list[Any] = field(repr=False)
    join: bool


class LeftRows:
    """Keeps them, and gives them piece by piece."""

    def __init__(self, database: Database, keys: Keys) -> None:
        """Keep the parts."""
        self._database = database
        self._keys = keys

    async def leave(self, transfer: str, place: int, rows: Sequence[Any], *, join: bool) -> None:
        """Keep rows; those of the same place again take the place of the earlier ones."""
        said = json.dumps({"rows": list(rows), "join": join}, ensure_ascii=False).encode()
        async with self._keys.steady.hold():
            sealed = self._keys.addresses.seal(said, _bound(transfer, place))
            await self._database.run(_LEAVE, [transfer, place, len(rows), sealed])

    async def next(self, transfer: str) -> Piece | None:
        """Give the first piece that is left; None: nothing is."""
        row = await self._database.row(
            "SELECT place, sealed FROM vault.transfer_rows WHERE transfer = %s ORDER BY place LIMIT 1",
            [transfer],
        )
        if row is None:
            return None
        place, sealed = row[0], bytes(row[1])
        said = json.loads(self._keys.opens(sealed).open(sealed, _bound(transfer, place)))
        return Piece(place, said["rows"], said["join"])

    async def gone(self, transfer: str, place: int) -> None:
        """Let go of the pieces that end at this place of the list, or before it."""
        await self._database.run(
            "DELETE FROM vault.transfer_rows WHERE transfer = %s AND place + rows <= %s", [transfer, place]
        )


def _bound(transfer: str, place: int) -> str:
    """Binds a piece to its transfer and place."""
    return f"transfer_rows:{transfer}:{place}"
