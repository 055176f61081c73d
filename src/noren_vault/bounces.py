"""What comes back: a report names its message by the token it was sent to, and marks message and address.

Delivery status notifications by RFC 3464 (`multipart/report`, `message/delivery-status`) and RFC 6533 (its
form in UTF-8), enhanced codes by RFC 3463, return addresses of each message's own (VERP). Whoever knows a
token can mark its one message: a report is believed in nothing else. Not a word of one is kept or logged; it
holds names and addresses.
"""

import asyncio
import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Final

import structlog

from noren_vault.addresses import Addresses, AddressState, Place
from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.mail import RETURN
from noren_vault.record import Path, Record
from noren_vault.smtp import blames_address

_RETURN_TO: Final = re.compile(rf"{RETURN}\+([0-9a-f]{{32}})@([a-z0-9.-]{{1,255}})", re.ASCII)
_STATUS: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?![\d.])", re.ASCII)
# What the refusing server said, by RFC 3464 2.3.6; of a reply of several lines the first one's code.
_SAID: Final = re.compile(
    r"\s*smtp\s*;\s*[45]\d\d[ -]\s*([45]\.\d{1,3}\.\d{1,3})(?![\d.])", re.ASCII | re.IGNORECASE
)
_UNSPECIFIED: Final = ".0.0"
# The library would take apart the first of the two kinds only, and decode neither: as a text it does.
_KINDS: Final = re.compile(rb"message/(?:global-)?delivery-status", re.IGNORECASE)
_AS_TEXT: Final = "text/x-delivery-status"
_PATH: Final = Path("mail")
_log = structlog.get_logger("bounces")


@dataclass(frozen=True, slots=True)
class Report:
    """That a message was given up, and with which enhanced code."""

    status: str

    @classmethod
    def of(cls, content: bytes) -> "Report | None":
        """Read a failure out of a mail; None when it tells of none: a delay, a vacation, rubbish."""
        try:
            for fields in _recipients(content):
                status = _status(fields)
                if str(fields.get("Action", "")).strip().lower() == "failed" and status:
                    return cls(status)
        except (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError):
            # What the library stumbles over is no report.
            return None
        return None


class Bounces:
    """Takes reports."""

    def __init__(
        self, *, domain: str, database: Database, record: Record, addresses: Addresses, now: Now
    ) -> None:
        """`domain` is that of the return addresses."""
        self._domain = domain.lower()
        self._database = database
        self._record = record
        self._addresses = addresses
        self._now = now

    def token(self, address: str) -> str:
        """Give the token in a return address of ours, or nothing."""
        match = _RETURN_TO.fullmatch(address.lower())
        return match[1] if match and match[2] == self._domain else ""

    async def take(self, token: str, content: bytes) -> bool:
        """Mark what a report is about; gives whether it was one. Again changes nothing.

        Raises LedgerUnavailable, psycopg's errors: then nothing is marked, and the report is to come again.
        """
        report = await asyncio.to_thread(Report.of, content)
        if report is None:
            return False
        row = await self._database.row(
            "SELECT shop_id, person::text, message_key, channel, version FROM vault.message "
            "WHERE token = %s AND state IN ('sent', 'unknown', 'sending') AND version > 0",
            [token],
        )
        if row is None:
            return False
        shop, person, key, channel, version = row
        reason = f"dsn_{report.status}"
        await self._record.write("bounce", _PATH, shop=shop, persons=[person], ref=key, note=reason)
        if blames_address(report.status):
            await self._addresses.mark(
                Place(shop, person, channel, version), AddressState.BOUNCED, reason, _PATH
            )
        await self._database.run(
            "UPDATE vault.message SET state = 'bounced', reason = %s, changed_at = %s WHERE token = %s",
            [reason, self._now(), token],
        )
        _log.info("came_back", shop=shop, message_key=key, reason=reason)
        return True


def _status(fields: Message) -> str:
    """Give a recipient's enhanced code, or nothing.

    Exim writes 5.0.0 for whatever failed; the code is in what it quotes of the server that refused.
    """
    status = _STATUS.match(str(fields.get("Status", "")))
    if status is None:
        return ""
    said = _SAID.match(str(fields.get("Diagnostic-Code", "")))
    return said[1] if said and status[1].endswith(_UNSPECIFIED) else status[1]


def _recipients(content: bytes) -> Iterator[Message]:
    """Give the groups of fields in a report: one of the message's own, and one for each recipient."""
    message = email.message_from_bytes(_KINDS.sub(_AS_TEXT.encode(), content))
    if message.get_content_type() != "multipart/report":
        return
    for part in message.walk():
        if part.get_content_type() == _AS_TEXT:
            fields = part.get_payload(decode=True)
            if isinstance(fields, bytes):
                groups = email.message_from_bytes(b"Content-Type: message/delivery-status\n\n" + fields)
                yield from (one for one in groups.walk() if one is not groups)
