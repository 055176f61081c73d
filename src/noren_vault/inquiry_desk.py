"""The inquiry desk, for who answers: an operator, without any power.

She sees the words of one inquiry at a time, on record; whose they are and to which address an answer is
mailed she does not. Whoever answers holds the inquiry: a second one is told who does, and nobody answers
over what came since she looked.
"""

from typing import Any, Final

from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import BadRequest, InquiryHeld, InquiryMoved, NoSuchIncident, NoSuchInquiry
from noren_vault.grants import Grant
from noren_vault.inquiries import FIELD, LONGEST, Inquiries, Standing, pasted, to_wire
from noren_vault.inquiry_mails import InquiryMails
from noren_vault.record import Path, Record
from noren_vault.rights import PLATFORM

PURPOSE: Final = "inquiry"
_MOST_PASTED: Final = 300


class InquiryDesk:
    """Reads, takes, answers, notes, closes, links."""

    def __init__(
        self, *, inquiries: Inquiries, mails: InquiryMails, database: Database, record: Record, now: Now
    ) -> None:
        """Keep the parts."""
        self._inquiries = inquiries
        self._mails = mails
        self._database = database
        self._record = record
        self._now = now

    async def all(self, grant: Grant) -> dict[str, Any]:
        """Give how all stand, without words, and what was pasted and is not done."""
        mine = await self._mine(grant)
        return {
            "inquiries": [to_wire(one, mine) for one in await self._inquiries.every()],
            "pasted": await pasted(self._database, _MOST_PASTED),
        }

    async def read(self, grant: Grant, inquiry: str) -> dict[str, Any]:
        """Give one with its lines and the desk's notes: a reveal, on record first. Raises NoSuchInquiry."""
        one = await self._inquiries.find(inquiry)
        mine = await self._mine(grant)
        return await self._inquiries.told(one, grant.path, purpose=PURPOSE, note=True, mine=mine)

    async def take(self, grant: Grant, inquiry: str, held_by: str) -> None:
        """Hold it, if who held it when she looked still does. Raises InquiryHeld."""
        async with self._database.transaction() as connection:
            one = await self._inquiries.locked(connection, inquiry)
            if one.holder not in (None, held_by, grant.path.actor):
                raise InquiryHeld(handle=one.holder)
            await self._hold(connection, grant, one, "taken", grant.actor)

    async def give_back(self, grant: Grant, inquiry: str) -> None:
        """Let others answer it."""
        async with self._database.transaction() as connection:
            one = await self._hers(connection, grant, inquiry)
            await self._hold(connection, grant, one, "given_back", None)

    async def answer(self, grant: Grant, inquiry: str, words: str, seen: int) -> str:
        """Answer; gives how the mail went. Raises InquiryHeld, InquiryMoved, InquiryFull."""
        async with self._inquiries.writing() as connection:
            one = await self._hers(connection, grant, inquiry)
            if one.lines != seen:
                raise InquiryMoved(lines=one.lines)
            await self._add(connection, grant, one, "answer", words)
            await connection.execute(
                b"UPDATE vault.inquiry SET state = 'answered', holder = %s, "
                b"answered_at = coalesce(answered_at, %s) WHERE inquiry = %s",
                [grant.actor, self._now(), inquiry],
            )
            await self._inquiries.owe(connection, inquiry, f"answer-{one.lines + 1}")
        return await self._mails.send(inquiry)

    async def note(self, grant: Grant, inquiry: str, words: str) -> None:
        """Write a note for the desk alone."""
        async with self._inquiries.writing() as connection:
            one = await self._inquiries.locked(connection, inquiry)
            await self._add(connection, grant, one, "note", words)

    async def move(self, grant: Grant, inquiry: str, state: str) -> None:
        """Close it, or let it wait again. Raises InquiryHeld."""
        if state not in ("waiting", "closed"):
            raise BadRequest("an inquiry is closed, or waits")
        async with self._database.transaction() as connection:
            one = await self._hers(connection, grant, inquiry)
            await self._write(grant.path, one, state)
            await connection.execute(
                b"UPDATE vault.inquiry SET state = %s, changed_at = %s WHERE inquiry = %s",
                [state, self._now(), inquiry],
            )

    async def link(self, grant: Grant, inquiry: str, incident: str) -> None:
        """Say to which incident of hers it belongs, or (empty) to none. Raises NoSuchIncident."""
        async with self._database.transaction() as connection:
            one = await self._inquiries.locked(connection, inquiry)
            mine = await self._mine(grant)
            if incident and not {incident, one.incident} <= {None, *mine}:
                raise NoSuchIncident
            if one.incident not in mine and not incident:
                return  # As she sees it, it belongs to none.
            await self._write(grant.path, one, "incident")
            await connection.execute(
                b"UPDATE vault.inquiry SET incident = %s WHERE inquiry = %s", [incident or None, inquiry]
            )

    async def relink(self, grant: Grant, inquiry: str) -> str:
        """Make the link invalid, and mail her the next one if she gave an address: gives how that went."""
        async with self._database.transaction() as connection:
            one = await self._inquiries.locked(connection, inquiry)
            generation = await self._inquiries.next_generation(connection, one, grant.path)
            await self._inquiries.owe(connection, inquiry, f"link-{generation}")
        return await self._mails.send(inquiry)

    async def made_anew(self, grant: Grant, secret: int) -> None:
        """Say that what was pasted was made anew, so that what somebody may have read opens nothing."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                b"SELECT inquiry FROM vault.pasted_secret WHERE secret = %s AND done_at IS NULL FOR UPDATE",
                [secret],
            )
            row = await cursor.fetchone()
            if row is None:
                raise NoSuchInquiry
            await self._record.write(
                "key", grant.path, shop=PLATFORM, ref=f"inquiry:{row[0]}/pasted:{secret}", note="made_anew"
            )
            await connection.execute(
                b"UPDATE vault.pasted_secret SET done_by = %s, done_at = %s WHERE secret = %s",
                [grant.actor, self._now(), secret],
            )

    # -- inside

    async def _mine(self, grant: Grant) -> set[str]:
        """The incidents that she is a member of."""
        rows = await self._database.rows(
            "SELECT incident FROM vault.incident_member WHERE actor = %s AND standing = 'in'", [grant.actor]
        )
        return {row[0] for row in rows}

    async def _hers(self, connection: Connection, grant: Grant, inquiry: str) -> Standing:
        """Lock it; what another one holds is hers to answer and to close."""
        one = await self._inquiries.locked(connection, inquiry)
        if one.holder not in (None, grant.path.actor):
            raise InquiryHeld(handle=one.holder)
        return one

    async def _hold(
        self, connection: Connection, grant: Grant, one: Standing, note: str, holder: str | None
    ) -> None:
        await self._write(grant.path, one, note)
        await connection.execute(
            b"UPDATE vault.inquiry SET holder = %s WHERE inquiry = %s", [holder, one.inquiry]
        )

    async def _add(self, connection: Connection, grant: Grant, one: Standing, kind: str, words: str) -> None:
        if not words.strip() or len(words) > LONGEST:
            raise BadRequest(f"it has 1 to {LONGEST} characters")
        await self._record.write(
            "update", grant.path, persons=[one.person], fields=[FIELD], ref=one.ref, note=kind
        )
        await self._inquiries.line(connection, one.inquiry, kind, grant.path.actor, {"words": words})

    async def _write(self, path: Path, one: Standing, note: str) -> None:
        await self._record.write("update", path, persons=[one.person], ref=one.ref, note=note)
