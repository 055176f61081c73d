"""Setting blocks on paths: weighed first, then set with an end, opened again by another operator.

What is blocked lies sealed; the ledger names the block alone. Living sign-ins that were opened from there end
with it, but for the own one of whoever sets it: she is told that she is among them, and says so.
"""

import ipaddress
import json
import secrets
from dataclasses import dataclass
from typing import Any, Final

from noren_vault.blocked import ADDRESS, DEVICE, LOCK, Blocked, Place, place
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import BadRequest, BlocksYourself, RecordDamaged
from noren_vault.grants import Grants
from noren_vault.incidents import Asker, Incidents
from noren_vault.keys import Keys
from noren_vault.record import Outcome, Record
from noren_vault.visits import Visit

MOST_HOURS: Final = 24 * 90
LEAST_DEVICE: Final = 4
LONGEST: Final = 200
# A shorter prefix is a continent, and a slip.
_LEAST_PREFIX: Final = {4: 8, 6: 16}
_HOUR_MS: Final = 3_600_000
_MAPPED: Final = 96
_LIVING: Final = b"""
SELECT g.grant_id, g.session, s.sealed FROM vault.access_grant g LEFT JOIN vault.session s USING (session)
WHERE g.revoked_at IS NULL AND g.expires_at > %s
"""
_ADD: Final = b"""
INSERT INTO vault.path_block (block, incident, kind, sealed, by, since, until)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_END: Final = b"UPDATE vault.access_grant SET revoked_at = %s WHERE grant_id = ANY(%s) AND revoked_at IS NULL"
_ALL: Final = """
SELECT block, kind, sealed, by, since, until, opened_by, opened_at FROM vault.path_block
WHERE incident = %s ORDER BY since, block
"""


@dataclass(frozen=True, slots=True)
class Weight:
    """Others' grants that were opened from there; whether she is there; of how many it cannot be told."""

    grants: tuple[str, ...]
    own: bool
    unsure: int


class PathBlocks:
    """Weighs, sets, lists. Each is an entry `incident` first."""

    def __init__(
        self,
        *,
        database: Database,
        record: Record,
        incidents: Incidents,
        keys: Keys,
        grants: Grants,
        blocked: Blocked,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._incidents = incidents
        self._keys = keys
        self._grants = grants
        self._blocked = blocked
        self._now = now

    async def weigh(self, asker: Asker, incident: str, what: Place, here: Visit) -> dict[str, Any]:
        """Say how many living sign-ins came from there, and whether the asker is among them. On record."""
        async with self._database.transaction() as connection:
            await self._incidents.found(connection, asker, incident)
            await self._record.write(
                "incident", asker.path, ref=f"incident:{incident}", note=f"weighed:{what.kind}"
            )
            found = await self._weighed(connection, asker, what, here)
        return {
            "name": what.name,
            "living": len(found.grants) + found.own,
            "own": found.own,
            "unsure": found.unsure,
        }

    async def block(
        self, asker: Asker, incident: str, what: Place, hours: int, here: Visit, *, own: bool
    ) -> dict[str, Any]:
        """Let nobody sign in from there for so long, and end who did; gives its id and how many ended.

        Raises NoSuchIncident, BadRequest, and BlocksYourself where the asker is there and has not said `own`.
        """
        if not 0 < hours <= MOST_HOURS:
            raise BadRequest(f"a block lasts 1 to {MOST_HOURS} hours")
        block, now = secrets.token_hex(8), self._now()
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            await self._incidents.found(connection, asker, incident)
            # Who is given a grant at this moment is waited for.
            await connection.execute(b"SELECT pg_advisory_xact_lock(%s)", [LOCK])
            found = await self._weighed(connection, asker, what, here)
            if found.own and not own:
                raise BlocksYourself(living=len(found.grants) + 1)
            ref = f"incident:{incident}/block:{block}"
            entry = await self._record.write("incident", asker.path, ref=ref, note=f"blocked:{what.kind}")
            sealed = self._keys.addresses.seal(what.name.encode(), place(block))
            until = now + hours * _HOUR_MS
            row = [block, incident, what.kind, sealed, asker.handle, now, until]
            await connection.execute(_ADD, row)
            if found.grants:
                await self._record.write("signout", asker.path, ref=f"block:{block}", note="ended")
            await connection.execute(_END, [now, list(found.grants)])
        self._grants.changed(*found.grants)
        await self._record.outcome(entry, Outcome.DONE, asker.path)
        return {"block": block, "ended": len(found.grants)}

    async def all(self, asker: Asker, incident: str) -> list[dict[str, Any]]:
        """Give an incident's blocks, in order; what cannot be told any more is empty. On record."""
        await self._incidents.check(asker, incident)
        rows = await self._database.rows(_ALL, [incident])
        if rows:
            await self._record.write("incident", asker.path, ref=f"incident:{incident}", note="blocks")
        return [
            {
                "block": block,
                "kind": kind,
                "name": self._name(block, kind, bytes(sealed)),
                "by": by,
                "since": since / 1000,
                "until": until / 1000,
                "opened_by": opened_by,
                "opened": None if opened is None else opened / 1000,
            }
            for block, kind, sealed, by, since, until, opened_by, opened in rows
        ]

    # -- inside

    def _name(self, block: str, kind: str, sealed: bytes) -> str:
        try:
            return self._blocked.opened(block, kind, sealed).name
        except RecordDamaged:
            return ""

    async def _weighed(self, connection: Connection, asker: Asker, what: Place, here: Visit) -> Weight:
        """A grant whose session was opened several times is there if one of them was."""
        cursor = await connection.execute(_LIVING, [self._now()])
        there: dict[str, str] = {}
        unsure: set[str] = set()
        for grant, session, sealed in await cursor.fetchall():
            box = bytes(sealed or b"")
            try:
                told = json.loads(self._keys.opens(box).open(box, session))
            except RecordDamaged:
                unsure.add(grant)
                continue
            if what.holds(Visit(session, told["address"], told["device"])):
                there[grant] = session
        own = asker.path.session
        others = tuple(sorted(one for one, session in there.items() if not own or session != own))
        here_too = bool(asker.actor) and (len(others) < len(there) or what.holds(here))
        return Weight(others, here_too, len(unsure - set(there)))


def place_of(kind: str, name: str) -> Place:
    """Read what is to be blocked; a network in its one spelling. Raises BadRequest."""
    name = name.strip()
    if kind == DEVICE:
        if not LEAST_DEVICE <= len(name) <= LONGEST:
            raise BadRequest(f"a device is a part of what its browser says, of {LEAST_DEVICE} letters")
        return Place(kind, name)
    if kind != ADDRESS:
        raise BadRequest("what is blocked is an address or a device")
    try:
        found = ipaddress.ip_network(name, strict=False)
    except ValueError:
        raise BadRequest("an address is an IPv4 or IPv6 address, or a network") from None
    mapped = found.network_address.ipv4_mapped if isinstance(found, ipaddress.IPv6Network) else None
    if mapped is not None and found.prefixlen >= _MAPPED:
        found = ipaddress.IPv4Network((mapped, found.prefixlen - _MAPPED))
    if found.prefixlen < _LEAST_PREFIX[found.version]:
        raise BadRequest("the network is too wide")
    return Place(kind, str(found.network_address if found.num_addresses == 1 else found))
