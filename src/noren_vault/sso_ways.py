"""Sign-ins that are under way at a provider. Made, not stored, as tickets are.

`flow` stays with the browser that began (the app keeps it in its session) and says what it is for; `state`,
the nonce and the PKCE verifier are derived from it under a key of this process, each for its own use. So who
brings another browser's answer, a code for another nonce, or the same answer twice, has nothing.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

from noren_vault.clock import Now
from noren_vault.errors import SsoRefused

LIFE_MS: Final = 600_000
_MAC: Final = 32


class For(StrEnum):
    """What somebody goes to the provider for."""

    SIGNIN = "signin"
    JOIN = "join"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a provider and back. `bound`: an invitation's hash, or a grant's id. `until` in ms."""

    id: str
    what: For
    shop: int
    issuer: str
    client_id: str
    bound: str
    until: int


class Ways:
    """Makes ways, reads them, and lets each be gone once."""

    def __init__(self, now: Now) -> None:
        """A restart forgets the key, and with it every open way."""
        self._key = secrets.token_bytes(32)
        self._now = now
        self._used: dict[str, int] = {}

    def make(self, what: For, shop: int, issuer: str, client_id: str, bound: str) -> tuple[Way, str]:
        """Make a way; gives the text that its browser keeps, too."""
        way = Way(secrets.token_hex(16), what, shop, issuer, client_id, bound, self._now() + LIFE_MS)
        body = json.dumps(asdict(way)).encode()
        return way, base64.urlsafe_b64encode(self._mac("flow", body) + body).decode()

    def take(self, flow: str, state: str) -> Way:
        """Give the way of a flow and the state that came back, once. Raises SsoRefused."""
        try:
            raw = base64.urlsafe_b64decode(flow.encode())
        except (ValueError, binascii.Error):
            raw = b""
        if not hmac.compare_digest(raw[:_MAC], self._mac("flow", raw[_MAC:])):
            raise SsoRefused("flow")
        read = json.loads(raw[_MAC:])
        way = Way(**{**read, "what": For(read["what"])})
        if not hmac.compare_digest(state.encode(), self.derived("state", way).encode()):
            raise SsoRefused("state")
        now = self._now()
        self._used = {one: until for one, until in self._used.items() if until > now}
        if now >= way.until or way.id in self._used:
            raise SsoRefused("over")
        self._used[way.id] = way.until
        return way

    def derived(self, use: str, way: Way) -> str:
        """Give the way's `state`, `nonce` or `verifier`: 43 letters that tell nothing of each other."""
        return base64.urlsafe_b64encode(self._mac(use, way.id.encode())).decode().rstrip("=")

    def challenge(self, way: Way) -> str:
        """Give the PKCE challenge, S256 of the verifier."""
        digest = hashlib.sha256(self.derived("verifier", way).encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def _mac(self, use: str, message: bytes) -> bytes:
        return hmac.new(self._key, use.encode() + b"\x00" + message, hashlib.sha256).digest()
