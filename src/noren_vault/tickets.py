"""Tickets: that somebody's password was right a moment ago, for the one who is now asked for a second factor.

Made, not stored: what they say, and an HMAC under a key of this process. One opens one sign-in, within five
minutes and in the session that it was made for; a wrong code does not use it up.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from typing import Final

from noren_vault.clock import Now
from noren_vault.errors import CodeRefused

LIFE_MS: Final = 300_000
_MAC: Final = 32


@dataclass(frozen=True, slots=True)
class Ticket:
    """Whose password was right, for which shop. `id` makes it one of its own; `until` in milliseconds.

    `told`: once it has signed in, the account's owner is told.
    """

    id: str
    actor: str
    handle: str
    credential: str
    shop: int
    session: str
    until: int
    told: bool = False


class Tickets:
    """Makes them, reads them, and lets each be used once."""

    def __init__(self, now: Now) -> None:
        """A restart forgets the key, and with it every open ticket."""
        self._key = secrets.token_bytes(32)
        self._now = now
        self._used: dict[str, int] = {}

    def make(
        self,
        *,
        actor: str,
        handle: str,
        credential: str,
        shop: int,
        session: str,
        told: bool = False,
        life: int = LIFE_MS,
    ) -> str:
        """Make a ticket: text for a page to hand back."""
        until = self._now() + life
        ticket = Ticket(secrets.token_hex(16), actor, handle, credential, shop, session, until, told)
        body = json.dumps(asdict(ticket)).encode()
        return base64.urlsafe_b64encode(self._mac(body) + body).decode()

    def read(self, text: str, session: str) -> Ticket:
        """Read a ticket that was not used. Raises CodeRefused."""
        try:
            raw = base64.urlsafe_b64decode(text.encode())
        except (ValueError, binascii.Error):
            raw = b""
        body = raw[_MAC:]
        if not hmac.compare_digest(raw[:_MAC], self._mac(body)):
            raise CodeRefused("no such ticket")
        ticket = Ticket(**json.loads(body))
        if self._now() >= ticket.until or ticket.id in self._used or ticket.session != session:
            raise CodeRefused("the ticket is over")
        return ticket

    def use(self, ticket: Ticket) -> None:
        """Use it up. Raises CodeRefused: another was faster."""
        now = self._now()
        self._used = {one: until for one, until in self._used.items() if until > now}
        if ticket.id in self._used:
            raise CodeRefused("the ticket is over")
        self._used[ticket.id] = ticket.until

    def _mac(self, body: bytes) -> bytes:
        return hmac.new(self._key, body, hashlib.sha256).digest()
