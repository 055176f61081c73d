"""What was cosigned, in the vault's database."""

from dataclasses import dataclass

from noren_vault.database import Database
from noren_vault.ledger import Head


@dataclass(frozen=True, slots=True)
class Kept:
    """The newest head that a witness has cosigned; `at` in milliseconds since the epoch."""

    head: Head
    at: int


class Store:
    """The two tables. An older head never replaces a newer."""

    def __init__(self, database: Database) -> None:
        """Use the vault's pool."""
        self._database = database

    async def witnesses(self) -> dict[str, Kept]:
        """The newest head of each witness, by its key's name."""
        rows = await self._database.rows("SELECT name, size, root, signed, at FROM vault.witness")
        return {name: Kept(Head(size, bytes(root), signed), at) for name, size, root, signed, at in rows}

    async def keep(self, name: str, kept: Kept) -> None:
        """Keep a witness's head."""
        await self._database.run(
            "INSERT INTO vault.witness AS held (name, size, root, signed, at) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (name) DO UPDATE SET size = excluded.size, root = excluded.root, "
            "signed = excluded.signed, at = excluded.at WHERE held.size <= excluded.size",
            [name, kept.head.size, kept.head.root, kept.head.signed, kept.at],
        )

    async def cosigned(self) -> Head | None:
        """The newest head that met the quorum."""
        row = await self._database.row("SELECT size, root, signed FROM vault.cosigned")
        return None if row is None else Head(row[0], bytes(row[1]), row[2])

    async def publish(self, head: Head) -> None:
        """Keep a head that met the quorum."""
        await self._database.run(
            "INSERT INTO vault.cosigned AS held (size, root, signed) VALUES (%s, %s, %s) "
            "ON CONFLICT (one) DO UPDATE SET size = excluded.size, root = excluded.root, "
            "signed = excluded.signed WHERE held.size <= excluded.size",
            [head.size, head.root, head.signed],
        )
