"""One's own sessions: the grants that hold, from where each was opened, and ending them."""

from dataclasses import dataclass
from typing import Any, Final

from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import BadRequest, NoSuchSession
from noren_vault.grants import Grant, Grants, idle_ms
from noren_vault.record import Outcome, Record
from noren_vault.visits import Visit, Visits, network_words

# The same that `Grants` asks of a grant: whoever is not in this list is let in nowhere.
_LIVING: Final = """
SELECT g.grant_id, g.session, g.credential, g.issued_at, g.seen_at FROM vault.access_grant g
WHERE g.actor = %(actor)s AND g.revoked_at IS NULL AND g.expires_at > %(now)s
  AND g.seen_at > %(now)s - %(idle)s
"""
_END: Final = b"""
UPDATE vault.access_grant SET revoked_at = %(now)s
WHERE actor = %(actor)s AND revoked_at IS NULL AND CASE %(which)s::text
    WHEN 'one' THEN grant_id = %(one)s WHEN 'others' THEN grant_id <> %(own)s ELSE true END
"""
WHICH: Final = ("one", "others", "all")
NOWHERE: Final = Visit("")


@dataclass(frozen=True, slots=True)
class _Session:
    """A grant that holds. Instants in milliseconds."""

    id: str
    session: str
    credential: str
    issued: int
    seen: int


class OwnSessions:
    """Lists and ends."""

    def __init__(
        self, *, database: Database, record: Record, grants: Grants, visits: Visits, now: Now
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._grants = grants
        self._visits = visits
        self._now = now

    async def all(self, grant: Grant) -> list[dict[str, Any]]:
        """Give them, this one first, then the last used; the caller has written down that she looks."""
        living = await self._living(grant)
        places = await self._visits.of([one.session for one in living if one.session])
        here = places.get(grant.session, NOWHERE)
        ordered = sorted(living, key=lambda one: (one.id != grant.grant_id, -one.seen))
        return [
            {
                "id": one.id,
                "this": one.id == grant.grant_id,
                "credential": one.credential,
                "since": one.issued / 1000,
                "seen": one.seen / 1000,
                **place_words(places.get(one.session, NOWHERE), here),
            }
            for one in ordered
        ]

    async def end(self, grant: Grant, which: str, grant_id: str = "") -> int:
        """End one, all others, or all; gives how many. Raises NoSuchSession."""
        if which not in WHICH:
            raise BadRequest(f"which is one of {', '.join(WHICH)}")
        living = {one.id: one for one in await self._living(grant)}
        if which == "one" and grant_id not in living:
            raise NoSuchSession
        ref = living[grant_id].session if which == "one" else ""
        entry = await self._record.write("signout", grant.path, shop=grant.shop, ref=ref, note=which)
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                _END,
                {
                    "now": self._now(),
                    "actor": grant.actor,
                    "which": which,
                    "one": grant_id,
                    "own": grant.grant_id,
                },
            )
        self._grants.changed(grant.actor)
        await self._record.outcome(entry, Outcome.DONE, grant.path)
        return cursor.rowcount

    async def _living(self, grant: Grant) -> list[_Session]:
        asked = {"actor": grant.actor, "now": self._now(), "idle": idle_ms(grant.role)}
        rows = await self._database.rows(_LIVING, asked)
        return [_Session(*row) for row in rows]


def place_words(visit: Visit, here: Visit) -> dict[str, Any]:
    """From where it was: the device as it named itself, the network, whether that is the same as here."""
    network = network_words(visit.address)
    return {
        "device": visit.device,
        "network": network,
        "near": bool(network) and network == network_words(here.address),
    }
