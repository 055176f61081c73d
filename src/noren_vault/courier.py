"""Sending letters to persons: the address is resolved, used and forgotten here. One message key is sent once.

States of a key: `queued` (not handed over), `sending` (the other side may have it), `sent`, `deferred` (it
surely has it not, and may later: the same key is tried again by who asked, with growing waits), `failed` (it
surely has it not, for good, though the same key may be tried once more when something has changed),
`unknown` (a crash or a broken line after the text left; tried again only when an operator says so), `bounced`
(it was taken, and came back).
"""

import asyncio
import hashlib
import secrets
from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from noren_vault.addresses import SHUT, Addresses, AddressState, Place
from noren_vault.channel import Answer, Channel, Handed, Stamp
from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import BadRequest, LedgerUnavailable, NoSuchPerson, RecordDamaged
from noren_vault.fields import Value
from noren_vault.letter import PERSONAL, Letter
from noren_vault.people import ADDRESSEES, People, Sealed
from noren_vault.record import Outcome, Path, Record
from noren_vault.rights import Purpose

_MOST_AT_ONCE: Final = 8
# What an answer is on record as. Only FAILED says that nothing personal went out.
_OUTCOMES: Final = {Handed.SENT: Outcome.SENT, Handed.UNKNOWN: Outcome.UNKNOWN}
_log = structlog.get_logger("courier")


class Courier:
    """Sends, and knows of each key how it stands."""

    def __init__(
        self,
        *,
        database: Database,
        people: People,
        record: Record,
        channel: Channel,
        addresses: Addresses,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._people = people
        self._record = record
        self._channel = channel
        self._addresses = addresses
        self._now = now
        self._read = (*PERSONAL, channel.field)
        self._some = asyncio.Semaphore(_MOST_AT_ONCE)

    async def settle_after_start(self) -> int:
        """What was being handed over when the vault ended may have arrived, what waited has not: say so.

        Gives the number of keys touched.
        """
        return await self._database.run(
            "UPDATE vault.message SET state = CASE state WHEN 'sending' THEN 'unknown' ELSE 'deferred' END, "
            "reason = 'interrupted', changed_at = %s WHERE state IN ('sending', 'queued')",
            [self._now()],
        )

    async def send(self, shop: int, person: str, letter: Letter, path: Path, *, to: str = "") -> str:
        """Send a letter; gives sent, already, unknown, deferred, failed or bounced.

        With `to` it goes to that address of the person's, which is not the one in her fields: it names nobody
        then, and says nothing of how her own address stands. Raises NoSuchPerson, LedgerUnavailable.
        """
        letter.check()
        await self._addressee(shop, person)
        standing, stamp = await self._claim(shop, person, letter.key)
        if standing is not None:
            return standing
        async with self._some:
            try:
                # Read at its turn: while it waited, the person may have been changed.
                sealed = await self._addressee(shop, person)
                shut = "" if to else await self._shut(shop, sealed)
                if shut:
                    await self._move(shop, letter.key, Answer(Handed.FAILED, shut))
                    return str(Handed.FAILED)
                way = partial(self._prepare_to, to=to) if to else self._prepare
                entry, address, made = await way(shop, sealed, letter, stamp, path)
            except (BadRequest, RecordDamaged):
                await self._move(shop, letter.key, Answer(Handed.FAILED, "not_prepared"))
                raise
            except BaseException:
                await self._move(shop, letter.key, Answer(Handed.DEFERRED, "not_prepared"))
                raise
            if made is None:
                answer = Answer(Handed.FAILED, AddressState.NO_ADDRESS, told=False)
            else:
                answer = await asyncio.to_thread(self._channel.hand_over, address, made, stamp)
        await self._move(shop, letter.key, answer)
        otherwise = Outcome.REFUSED if answer.told else Outcome.FAILED
        await self._record.outcome(entry, _OUTCOMES.get(answer.handed, otherwise), path)
        if answer.handed is not Handed.SENT:
            place = Place.of(shop, sealed, self._channel)
            await self._say(replace(place, version=0) if to else place, letter.key, answer, path)
        return str(answer.handed)

    async def stop(self) -> None:
        """Let go of the connections that are kept for the next letter."""
        self._channel.close()

    async def is_settled(self, shop: int, key: str) -> bool:
        """Whether the key was sent, or may have been: it is not sent again by itself."""
        row = await self._database.row(
            "SELECT 1 FROM vault.message WHERE shop_id = %s AND message_key = %s "
            "AND state NOT IN ('deferred', 'failed')",
            [shop, key],
        )
        return row is not None

    async def _say(self, place: Place, key: str, answer: Answer, path: Path) -> None:
        """Say that it was not sent, and of the address that it takes nothing, if that was the reason."""
        state, reason = str(answer.handed), answer.reason
        _log.warning("not_sent", shop=place.shop, message_key=key, state=state, reason=reason)
        if answer.no_such_address and place.version:
            try:
                await self._addresses.mark(place, AddressState.REFUSED, reason, path)
            except LedgerUnavailable:
                # The next letter is refused as this one was, and says it then.
                _log.warning("address_not_marked", shop=place.shop, message_key=key)

    async def _addressee(self, shop: int, person: str) -> Sealed:
        sealed = await self._people.read(shop, [person], self._read, kinds=ADDRESSEES)
        if not sealed:
            raise NoSuchPerson("nobody to send to")
        return sealed[0]

    async def _shut(self, shop: int, sealed: Sealed) -> str:
        """Say why nothing goes to this address until it is changed or proved; empty when something does."""
        state, _ = await self._addresses.state(Place.of(shop, sealed, self._channel))
        return f"address_{state}" if state in SHUT else ""

    async def _unproved(self, shop: int, sealed: Sealed) -> bool:
        """Whether the address was changed and not proved since (`proofs` has the rule).

        Asked after the address was read: what was changed in between shows as another version.
        """
        row = await self._database.row(
            "SELECT version, proved_at FROM vault.proof WHERE shop_id = %s AND person = %s",
            [shop, sealed.person],
        )
        return row is not None and (row[1] is None or row[0] != sealed.versions.get(self._channel.field))

    async def _prepare(
        self, shop: int, sealed: Sealed, letter: Letter, stamp: Stamp, path: Path
    ) -> tuple[int, str, bytes | None]:
        """Write down, then open and build: the entry, the address, the message (None: no address)."""
        names: tuple[str, ...] = self._read
        if await self._unproved(shop, sealed):
            names, letter = (self._channel.field,), letter.unnamed()
        entry = await self._record.write(
            "send",
            path,
            shop=shop,
            purpose=Purpose.MESSAGE,
            persons=[sealed.person],
            fields=sorted(name for name in names if name in sealed.fields),
            ref=letter.key,
        )
        field = self._channel.field
        try:
            opened = self._people.open(shop, sealed, names)
            made = self._channel.make(letter, opened, stamp) if field in opened else None
        except (RecordDamaged, BadRequest):
            await self._record.outcome(entry, Outcome.FAILED, path)
            raise
        if made is None:
            return entry, "", None
        await self._sending(shop, letter.key, sealed.versions[field])
        return entry, opened[field].text, made

    async def _prepare_to(
        self, shop: int, sealed: Sealed, letter: Letter, stamp: Stamp, path: Path, *, to: str
    ) -> tuple[int, str, bytes | None]:
        """Write down, then build: the same for an address that is known otherwise."""
        field, person = self._channel.field, sealed.person
        entry = await self._record.write(
            "send",
            path,
            shop=shop,
            purpose=Purpose.MESSAGE,
            persons=[person],
            fields=[field],
            ref=letter.key,
        )
        try:
            made = self._channel.make(letter.unnamed(), {field: Value(to)}, stamp)
        except BadRequest:
            await self._record.outcome(entry, Outcome.FAILED, path)
            raise
        await self._sending(shop, letter.key, 0)
        return entry, to, made

    async def _sending(self, shop: int, key: str, version: int) -> None:
        await self._database.run(
            "UPDATE vault.message SET state = 'sending', reason = '', version = %s, changed_at = %s "
            "WHERE shop_id = %s AND message_key = %s",
            [version, self._now(), shop, key],
        )

    async def _claim(self, shop: int, person: str, key: str) -> tuple[str | None, Stamp]:
        """Take the key for one attempt, or say how it stands. One that was surely not taken is free again.

        Each attempt has a token of its own: what comes back is of the attempt, and of the address it went to.
        """
        stamp = Stamp(_mark(shop, key), secrets.token_hex(16), self._now())
        taken = await self._database.row(
            "INSERT INTO vault.message AS m "
            "(shop_id, message_key, person, message_id, state, channel, token, changed_at) "
            "VALUES (%s, %s, %s, %s, 'queued', %s, %s, %s) "
            "ON CONFLICT (shop_id, message_key) DO UPDATE SET state = 'queued', reason = '', "
            "channel = excluded.channel, token = excluded.token, changed_at = excluded.changed_at "
            "WHERE m.person = excluded.person AND m.state IN ('deferred', 'failed') RETURNING state",
            [shop, key, person, stamp.mark, self._channel.name, stamp.token, stamp.at],
        )
        if taken is not None:
            return None, stamp
        row = await self._database.row(
            "SELECT state FROM vault.message WHERE shop_id = %s AND message_key = %s AND person = %s",
            [shop, key, person],
        )
        if row is None:
            raise BadRequest("the message key is another person's")
        return {"sent": "already", "bounced": "bounced"}.get(row[0], str(Handed.UNKNOWN)), stamp

    async def _move(self, shop: int, key: str, answer: Answer) -> None:
        """Remember how an attempt ended; what has come back meanwhile has come back."""
        await self._database.run(
            "UPDATE vault.message SET state = %s, reason = %s, changed_at = %s "
            "WHERE shop_id = %s AND message_key = %s AND state IN ('queued', 'sending')",
            [str(answer.handed), answer.reason, self._now(), shop, key],
        )


def _mark(shop: int, key: str) -> str:
    """Give what a message's key is known by outside: always the same, and it tells nothing."""
    return hashlib.sha256(f"{shop}\x00{key}".encode()).hexdigest()[:32]
