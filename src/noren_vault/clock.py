"""The vault's one clock: it may stand still, it never goes back."""

import time
from collections.abc import Callable

Now = Callable[[], int]


class Clock:
    """Milliseconds since the epoch, UTC. A clock that is set back does not bring an ended grant to life."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        """`source` gives POSIX seconds."""
        self._source = source
        self._last = 0

    def __call__(self) -> int:
        """Return the present instant, or the latest one that was ever returned."""
        self._last = max(self._last, int(self._source() * 1000))
        return self._last
