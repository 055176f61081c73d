"""Which messages a person got, and those of which nobody knows: asked by somebody, decided by somebody, on
record.

No text and no address is here: keys, states, codes, instants.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import structlog

from noren_vault import rights
from noren_vault.addresses import SHUT, Addresses, AddressState, Place
from noren_vault.channel import Channel
from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import BadRequest, LedgerUnavailable, NoSuchMessage, NoSuchPerson
from noren_vault.grants import Grant
from noren_vault.people import CUSTOMER, People
from noren_vault.permissions import Permission
from noren_vault.record import Path, Record
from noren_vault.rights import Purpose

_MOST: Final = 100
_MEMBER: Final = ("member",)
_log = structlog.get_logger("messages")
_MOST_PERSONS: Final = 500
_CAME: Final = """
SELECT a.person::text, coalesce((SELECT i.told FROM vault.invite i
    WHERE i.actor = a.actor AND i.used_at IS NOT NULL ORDER BY i.used_at DESC LIMIT 1), false)
FROM vault.actor a WHERE a.actor = %s AND a.person IS NOT NULL
"""


class Decision(StrEnum):
    """What an operator says of a message that may have arrived.

    RESEND: the key is free again, whoever sends it may. LEAVE: it is not listed any more.
    """

    RESEND = "resend"
    LEAVE = "leave"


class Messages:
    """Lists, and takes decisions."""

    def __init__(
        self,
        *,
        database: Database,
        people: People,
        record: Record,
        addresses: Addresses,
        channel: Channel,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._people = people
        self._record = record
        self._addresses = addresses
        self._channel = channel
        self._now = now

    async def of_person(self, grant: Grant, person: str) -> dict[str, Any]:
        """Give how a customer's address stands, and her newest messages.

        Raises NoSuchPerson, PurposeRefused, LedgerUnavailable.
        """
        rights.check_reveal(grant.role, Purpose.CUSTOMER, (self._channel.field,), grant.narrowed)
        place = await self._place(grant.shop, person, CUSTOMER)
        await self._record.write(
            "messages", grant.path, shop=grant.shop, purpose=Purpose.CUSTOMER, persons=[person], note="list"
        )
        state, reason = await self._addresses.state(place)
        rows = await self._database.rows(
            "SELECT message_key, state, reason, changed_at FROM vault.message "
            "WHERE shop_id = %s AND person = %s ORDER BY changed_at DESC, message_key LIMIT %s",
            [grant.shop, person, _MOST],
        )
        return {"address": {"state": state, "reason": reason}, "messages": [_message(*row) for row in rows]}

    async def unreached(self, grant: Grant, persons: Sequence[str]) -> list[str]:
        """Give those of a shop's customers whom no mail reaches: no address, or one that is shut.

        Who is not there is one of them. Raises NoSuchPerson (none of them is), PurposeRefused, GrantRefused,
        LedgerUnavailable.
        """
        rights.check_reveal(grant.role, Purpose.CUSTOMER, (self._channel.field,), grant.narrowed)
        grant.needs(Permission.HOURS_CHANGE)
        found = await self._people.read(grant.shop, persons, (self._channel.field,), kinds=CUSTOMER)
        if not found:
            raise NoSuchPerson("nobody of this shop")
        known = [one.person for one in found]
        await self._record.write(
            "messages", grant.path, shop=grant.shop, purpose=Purpose.CUSTOMER, persons=known, note="reach"
        )
        places = [
            Place.of(grant.shop, one, self._channel) for one in found if self._channel.field in one.fields
        ]
        shut = await self._addresses.shut_among(places)
        reached = {one.person for one in places} - shut
        return [person for person in dict.fromkeys(persons) if person not in reached]

    async def try_address(self, grant: Grant, person: str) -> None:
        """Let letters go to an address again from which one came back: somebody has asked the customer."""
        rights.check_reveal(grant.role, Purpose.CUSTOMER, (self._channel.field,), grant.narrowed)
        rights.check_update(grant.role, (self._channel.field,))
        grant.needs(Permission.CUSTOMERS_CHANGE)
        place = await self._place(grant.shop, person, CUSTOMER)
        state, _ = await self._addresses.state(place)
        if state in SHUT:
            await self._addresses.mark(place, AddressState.UNPROVED, "", grant.path)

    async def proved(self, shop: int, actor: str) -> bool:
        """Mark the address of who came by a link that was mailed there and told to nobody else.

        Of a link that was told false is given, and nothing is proved by it.
        """
        row = await self._database.row(_CAME, [actor])
        if row is None or row[1]:
            return False
        place = await self._place(shop, row[0], _MEMBER)
        try:
            await self._addresses.mark(place, AddressState.GOOD, "", Path("mail"))
        except LedgerUnavailable:
            # Nothing depends on it: the address stays one of which nothing is known.
            _log.warning("address_not_marked", shop=shop)
        return True

    async def unknown(self, path: Path) -> list[dict[str, Any]]:
        """List every message of which nobody knows whether it arrived, oldest first, none decided on."""
        rows = await self._database.rows(
            "SELECT shop_id, person::text, message_key, state, reason, changed_at FROM vault.message "
            "WHERE state = 'unknown' AND left_at IS NULL ORDER BY changed_at, shop_id, message_key LIMIT %s",
            [_MOST_PERSONS],
        )
        persons = list(dict.fromkeys(row[1] for row in rows))
        await self._record.write("messages", path, persons=persons, note="unknown")
        return [{"shop": shop, "person": person, **_message(*rest)} for shop, person, *rest in rows]

    async def decide(self, shop: int, key: str, decision: Decision, path: Path) -> None:
        """Take an operator's decision on one message. Raises NoSuchMessage when it is not an unknown one."""
        row = await self._database.row(
            "SELECT person::text FROM vault.message "
            "WHERE shop_id = %s AND message_key = %s AND state = 'unknown' AND left_at IS NULL",
            [shop, key],
        )
        if row is None:
            raise NoSuchMessage("not in doubt")
        await self._record.write("messages", path, shop=shop, persons=[row[0]], ref=key, note=decision)
        again = decision is Decision.RESEND
        await self._database.run(
            "UPDATE vault.message SET state = CASE WHEN %(again)s THEN 'deferred' ELSE state END, "
            "reason = CASE WHEN %(again)s THEN 'resend' ELSE reason END, "
            "left_at = CASE WHEN %(again)s THEN NULL ELSE %(now)s::bigint END, changed_at = %(now)s "
            "WHERE shop_id = %(shop)s AND message_key = %(key)s AND state = 'unknown' AND left_at IS NULL",
            {"again": again, "now": self._now(), "shop": shop, "key": key},
        )

    async def _place(self, shop: int, person: str, kinds: Sequence[str]) -> Place:
        sealed = await self._people.read(shop, [person], (), kinds=kinds)
        if not sealed:
            raise NoSuchPerson("nobody of this shop")
        return Place.of(shop, sealed[0], self._channel)


def decision_of(text: str) -> Decision:
    """Read a decision. Raises BadRequest."""
    try:
        return Decision(text)
    except ValueError:
        raise BadRequest("resend, or leave") from None


def _message(key: str, state: str, reason: str, at: int) -> dict[str, Any]:
    return {"key": key, "state": state, "reason": reason, "at": at / 1000}
