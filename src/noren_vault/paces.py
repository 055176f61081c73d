"""How often something may be asked from one network address: counted in memory, and told to nobody."""

import ipaddress
from typing import Final

from noren_vault.clock import Now

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 3_600_000
_MOST_ADDRESSES: Final = 20_000


class Pace:
    """Counts. A shop's staff, and a mobile carrier's customers, come from one address."""

    def __init__(self, now: Now, *, a_minute: int, an_hour: int) -> None:
        """Keep the bounds."""
        self._now = now
        self._a_minute = a_minute
        self._an_hour = an_hour
        self._asked: dict[str, list[int]] = {}

    def take(self, address: str) -> bool:
        """Take one asking; false when there were too many. An address that is none is not counted."""
        key, now = _network(address), self._now()
        if not key:
            return True
        hour = [at for at in self._asked.pop(key, []) if at > now - _HOUR_MS]
        minute = sum(at > now - _MINUTE_MS for at in hour)
        allowed = minute < self._a_minute and len(hour) < self._an_hour
        # Put back at the end: the first is the one that has been silent longest.
        self._asked[key] = [*hour, now] if allowed else hour
        if len(self._asked) > _MOST_ADDRESSES:
            del self._asked[next(iter(self._asked))]
        return allowed


def _network(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one, which is one line's."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(found, "ipv4_mapped", None) or found
    if mapped.version == 4:
        return str(mapped)
    return str(ipaddress.ip_network((mapped, 64), strict=False))
