"""Signs that something may be amiss: seen once, counted when they come again, rung until somebody takes them.

Most are entries of the ledger (`sightings`); operators tell others, the doctor finds some, and anybody may
report one from outside. Every operator reads them; one that became part of an incident is for its members.
A deed is an entry first. A ring is one, too: to every operator by mail and to the alarm outside, again with
growing waits while the sign is new.
"""

import asyncio
import hashlib
import json
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from noren_vault import tasks
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import BadRequest, LedgerUnavailable, NoSuchSign, RecordDamaged, SignOver
from noren_vault.evidence import Evidence
from noren_vault.hook import Hook
from noren_vault.incidents import LONGEST, Asker, Incidents
from noren_vault.keys import Keys
from noren_vault.ledger import Entry
from noren_vault.record import Outcome, Path, Record
from noren_vault.rights import PLATFORM, Purpose
from noren_vault.sightings import Sighting, Sightings
from noren_vault.sign_bells import SignBells

TOLD_KINDS: Final = ("doctor", "notice")
FACT: Final = "fact"
# So long the same is the same again; what an incident is about stays in it for a month.
_SAME_MS: Final = 30 * 86_400_000
_SHOWN_MS: Final = 90 * 86_400_000
_MOST_SHOWN: Final = 200
_MINUTE_MS: Final = 60_000
_MOST_WAIT_MS: Final = 8 * 3_600_000
_EVERY_SECONDS: Final = 30.0
_SAME: Final = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)
_FIND: Final = """
SELECT s.sign, s.source, s.what, s.first_at, s.last_at, s.times, s.state, s.by, s.since, s.incident,
       s.person::text, s.rung, s.next_at, s.entry, s.sealed
FROM vault.sign s WHERE
"""
# To who is no member there is no sign of an incident.
_OPEN_TO: Final = (
    "(s.incident IS NULL OR %(actor)s = '' OR EXISTS (SELECT FROM vault.incident_member m "
    "WHERE m.incident = s.incident AND m.actor::text = %(actor)s AND m.standing = 'in'))"
)
_log = structlog.get_logger("signs")


class Signs:
    """Sees, rings, and lets operators deal with them."""

    def __init__(
        self,
        *,
        database: Database,
        record: Record,
        keys: Keys,
        incidents: Incidents,
        evidence: Evidence,
        bells: SignBells,
        hook: Hook,
        minutes: int,
        now: Now,
    ) -> None:
        """Keep the parts. `minutes`: how long nobody may take one before it rings again."""
        self.evidence = evidence
        self.bells = bells
        self._database = database
        self._record = record
        self._keys = keys
        self._incidents = incidents
        self._hook = hook
        self._first_wait = minutes * _MINUTE_MS
        self._now = now
        self._one = asyncio.Lock()
        self._sightings = Sightings()
        self._news: asyncio.Queue[Sighting] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        # Up to which entry all was heard, and which one is being stored.
        self._heard_to = 0
        self._storing: int | None = None

    # -- seeing

    async def start(self) -> None:
        """Follow the ledger from where it was last looked through; ring what is due from time to time."""
        ledger = self._record.ledger
        row = await self._database.row("SELECT entry FROM vault.sign_seen")
        self._heard_to = ledger.size if row is None else int(row[0])
        while self._heard_to < ledger.size:
            for seen in await asyncio.to_thread(self._missed, self._heard_to, to := ledger.size):
                self._news.put_nowait(seen)
            self._heard_to = to
        # Nothing comes between that look and this line.
        self._end = ledger.subscribe(self._heard)
        self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._ring_forever())]

    async def stop(self) -> None:
        """See what was heard, and wait for what is being told."""
        following, self._tasks = self._tasks, []
        if following:
            self._end()
            for task in following:
                await tasks.end(task)
            await self._quietly(self._keep_place())
        await self.bells.stop()
        await self._hook.stop()

    def _missed(self, start: int, end: int) -> list[Sighting]:
        """Read on without keeping the entries: it may be years of them. Blocks."""
        found = (self._sightings.of(*one) for one in self._record.ledger.entries(start, end))
        return [one for one in found if one is not None]

    def _heard(self, index: int, entry: Entry) -> None:
        if index < self._heard_to:
            return
        self._heard_to = index + 1
        if (sighting := self._sightings.of(index, entry)) is not None:
            self._news.put_nowait(sighting)

    async def _follow(self) -> None:
        while True:
            sighting = await self._news.get()
            self._storing = sighting.entry
            if await self._quietly(self.see(sighting)):
                self._storing = None
            else:
                self._news.put_nowait(sighting)
                await asyncio.sleep(_EVERY_SECONDS)

    async def _ring_forever(self) -> None:
        while True:
            await self._quietly(self.tidy())
            await asyncio.sleep(_EVERY_SECONDS)

    async def _quietly(self, act: Awaitable[None]) -> bool:
        try:
            await act
        except (psycopg.Error, PoolTimeout, LedgerUnavailable) as fault:
            _log.error("signs_wait", fault=type(fault).__name__)
            return False
        return True

    async def _keep_place(self) -> None:
        """Say up to where all is stored; while something is not, what is kept is the place before it."""
        if self._storing is None and self._news.empty():
            await self._database.run(
                "INSERT INTO vault.sign_seen (one, entry) VALUES (true, %s) "
                "ON CONFLICT (one) DO UPDATE SET entry = excluded.entry",
                [self._heard_to],
            )

    async def see(self, seen: Sighting, text: str = "") -> None:
        """Store a sign, or count it; an entry that was counted is not counted again."""
        async with self._one, self._writing() as connection:
            cursor = await connection.execute(
                b"SELECT sign, state, entry FROM vault.sign WHERE same = %s AND last_at >= %s "
                b"ORDER BY first_at DESC, entry DESC LIMIT 1 FOR UPDATE",
                [seen.same, seen.at - _SAME_MS],
            )
            row = await cursor.fetchone()
            if row is not None and row[2] >= seen.entry:
                return
            if row is not None and row[1] != "dismissed":
                await connection.execute(
                    b"UPDATE vault.sign SET times = times + 1, last_at = %s, entry = %s WHERE sign = %s",
                    [seen.at, seen.entry, row[0]],
                )
                return
            words = {"facts": dict(seen.facts)} | ({"text": text} if text else {})
            await self.put(connection, secrets.token_hex(8), seen, words, next_at=seen.at)
        await self.ring_due()

    async def put(
        self,
        connection: Connection,
        sign: str,
        seen: Sighting,
        words: dict[str, Any],
        *,
        next_at: int,
        person: str | None = None,
    ) -> None:
        """Store a new sign in the caller's transaction, who holds the keys steady."""
        if not _SAME.fullmatch(seen.same):
            raise BadRequest("what makes a sign the same again is a short id")
        sealed = self._keys.addresses.seal(json.dumps(words, ensure_ascii=False).encode(), f"sign:{sign}")
        await connection.execute(
            b"INSERT INTO vault.sign (sign, source, what, same, first_at, last_at, entry, since, next_at, "
            b"person, sealed) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                sign,
                seen.source,
                seen.what,
                seen.same,
                seen.at,
                seen.at,
                seen.entry,
                seen.at,
                next_at,
                person,
                sealed,
            ],
        )

    async def tell(self, asker: Asker, text: str) -> str:
        """An operator, or an administrator, tells of something; it rings for the others, too. BadRequest."""
        return await self._by_hand(asker, "person", "told", "", text)

    async def found(self, asker: Asker, what: str, about: str, text: str) -> str:
        """The doctor tells of a finding; found again it is counted."""
        if what not in TOLD_KINDS:
            raise BadRequest("no such kind of sign")
        return await self._by_hand(asker, "vault", what, hashlib.sha256(about.encode()).hexdigest(), text)

    async def _by_hand(self, asker: Asker, source: str, what: str, same: str, text: str) -> str:
        if not text.strip() or len(text) > LONGEST:
            raise BadRequest(f"a sign has 1 to {LONGEST} characters")
        ref = secrets.token_hex(8)
        salt = secrets.token_hex(16)
        commit = hashlib.sha256(f"{salt}{text}".encode()).hexdigest()
        entry = await self._record.write(
            "incident", asker.path, shop=PLATFORM, ref=f"sign:{ref}", note=f"sign:{what}", commit=commit
        )
        seen = Sighting(
            source, what, f"{what}:{same or ref}", self._now(), entry, {"by": asker.handle, "salt": salt}
        )
        await self.see(seen, text)
        row = await self._database.row(
            "SELECT sign FROM vault.sign WHERE same = %s ORDER BY first_at DESC LIMIT 1", [seen.same]
        )
        return "" if row is None else str(row[0])

    # -- ringing

    async def ring_due(self) -> int:
        """Ring each sign that nobody has taken and whose time has come; gives their number."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                b"SELECT sign, rung FROM vault.sign WHERE state = 'new' AND next_at <= %s "
                b"ORDER BY next_at LIMIT 100 FOR UPDATE",
                [self._now()],
            )
            due = await cursor.fetchall()
            for sign, rung in due:
                await self._ring(connection, str(sign), int(rung) + 1)
        if due:
            self.bells.soon()
            self._hook.soon()
        return len(due)

    async def tidy(self) -> None:
        """Ring what is due, what still hangs, and say up to where the ledger was looked through."""
        await self.ring_due()
        self.bells.again()
        self._hook.again()
        await self._keep_place()

    async def _ring(self, connection: Connection, sign: str, number: int) -> None:
        now = self._now()
        await self._record.write("sign", Path("vault"), ref=f"sign:{sign}/{number}", note="rung")
        wait = min(self._first_wait << min(number - 1, 20), _MOST_WAIT_MS)
        await connection.execute(
            b"UPDATE vault.sign SET rung = %s, next_at = %s WHERE sign = %s", [number, now + wait, sign]
        )
        await connection.execute(
            b"INSERT INTO vault.sign_ring (sign, number, at, hook_next) VALUES (%s, %s, %s, %s)",
            [sign, number, now, None if self._hook.alarm is None else now],
        )
        await self.bells.hang(connection, sign, number)

    # -- dealing with them

    async def all(self, asker: Asker) -> list[dict[str, Any]]:
        """Give the open ones and those of 90 days, the new first. On record."""
        await self._record.write("incident", asker.path, shop=PLATFORM, note="signs")
        rows = await self._database.rows(
            _FIND + _OPEN_TO + " AND (s.state IN ('new', 'taken') OR s.since > %(since)s) "
            "ORDER BY array_position(ARRAY['new', 'taken'], s.state), s.last_at DESC LIMIT %(most)s",
            {"actor": asker.actor, "since": self._now() - _SHOWN_MS, "most": _MOST_SHOWN},
        )
        # Whose address is told is named in an entry: where one sign is read.
        return [{name: said for name, said in self._listed(row).items() if name != "mail"} for row in rows]

    async def read(self, asker: Asker, sign: str) -> dict[str, Any]:
        """Give a sign with its rings, its files, and the ledger's entry. On record. Raises NoSuchSign."""
        row = await self._one_for(asker, sign)
        entry = await self._record.write(
            "incident" if row[10] is None else "intent",
            asker.path,
            shop=PLATFORM,
            ref=f"sign:{sign}",
            note="sign_read",
            **({} if row[10] is None else _of_person(row[10])),
        )
        rings = await self._database.rows(
            "SELECT r.number, r.at, r.hook_next, r.hooked_at, "
            "(SELECT count(*) FROM vault.sign_bell b WHERE (b.sign, b.number) = (r.sign, r.number) "
            "AND b.told_at IS NOT NULL) "
            "FROM vault.sign_ring r WHERE r.sign = %s ORDER BY r.number",
            [sign],
        )
        told = self._shown(row, self._words(sign, bytes(row[14]))) | {
            "files": await self.evidence.of_sign(sign),
            "rings": [
                {"number": number, "at": at, "waits": waits is not None, "hooked": hooked, "mailed": mailed}
                for number, at, waits, hooked, mailed in rings
            ],
        }
        if row[10] is not None:
            self._record.outcome_later(entry, Outcome.RELEASED, asker.path)
        return told

    async def open_file(self, asker: Asker, sign: str, file: str) -> dict[str, Any]:
        """Open a file of a sign. Raises NoSuchSign, NoSuchFile."""
        await self._one_for(asker, sign)
        return await self.evidence.open(asker, file, sign=sign)

    async def take(self, asker: Asker, sign: str) -> None:
        """Take it: it rings no more. Another may take it over. Raises NoSuchSign, SignOver."""
        await self._deal(asker, sign, "taken")

    async def dismiss(self, asker: Asker, sign: str, because: str) -> None:
        """Dismiss it for a reason: the same again is a new one. Raises NoSuchSign, SignOver, BadRequest."""
        if not because.strip():
            raise BadRequest("a sign is dismissed for a reason")
        await self._deal(asker, sign, "dismissed", because)

    async def join(self, asker: Asker, sign: str, incident: str, opened: str, words: str) -> str:
        """Make it part of an incident, or of a new one (`opened`: its first words): a fact in its book.

        Gives the incident. Raises NoSuchSign, SignOver, NoSuchIncident.
        """
        async with self._one:
            self._check_open(await self._one_for(asker, sign))
            if not incident:
                incident = await self._incidents.open(asker, opened)
            joined = partial(self._joined, asker=asker, sign=sign, incident=incident)
            await self._incidents.written(asker, incident, FACT, words, first=joined)
        return incident

    async def _joined(self, connection: Connection, *, asker: Asker, sign: str, incident: str) -> None:
        await self._record.write(
            "incident", asker.path, shop=PLATFORM, ref=f"sign:{sign}/incident:{incident}", note="sign:joined"
        )
        await connection.execute(
            b"UPDATE vault.sign SET state = 'incident', incident = %s, by = %s, since = %s WHERE sign = %s",
            [incident, asker.handle, self._now(), sign],
        )

    async def _deal(self, asker: Asker, sign: str, state: str, because: str = "") -> None:
        async with self._one:
            self._check_open(await self._one_for(asker, sign))
            async with self._writing() as connection:
                cursor = await connection.execute(
                    b"SELECT sealed FROM vault.sign WHERE sign = %s FOR UPDATE", [sign]
                )
                ((sealed,),) = await cursor.fetchall()
                await self._record.write(
                    "incident", asker.path, shop=PLATFORM, ref=f"sign:{sign}", note=f"sign:{state}"
                )
                if because:
                    sealed = bytes(sealed)
                    words = json.dumps(self._words(sign, sealed) | {"because": because}, ensure_ascii=False)
                    sealed = self._keys.addresses.seal(words.encode(), f"sign:{sign}")
                await connection.execute(
                    b"UPDATE vault.sign SET state = %s, by = %s, since = %s, sealed = %s WHERE sign = %s",
                    [state, asker.handle, self._now(), sealed, sign],
                )

    # -- inside

    async def _one_for(self, asker: Asker, sign: str) -> Sequence[Any]:
        row = await self._database.row(
            _FIND + _OPEN_TO + " AND s.sign = %(sign)s",
            {"sign": sign, "actor": asker.actor},
        )
        if row is None:
            raise NoSuchSign
        return row

    def _check_open(self, row: Sequence[Any]) -> None:
        if row[6] not in ("new", "taken"):
            raise SignOver

    def _listed(self, row: Sequence[Any]) -> dict[str, Any]:
        """One that does not open is listed without its words, so that the others are read."""
        try:
            return self._shown(row, self._words(row[0], bytes(row[14])))
        except RecordDamaged:
            return self._shown(row, {})

    def _shown(self, row: Sequence[Any], words: dict[str, Any]) -> dict[str, Any]:
        names = ("sign", "source", "what", "first", "last", "times", "state", "by", "since", "incident")
        told = dict(zip(names, row, strict=False)) | {"rung": row[11], "next": row[12], "entry": row[13]}
        facts = {name: text for name, text in words.get("facts", {}).items() if name != "salt"}
        return told | {"reported": row[10] is not None, **words, "facts": facts}

    def _words(self, sign: str, sealed: bytes) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self._keys.opens(sealed).open(sealed, f"sign:{sign}"))
        return told

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Connection]:
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            yield connection


def _of_person(person: str) -> dict[str, Any]:
    """What an entry says of who reported: her address lies in the sign's words, and is told with them."""
    return {"purpose": Purpose.INCIDENT, "persons": [person], "fields": ["mail"]}
