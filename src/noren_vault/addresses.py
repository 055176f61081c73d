"""How a person's address stands: does what is sent there arrive? Told as a code by person id, without it.

A state holds for one version of the address. Who writes another one has an address of which nothing is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from noren_vault.channel import Channel
from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.people import Sealed
from noren_vault.record import Path, Record


class AddressState(StrEnum):
    """GOOD: a link that was sent there only was used. BOUNCED: a mail came back. REFUSED: it was not taken.

    UNPROVED: nothing is known. NO_ADDRESS: there never was one.
    """

    GOOD = "good"
    BOUNCED = "bounced"
    REFUSED = "refused"
    UNPROVED = "unproved"
    NO_ADDRESS = "no_address"


SHUT: Final = (AddressState.BOUNCED, AddressState.REFUSED)


@dataclass(frozen=True, slots=True)
class Place:
    """One version of a person's address on a channel; version 0: there never was one."""

    shop: int
    person: str
    channel: str
    version: int

    @classmethod
    def of(cls, shop: int, sealed: Sealed, channel: Channel) -> "Place":
        """The address that a stored person has on a channel now."""
        return cls(shop, sealed.person, channel.name, sealed.versions.get(channel.field, 0))


class Addresses:
    """Reads and marks."""

    def __init__(self, database: Database, record: Record, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._now = now

    async def state(self, place: Place) -> tuple[AddressState, str]:
        """Give the state, and the code why."""
        if not place.version:
            return AddressState.NO_ADDRESS, ""
        row = await self._database.row(
            "SELECT state, reason FROM vault.address "
            "WHERE shop_id = %s AND person = %s AND channel = %s AND version = %s",
            [place.shop, place.person, place.channel, place.version],
        )
        return (AddressState.UNPROVED, "") if row is None else (AddressState(row[0]), row[1])

    async def shut_among(self, places: Sequence[Place]) -> set[str]:
        """Give the persons, of one shop and channel, to whose address nothing is sent. One query."""
        if not places:
            return set()
        rows = await self._database.rows(
            "SELECT person::text, version FROM vault.address "
            "WHERE shop_id = %s AND channel = %s AND person = ANY(%s::uuid[]) AND state = ANY(%s)",
            [places[0].shop, places[0].channel, [one.person for one in places], [*map(str, SHUT)]],
        )
        return {one.person for one in places if (one.person, one.version) in set(rows)}

    async def mark(self, place: Place, state: AddressState, reason: str, path: Path) -> None:
        """Write down that it stands so from now on, and remember it. Raises LedgerUnavailable.

        What is said of an older version than the one that is marked changes nothing.
        """
        ref = f"{place.channel}:{place.version}"
        await self._record.write("bounce", path, shop=place.shop, persons=[place.person], ref=ref, note=state)
        await self._database.run(
            "INSERT INTO vault.address AS a (shop_id, person, channel, version, state, reason, changed_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) "
            "ON CONFLICT (shop_id, person, channel) DO UPDATE SET version = excluded.version, "
            "state = excluded.state, reason = excluded.reason, changed_at = excluded.changed_at "
            "WHERE a.version <= excluded.version",
            [place.shop, place.person, place.channel, place.version, str(state), reason, self._now()],
        )
