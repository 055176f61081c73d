"""Who takes notices by mail: an address that was typed, and proved by the link that was mailed there.

A reader is a person of no shop and nobody's customer, with one field: the mail. Until the link is followed
(`confirm`) she is provisional, and erased within the hour as whoever never finished booking. One secret link
is hers: it confirms, and it is the way to leave, which erases her. Asking is answered the same for everybody.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, Final

import structlog

from noren_vault import fields, spelling
from noren_vault.clock import Now
from noren_vault.courier import Courier
from noren_vault.database import Database
from noren_vault.errors import BadRequest, NoSuchReader, RecordDamaged, VaultError, VaultUnavailable
from noren_vault.fields import Values
from noren_vault.floors import Floors
from noren_vault.keys import Keys
from noren_vault.letter import Letter
from noren_vault.people import READER, NewPerson, People
from noren_vault.record import Outcome, Path, Record
from noren_vault.rights import PLATFORM
from noren_vault.tasks import Afterwards

LOCALES: Final = ("ja", "en")
A_BATCH: Final = 50
_MOST_OPEN: Final = 500
# One letter to an address in so long, however often it is typed.
_APART_MS: Final = 600_000
_VAULT: Final = Path("vault")
_CONFIRM: Final[Mapping[str, tuple[str, str]]] = {
    "ja": (
        "暖簾 お知らせのメール配信のご確認",
        """\
お知らせのメール配信のお申し込みを受け付けました。
次のページで「配信を始める」を押すと、配信が始まります。1時間以内にお願いします。

{link}

お心当たりがなければ、何もしないでください。このアドレスは1時間以内に消去されます。
""",
    ),
    "en": (
        "Noren: please confirm that you want our notices by mail",
        """\
Somebody asked that notices be sent to this address.
If it was you, please open this page within an hour and press "Begin":

{link}

If it was not you, there is nothing to do: this address is erased within the hour.
""",
    ),
}
_THERE: Final[Mapping[str, tuple[str, str]]] = {
    "ja": (
        "暖簾 お知らせはすでに配信されています",
        "このアドレスには、すでにお知らせをお送りしています。配信の停止は次のページでできます。\n\n{link}\n",
    ),
    "en": (
        "Noren: you get our notices already",
        "This address gets our notices already. You can leave on this page:\n\n{link}\n",
    ),
}
_KEEP: Final = b"""
INSERT INTO vault.reader (person, token_hash, sealed, locale, notice, asked_at)
VALUES (%(person)s, %(hash)s, %(sealed)s, %(locale)s, %(notice)s, %(now)s)
ON CONFLICT (person) DO UPDATE SET locale = excluded.locale, asked_at = excluded.asked_at,
    notice = CASE WHEN vault.reader.since IS NULL THEN excluded.notice
                  WHEN vault.reader.notice = excluded.notice THEN excluded.notice ELSE '' END
RETURNING sealed, since
"""
_BY_LINK: Final = """
SELECT r.person::text, r.since, r.notice, r.locale FROM vault.reader r
JOIN vault.person p ON p.shop_id = 0 AND p.person = r.person
WHERE r.token_hash = %s AND p.state <> 'erased'
"""
_TO_TELL: Final = """
SELECT r.person::text, r.locale, r.sealed FROM vault.reader r
JOIN vault.person p ON p.shop_id = 0 AND p.person = r.person
WHERE p.state = 'kept' AND r.since IS NOT NULL AND r.notice IN ('', %s) AND r.person > %s
ORDER BY r.person LIMIT %s
"""
_NOBODY: Final = "00000000-0000-0000-0000-000000000000"
_log = structlog.get_logger("readers")


class Readers:
    """Takes the asking, the link's answer, and sends."""

    def __init__(
        self,
        *,
        database: Database,
        keys: Keys,
        people: People,
        record: Record,
        courier: Courier,
        least: Floors,
        origin: str,
        now: Now,
    ) -> None:
        """Keep the parts; links begin with `origin`."""
        self._database = database
        self._keys = keys
        self._people = people
        self._record = record
        self._courier = courier
        self._least = least
        self._origin = origin
        self._now = now
        self._after = Afterwards("reader_not_asked")

    async def ask(self, mail: str, locale: str, notice: str, path: Path) -> None:
        """Have a link mailed to this address: one answer for everybody. Raises BadField."""
        values = fields.checked({"mail": mail}, required=("mail",))
        if locale not in LOCALES:
            raise BadRequest(f"a locale is one of {', '.join(LOCALES)}")
        if len(self._after) >= _MOST_OPEN:
            raise VaultUnavailable("too many links are being mailed")
        self._after.begin(self._asked(values, locale, notice, path))

    async def state(self, token: str) -> dict[str, Any]:
        """Say how the reader of this link stands: nothing personal. Raises NoSuchReader."""
        _, since, notice, locale = await self._of(token)
        return {"confirmed": since is not None, "notice": notice, "locale": locale}

    async def confirm(self, token: str, path: Path) -> None:
        """Keep the reader whose link was followed; again changes nothing. Raises NoSuchReader."""
        person, since, _, _ = await self._of(token)
        if since is not None:
            return
        await self._record.write("prove", path, shop=PLATFORM, persons=[person], note="reader")
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                b"UPDATE vault.person SET state = 'kept', content = NULL "
                b"WHERE shop_id = 0 AND person = %s AND state <> 'erased'",
                [person],
            )
            if not cursor.rowcount:
                raise NoSuchReader
            await connection.execute(
                b"UPDATE vault.reader SET since = %s WHERE person = %s", [self._now(), person]
            )

    async def leave(self, token: str, path: Path) -> None:
        """Erase the reader of this link, on record first. Raises NoSuchReader."""
        person, *_ = await self._of(token)
        async with self._database.transaction() as connection:
            await connection.execute(
                b"SELECT 1 FROM vault.person WHERE shop_id = 0 AND person = %s FOR UPDATE", [person]
            )
            entry = await self._record.write("erase", path, shop=PLATFORM, persons=[person], note="left")
            await self._people.destroy(connection, PLATFORM, [person])
            await connection.execute(b"DELETE FROM vault.reader WHERE person = %s", [person])
        self._least.erase(PLATFORM, person)
        await self._record.outcome(entry, Outcome.DONE, path)

    async def tell(self, text: str, letters: Mapping[str, tuple[str, str]], after: str) -> dict[str, Any]:
        """Send one published version to the next readers; `text` names it. One message each, once.

        Gives after whom to go on (empty: all were asked for), and how many a mail server kept waiting.
        """
        notice = text.partition("/")[0]
        rows = await self._database.rows(_TO_TELL, [notice, after or _NOBODY, A_BATCH])
        states = await asyncio.gather(*(self._one(text, letters, *row) for row in rows))
        return {
            "next": rows[-1][0] if len(rows) == A_BATCH else "",
            "waiting": states.count("deferred"),
            "sent": sum(one in ("sent", "already") for one in states),
        }

    async def tidy(self) -> None:
        """Let go of the links of those who were erased."""
        await self._database.run(
            "DELETE FROM vault.reader r USING vault.person p "
            "WHERE p.shop_id = 0 AND p.person = r.person AND p.state = 'erased'"
        )

    async def stop(self) -> None:
        """Wait for the mails that are being sent."""
        await self._after.settle()

    # -- inside

    async def _one(self, text: str, letters: Mapping[str, tuple[str, str]], *row: Any) -> str:
        person, locale, sealed = row
        subject, body = letters[locale]
        try:
            link = self._link(person, bytes(sealed))
            letter = Letter(f"news:{text}/{person}", subject, body, {"leave": link}, leave=link)
            return await self._courier.send(PLATFORM, person, letter, _VAULT)
        except VaultError as fault:
            _log.warning("reader_not_told", fault=fault.code)
            if isinstance(fault, RecordDamaged):
                await self._record.damaged(PLATFORM, [person])
            return "deferred" if isinstance(fault, VaultUnavailable) else "failed"

    async def _asked(self, values: Values, locale: str, notice: str, path: Path) -> None:
        key = f"reader:{spelling.mail(values['mail'].text)}"
        async with self._keys.steady.hold():
            person = (await self._people.by_key(PLATFORM, [key])).get(key)
            if person is None:
                new = NewPerson.of(key, values)
                person = new.person
                await self._record.write("put", path, shop=PLATFORM, persons=[person], fields=["mail"])
                if not await self._people.insert(
                    PLATFORM, [new], kind=READER, state="provisional", searched=False, now=self._now()
                ):
                    return
            else:
                await self._record.write("put", path, shop=PLATFORM, persons=[person], fields=["mail"])
            sealed, since = await self._keep(person, locale, notice)
        subject, body = (_CONFIRM if since is None else _THERE)[locale]
        key = f"reader:{person}/{self._now() // _APART_MS}"
        await self._courier.send(
            PLATFORM, person, Letter(key, subject, body, {"link": self._link(person, sealed)}), _VAULT
        )

    async def _keep(self, person: str, locale: str, notice: str) -> tuple[bytes, int | None]:
        token = secrets.token_urlsafe(24)
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                _KEEP,
                {
                    "person": person,
                    "hash": _hash(token),
                    "sealed": self._keys.addresses.seal(token.encode(), f"reader:{person}"),
                    "locale": locale,
                    "notice": notice,
                    "now": self._now(),
                },
            )
            row = await cursor.fetchone()
        if row is None:
            raise NoSuchReader
        return bytes(row[0]), row[1]

    def _link(self, person: str, sealed: bytes) -> str:
        token = self._keys.opens(sealed).open(sealed, f"reader:{person}").decode()
        return f"{self._origin}/news/mail/{token}"

    async def _of(self, token: str) -> tuple[str, int | None, str, str]:
        row = await self._database.row(_BY_LINK, [_hash(token)])
        if row is None:
            raise NoSuchReader
        return row[0], row[1], row[2], row[3]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
