"""Codes that a right password from a stranger takes while an attack goes on: mailed to the account's owner.

Six digits for one ticket, five tries, as long as the ticket lives; in memory, as a hash under a key of this
process.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from typing import Final

from noren_vault.clock import Now
from noren_vault.errors import CodeRefused
from noren_vault.tallies import Tally

LIFE_MS: Final = 600_000
TRIES: Final = 5
_MOST: Final = 10_000
# To one account: a page that is loaded again and again fills no mailbox.
_MOST_SHORT: Final = 5


class MailedCodes:
    """Makes them and takes each once."""

    def __init__(self, now: Now) -> None:
        """A restart forgets the open ones."""
        self._key = secrets.token_bytes(32)
        self._now = now
        self._open: OrderedDict[str, tuple[bytes, int, int]] = OrderedDict()
        self._made = Tally()

    def make(self, ticket: str, actor: str) -> str | None:
        """Make a ticket's code; None when the account was mailed enough of them just now."""
        now, key = self._now(), actor.encode()
        if self._made.of(key, now).short >= _MOST_SHORT:
            return None
        self._made.add(key, now)
        code = f"{secrets.randbelow(10**6):06d}"
        self._open[ticket] = self._hash(ticket, code), TRIES, now + LIFE_MS
        while len(self._open) > _MOST or next(iter(self._open.values()))[2] <= now:
            self._open.popitem(last=False)
        return code

    def take(self, ticket: str, code: str) -> None:
        """Take a code. Raises CodeRefused: another one, too many tries, over."""
        digest, tries, until = self._open.pop(ticket, (b"", 0, 0))
        if not tries or self._now() >= until:
            raise CodeRefused("no code of this ticket")
        if not hmac.compare_digest(digest, self._hash(ticket, "".join(code.split()))):
            self._open[ticket] = digest, tries - 1, until
            raise CodeRefused("not the code")

    def _hash(self, ticket: str, code: str) -> bytes:
        return hmac.new(self._key, f"{ticket}\x00{code}".encode(errors="replace"), hashlib.sha256).digest()
