"""Sending mail to persons: the address is resolved, used and forgotten here. One message key is sent once.

States of a key: `queued` (not handed over), `sending` (the server may have it), `sent`, `failed` (it surely
has it not; the same key may be tried again), `unknown` (a crash or a broken line after the text left; never
tried again by itself).
"""

import asyncio
import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, Final

import structlog

from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import BadRequest, NoSuchPerson, RecordDamaged
from noren_vault.fields import Value
from noren_vault.people import ANYBODY, People, Sealed
from noren_vault.record import Outcome, Path, Record
from noren_vault.rights import Purpose
from noren_vault.smtp import Handed, Server, hand_over

_HOLE: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_PERSONAL: Final = ("name", "kana")
_READ: Final = ("name", "kana", "mail")
_KEY: Final = re.compile(r"[A-Za-z0-9._:/=+-]{1,160}", re.ASCII)
_TYPE: Final = re.compile(r"([a-z]+)/([a-z0-9.+-]+)((?:; [a-z]+=[A-Za-z0-9-]+)*)", re.ASCII)
_MOST_AT_ONCE: Final = 8
_log = structlog.get_logger("courier")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail. The vault does not look into it.

    `params` are its type's: a calendar entry needs `method` there (RFC 6047).
    """

    name: str
    maintype: str
    subtype: str
    content: bytes
    params: Mapping[str, str]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Attachment":
        """Read it from the wire. Raises BadRequest."""
        name, kind, content = given.get("name"), given.get("type"), given.get("content")
        match = _TYPE.fullmatch(kind) if isinstance(kind, str) else None
        if match is None or not isinstance(name, str) or not isinstance(content, str):
            raise BadRequest("an attachment is {name, type, content}")
        if not name.isprintable() or "/" in name:
            raise BadRequest("an attachment's name is a file name")
        try:
            params = dict(part.split("=", 1) for part in match[3].split("; ")[1:])
            return cls(name, match[1], match[2], base64.b64decode(content, validate=True), params)
        except binascii.Error:
            raise BadRequest("an attachment's content is base64") from None


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be sent. `{name}` and `{kana}` are the person's, other holes are filled from `values`."""

    key: str
    subject: str
    text: str
    values: Mapping[str, str]
    attachments: Sequence[Attachment] = ()

    def check(self) -> None:
        """Raise BadRequest when the letter cannot be made; nothing has been read then."""
        if not _KEY.fullmatch(self.key):
            raise BadRequest("a message key is a short id")
        known = {*self.values, *_PERSONAL}
        if not {hole for text in (self.subject, self.text) for hole in _HOLE.findall(text)} <= known:
            raise BadRequest("a hole in the template has no value")
        if set(self.values) & set(_PERSONAL):
            raise BadRequest("values hold nothing personal")

    def fill(self, text: str, person: Mapping[str, Value]) -> str:
        """Fill the holes, once: what was filled in is not looked at again."""
        found = {**self.values, **{name: person[name].text if name in person else "" for name in _PERSONAL}}
        return _HOLE.sub(lambda match: found[match[1]], text)


class Courier:
    """Sends, and knows of each key how it stands."""

    def __init__(
        self,
        *,
        database: Database,
        people: People,
        record: Record,
        server: Server,
        sender: Address,
        now: Now,
    ) -> None:
        """Keep the parts. `sender` is the From of every mail."""
        self._database = database
        self._people = people
        self._record = record
        self._server = server
        self._sender = sender
        self._now = now
        self._some = asyncio.Semaphore(_MOST_AT_ONCE)

    async def settle_after_start(self) -> int:
        """What was being handed over when the vault ended may have arrived, what waited has not: say so.

        Gives the number of keys touched.
        """
        return await self._database.run(
            "UPDATE vault.message SET state = CASE state WHEN 'sending' THEN 'unknown' ELSE 'failed' END, "
            "reason = 'interrupted', changed_at = %s WHERE state IN ('sending', 'queued')",
            [self._now()],
        )

    async def send(self, shop: int, person: str, letter: Letter, path: Path) -> str:
        """Send a letter; gives sent, already, unknown or failed. Raises NoSuchPerson, LedgerUnavailable."""
        letter.check()
        await self._addressee(shop, person)
        standing = await self._claim(shop, person, letter.key)
        if standing is not None:
            return standing
        async with self._some:
            try:
                # Read at its turn: while it waited, the person may have been changed.
                sealed = await self._addressee(shop, person)
                entry, to, message = await self._prepare(shop, sealed, letter, path)
            except BaseException:
                await self._move(shop, letter.key, Handed.FAILED, "not_prepared")
                raise
            if not to:
                handed, reason = Handed.FAILED, "no_address"
            else:
                handed, reason = await asyncio.to_thread(
                    hand_over, self._server, self._sender.addr_spec, to, message
                )
        await self._move(shop, letter.key, handed, reason)
        if handed is not Handed.SENT:
            _log.warning("mail_not_sent", shop=shop, message_key=letter.key, state=str(handed), reason=reason)
        await self._record.outcome(entry, Outcome(str(handed)), path)
        return str(handed)

    async def _addressee(self, shop: int, person: str) -> Sealed:
        sealed = await self._people.read(shop, [person], _READ, kinds=ANYBODY)
        if not sealed:
            raise NoSuchPerson("nobody to send to")
        return sealed[0]

    async def _prepare(
        self, shop: int, sealed: Sealed, letter: Letter, path: Path
    ) -> tuple[int, str, EmailMessage]:
        """Write down, then open and build: the entry, the address (empty if there is none), the mail."""
        entry = await self._record.write(
            "send",
            path,
            shop=shop,
            purpose=Purpose.MESSAGE,
            persons=[sealed.person],
            fields=sorted(name for name in _READ if name in sealed.fields),
            ref=letter.key,
        )
        try:
            opened = self._people.open(shop, sealed, _READ)
            message = self._message(shop, letter, opened)
        except (RecordDamaged, BadRequest):
            await self._record.outcome(entry, Outcome.FAILED, path)
            raise
        await self._move(shop, letter.key, "sending", "")
        return entry, opened["mail"].text if "mail" in opened else "", message

    async def _claim(self, shop: int, person: str, key: str) -> str | None:
        """Take the key for one attempt; otherwise say how it stands. A failed one may be taken again."""
        now = self._now()
        taken = await self._database.row(
            "INSERT INTO vault.message AS m (shop_id, message_key, person, message_id, state, changed_at) "
            "VALUES (%s, %s, %s, %s, 'queued', %s) "
            "ON CONFLICT (shop_id, message_key) DO UPDATE SET state = 'queued', reason = '', changed_at = %s "
            "WHERE m.person = excluded.person AND m.state = 'failed' RETURNING state",
            [shop, key, person, self._message_id(shop, key), now, now],
        )
        if taken is not None:
            return None
        row = await self._database.row(
            "SELECT state FROM vault.message WHERE shop_id = %s AND message_key = %s AND person = %s",
            [shop, key, person],
        )
        if row is None:
            raise BadRequest("the message key is another person's")
        return "already" if row[0] == Handed.SENT else str(Handed.UNKNOWN)

    async def _move(self, shop: int, key: str, state: str, reason: str) -> None:
        await self._database.run(
            "UPDATE vault.message SET state = %s, reason = %s, changed_at = %s "
            "WHERE shop_id = %s AND message_key = %s",
            [state, reason, self._now(), shop, key],
        )

    def _message(self, shop: int, letter: Letter, person: Mapping[str, Value]) -> EmailMessage:
        """Build the mail; EmailMessage refuses a header with a line break in it."""
        message = EmailMessage()
        try:
            message["From"] = self._sender
            if "mail" in person:
                message["To"] = Address(addr_spec=person["mail"].text)
            message["Subject"] = letter.fill(letter.subject, person)
        except ValueError:
            raise BadRequest("a header cannot hold a line break") from None
        message["Date"] = formatdate(self._now() / 1000)
        message["Message-ID"] = self._message_id(shop, letter.key)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.fill(letter.text, person))
        for one in letter.attachments:
            message.add_attachment(
                one.content,
                maintype=one.maintype,
                subtype=one.subtype,
                filename=one.name,
                params=dict(one.params),
            )
        return message

    def _message_id(self, shop: int, key: str) -> str:
        """The same key has the same Message-ID, so that a mail that came twice shows once."""
        mark = hashlib.sha256(f"{shop}\x00{key}".encode()).hexdigest()[:32]
        return f"<{mark}@{self._sender.domain}>"
