"""Known or not: is a session's mark one of ours, made for it, and used by nobody else?"""

import hmac
import re
from dataclasses import dataclass, field
from typing import Final

from noren.doors.log import Event, Session
from noren.runtime import doorkey
from noren.runtime.doorkey import Keys

_MARK: Final = re.compile(
    r"(noren:\d{1,10}\.\d{1,20}:(\d{10})\.([A-Za-z0-9_-]{8})):([A-Za-z0-9_-]{16})", re.ASCII
)
# From a mark's making to its session's start: a server under load, or in recovery, may let one wait.
FRESH_SECONDS: Final = 300
_CLOCK_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Stranger:
    """A session that no known process opened, or something amiss with the log.

    `why`: stranger (no mark of ours), forged (a mark that no key proves), stale (an old one), replayed (one
    that another session had), unlogged (a session the log does not have), log_changed, log_missing, log_off.
    """

    why: str
    session: Session


@dataclass(slots=True)
class Judge:
    """Sees a cluster's sessions in their order. Of the log nothing is left out, so it remembers what is open.

    `keys` are the starts of the system with their keys; `used` the marks of the last minutes.
    """

    keys: Keys
    open: dict[str, Session] = field(default_factory=dict)
    used: dict[str, tuple[int, str]] = field(default_factory=dict)

    def see(self, event: Event) -> Stranger | None:
        """Take the next line; a session that is not known is given back."""
        session = event.session
        if event.what == "restarted":
            self.open.clear()
        elif session is not None and event.what == "ended":
            self.open.pop(session.id, None)
        elif session is not None and event.what == "opened":
            self.open[session.id] = session
            why = self.why(session)
            return Stranger(why, session) if why else None
        return None

    def why(self, session: Session) -> str:
        """Say why a session is not known; nothing when it is. Its mark counts as used from now on."""
        if not session.application.startswith("noren:"):
            return "stranger"
        mark = _MARK.fullmatch(session.application)
        if mark is None or not self._proved(mark, session.login):
            return "forged"
        made = int(mark[2])
        if not made - _CLOCK_SECONDS <= session.started <= made + FRESH_SECONDS:
            return "stale"
        holder = self.used.setdefault(mark[3], (made, session.id))[1]
        self._forget(made - 2 * FRESH_SECONDS)
        return "" if holder == session.id else "replayed"

    def _proved(self, mark: re.Match[str], login: str) -> bool:
        """Whether the key of that time, and of no other, proves it."""
        made = int(mark[2])
        later = [since for since, _ in self.keys[1:]]
        for (since, key), until in zip(self.keys, [*later, made], strict=True):
            if since <= made <= until:
                mac = doorkey.mac_of(doorkey.derived(key, login), mark[1])
                if hmac.compare_digest(mac, mark[4]):
                    return True
        return False

    def _forget(self, before: int) -> None:
        for nonce in [nonce for nonce, (made, _) in self.used.items() if made < before]:
            del self.used[nonce]
