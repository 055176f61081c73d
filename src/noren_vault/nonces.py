"""Which requests were answered: a reveal names a nonce, and the same one again is refused, on record.

The nonce's hash stands in the entry (`ref`), so a restart forgets none. Kept as long as the grant of who
works somewhere can live: who replays a request later has no grant any more. (A customer's lives longer, and
opens nobody but herself.) A request without a nonce is a new reveal each time, and is
recorded and debited as one.
"""

import hashlib
from typing import Final

from noren_vault.clock import Now
from noren_vault.errors import Replayed
from noren_vault.grants import LIFE_MS

_MARK: Final = "nonce:"


class Nonces:
    """In memory, made anew from the ledger at each start."""

    def __init__(self, now: Now) -> None:
        """Start with none used."""
        self._now = now
        self._used: dict[tuple[str, str], int] = {}

    def take(self, actor: str, nonce: str) -> str:
        """Take a nonce and give the entry's `ref`. Raises Replayed. No wait: two cannot both."""
        ref = f"{_MARK}{hashlib.sha256(nonce.encode()).hexdigest()}"
        now = self._now()
        self._forget(now)
        if (actor, ref) in self._used:
            raise Replayed
        self._used[actor, ref] = now
        return ref

    def replay(self, actor: str, ref: str, at: int) -> None:
        """Remember what an entry of the ledger says."""
        # Under a lent power the entry names that as well, after the nonce.
        nonce = ref.partition("/")[0]
        if nonce.startswith(_MARK) and at > self._now() - LIFE_MS:
            self._used[actor, nonce] = at

    def _forget(self, now: int) -> None:
        while self._used:
            key, at = next(iter(self._used.items()))
            if at > now - LIFE_MS:
                break
            del self._used[key]
