"""The inquiry desk, for who asks: her inquiry lies here sealed, and opens by a link that is stored nowhere.

Who asks is a person of no shop, with one field at most: the mail to which it is said that an answer is
there. Each look at her words, the desk's and her own, is an entry that names her, so that scope finds her
after a leak as it finds a customer. The link is HMAC-SHA256 over inquiry and generation; the next generation
makes it invalid.

The words were cut before they came here (the app side): of card numbers the last four digits are left,
passwords and keys are gone, and for each of those a row is opened until somebody has made a new one.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from noren_vault import fields
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import BadRequest, InquiryFull, NoSuchInquiry
from noren_vault.floors import Floors
from noren_vault.keys import Keys
from noren_vault.people import ASKER, NewPerson, People
from noren_vault.record import Outcome, Path, Record
from noren_vault.rights import PLATFORM

LOCALES: Final = ("ja", "en", "ja-easy")
PASTED: Final = ("password", "key", "private-key", "database-address")
FIELD: Final = "inquiry"
LONGEST: Final = 8_000
LONGEST_FILE: Final = 50_000
LONGEST_NAME: Final = 100
MOST_FILES: Final = 3
MOST_LINES: Final = 200
MOST_PASTED: Final = 20
_ABOUT: Final = re.compile(r"[a-z]{1,20}", re.ASCII)
_NOTICE: Final = re.compile(r"(?:[a-z0-9][a-z0-9-]{2,39})?", re.ASCII)
_MAC: Final = 16
_ID: Final = 16
_TOOK: Final = 20
# What of a standing the door does not tell.
_OURS: Final = ("person", "generation", "owed", "owed_at")
_LINKS: Final = "inquiry-key:links"
_ROW: Final = (
    "SELECT i.inquiry, i.person::text, i.about, i.notice, i.locale, i.mailed, i.state, i.generation, "
    "a.handle, i.incident, i.lines, i.asked_at, i.promised_at, i.changed_at, i.answered_at, i.owed, "
    "i.owed_at "
    "FROM vault.inquiry i JOIN vault.person p ON (p.shop_id, p.person) = (0, i.person) "
    "LEFT JOIN vault.actor a ON a.actor = i.holder WHERE p.state <> 'erased' "
)


@dataclass(frozen=True, slots=True)
class Said:
    """What comes to an inquiry at once: words, files by name, and of which kinds were what was cut out."""

    words: str = field(repr=False)
    files: Sequence[tuple[str, str]] = field(default=(), repr=False)
    pasted: Sequence[str] = ()
    promised: int = 0


@dataclass(frozen=True, slots=True)
class New:
    """What is asked. `account` says who she is signed in as, if she is."""

    about: str
    notice: str
    locale: str
    mail: str = field(repr=False)
    said: Said
    account: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """An inquiry without its words. `holder` is a handle."""

    inquiry: str
    person: str
    about: str
    notice: str
    locale: str
    mailed: bool
    state: str
    generation: int
    holder: str | None
    incident: str | None
    lines: int
    asked_at: int
    promised_at: int
    changed_at: int
    answered_at: int | None
    owed: str
    owed_at: int

    @property
    def ref(self) -> str:
        """How entries name it."""
        return f"inquiry:{self.inquiry}"


class Inquiries:
    """Takes what is asked, opens it to who has the link, erases it; and keeps the lines for the desk."""

    def __init__(
        self,
        *,
        database: Database,
        keys: Keys,
        people: People,
        record: Record,
        least: Floors,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._keys = keys
        self._people = people
        self._record = record
        self._least = least
        self._now = now

    # -- who asks

    async def pace(self) -> dict[str, Any]:
        """How many wait for an answer, and how the last first answers came: when asked, when answered."""
        row = await self._database.row("SELECT count(*) FROM vault.inquiry WHERE state = 'waiting'")
        rows = await self._database.rows(
            "SELECT asked_at, answered_at FROM vault.inquiry WHERE answered_at IS NOT NULL "
            "ORDER BY answered_at DESC LIMIT %s",
            [_TOOK],
        )
        return {"waiting": 0 if row is None else row[0], "took": [list(one) for one in rows]}

    async def ask(self, new: New, path: Path) -> str:
        """Keep an inquiry, on record first, and give its link's token. Raises BadField, BadRequest."""
        values = fields.checked({"mail": new.mail}, required=("mail",)) if new.mail else {}
        if not _ABOUT.fullmatch(new.about) or not _NOTICE.fullmatch(new.notice):
            raise BadRequest("what it is about is a word, and a notice's short name")
        _check(new.said)
        inquiry, person = secrets.token_hex(_ID // 2), NewPerson.of(None, values)
        key, now = await self._link_key(), self._now()
        async with self._keys.steady.hold():
            await self._record.write(
                "put",
                path,
                persons=[person.person],
                fields=sorted({FIELD, *values}),
                ref=f"inquiry:{inquiry}",
                note=_pasted_note(new.said),
            )
            # Until the inquiry is there she is provisional: what a crash leaves is erased within the hour.
            await self._people.insert(
                PLATFORM, [person], kind=ASKER, state="provisional", searched=False, now=now
            )
            async with self._database.transaction() as connection:
                await connection.execute(
                    b"INSERT INTO vault.inquiry (inquiry, person, about, notice, locale, mailed, asked_at, "
                    b"promised_at, changed_at, state, lines) "
                    b"VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'waiting', 0)",
                    [
                        inquiry,
                        person.person,
                        new.about,
                        new.notice,
                        new.locale,
                        bool(values),
                        now,
                        new.said.promised,
                        now,
                    ],
                )
                await self._said(connection, inquiry, new.said, new.account)
                await self.owe(connection, inquiry, "received-1")
                await connection.execute(
                    b"UPDATE vault.person SET state = 'kept', content = NULL "
                    b"WHERE shop_id = 0 AND person = %s",
                    [person.person],
                )
        return _token(key, inquiry, 1)

    async def own(self, token: str, path: Path) -> dict[str, Any]:
        """Give who has the link her inquiry, on record first. Raises NoSuchInquiry."""
        one = await self._of_link(token)
        return await self.told(one, path, purpose="own", note=False)

    async def add(self, token: str, said: Said, path: Path) -> None:
        """Add to it, which makes it wait again. Raises NoSuchInquiry, InquiryFull."""
        one = await self._of_link(token)
        _check(said)
        async with self.writing() as connection:
            one = await self.locked(connection, one.inquiry)
            await self._record.write(
                "update",
                path,
                persons=[one.person],
                fields=[FIELD],
                ref=one.ref,
                note=_pasted_note(said),
            )
            await self._said(connection, one.inquiry, said, None)
            await connection.execute(
                b"UPDATE vault.inquiry SET state = 'waiting', promised_at = CASE WHEN state = 'waiting' "
                b"THEN promised_at ELSE %s END, changed_at = %s WHERE inquiry = %s",
                [said.promised, self._now(), one.inquiry],
            )

    async def renew(self, token: str, path: Path) -> str:
        """Make the link invalid and give the next one. Raises NoSuchInquiry."""
        one = await self._of_link(token)
        async with self.writing() as connection:
            one = await self.locked(connection, one.inquiry)
            generation = await self.next_generation(connection, one, path)
        return _token(await self._link_key(), one.inquiry, generation)

    async def erase(self, token: str, path: Path) -> None:
        """Erase who asked, her words and the answers, on record first. Raises NoSuchInquiry."""
        one = await self._of_link(token)
        async with self._database.transaction() as connection:
            # What is being added to it at this moment is waited for, and goes, too.
            one = await self.locked(connection, one.inquiry)
            entry = await self._record.write("erase", path, persons=[one.person], ref=one.ref, note="left")
            await self._people.destroy(connection, PLATFORM, [one.person])
            await connection.execute(b"DELETE FROM vault.inquiry_line WHERE inquiry = %s", [one.inquiry])
            await connection.execute(
                b"UPDATE vault.inquiry SET state = 'closed', holder = NULL WHERE inquiry = %s", [one.inquiry]
            )
        self._least.erase(PLATFORM, one.person)
        await self._record.outcome(entry, Outcome.DONE, path)

    async def tidy(self) -> None:
        """Let go of the words of those who were erased: by an older database brought back, for one."""
        await self._database.run(
            "DELETE FROM vault.inquiry_line l USING vault.inquiry i, vault.person p "
            "WHERE i.inquiry = l.inquiry AND (p.shop_id, p.person) = (0, i.person) AND p.state = 'erased'"
        )

    # -- for the desk as well

    async def find(self, inquiry: str) -> Standing:
        """Give how one stands. Raises NoSuchInquiry."""
        row = await self._database.row(_ROW + "AND i.inquiry = %s", [inquiry])
        if row is None:
            raise NoSuchInquiry
        return Standing(*row)

    async def every(self) -> list[Standing]:
        """Give how all stand: those that wait, the one promised first before the others; then the newest."""
        rows = await self._database.rows(
            _ROW + "ORDER BY i.state <> 'waiting', CASE WHEN i.state = 'waiting' THEN i.promised_at "
            "ELSE -i.changed_at END LIMIT 500"
        )
        return [Standing(*row) for row in rows]

    async def locked(self, connection: Connection, inquiry: str) -> Standing:
        """Give how it stands, locked in the caller's transaction. Raises NoSuchInquiry."""
        await connection.execute(b"SELECT 1 FROM vault.inquiry WHERE inquiry = %s FOR UPDATE", [inquiry])
        cursor = await connection.execute(_ROW.encode() + b"AND i.inquiry = %s", [inquiry])
        row = await cursor.fetchone()
        if row is None:
            raise NoSuchInquiry
        return Standing(*row)

    async def told(
        self, one: Standing, path: Path, *, purpose: str, note: bool, mine: Collection[str] = ()
    ) -> dict[str, Any]:
        """Give all lines, on record first; notes are the desk's alone. `mine`: see `to_wire`."""
        entry = await self._record.write(
            "intent", path, purpose=purpose, persons=[one.person], fields=[FIELD], ref=one.ref
        )
        rows = await self._database.rows(
            "SELECT number, at, by, kind, sealed FROM vault.inquiry_line WHERE inquiry = %s "
            "AND (%s OR kind <> 'note') ORDER BY number",
            [one.inquiry, note],
        )
        lines = [
            {"number": number, "at": at, "by": by, "kind": kind, **self._opened(one.inquiry, number, sealed)}
            for number, at, by, kind, sealed in rows
        ]
        self._record.outcome_later(entry, Outcome.RELEASED, path)
        return {"standing": to_wire(one, mine), "lines": lines}

    async def line(
        self, connection: Connection, inquiry: str, kind: str, by: str, told: Mapping[str, Any]
    ) -> None:
        """Add one line in the caller's transaction, which holds the inquiry's lock. Raises InquiryFull."""
        cursor = await connection.execute(
            b"UPDATE vault.inquiry SET lines = lines + 1, changed_at = %s WHERE inquiry = %s AND lines < %s "
            b"RETURNING lines",
            [self._now(), inquiry, MOST_LINES],
        )
        row = await cursor.fetchone()
        if row is None:
            raise InquiryFull(most=MOST_LINES)
        plain = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
        sealed = self._keys.addresses.seal(plain, f"inquiry:{inquiry}:{row[0]}")
        await connection.execute(
            b"INSERT INTO vault.inquiry_line (inquiry, number, at, by, kind, sealed) "
            b"VALUES (%s, %s, %s, %s, %s, %s)",
            [inquiry, row[0], self._now(), by, kind, sealed],
        )

    async def next_generation(self, connection: Connection, one: Standing, path: Path) -> int:
        """Make the link invalid in the caller's transaction, on record first."""
        await self._record.write("update", path, persons=[one.person], ref=one.ref, note="link")
        await connection.execute(
            b"UPDATE vault.inquiry SET generation = generation + 1 WHERE inquiry = %s", [one.inquiry]
        )
        return one.generation + 1

    async def owe(self, connection: Connection, inquiry: str, what: str) -> None:
        """Owe who asked a mail, in the caller's transaction, if she gave an address (`InquiryMails`)."""
        now = self._now()
        await connection.execute(
            b"UPDATE vault.inquiry SET owed = %s, owed_at = %s, owed_next = %s WHERE inquiry = %s AND mailed",
            [what, now, now, inquiry],
        )

    async def token(self, one: Standing) -> str:
        """Give what its link ends in."""
        return _token(await self._link_key(), one.inquiry, one.generation)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        """A transaction in which something is sealed."""
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            yield connection

    # -- inside

    async def _said(
        self, connection: Connection, inquiry: str, said: Said, account: Mapping[str, Any] | None
    ) -> None:
        words = {"words": said.words} | ({"account": account} if account else {})
        await self.line(connection, inquiry, "words", "", words)
        for name, text in said.files:
            await self.line(connection, inquiry, "file", "", {"name": name, "words": text})
        for kind in said.pasted:
            await connection.execute(
                b"INSERT INTO vault.pasted_secret (inquiry, kind, at) VALUES (%s, %s, %s)",
                [inquiry, kind, self._now()],
            )

    async def _of_link(self, token: str) -> Standing:
        inquiry, _, mac = token.partition("-")
        if not mac or not token.isascii():
            raise NoSuchInquiry
        one = await self.find(inquiry)
        if not hmac.compare_digest(token, _token(await self._link_key(), inquiry, one.generation)):
            raise NoSuchInquiry
        return one

    async def _link_key(self) -> bytes:
        """The key of the links; made and sealed when the first is needed."""
        find = "SELECT sealed FROM vault.inquiry_key WHERE name = 'links'"
        row = await self._database.row(find)
        if row is None:
            async with self._keys.steady.hold():
                await self._database.run(
                    "INSERT INTO vault.inquiry_key (name, sealed) VALUES ('links', %s) "
                    "ON CONFLICT DO NOTHING",
                    [self._keys.addresses.seal(secrets.token_bytes(32), _LINKS)],
                )
            row = await self._database.row(find)
        if row is None:
            raise NoSuchInquiry
        return self._keys.opens(bytes(row[0])).open(bytes(row[0]), _LINKS)

    def _opened(self, inquiry: str, number: int, sealed: Any) -> dict[str, Any]:
        box = bytes(sealed)
        told: dict[str, Any] = json.loads(self._keys.opens(box).open(box, f"inquiry:{inquiry}:{number}"))
        return told


async def pasted(database: Database, most: int) -> list[dict[str, Any]]:
    """Give what was pasted, the open ones first, with who has made a new one."""
    rows = await database.rows(
        "SELECT s.secret, s.inquiry, s.kind, s.at, a.handle, s.done_at FROM vault.pasted_secret s "
        "LEFT JOIN vault.actor a ON a.actor = s.done_by ORDER BY s.done_at IS NOT NULL, s.at DESC LIMIT %s",
        [most],
    )
    names = ("secret", "inquiry", "kind", "at", "done_by", "done_at")
    return [dict(zip(names, row, strict=True)) for row in rows]


def to_wire(one: Standing, mine: Collection[str] = ()) -> dict[str, Any]:
    """The shape of the answer; instants are milliseconds. Whose it is stays here, and so does the incident
    but for who is a member: `mine` are hers.
    """
    told = {name: getattr(one, name) for name in Standing.__slots__ if name not in _OURS}
    return told | {"incident": one.incident if one.incident in mine else None}


def _check(said: Said) -> None:
    words_fit = said.words.strip() and len(said.words) <= LONGEST
    files_fit = len(said.files) <= MOST_FILES and all(
        0 < len(name) <= LONGEST_NAME and len(text) <= LONGEST_FILE for name, text in said.files
    )
    if not words_fit or not files_fit:
        raise BadRequest("an inquiry has words, and few small files")
    if len(said.pasted) > MOST_PASTED or not set(said.pasted) <= set(PASTED):
        raise BadRequest(f"what was pasted is of {', '.join(PASTED)}")


def _pasted_note(said: Said) -> str:
    return f"pasted:{len(said.pasted)}" if said.pasted else ""


def _token(key: bytes, inquiry: str, generation: int) -> str:
    mac = hmac.new(key, f"{inquiry}:{generation}".encode(), hashlib.sha256).digest()[:_MAC]
    return f"{inquiry}-{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
