"""The inventory of secrets: what is known of each, and what people write about them. Never a secret itself.

The words are sealed; each writing is an entry `key` first, and so is each look, for together they say what
a thief would take first.
"""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import BadRequest, NoSuchSecret
from noren_vault.incidents import Asker
from noren_vault.inquiries import pasted
from noren_vault.keys import Keys
from noren_vault.record import Record
from noren_vault.rights import PLATFORM
from noren_vault.secret_facts import SecretFacts

KINDS: Final = ("row", "place", "rotated")
LONGEST: Final = 2_000
_MOST_REACHED: Final = 40
_MOST_NOTES: Final = 2_000
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,39}", re.ASCII)
_PLACE: Final = re.compile(r"[a-z-]{0,30}", re.ASCII)
# How rows that people added begin.
OWN: Final = "own-"


@dataclass(frozen=True, slots=True)
class New:
    """What is written. `rotated_at` is a `rotated`'s, `place` a `place`'s, `reaches` a `row`'s."""

    kind: str
    secret: str = ""
    place: str = ""
    reaches: Sequence[str] = ()
    rotated_at: int | None = None
    words: Mapping[str, str] = field(default_factory=dict, repr=False)

    def check(self, now: int) -> None:
        """Raise BadRequest for what is none."""
        if self.kind not in KINDS or not self.words or any(len(one) > LONGEST for one in self.words.values()):
            raise BadRequest(
                f"a note is one of {', '.join(KINDS)}, with words of at most {LONGEST} characters"
            )
        if bool(self.secret) == (self.kind == "row") or (self.secret and not _NAME.fullmatch(self.secret)):
            raise BadRequest("a note names its secret, and a row gets its name here")
        if (self.kind == "place") != bool(self.place) or not _PLACE.fullmatch(self.place):
            raise BadRequest("a place is a word")
        if len(self.reaches) > _MOST_REACHED or not all(
            isinstance(one, str) and _NAME.fullmatch(one) for one in self.reaches
        ):
            raise BadRequest("what it reaches is a list of names")
        if (self.kind == "rotated") != (self.rotated_at is not None) or (self.rotated_at or 0) > now:
            raise BadRequest("it was made anew at a time that is over")


class Inventory:
    """Tells, writes, ends."""

    def __init__(
        self, *, database: Database, keys: Keys, record: Record, facts: SecretFacts, now: Now
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._keys = keys
        self._record = record
        self._facts = facts
        self._now = now

    async def all(self, asker: Asker) -> dict[str, Any]:
        """Give facts, notes, and what was pasted at the inquiry desk. On record."""
        await self._record.write("key", asker.path, shop=PLATFORM, ref="secrets", note="inventory")
        rows = await self._database.rows(
            "SELECT note, secret, kind, place, reaches, rotated_at, sealed, by, at, gone_by, gone_at "
            "FROM vault.secret_note ORDER BY at DESC, note LIMIT %s",
            [_MOST_NOTES],
        )
        names = ("note", "secret", "kind", "place", "reaches", "rotated_at", "words", "by", "at")
        return {
            "facts": await self._facts.all(),
            "notes": [
                dict(
                    zip((*names, "gone_by", "gone_at"), (*row[:6], self._opened(row), *row[7:]), strict=True)
                )
                for row in rows
            ],
            "pasted": await pasted(self._database, _MOST_NOTES),
        }

    async def note(self, asker: Asker, new: New) -> str:
        """Write one, on record first; gives the secret's name. Raises BadRequest, NoSuchSecret."""
        now, note = self._now(), secrets.token_hex(8)
        new.check(now)
        secret = new.secret or f"{OWN}{note[:8]}"
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            if secret.startswith(OWN) and new.kind != "row":
                await self._there(connection, secret)
            await self._record.write(
                "key",
                asker.path,
                shop=PLATFORM,
                ref=f"secret:{secret}/note:{note}",
                note=f"secret_{new.kind}",
            )
            plain = json.dumps(dict(new.words), ensure_ascii=False).encode("utf-8", "replace")
            sealed = self._keys.addresses.seal(plain, f"secret-note:{note}")
            await connection.execute(
                b"INSERT INTO vault.secret_note (note, secret, kind, place, reaches, "
                b"rotated_at, sealed, by, at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    note,
                    secret,
                    new.kind,
                    new.place,
                    list(new.reaches),
                    new.rotated_at,
                    sealed,
                    asker.handle,
                    now,
                ],
            )
        return secret

    async def end(self, asker: Asker, note: str) -> None:
        """Say that a row or a place is there no more; who wrote it stays. Raises NoSuchSecret."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                b"SELECT secret FROM vault.secret_note "
                b"WHERE note = %s AND gone_at IS NULL AND kind <> 'rotated' FOR UPDATE",
                [note],
            )
            row = await cursor.fetchone()
            if row is None:
                raise NoSuchSecret
            await self._record.write(
                "key", asker.path, shop=PLATFORM, ref=f"secret:{row[0]}/note:{note}", note="secret_gone"
            )
            await connection.execute(
                b"UPDATE vault.secret_note SET gone_by = %s, gone_at = %s WHERE note = %s",
                [asker.handle, self._now(), note],
            )

    # -- inside

    async def _there(self, connection: Connection, secret: str) -> None:
        cursor = await connection.execute(
            b"SELECT 1 FROM vault.secret_note WHERE secret = %s AND kind = 'row' AND gone_at IS NULL "
            b"FOR UPDATE",
            [secret],
        )
        if await cursor.fetchone() is None:
            raise NoSuchSecret

    def _opened(self, row: Sequence[Any]) -> dict[str, str]:
        sealed = bytes(row[6])
        words: dict[str, str] = json.loads(self._keys.opens(sealed).open(sealed, f"secret-note:{row[0]}"))
        return words
