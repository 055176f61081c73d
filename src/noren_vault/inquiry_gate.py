"""What stands before the inquiry desk's form: a puzzle for everybody, and how many come from one address.

Each form that is shown carries a challenge, so that a browser has solved it before the words are written; who
has no scripts waits half a minute, which writing takes anyway. Counted in memory under a key of this process:
no address is kept anywhere.
"""

import hashlib
import hmac
import ipaddress
import secrets
from typing import Final

from noren_vault.clock import Now
from noren_vault.errors import ChallengeNeeded, TooManyInquiries
from noren_vault.puzzles import LENIENT_BITS, MOST_MORE_BITS, Puzzles
from noren_vault.tallies import SHORT_MS, Tally
from noren_vault.visits import Visit

_PLACE: Final = b"inquiry"
_EVERYBODY: Final = b"everybody"
WAIT_SECONDS: Final = 30
MOST_WAIT_SECONDS: Final = 300
# From one address in ten minutes, from its network, and from everybody until the puzzle becomes harder.
ADDRESS: Final = 6
NETWORK: Final = 30
BUSY: Final = 40


class InquiryGate:
    """Makes challenges, takes each once, and counts."""

    def __init__(self, puzzles: Puzzles, now: Now) -> None:
        """Keep the parts."""
        self._puzzles = puzzles
        self._now = now
        self._key = secrets.token_bytes(32)
        self._tally = Tally()

    def challenge(self) -> ChallengeNeeded:
        """Make a challenge for a form that is shown."""
        bits, wait = self._need()
        return ChallengeNeeded(challenge=self._puzzles.make(_PLACE, bits, wait), bits=bits, wait=wait)

    def count(self, visit: Visit) -> None:
        """Count one more from there. Raises TooManyInquiries."""
        now = self._now()
        for key, most in self._keys(visit.address):
            count = self._tally.of(key, now)
            if count.short >= most:
                raise TooManyInquiries(wait=max(1, (count.short_since + SHORT_MS - now) // 1000))
        for key, _ in (*self._keys(visit.address), (_EVERYBODY, 0)):
            self._tally.add(key, now)

    def take(self, visit: Visit) -> None:
        """Take the proof that a form brings. Raises ChallengeNeeded, TooManyInquiries."""
        answered = self._puzzles.read(_PLACE, visit.proof)
        bits, _ = self._need()
        if answered is None or (answered.number and answered.bits < bits - LENIENT_BITS):
            raise self.challenge()
        self.count(visit)
        self._puzzles.use(answered)

    def _need(self) -> tuple[int, int]:
        """How many bits, and how long to wait instead: more while very many ask."""
        over = self._tally.of(_EVERYBODY, self._now()).short // BUSY
        more = min(MOST_MORE_BITS, over)
        return self._puzzles.least + more, MOST_WAIT_SECONDS if over else WAIT_SECONDS

    def _keys(self, text: str) -> list[tuple[bytes, int]]:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return []
        address = getattr(address, "ipv4_mapped", None) or address
        around = ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False)
        # Whoever has an IPv6 address has a whole /64 of them.
        one = address if address.version == 4 else ipaddress.ip_network((address, 64), strict=False)
        return [(self._token(str(one)), ADDRESS), (self._token(str(around)), NETWORK)]

    def _token(self, text: str) -> bytes:
        return hmac.new(self._key, text.encode(), hashlib.sha256).digest()[:16]
