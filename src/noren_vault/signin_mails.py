"""Which mail signs in to which account: found by a keyed hash of it, here and nowhere else.

The mail is the one that was proved when the account was made: an invitation, or a customer's code, that went
there came back. What a shop's staff later write into a field does not change by which mail somebody signs in.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import psycopg
import structlog

from noren_vault import spelling
from noren_vault.clock import Now
from noren_vault.database import Connection, Database, Row
from noren_vault.errors import MailTaken, MailUnproved, RecordDamaged
from noren_vault.keys import Keys
from noren_vault.people import ANYBODY, People

_ACTOR: Final = """
SELECT a.shop_id, a.person::text, a.handle, coalesce(s.slug, ''), a.kind
FROM vault.actor a LEFT JOIN vault.shop s USING (shop_id) WHERE a.actor = %s
"""
# In the order of their foreign keys: what hangs on a row goes with it.
_FORGOTTEN: Final = (
    b"keystore.signin_mail",
    b"keystore.sso_subject",
    b"keystore.former_mail",
    b"vault.known_device",
    b"vault.password",
    b"vault.reset",
    b"vault.account_state",
    b"vault.totp",
    b"vault.recovery",
    b"vault.passkey_word",
    b"vault.passkey",
)
# So long an address by which an account signed in is told of what happens to it.
FORMER_MS: Final = 30 * 86_400_000
_FORMER: Final = b"""
INSERT INTO keystore.former_mail (actor, until, sealed, pepper)
SELECT actor, %s, sealed, pepper FROM keystore.signin_mail WHERE actor = %s
"""
_MAIL: Final = "SELECT sealed, pepper FROM keystore.signin_mail WHERE actor = %s"
_LATELY: Final = "SELECT sealed, pepper FROM keystore.former_mail WHERE actor = %s AND until > %s"
_FIELDS: Final = ("mail", "name", "kana")
_PROVED: Final = """
SELECT 1 FROM vault.actor a JOIN vault.proof f USING (shop_id, person)
JOIN keystore.person_key k USING (shop_id, person)
WHERE a.actor = %s AND f.proved_at IS NOT NULL AND f.version = (k.versions ->> 'mail')::integer
"""
_log = structlog.get_logger("signin_mails")


def place(actor: str) -> str:
    """Where an account's sealed mail belongs."""
    return f"sign-in-mail:{actor}"


class SigninMails:
    """Notes and finds."""

    def __init__(self, database: Database, keys: Keys, people: People, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._keys = keys
        self._people = people
        self._now = now

    def tokens(self, shop: int, mail: str) -> list[bytes]:
        """Give the hashes under which a mail may be noted: one for each pepper in use."""
        text = spelling.mail(mail)
        return [key.token(shop, text) for key in self._keys.peppers.values()]

    async def find(self, shop: int, mail: str, kind: str = "member") -> str | None:
        """Give the account of this kind that signs in with this mail. Never to be told outside."""
        row = await self._database.row(
            "SELECT actor::text FROM keystore.signin_mail "
            "WHERE shop_id = %s AND kind = %s AND token = ANY(%s)",
            [shop, kind, self.tokens(shop, mail)],
        )
        return None if row is None else str(row[0])

    async def note(self, actor: str) -> None:
        """Note that the account signs in with its person's mail.

        Raises MailTaken: another one does; MailUnproved: a customer's that was changed and not proved.
        """
        shop, fields, _, kind = await self._known(actor)
        mail = spelling.mail(fields.get("mail", ""))
        if not mail or not shop:
            return
        if kind == "customer" and await self._database.row(_PROVED, [actor]) is None:
            raise MailUnproved
        async with self._keys.steady.hold():
            taken = await self.find(shop, mail, kind)
            if taken is not None and taken != actor:
                raise MailTaken
            try:
                async with self._database.transaction() as connection:
                    if taken is None:  # so what it signed in by, if anything, was another one
                        await connection.execute(_FORMER, [self._now() + FORMER_MS, actor])
                    await self._insert(connection, actor, shop, kind, mail)
            except psycopg.errors.UniqueViolation:
                raise MailTaken from None

    async def note_if_free(self, actor: str) -> None:
        """Note it, unless another account of the shop signs in with this mail already."""
        try:
            await self.note(actor)
        except MailTaken:
            _log.warning("signin_mail_taken")

    async def signs_in(self, actor: str) -> bool:
        """Whether the account signs in with a mail: it has a password."""
        return bool(await self._rows(actor))

    async def address(self, actor: str) -> str:
        """Give the mail by which the account signs in, or nothing. For the courier's hands only."""
        return (await self._as_written(actor, self._opened(actor, await self._rows(actor))) or [""])[0]

    async def told(self, actor: str) -> list[str]:
        """Give every address that is told of a change: of now, of lately, and what the person's own says."""
        _, fields, _, _ = await self._known(actor)
        lately = await self._database.rows(_LATELY, [actor, self._now()])
        mails = await self._as_written(actor, self._opened(actor, [*await self._rows(actor), *lately]))
        own = fields.get("mail", "")
        return mails if not own or own in mails else [*mails, own]

    async def tidy(self) -> None:
        """Let go of addresses whose time is over."""
        await self._database.run("DELETE FROM keystore.former_mail WHERE until <= %s", [self._now()])

    async def words(self, actor: str) -> list[str]:
        """Give the words that stand for the account: none may be its password."""
        _, fields, names, _ = await self._known(actor)
        return [*fields.values(), *names]

    @staticmethod
    async def forget(connection: Connection, shop: int, persons: list[str]) -> None:
        """Destroy all that these persons sign in with, in the caller's transaction."""
        for table in _FORGOTTEN:
            await connection.execute(
                b"DELETE FROM " + table + b" t USING vault.actor a "
                b"WHERE a.actor = t.actor AND a.shop_id = %s AND a.person = ANY(%s::uuid[])",
                [shop, persons],
            )

    # -- inside

    async def _known(self, actor: str) -> tuple[int, dict[str, str], list[str], str]:
        """The account's shop, its person's mail and names, what it and its shop are called, its kind."""
        row = await self._database.row(_ACTOR, [actor])
        if row is None:
            return 0, {}, [], ""
        shop, person, handle, slug, kind = row
        found = [] if person is None else await self._people.read(shop, [person], _FIELDS, kinds=ANYBODY)
        fields: dict[str, Any] = {}
        for sealed in found:
            opened = await asyncio.to_thread(self._people.open, shop, sealed, _FIELDS)
            fields = {name: value.text for name, value in opened.items()}
        return shop, fields, [handle, slug], kind

    async def _rows(self, actor: str) -> list[Row]:
        return await self._database.rows(_MAIL, [actor])

    def _opened(self, actor: str, rows: Sequence[Row]) -> list[str]:
        """Open stored mails: as they are compared, not as they are written."""
        found: list[str] = []
        for sealed, pepper in rows:
            key = self._keys.peppers.get(bytes(pepper))
            if key is None:
                raise RecordDamaged("decryption failed")
            found.append(key.open(bytes(sealed), place(actor)).decode())
        return found

    async def _as_written(self, actor: str, stored: list[str]) -> list[str]:
        """Give mails as their person writes them, where she does: for comparing they were folded."""
        _, fields, _, _ = await self._known(actor)
        own = fields.get("mail", "")
        return list(dict.fromkeys(own if spelling.mail(own) == one else one for one in stored))

    async def _insert(self, connection: Connection, actor: str, shop: int, kind: str, mail: str) -> None:
        key = self._keys.pepper
        await connection.execute(
            b"INSERT INTO keystore.signin_mail (actor, shop_id, kind, token, sealed, pepper) "
            b"VALUES (%s, %s, %s, %s, %s, %s) "
            b"ON CONFLICT (actor) DO UPDATE SET token = excluded.token, sealed = excluded.sealed, "
            b"pepper = excluded.pepper",
            [actor, shop, kind, key.token(shop, mail), key.seal(mail.encode(), place(actor)), key.id],
        )
