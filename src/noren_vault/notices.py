"""Notices of the public: one operator asks to publish a text, another agrees to that very text.

The text lies on the app side; here is its hash, and when it is published the hash is an entry `notice` of the
ledger. From then on nobody can publish another text under the same number and version, and a text that was
changed afterwards no longer has the hash that the ledger says. A correction is a further version of it.

Who has no second operator publishes alone: the entry says so for good, and everybody of the platform is told.
"""

import asyncio
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import (
    BadRequest,
    GrantRefused,
    NoSuchEntry,
    NoSuchNotice,
    NoticeOver,
    SecondPasskeyNeeded,
)
from noren_vault.grants import HOUR_MS, Grant
from noren_vault.index import Index
from noren_vault.ledger import ProofInvalid
from noren_vault.notice_bells import NoticeBells
from noren_vault.platform import Platform
from noren_vault.powers import PASSKEYS
from noren_vault.protocol import Params
from noren_vault.record import Path, Record
from noren_vault.signin import SignIn

WAITS_MS: Final = 24 * HOUR_MS
PUBLISHED: Final = "published"
ALONE: Final = "published:alone"
_SHOWN_MS: Final = 90 * 24 * HOUR_MS
_SECONDS: Final = 30.0
_NOTICE: Final = re.compile(r"[a-z0-9][a-z0-9-]{2,39}", re.ASCII)
_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_REF: Final = re.compile(
    rf"({_NOTICE.pattern})/([1-9][0-9]*)\.([1-9][0-9]*)/sha256:([0-9a-f]{{64}})", re.ASCII
)
_FIND: Final = """
SELECT n.ask, n.notice, n.number, n.version, encode(n.hash, 'hex'), n.actor::text, a.handle, n.alone, n.state,
       n.asked_at, n.expires_at, d.handle, n.decided_at, n.entry
FROM vault.notice_ask n JOIN vault.actor a USING (actor) LEFT JOIN vault.actor d ON d.actor = n.decided_by
"""
_PUBLISHED: Final = """
SELECT 1 FROM vault.notice_ask WHERE notice = %s AND number = %s AND version = %s AND state = 'published'
"""


@dataclass(frozen=True, slots=True)
class Text:
    """One text by its place and its SHA-256: the update's number, and which version of it."""

    notice: str
    number: int
    version: int
    hash: str

    @classmethod
    def of(cls, params: Params) -> "Text":
        """Read it from the wire. Raises BadRequest."""
        notice, number = params.text("notice", most=40), params.number("number", most=9_999)
        version, digest = params.number("version", most=9_999), params.text("hash", most=64)
        if not (_NOTICE.fullmatch(notice) and number and version and _HASH.fullmatch(digest)):
            raise BadRequest("a text has a notice's short name, a number, a version and a SHA-256")
        return cls(notice, number, version, digest)

    @property
    def ref(self) -> str:
        """How entries name it."""
        return f"{self.notice}/{self.number}.{self.version}/sha256:{self.hash}"


@dataclass(frozen=True, slots=True)
class Said:
    """What the ledger says was published; `at` in milliseconds."""

    entry: int
    at: int
    text: Text
    alone: bool

    def to_wire(self) -> dict[str, Any]:
        """The shape of the answer; the instant is POSIX seconds."""
        return {
            "entry": self.entry,
            "at": self.at / 1000,
            "notice": self.text.notice,
            "number": self.text.number,
            "version": self.text.version,
            "hash": self.text.hash,
            "alone": self.alone,
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """One asking as it stands."""

    id: str
    text: Text
    actor: str
    handle: str
    alone: bool
    state: str
    asked_at: int
    expires_at: int
    decider: str | None
    decided_at: int | None
    entry: int | None

    @classmethod
    def of(cls, row: Any) -> "Asked":
        """Read a row of _FIND."""
        ask, notice, number, version, digest, *rest = row
        return cls(ask, Text(notice, number, version, digest), *rest)

    def standing(self, now: int) -> str:
        """The state as it is now."""
        return "lapsed" if self.state == "asked" and now >= self.expires_at else self.state

    @property
    def deed(self) -> str:
        """Binds a second operator's passkey to this asking and to its text."""
        return f"notice:{self.id}:{self.text.hash}"

    def to_wire(self, now: int, *, own: bool) -> dict[str, Any]:
        """The shape of the answer; instants are POSIX seconds."""
        return {
            "ask": self.id,
            "notice": self.text.notice,
            "number": self.text.number,
            "version": self.text.version,
            "hash": self.text.hash,
            "handle": self.handle,
            "alone": self.alone,
            "state": self.standing(now),
            "asked": self.asked_at / 1000,
            "expires": self.expires_at / 1000,
            "decider": self.decider,
            "decided": None if self.decided_at is None else self.decided_at / 1000,
            "entry": self.entry,
            "own": own,
        }


class Notices:
    """Asks, agrees, publishes alone, and says what the ledger says."""

    def __init__(
        self,
        *,
        database: Database,
        record: Record,
        signin: SignIn,
        platform: Platform,
        index: Index,
        bells: NoticeBells,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._signin = signin
        self._platform = platform
        self._index = index
        self.bells = bells
        self._now = now
        # One after the other: what was published is looked up in the ledger before the next is.
        self._one = asyncio.Lock()

    # -- asking

    async def ask(self, grant: Grant, text: Text) -> str:
        """Ask for another operator's word; gives the asking's id. SecondPasskeyNeeded, NoticeOver."""
        await self._may_ask(grant, text)
        ask = secrets.token_hex(8)
        await self._record.write("notice", grant.path, ref=text.ref, note="asked")
        async with self._database.transaction() as connection:
            await self._store(connection, ask, grant, text, alone=False)
        return ask

    async def alone_begin(self, grant: Grant, text: Text) -> dict[str, Any]:
        """Options for a passkey's answer that publishes this text without a second operator."""
        await self._may_ask(grant, text)
        return await self._signin.fresh_begin(grant, deed=f"notice:alone:{text.ref}")

    async def alone(self, grant: Grant, text: Text, response: Mapping[str, Any]) -> Said:
        """Publish without a second operator: on record as such, and everybody is told. PasskeyRefused."""
        await self._may_ask(grant, text)
        path = await self._signin.fresh_finish(grant, response, deed=f"notice:alone:{text.ref}")
        ask = secrets.token_hex(8)
        async with self._one, self._database.transaction() as connection:
            await self._store(connection, ask, grant, text, alone=True)
            said = await self._publish(connection, ask, text, path, second=None)
            await self.bells.hang(connection, f"alone:{ask}")
        self.bells.soon()
        return said

    # -- the second operator

    async def agree_begin(self, grant: Grant, ask: str) -> dict[str, Any]:
        """Options for the second operator's passkey, good for this text alone."""
        async with self._database.transaction() as connection:
            one = await self._undecided(connection, grant, ask)
        return await self._signin.fresh_begin(grant, deed=one.deed)

    async def agree(self, grant: Grant, ask: str, response: Mapping[str, Any]) -> Said:
        """Agree to exactly this text, and so publish it. Raises PasskeyRefused, NoticeOver, PowerOver."""
        async with self._database.transaction() as connection:
            one = await self._undecided(connection, grant, ask)
        path = await self._signin.fresh_finish(grant, response, deed=one.deed)
        async with self._one, self._database.transaction() as connection:
            one = await self._undecided(connection, grant, ask)
            # Of an operator who was ended while this waited nothing is left to agree to, nor by her.
            await self._platform.still(connection, one.actor)
            await self._platform.still(connection, grant.actor)
            return await self._publish(connection, ask, one.text, path, second=grant.actor)

    async def end(self, grant: Grant, ask: str) -> None:
        """Take one's own asking back, or say no to another's."""
        async with self._database.transaction() as connection:
            one = await self._find(connection, ask)
            if one.standing(self._now()) != "asked":
                raise NoticeOver(one.standing(self._now()))
            state = "withdrawn" if one.actor == grant.actor else "declined"
            await self._record.write("notice", grant.path, ref=one.text.ref, note=state)
            await connection.execute(
                b"UPDATE vault.notice_ask SET state = %s, decided_by = %s, decided_at = %s WHERE ask = %s",
                [state, grant.actor, self._now(), ask],
            )

    # -- what was promised

    async def late(self, notice: str, number: int, path: Path) -> None:
        """Say once that the promised next update has not come, and tell everybody of the platform."""
        if not _NOTICE.fullmatch(notice) or not number:
            raise BadRequest("a notice's short name and the number of an update")
        about = f"late:{notice}/{number}"
        if await self._database.row("SELECT 1 FROM vault.notice_bell WHERE about = %s LIMIT 1", [about]):
            return
        await self._record.write("notice", path, ref=f"{notice}/{number}", note="late")
        async with self._database.transaction() as connection:
            await self.bells.hang(connection, about)
        self.bells.soon()

    # -- telling

    async def all(self, grant: Grant) -> dict[str, Any]:
        """What was asked for in 90 days, newest first, and how many passkeys who looks has."""
        rows = await self._database.rows(
            _FIND + "WHERE n.asked_at > %s ORDER BY n.asked_at DESC, n.ask LIMIT 300",
            [self._now() - _SHOWN_MS],
        )
        told = [one.to_wire(self._now(), own=one.actor == grant.actor) for one in map(Asked.of, rows)]
        return {"asks": told, "passkeys": await self._passkeys(grant.actor)}

    async def said(self, notice: str = "") -> list[Said]:
        """Give what the ledger's files say was published: of one notice or of all, in their order."""
        await self._index.reach(self._record.ledger.size, _SECONDS)
        rows = await self._database.rows(
            "SELECT entry FROM vault.ledger_entry WHERE kind = 'notice' AND note IN (%s, %s) "
            "AND (%s = '' OR starts_with(ref, %s)) ORDER BY entry",
            [PUBLISHED, ALONE, notice, f"{notice}/"],
        )
        found = await asyncio.to_thread(lambda: [self._read(entry) for (entry,) in rows])
        return [one for one in found if one is not None]

    async def proof(self, entry: int) -> str:
        """Give the `.tlog-proof` of a publication, which brings its entry along. Raises NoSuchEntry."""
        ledger = self._record.ledger
        if entry >= ledger.size or self._read(entry) is None:
            raise NoSuchEntry
        [(_, payload)] = ledger.payloads(entry, entry + 1)
        try:
            return ledger.proof(entry, extra=payload)
        except ProofInvalid as fault:
            raise NoSuchEntry from fault

    # -- inside

    def _read(self, entry: int) -> Said | None:
        """Read a publication from the files, whatever the index says of it."""
        _, found = next(self._record.ledger.entries(entry, entry + 1))
        match = _REF.fullmatch(found.ref)
        if found.kind != "notice" or found.note not in (PUBLISHED, ALONE) or match is None:
            return None
        text = Text(match[1], int(match[2]), int(match[3]), match[4])
        return Said(entry, found.time, text, found.note == ALONE)

    async def _may_ask(self, grant: Grant, text: Text) -> None:
        if await self._passkeys(grant.actor) < PASSKEYS:
            raise SecondPasskeyNeeded
        await self._next(text)

    async def _next(self, text: Text) -> Said | None:
        """Raise NoticeOver unless this text may come next; give it where the ledger has this very text, and
        it was cut off before the table had it.
        """
        versions: dict[int, int] = {}
        for one in await self.said(text.notice):
            if (one.text.number, one.text.version) == (text.number, text.version):
                if one.text.hash != text.hash:
                    raise NoticeOver("another text was published under this number and version")
                if await self._database.row(_PUBLISHED, [text.notice, text.number, text.version]):
                    raise NoticeOver("it is published")
                return one
            versions[one.text.number] = max(versions.get(one.text.number, 0), one.text.version)
        if text.number > len(versions) + 1 or text.version != versions.get(text.number, 0) + 1:
            raise NoticeOver("not the next number, or not its next version")
        return None

    async def _publish(
        self, connection: Connection, ask: str, text: Text, path: Path, *, second: str | None
    ) -> Said:
        """Put the hash into the ledger; the caller goes on only when it is durable there."""
        said = await self._next(text)
        if said is None:
            note = ALONE if second is None else PUBLISHED
            entry = await self._record.write("notice", path, ref=text.ref, note=note)
            said = self._read(entry)
            if said is None:
                raise NoSuchEntry
        await connection.execute(
            b"UPDATE vault.notice_ask SET state = 'published', decided_by = %s, decided_at = %s, entry = %s "
            b"WHERE ask = %s",
            [second, self._now(), said.entry, ask],
        )
        return said

    async def _store(
        self, connection: Connection, ask: str, grant: Grant, text: Text, *, alone: bool
    ) -> None:
        now = self._now()
        # Who asks for the same place anew takes the older asking back.
        await connection.execute(
            b"UPDATE vault.notice_ask SET state = 'withdrawn', decided_by = %s, decided_at = %s "
            b"WHERE state = 'asked' AND notice = %s AND number = %s AND version = %s",
            [grant.actor, now, text.notice, text.number, text.version],
        )
        await connection.execute(
            b"INSERT INTO vault.notice_ask (ask, notice, number, version, hash, actor, alone, state, "
            b"asked_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s, 'asked', %s, %s)",
            [
                ask,
                text.notice,
                text.number,
                text.version,
                bytes.fromhex(text.hash),
                grant.actor,
                alone,
                now,
                now + WAITS_MS,
            ],
        )

    async def _undecided(self, connection: Connection, grant: Grant, ask: str) -> Asked:
        one = await self._find(connection, ask)
        if one.actor == grant.actor:
            await self._record.write("refused", grant.path, ref=one.text.ref, note="same_person")
            raise GrantRefused("nobody is their own second operator")
        if one.standing(self._now()) != "asked":
            raise NoticeOver(one.standing(self._now()))
        return one

    async def _find(self, connection: Connection, ask: str) -> Asked:
        cursor = await connection.execute(_FIND.encode() + b"WHERE n.ask = %s FOR UPDATE OF n", [ask])
        row = await cursor.fetchone()
        if row is None:
            raise NoSuchNotice
        return Asked.of(row)

    async def _passkeys(self, actor: str) -> int:
        row = await self._database.row("SELECT count(*) FROM vault.passkey WHERE actor = %s", [actor])
        return 0 if row is None else int(row[0])
