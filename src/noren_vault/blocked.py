"""Blocked paths: from a network, or a device as it names itself, nobody signs in while a block lasts.

Asked before anything is checked, so that nobody learns there whether a password is right; and once more in
the transaction of each grant, under a lock that who sets a block waits for: once it is set, no grant comes
from there any more. What is asked with a grant alone carries no address, and is not held up here.
"""

from dataclasses import dataclass
from typing import Final

import structlog

from noren_vault.clock import Now
from noren_vault.database import Connection, Database, Row
from noren_vault.errors import PathBlocked, RecordDamaged
from noren_vault.keys import Keys
from noren_vault.record import Path, Record, session_name
from noren_vault.rights import PLATFORM
from noren_vault.visits import Visit, is_from

# Every way that may end in a grant, or sets what one signs in with.
LETS_IN: Final = frozenset(
    {"signin_finish", "register_finish", "join_finish", "enter_shop", "sso_finish", "own_begin", "own_finish"}
    | {"password_check", "password_set", "totp_check", "recovery_use", "mailed_check"}
    | {"reset_begin", "reset_finish"}
)
ADDRESS: Final = "address"
DEVICE: Final = "device"
LOCK: Final = 7_216_301_038
_LASTING: Final = "SELECT block, kind, sealed FROM vault.path_block WHERE opened_at IS NULL AND until > %s"
# Whoever goes on trying writes no oftener.
_AGAIN_MS: Final = 60_000
_log = structlog.get_logger("blocked")


@dataclass(frozen=True, slots=True)
class Place:
    """One network, or a part of what a browser says it is."""

    kind: str
    name: str

    def holds(self, visit: Visit) -> bool:
        """Whether it is from there."""
        return is_from(
            visit,
            addresses=[self.name] if self.kind == ADDRESS else [],
            devices=[self.name] if self.kind == DEVICE else [],
        )


class Blocked:
    """Refuses."""

    def __init__(self, database: Database, record: Record, keys: Keys, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._keys = keys
        self._now = now
        self._said: dict[str, int] = {}

    async def check(self, visit: Visit, path: Path) -> None:
        """Raise PathBlocked, on record once a minute a block, before anything else is looked at."""
        block = await self._standing(visit, await self._database.rows(_LASTING, [self._now()]))
        if not block:
            return
        if self._new(block):
            await self._record.write("refused", path, ref=f"block:{block}", note="path_blocked")
        raise PathBlocked

    async def hold(
        self, connection: Connection, visit: Visit, shop: int, *, actor: str, credential: str
    ) -> None:
        """Raise PathBlocked, on record; until the caller's transaction ends no block is set."""
        await connection.execute(b"SELECT pg_advisory_xact_lock_shared(%s)", [LOCK])
        # A statement of its own: what was committed while the lock was waited for is seen.
        cursor = await connection.execute(_LASTING.encode(), [self._now()])
        if block := await self._standing(visit, await cursor.fetchall()):
            cursor = await connection.execute(b"SELECT handle FROM vault.actor WHERE actor = %s", [actor])
            (handle,) = await cursor.fetchone() or ("",)
            path = Path(handle, credential, session_name(visit.session))
            await self._record.write("refused", path, shop=shop, ref=f"block:{block}", note="path_blocked")
            raise PathBlocked

    def opened(self, block: str, kind: str, sealed: bytes) -> Place:
        """Give what a block is of. Raises RecordDamaged."""
        return Place(kind, self._keys.opens(sealed).open(sealed, place(block)).decode())

    async def _standing(self, visit: Visit, rows: list[Row]) -> str:
        """The block that it is from. One that does not open blocks nothing, and rings."""
        for block, kind, sealed in rows:
            try:
                if self.opened(block, kind, bytes(sealed)).holds(visit):
                    return str(block)
            except RecordDamaged:
                _log.error("block_damaged", block=block)
                if self._new(block):
                    await self._record.damaged(PLATFORM, ())
        return ""

    def _new(self, block: str) -> bool:
        """Whether nothing was said of it for a minute."""
        now = self._now()
        self._said = {one: at for one, at in self._said.items() if now < at + _AGAIN_MS}
        new = block not in self._said
        self._said.setdefault(block, now)
        return new


def place(block: str) -> str:
    """Binds what is blocked to its row."""
    return f"path-block:{block}"
