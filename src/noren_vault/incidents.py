"""Incidents: what the people who deal with one write down, in a book that is only added to.

Records lie sealed, for they name people and what they may have done. Each is an entry `incident` first, with
a salted commitment to its words: none can be changed, taken out or put in between unseen, and one can be
shown to an outsider with its salt. Each reading is an entry as well. Only members read: to others, and to
whoever the incident may be about, there is none. What a record's words mean is the app side's; membership is
the vault's.
"""

import hashlib
import json
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from noren_vault import commitments
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import (
    BadRequest,
    GrantRefused,
    LastMember,
    NoSuchIncident,
    NoSuchMember,
    RecordDamaged,
)
from noren_vault.index import Index
from noren_vault.keys import Keys
from noren_vault.record import Outcome, Path, Record
from noren_vault.rights import PLATFORM, Role

LONGEST: Final = 20_000
MOST_RECORDS: Final = 10_000
_SECONDS: Final = 30.0
_KIND: Final = re.compile(r"[a-z]{1,20}", re.ASCII)
_OPENED, MEMBER, TELLING, EVIDENCE = "opened", "member", "telling", "evidence"
# A shop's pack, and that the shop has read it.
HANDED, READ = "handed", "read"
_OWN: Final = (_OPENED, MEMBER, TELLING, HANDED, READ)
Result = TypeVar("Result")
First = Callable[[Connection], Awaitable[None]]


class Standing(StrEnum):
    """What somebody is to an incident."""

    IN = "in"
    OUT = "out"
    BARRED = "barred"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: an operator, or an administrator's process, whose `actor` is empty and who is always in."""

    actor: str
    handle: str
    path: Path


@dataclass(frozen=True, slots=True)
class _Added:
    """A record's number and its entry."""

    number: int
    entry: int


class Incidents:
    """Opens, adds, reads; takes nothing away."""

    def __init__(self, *, database: Database, record: Record, keys: Keys, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._keys = keys
        self._now = now

    async def open(self, asker: Asker, words: str) -> str:
        """Open one; an operator who does so is its first member. Gives its id. Raises BadRequest."""
        incident = secrets.token_hex(8)
        async with self._writing() as connection:
            await connection.execute(
                b"INSERT INTO vault.incident (incident, opened_at) VALUES (%s, %s)", [incident, self._now()]
            )
            if asker.actor:
                await _stand(connection, incident, asker.actor, Standing.IN)
            added = await self._add(connection, incident, asker, _OPENED, words)
        return await self._done(asker, added, incident)

    async def add(self, asker: Asker, incident: str, kind: str, words: str) -> int:
        """Add a record and give its number. Raises NoSuchIncident, BadRequest."""
        if not _KIND.fullmatch(kind) or kind in _OWN:
            raise BadRequest("no such kind of record")
        if kind == EVIDENCE and _names_a_file(words):
            raise BadRequest("a file that lies here is recorded by the vault alone")
        return await self.written(asker, incident, kind, words)

    async def written(
        self, asker: Asker, incident: str, kind: str, words: str, *, first: First | None = None
    ) -> int:
        """Add what the vault itself says, too: people told, a file, a pack. `first` is what it says, done in
        the same transaction. Raises NoSuchIncident, BadRequest.
        """
        async with self._writing() as connection:
            await self.found(connection, asker, incident)
            if first is not None:
                await first(connection)
            added = await self._add(connection, incident, asker, kind, words)
        return await self._done(asker, added, added.number)

    async def check(self, asker: Asker, incident: str) -> None:
        """Raise NoSuchIncident unless she is a member."""
        async with self._database.transaction() as connection:
            await self.found(connection, asker, incident)

    async def change_member(self, asker: Asker, incident: str, handle: str, standing: Standing) -> int:
        """Let an operator in or out, or bar her; gives the record's number.

        Whoever is barred is let in again by others alone. Raises NoSuchIncident, NoSuchMember, LastMember.
        """
        async with self._writing() as connection:
            await self.found(connection, asker, incident)
            actor = await _operator(connection, handle)
            if actor == asker.actor and standing is Standing.BARRED:
                raise GrantRefused("nobody bars herself")
            await _stand(connection, incident, actor, standing)
            if standing is not Standing.IN:
                await _somebody(connection, incident)
            words = json.dumps({"handle": handle, "standing": standing})
            added = await self._add(connection, incident, asker, MEMBER, words)
        return await self._done(asker, added, added.number)

    async def all(self, asker: Asker) -> list[dict[str, Any]]:
        """Give those she is a member of, the newest first, with how they were opened."""
        await self._record.write("incident", asker.path, shop=PLATFORM, note="listed")
        rows = await self._database.rows(
            "SELECT i.incident, i.opened_at, r.by, r.sealed, "
            "(SELECT count(*) FROM vault.incident_record n WHERE n.incident = i.incident) "
            "FROM vault.incident i JOIN vault.incident_record r ON (r.incident, r.number) = (i.incident, 1) "
            "WHERE %s::text = '' OR EXISTS (SELECT FROM vault.incident_member m "
            "WHERE m.incident = i.incident AND m.actor::text = %s AND m.standing = 'in') "
            "ORDER BY i.opened_at DESC, i.incident",
            [asker.actor, asker.actor],
        )
        return [
            {
                "incident": incident,
                "opened_at": at,
                "by": by,
                "records": records,
                "words": self._opened(incident, 1, bytes(sealed))["words"],
            }
            for incident, at, by, sealed, records in rows
        ]

    async def read(self, asker: Asker, incident: str) -> dict[str, Any]:
        """Give all records in order, with their salts, and the members; one that does not open has neither
        words nor salt, so that the others are read. Raises NoSuchIncident.
        """
        async with self._database.transaction() as connection:
            await self.found(connection, asker, incident)
            cursor = await connection.execute(
                b"SELECT number, at, by, kind, sealed FROM vault.incident_record WHERE incident = %s "
                b"ORDER BY number",
                [incident],
            )
            rows = await cursor.fetchall()
            cursor = await connection.execute(
                b"SELECT a.handle, m.standing FROM vault.incident_member m JOIN vault.actor a USING (actor) "
                b"WHERE m.incident = %s ORDER BY a.handle",
                [incident],
            )
            members = await cursor.fetchall()
        await self._record.write("incident", asker.path, shop=PLATFORM, ref=_ref(incident), note="read")
        records = [
            {"number": number, "at": at, "by": by, "kind": kind}
            | self._opened(incident, number, bytes(sealed))
            for number, at, by, kind, sealed in rows
        ]
        return {"records": records, "members": [{"handle": h, "standing": s} for h, s in members]}

    async def places(self, asker: Asker, incident: str, index: Index) -> dict[str, Any]:
        """Give where the ledger has its records, [number, entry] each try of one, and a signed head.

        On record. Raises NoSuchIncident.
        """
        await self.check(asker, incident)
        await self._record.settle()
        await self._record.write("incident", asker.path, shop=PLATFORM, ref=_ref(incident), note="proved")
        head = self._record.ledger.head()
        await index.reach(head.size, _SECONDS)
        rows = await self._database.rows(
            "SELECT ref, entry FROM vault.ledger_entry WHERE shop_id = %s AND kind = 'incident' "
            "AND note LIKE 'added:%%' AND starts_with(ref, %s) AND entry < %s ORDER BY entry",
            [PLATFORM, f"{_ref(incident)}/", head.size],
        )
        places = [[int(str(ref).rpartition("/")[2]), entry] for ref, entry in rows]
        return {"places": places, "size": head.size, "checkpoint": head.signed}

    async def damaged(self) -> list[str]:
        """Name the records that are not as the ledger has them, and those that were stored and are gone."""
        rows = await self._database.rows(
            "SELECT incident, number, at, by, kind, sealed FROM vault.incident_record"
        )
        there = {_ref(row[0], row[1]): {self._commitment(*row)} for row in rows}
        return await commitments.broken(self._database, self._record, "incident", ("added:%",), there)

    def _commitment(self, incident: str, number: int, *told: Any) -> str:
        at, by, kind, sealed = told
        try:
            words = self.opened(incident, number, bytes(sealed))
        except RecordDamaged:
            return ""
        return commitment(incident, number, at=at, by=by, kind=kind, **words)

    # -- inside

    async def _done(self, asker: Asker, added: _Added, answer: Result) -> Result:
        """Say that it is stored: it cannot be taken out and passed off as one that was cut off."""
        await self._record.outcome(added.entry, Outcome.DONE, asker.path)
        return answer

    async def _add(
        self, connection: Connection, incident: str, asker: Asker, kind: str, words: str
    ) -> _Added:
        if not words.strip() or len(words) > LONGEST:
            raise BadRequest(f"a record has 1 to {LONGEST} characters")
        cursor = await connection.execute(
            b"SELECT coalesce(max(number), 0) + 1 FROM vault.incident_record WHERE incident = %s", [incident]
        )
        ((number,),) = await cursor.fetchall()
        if number > MOST_RECORDS:
            raise BadRequest(f"an incident has at most {MOST_RECORDS} records")
        at, salt = self._now(), secrets.token_hex(16)
        commit = commitment(incident, number, at=at, by=asker.handle, kind=kind, words=words, salt=salt)
        entry = await self._record.write(
            "incident",
            asker.path,
            shop=PLATFORM,
            ref=_ref(incident, number),
            note=f"added:{kind}",
            commit=commit,
        )
        sealed = json.dumps({"words": words, "salt": salt}, ensure_ascii=False).encode()
        await connection.execute(
            b"INSERT INTO vault.incident_record (incident, number, at, by, kind, sealed) "
            b"VALUES (%s, %s, %s, %s, %s, %s)",
            [
                incident,
                number,
                at,
                asker.handle,
                kind,
                self._keys.addresses.seal(sealed, _place(incident, number)),
            ],
        )
        return _Added(int(number), entry)

    async def found(self, connection: Connection, asker: Asker, incident: str) -> None:
        """Lock it in the caller's transaction; to who is no member there is none. Raises NoSuchIncident."""
        cursor = await connection.execute(
            b"SELECT %s::text = '' OR EXISTS (SELECT FROM vault.incident_member m WHERE "
            b"m.incident = i.incident AND m.actor::text = %s AND m.standing = 'in') "
            b"FROM vault.incident i WHERE incident = %s FOR UPDATE",
            [asker.actor, asker.actor, incident],
        )
        row = await cursor.fetchone()
        if row is None or not row[0]:
            raise NoSuchIncident

    def _opened(self, incident: str, number: int, sealed: bytes) -> dict[str, str]:
        try:
            return self.opened(incident, number, sealed)
        except RecordDamaged:
            return {"words": "", "salt": ""}

    def opened(self, incident: str, number: int, sealed: bytes) -> dict[str, str]:
        """Open a record: its words and its salt. Raises RecordDamaged."""
        told: dict[str, str] = json.loads(self._keys.opens(sealed).open(sealed, _place(incident, number)))
        return told

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Connection]:
        """A transaction in which something is sealed."""
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            yield connection


def _names_a_file(words: str) -> bool:
    """Whether a record of evidence is of a file that lies here, and not of one that lies elsewhere."""
    try:
        said = json.loads(words)
    except ValueError:
        return False
    return isinstance(said, dict) and "file" in said


def commitment(incident: str, number: int, *, at: int, by: str, kind: str, words: str, salt: str) -> str:
    """SHA-256, in hex, over the record with its salt as JSON: what the ledger says of it."""
    told = {
        "incident": incident,
        "number": number,
        "at": at,
        "by": by,
        "kind": kind,
        "words": words,
        "salt": salt,
    }
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


async def _stand(connection: Connection, incident: str, actor: str, standing: Standing) -> None:
    await connection.execute(
        b"INSERT INTO vault.incident_member (incident, actor, standing) VALUES (%s, %s, %s) "
        b"ON CONFLICT (incident, actor) DO UPDATE SET standing = excluded.standing",
        [incident, actor, standing],
    )


async def _operator(connection: Connection, handle: str) -> str:
    cursor = await connection.execute(
        b"SELECT a.actor::text FROM vault.actor a JOIN vault.membership m USING (actor) "
        b"WHERE a.handle = %s AND m.shop_id = 0 AND m.role = %s AND m.ended_at IS NULL",
        [handle, Role.OPERATOR],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NoSuchMember
    return str(row[0])


async def _somebody(connection: Connection, incident: str) -> None:
    """An incident that nobody reads is none."""
    cursor = await connection.execute(
        b"SELECT 1 FROM vault.incident_member WHERE incident = %s AND standing = 'in' LIMIT 1", [incident]
    )
    if await cursor.fetchone() is None:
        raise LastMember


def _place(incident: str, number: int) -> str:
    return f"incident:{incident}:{number}"


def _ref(incident: str, number: int | None = None) -> str:
    return f"incident:{incident}" if number is None else f"incident:{incident}/{number}"
