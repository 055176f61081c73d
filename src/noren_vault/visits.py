"""From where sessions were opened: network address and device, sealed; opened here for a question only.

The ledger names a session, never an address. What a row held cannot be told once its key is gone: its session
then counts as one that may have come from anywhere.
"""

import ipaddress
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from noren_vault.database import Connection, Database
from noren_vault.errors import BadRequest, RecordDamaged
from noren_vault.grants import LONGEST_LIFE_MS
from noren_vault.keys import Keys

MOST_DEVICE: Final = 400
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Visit:
    """From where somebody signs in: the app's session, the network address, what the browser says it is.

    `known` is the secret of a browser that signed in before, or is to be known from now on; `proof` answers
    a challenge.
    """

    session: str
    address: str = ""
    device: str = ""
    known: str = field(default="", repr=False)
    proof: str = field(default="", repr=False)


@dataclass(slots=True)
class Found:
    """Sessions that were opened from there, and those of which it cannot be told (any more)."""

    sessions: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)


class Visits:
    """Keeps a row for each sign-in, and finds sessions by what lies sealed in it."""

    def __init__(self, database: Database, keys: Keys) -> None:
        """Keep the parts."""
        self._database = database
        self._keys = keys

    async def add(self, connection: Connection, session: str, visit: Visit, now: int) -> None:
        """Store a sign-in's place in the caller's transaction. `session` is the name it has in the record."""
        told = {"address": visit.address, "device": visit.device[:MOST_DEVICE]}
        sealed = self._keys.addresses.seal(json.dumps(told).encode(), session)
        await connection.execute(
            b"INSERT INTO vault.session (session, sealed, opened_at) VALUES (%s, %s, %s)",
            [session, sealed, now],
        )

    async def find(
        self, *, addresses: Sequence[str], devices: Sequence[str], since: int, until: int
    ) -> Found:
        """Find the sessions that could be used within the time and were opened from one of these.

        An address is one or a network (`192.0.2.0/24`); a device is a part of what the browser said, in any
        case. A session that was opened from there and from elsewhere is unsure: which of the two acted is
        not told. Raises BadRequest.
        """
        networks, parts = [_network(one) for one in addresses], [one.casefold() for one in devices]
        rows = await self._database.rows(
            "SELECT session, sealed FROM vault.session WHERE opened_at >= %s AND opened_at <= %s",
            [since - LONGEST_LIFE_MS, until],
        )
        there: dict[str, set[bool | None]] = {}
        for session, sealed in rows:
            there.setdefault(session, set()).add(self._matches(session, bytes(sealed), networks, parts))
        return Found(
            sessions={one for one, seen in there.items() if seen == {True}},
            unsure={one for one, seen in there.items() if seen not in ({True}, {False})},
        )

    async def of(self, sessions: Sequence[str]) -> dict[str, Visit]:
        """Give from where sessions were opened, the newest opening of each; what cannot be told is not there.

        The caller has written down that she looks.
        """
        rows = await self._database.rows(
            "SELECT DISTINCT ON (session) session, sealed FROM vault.session WHERE session = ANY(%s) "
            "ORDER BY session, opened_at DESC",
            [list(sessions)],
        )
        found: dict[str, Visit] = {}
        for session, sealed in rows:
            with suppress(RecordDamaged):
                told = json.loads(self._keys.opens(bytes(sealed)).open(bytes(sealed), session))
                found[session] = Visit(session, told["address"], told["device"])
        return found

    def _matches(
        self, session: str, sealed: bytes, networks: Sequence[_Network], parts: Sequence[str]
    ) -> bool | None:
        try:
            told = json.loads(self._keys.opens(sealed).open(sealed, session))
        except RecordDamaged:
            return None
        return _from(told["address"], told["device"], networks, parts)


def is_from(visit: Visit, *, addresses: Sequence[str], devices: Sequence[str]) -> bool:
    """Whether somebody comes from one of these, as `Visits.find` takes them. Raises BadRequest."""
    networks, parts = [_network(one) for one in addresses], [one.casefold() for one in devices]
    return _from(visit.address, visit.device, networks, parts)


def network_words(address: str) -> str:
    """Give the network of an address as people read it: `203.0.113.x`, `2001:db8:1::x`. Empty for none."""
    try:
        at = ipaddress.ip_address(address)
    except ValueError:
        return ""
    at = getattr(at, "ipv4_mapped", None) or at
    if at.version == 4:
        return f"{str(at).rpartition('.')[0]}.x"
    return f"{ipaddress.ip_network((at, 48), strict=False).network_address}x"


def _network(text: str) -> _Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise BadRequest("an address is an IPv4 or IPv6 address, or a network") from None


def _from(address: str, device: str, networks: Sequence[_Network], parts: Sequence[str]) -> bool:
    said = device.casefold()
    return any(part in said for part in parts) or _within(address, networks)


def _within(text: str, networks: Sequence[_Network]) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any(address in one or (mapped is not None and mapped in one) for one in networks)
