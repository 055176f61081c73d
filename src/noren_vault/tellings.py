"""Tellings: after a leak exactly those in the scope are told, each what became known of hers, and no other.

The vault itself asks the scope and finds who is to be told; who asks gets numbers and opaque ids. A telling
is made first, which sends nothing: its numbers are the dry run. Another operator agrees, with a passkey bound
to the hash of its words and of everybody in it; alone, everybody of the platform is told. Then
`telling_mails` sends. Who is a member of the incident may make one and see it, and nobody else.
"""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from noren_vault import telling_people
from noren_vault.clock import Now
from noren_vault.database import Connection, Database, Row
from noren_vault.errors import GrantRefused, NoSuchTelling, SecondPasskeyNeeded, TellingOver
from noren_vault.grants import Grant
from noren_vault.incidents import TELLING, Asker, Incidents
from noren_vault.keys import Keys
from noren_vault.notice_bells import NoticeBells
from noren_vault.notices import WAITS_MS
from noren_vault.platform import Platform
from noren_vault.powers import PASSKEYS
from noren_vault.question import Question
from noren_vault.record import Outcome, Record
from noren_vault.rights import PLATFORM
from noren_vault.scope import Scope
from noren_vault.signin import SignIn
from noren_vault.telling_people import Lines

A_MINUTE: Final = 1_800
MOST_A_MINUTE: Final = 6_000
PAGE: Final = 2_000
_ID: Final = 8
_FIND: Final = """
SELECT t.telling, t.incident, t.notice, t.state, encode(t.hash, 'hex'), t.sealed, t.size,
       encode(t.root, 'hex'), t.scope, t.nameless, t.a_minute, t.by, coalesce(t.actor::text, ''), t.made_at,
       t.decider, t.alone, t.decided_at, t.entry, t.stopped_at
FROM vault.telling t
"""
# What became of each: a mail that came back is known to the courier alone.
_STATES: Final = """
WITH s AS (SELECT t.shop_id, t.person::text AS person, t.kind, t.language, t.instead, t.into_person,
    t.changed_at, t.fields, t.since, t.until, t.ways, t.surely,
    CASE WHEN t.state IN ('told', 'unknown') AND m.state = 'bounced' THEN 'bounced' ELSE t.state END AS state,
    coalesce(m.reason, '') AS reason
FROM vault.told t LEFT JOIN vault.message m
    ON (m.shop_id, m.message_key) = (t.shop_id, 'telling:' || t.telling || '/' || t.person::text)
WHERE t.telling = %(telling)s)
"""
_COUNT: Final = """
SELECT s.kind, s.state, s.language, s.shop_id, count(*) FILTER (WHERE NOT s.instead),
    count(*) FILTER (WHERE s.instead)
FROM s GROUP BY 1, 2, 3, 4
"""
_NAMES: Final = (
    *("shop", "person", "kind", "state", "language", "fields", "since", "until", "at", "reason"),
    *("instead", "into"),
)
_PAGE: Final = """
SELECT s.shop_id, s.person, s.kind, s.state, s.language, s.fields, s.since, s.until, s.changed_at, s.reason,
    s.instead, s.into_person::text
FROM s WHERE (s.shop_id, s.person::uuid) > (%(shop)s, %(after)s::uuid)
ORDER BY s.shop_id, s.person::uuid LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be told, and to whom: by a question that a scope answers, `raw` as it was asked."""

    question: Question
    raw: Mapping[str, Any]
    notice: str
    words: Mapping[str, Any]
    shops: Mapping[str, str]
    a_minute: int


@dataclass(frozen=True, slots=True)
class Telling:
    """One telling as it stands; `sealed` opens to question, words and the names of shops."""

    id: str
    incident: str
    notice: str
    state: str
    hash: str
    sealed: bytes
    size: int
    root: str
    scope: int
    nameless: int
    a_minute: int
    by: str
    actor: str
    made_at: int
    decider: str | None
    alone: bool
    decided_at: int | None
    entry: int | None
    stopped_at: int | None

    @classmethod
    def of(cls, row: Row) -> "Telling":
        """Read a row of _FIND."""
        telling, incident, notice, state, digest, sealed, *rest = row
        return cls(telling, incident, notice, state, digest, bytes(sealed), *rest)

    def standing(self, now: int) -> str:
        """The state as it is now: what nobody has agreed to in a day is over."""
        return "lapsed" if self.state == "made" and now >= self.made_at + WAITS_MS else self.state

    @property
    def ref(self) -> str:
        """How entries name it."""
        return f"telling:{self.id}/sha256:{self.hash}"

    def deed(self, how: str) -> str:
        """Binds a passkey to this telling, its words and everybody in it."""
        return f"telling:{how}:{self.id}:{self.hash}"


class Tellings:
    """Makes, shows, agrees, holds."""

    def __init__(
        self,
        *,
        database: Database,
        record: Record,
        keys: Keys,
        scope: Scope,
        incidents: Incidents,
        signin: SignIn,
        platform: Platform,
        bells: NoticeBells,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._keys = keys
        self._scope = scope
        self._incidents = incidents
        self._signin = signin
        self._platform = platform
        self._bells = bells
        self._now = now

    # -- making: nothing is sent

    async def make(self, asker: Asker, incident: str, wanted: Wanted) -> str:
        """Ask the scope and keep who is in it; gives the telling. Raises NoSuchIncident, BadRequest."""
        await self._incidents.check(asker, incident)
        answer = await self._scope.answer(wanted.question, asker.path)
        lines = await asyncio.to_thread(telling_people.of_answer, answer)
        await telling_people.settle(self._database, lines)
        telling, head = secrets.token_hex(_ID), answer["head"]
        told = {"question": wanted.raw, "words": wanted.words, "shops": wanted.shops}
        about = {"telling": telling, "incident": incident, "notice": wanted.notice, "head": head, **told}
        digest = await asyncio.to_thread(_hash, about, lines)
        entry = await self._record.write(
            "incident", asker.path, ref=f"telling:{telling}/sha256:{digest}", note="telling:made"
        )
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            sealed = self._keys.addresses.seal(_json(told), f"telling:{telling}")
            await connection.execute(
                b"INSERT INTO vault.telling (telling, incident, notice, state, hash, sealed, size, root, "
                b"scope, nameless, a_minute, by, actor, made_at) "
                b"VALUES (%s, %s, %s, 'made', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    telling,
                    incident,
                    wanted.notice,
                    bytes.fromhex(digest),
                    sealed,
                    head["size"],
                    bytes.fromhex(head["root"]),
                    lines.scope,
                    lines.nameless,
                    wanted.a_minute,
                    asker.handle,
                    asker.actor or None,
                    self._now(),
                ],
            )
            await telling_people.store(connection, telling, list(lines.found.values()), self._now())
        await self._record.outcome(entry, Outcome.DONE, asker.path)
        return telling

    async def languages(self, asker: Asker, telling: str, shop: int, chosen: Mapping[str, str]) -> None:
        """Say in which language each of a shop's persons reads; before it was agreed to."""
        one = await self.find(asker, telling)
        if one.standing(self._now()) != "made":
            raise TellingOver
        await self._database.run(
            "UPDATE vault.told t SET language = c.language FROM unnest(%s::uuid[], %s::text[]) "
            "AS c(person, language) WHERE t.telling = %s AND t.shop_id = %s AND t.person = c.person",
            [list(chosen), list(chosen.values()), telling, shop],
        )

    # -- showing: numbers and opaque ids

    async def all(self, asker: Asker, incident: str) -> list[dict[str, Any]]:
        """Those of an incident, the newest first. Raises NoSuchIncident."""
        await self._incidents.check(asker, incident)
        rows = await self._database.rows(
            _FIND + "WHERE t.incident = %s ORDER BY t.made_at DESC, t.telling LIMIT 100", [incident]
        )
        return [await self._wire(asker, Telling.of(row)) for row in rows]

    async def show(self, asker: Asker, telling: str) -> dict[str, Any]:
        """How it stands, with its words and its question. Raises NoSuchTelling."""
        one = await self.find(asker, telling)
        return await self._wire(asker, one) | self.opened(one)

    async def page(self, asker: Asker, telling: str, shop: int, after: str) -> list[dict[str, Any]]:
        """Who was told what, when, with what result: the next by shop and id. On record."""
        one = await self.find(asker, telling)
        await self._record.write("incident", asker.path, ref=one.ref, note="telling:read")
        wanted = {"telling": telling, "shop": shop, "after": after, "most": PAGE}
        return [
            dict(zip(_NAMES, row, strict=True)) for row in await self._database.rows(_STATES + _PAGE, wanted)
        ]

    # -- agreeing

    async def begin(self, grant: Grant, telling: str, *, alone: bool) -> dict[str, Any]:
        """Options for the passkey that lets this very telling go out."""
        one = await self._undecided(grant, telling, alone=alone)
        return await self._signin.fresh_begin(grant, deed=one.deed(_how(alone=alone)))

    async def agree(self, grant: Grant, telling: str, response: Mapping[str, Any], *, alone: bool) -> int:
        """Let it go out: on record, and in the incident's book. Raises PasskeyRefused, TellingOver."""
        one = await self._undecided(grant, telling, alone=alone)
        path = await self._signin.fresh_finish(grant, response, deed=one.deed(_how(alone=alone)))
        asker = Asker(grant.actor, grant.handle, path)
        entry = 0

        async def first(connection: Connection) -> None:
            nonlocal entry
            await self._lock(connection, one)
            for actor in {grant.actor, one.actor} - {""}:
                await self._platform.still(connection, actor)
            entry = await self._record.write(
                "incident", path, ref=one.ref, note=f"telling:{_how(alone=alone)}"
            )
            await connection.execute(
                b"UPDATE vault.telling SET state = 'agreed', decider = %s, alone = %s, decided_at = %s, "
                b"entry = %s WHERE telling = %s",
                [grant.handle, alone, self._now(), entry, telling],
            )
            if alone:
                await self._bells.hang(connection, f"telling:{telling}")

        said = {"telling": telling, "persons": one.scope, "notice": one.notice, "sha256": one.hash}
        await self._incidents.written(asker, one.incident, TELLING, json.dumps(said), first=first)
        if alone:
            self._bells.soon()
        return entry

    async def withdraw(self, asker: Asker, telling: str) -> None:
        """Let it never go out. Raises TellingOver."""
        one = await self.find(asker, telling)
        async with self._database.transaction() as connection:
            await self._lock(connection, one)
            await self._record.write("incident", asker.path, ref=one.ref, note="telling:withdrawn")
            await connection.execute(
                b"UPDATE vault.telling SET state = 'withdrawn', decider = %s, decided_at = %s "
                b"WHERE telling = %s",
                [asker.handle, self._now(), telling],
            )

    async def hold(self, asker: Asker, telling: str, *, stop: bool) -> None:
        """Hold its mails back, or let them go on. Raises TellingOver."""
        one = await self.find(asker, telling)
        if one.state != "agreed":
            raise TellingOver
        note = "telling:stopped" if stop else "telling:resumed"
        await self._record.write("incident", asker.path, ref=one.ref, note=note)
        await self._database.run(
            "UPDATE vault.telling SET stopped_at = %s WHERE telling = %s",
            [self._now() if stop else None, telling],
        )

    async def note(self, asker: Asker, telling: str, note: str) -> Telling:
        """Put a look at it on record, and give it. Raises NoSuchTelling."""
        one = await self.find(asker, telling)
        await self._record.write("incident", asker.path, ref=one.ref, note=note)
        return one

    # -- inside

    async def find(self, asker: Asker, telling: str) -> Telling:
        """Give one to a member of its incident. Raises NoSuchTelling, NoSuchIncident."""
        row = await self._database.row(_FIND + "WHERE t.telling = %s", [telling])
        if row is None:
            raise NoSuchTelling
        one = Telling.of(row)
        await self._incidents.check(asker, one.incident)
        return one

    async def running(self, telling: str) -> Telling | None:
        """Give one that is to be sent now; None once it was stopped."""
        where = "WHERE t.telling = %s AND t.state = 'agreed' AND t.stopped_at IS NULL"
        row = await self._database.row(_FIND + where, [telling])
        return None if row is None else Telling.of(row)

    async def damaged(self, one: Telling) -> None:
        """Stop one that does not open, on record: there is nothing to send by it."""
        await self._record.damaged(PLATFORM, ())
        await self._database.run(
            "UPDATE vault.telling SET stopped_at = %s WHERE telling = %s", [self._now(), one.id]
        )

    def opened(self, one: Telling) -> dict[str, Any]:
        """Its question, words and names of shops."""
        told: dict[str, Any] = json.loads(self._keys.opens(one.sealed).open(one.sealed, f"telling:{one.id}"))
        return told

    async def _undecided(self, grant: Grant, telling: str, *, alone: bool) -> Telling:
        asker = Asker(grant.actor, grant.handle, grant.path)
        one = await self.find(asker, telling)
        if one.standing(self._now()) != "made":
            raise TellingOver
        if alone:
            row = await self._database.row(
                "SELECT count(*) FROM vault.passkey WHERE actor = %s", [grant.actor]
            )
            if row is None or row[0] < PASSKEYS:
                raise SecondPasskeyNeeded
        elif one.actor == grant.actor:
            await self._record.write("refused", grant.path, ref=one.ref, note="same_person")
            raise GrantRefused("nobody is their own second operator")
        return one

    async def _lock(self, connection: Connection, one: Telling) -> None:
        cursor = await connection.execute(
            b"SELECT state FROM vault.telling WHERE telling = %s FOR UPDATE", [one.id]
        )
        row = await cursor.fetchone()
        if row is None or row[0] != "made" or one.standing(self._now()) != "made":
            raise TellingOver

    async def _wire(self, asker: Asker, one: Telling) -> dict[str, Any]:
        counts: dict[str, dict[str, int]] = {
            "by": {},
            "kinds": {},
            "languages": {},
            "shops": {},
            "instead": {},
        }
        for kind, state, language, shop, there, instead in await self._database.rows(
            _STATES + _COUNT, {"telling": one.id}
        ):
            for name, key, number in (
                ("by", state, there),
                ("instead", state, instead),
                ("kinds", kind, there),
                ("languages", language, there),
                ("shops", str(shop), there),
            ):
                counts[name][key] = counts[name].get(key, 0) + number
        return {
            "telling": one.id,
            "incident": one.incident,
            "notice": one.notice,
            "state": one.standing(self._now()),
            "hash": one.hash,
            "size": one.size,
            "root": one.root,
            "scope": one.scope,
            "nameless": one.nameless,
            "a_minute": one.a_minute,
            "handle": one.by,
            "own": bool(asker.actor) and one.actor == asker.actor,
            "made": one.made_at,
            "decider": one.decider,
            "alone": one.alone,
            "decided": one.decided_at,
            "entry": one.entry,
            "stopped": one.stopped_at,
            **counts,
        }


def _how(*, alone: bool) -> str:
    return "alone" if alone else "agreed"


def _json(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _hash(about: Mapping[str, Any], lines: Lines) -> str:
    """SHA-256 over the question, the words, the head and everybody in it."""
    return hashlib.sha256(_json({**about, "people": lines.digest()})).hexdigest()
