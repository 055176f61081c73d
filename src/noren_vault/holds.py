"""Legal holds: while an incident is looked into, nobody who may be in its scope is erased.

A hold names persons of a shop, or the whole of it. Every way that erases asks here in its own transaction,
under a lock that who sets a hold waits for: once it is set, nothing of it is erased any more. What was asked
for meanwhile waits, and is done when nothing holds the person any longer.
"""

import secrets
from collections.abc import Sequence
from typing import Any, Final

from noren_vault import merges
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import BadRequest
from noren_vault.incidents import Asker, Incidents
from noren_vault.record import Outcome, Path, Record

MOST_PERSONS: Final = 20_000
MOST_DAYS: Final = 366
_DAY_MS: Final = 86_400_000
_LOCK: Final = 7_216_301_032
_OF: Final = b"""
SELECT max(h.look_at) FROM vault.legal_hold h
WHERE h.shop_id = %(shop)s AND h.ended_at IS NULL AND (h.whole OR EXISTS (
    SELECT FROM vault.legal_hold_person p WHERE p.hold = h.hold AND p.person = ANY(%(persons)s::uuid[])))
"""
# To be put behind a row of `vault.person p`.
UNHELD: Final = b"""NOT EXISTS (SELECT FROM vault.legal_hold h
WHERE h.shop_id = p.shop_id AND h.ended_at IS NULL AND (h.whole OR EXISTS (
    SELECT FROM vault.legal_hold_person q WHERE q.hold = h.hold AND q.person = p.person)))"""
_OVER: Final = """
SELECT hold FROM vault.legal_hold WHERE ended_at IS NULL AND rung_at IS NULL AND look_at <= %s
ORDER BY look_at, hold
"""
_ALL: Final = """
SELECT h.hold, h.shop_id, h.whole, h.since, h.look_at, h.ended_at,
    (SELECT count(*) FROM vault.legal_hold_person p WHERE p.hold = h.hold),
    (SELECT count(*) FROM vault.erasure_waiting w WHERE w.shop_id = h.shop_id AND w.done_at IS NULL
        AND (h.whole OR EXISTS (SELECT FROM vault.legal_hold_person p
            WHERE p.hold = h.hold AND p.person = w.person)))
FROM vault.legal_hold h WHERE h.incident = %s ORDER BY h.since, h.hold
"""


async def steady(connection: Connection) -> None:
    """Until the transaction ends no hold is set: to be asked for before it is asked who is held."""
    await connection.execute(b"SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])


async def until(connection: Connection, shop: int, persons: Sequence[str]) -> int | None:
    """Give when the hold on one of these is looked at again (milliseconds); None: nothing holds them."""
    await steady(connection)
    cursor = await connection.execute(_OF, {"shop": shop, "persons": list(persons)})
    row = await cursor.fetchone()
    return None if row is None or row[0] is None else int(row[0])


class Holds:
    """Sets, lists, rings; `lifting` releases. On record first."""

    def __init__(self, *, database: Database, record: Record, incidents: Incidents, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._incidents = incidents
        self._now = now

    async def set(
        self, asker: Asker, incident: str, shop: int, persons: Sequence[str] | None, days: int
    ) -> dict[str, Any]:
        """Hold these persons of a shop, or without any all of it; looked at again after so many days.

        Gives its id, and how many it holds (0: the whole shop). Raises NoSuchIncident, BadRequest.
        """
        if (
            not shop
            or not 0 < days <= MOST_DAYS
            or (persons is not None and not 0 < len(persons) <= MOST_PERSONS)
        ):
            raise BadRequest(
                f"a hold is of a shop, has 1 to {MOST_PERSONS} persons, and 1 to {MOST_DAYS} days"
            )
        hold, now = secrets.token_hex(8), self._now()
        every = await self._every(shop, persons)
        async with self._database.transaction() as connection:
            await self._incidents.found(connection, asker, incident)
            # Who erases at this moment is waited for.
            await connection.execute(b"SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            ref = f"incident:{incident}/hold:{hold}"
            entry = await self._record.write("incident", asker.path, shop=shop, ref=ref, note="held")
            await connection.execute(
                b"INSERT INTO vault.legal_hold (hold, incident, shop_id, whole, since, look_at) "
                b"VALUES (%s, %s, %s, %s, %s, %s)",
                [hold, incident, shop, persons is None, now, now + days * _DAY_MS],
            )
            await connection.execute(
                b"INSERT INTO vault.legal_hold_person (hold, person) SELECT %s, unnest(%s::uuid[])",
                [hold, every],
            )
        await self._record.outcome(entry, Outcome.DONE, asker.path)
        return {"hold": hold, "persons": len(every)}

    async def ring(self) -> int:
        """Make a sign of each whose day of looking again has come; gives how many.

        It names neither incident nor shop: every operator reads it. Killed between the entry and the row it
        is written once more, and counts as the same sign.
        """
        over = await self._database.rows(_OVER, [self._now()])
        for (hold,) in over:
            await self._record.write("sign", Path("vault"), ref=f"hold:{hold}", note="hold_over")
            await self._database.run(
                "UPDATE vault.legal_hold SET rung_at = %s WHERE hold = %s", [self._now(), hold]
            )
        return len(over)

    async def all(self, incident: str) -> list[dict[str, Any]]:
        """Give an incident's holds, in order; the caller has said who asks. `waiting`: erasures held up."""
        return [
            {
                "hold": hold,
                "shop": shop,
                "whole": whole,
                "since": since / 1000,
                "look_at": look_at / 1000,
                "ended": None if ended is None else ended / 1000,
                "persons": persons,
                "waiting": waiting,
            }
            for hold, shop, whole, since, look_at, ended, persons, waiting in await self._database.rows(
                _ALL, [incident]
            )
        ]

    async def _every(self, shop: int, persons: Sequence[str] | None) -> list[str]:
        """Whom the shop has joined is one person: all of her records are held."""
        if persons is None:
            return []
        into = await merges.pairs(self._database, shop, persons)
        return sorted({*persons, *into, *into.values()})
