"""Counters of tries: by a keyed hash, in a short and a long window and in a row, bounded in number.

Pure and in memory. Each table holds so many keys at most; when it is full, the one that was counted longest
ago makes room. Tries are counted before they are looked at and given back where they were right, so that no
number of tries at once gets past a bound.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

SHORT_MS: Final = 600_000
LONG_MS: Final = 86_400_000
MOST: Final = 20_000


@dataclass(slots=True)
class Count:
    """How often in the running short window, in the long one, and in a row; `last` is when."""

    short: int = 0
    long: int = 0
    row: int = 0
    last: int = 0
    short_since: int = 0
    long_since: int = 0

    def at(self, now: int) -> "Count":
        """As it stands now: a window that is over begins anew with the next try."""
        if now >= self.short_since + SHORT_MS:
            self.short, self.short_since = 0, now
        if now >= self.long_since + LONG_MS:
            self.long, self.long_since = 0, now
        return self


class Tally:
    """One table."""

    def __init__(self, most: int = MOST) -> None:
        """Nothing was counted."""
        self._most = most
        self._counts: OrderedDict[bytes, Count] = OrderedDict()

    def __len__(self) -> int:
        """Count the keys that are held."""
        return len(self._counts)

    def of(self, key: bytes, now: int) -> Count:
        """How it stands now, as a copy; nothing is counted for what was not said (an empty key)."""
        count = self._counts.get(key)
        return Count() if count is None else replace(count).at(now)

    def add(self, key: bytes, now: int) -> None:
        """Count a try."""
        if not key:
            return
        count = self._counts.setdefault(key, Count()).at(now)
        count.short, count.long, count.row, count.last = count.short + 1, count.long + 1, count.row + 1, now
        self._counts.move_to_end(key)
        if len(self._counts) > self._most:
            self._counts.popitem(last=False)

    def give_back(self, key: bytes) -> None:
        """Take one try back: it was right, or was not looked at."""
        count = self._counts.get(key)
        if count is not None:
            count.short, count.long = max(0, count.short - 1), max(0, count.long - 1)
            count.row = max(0, count.row - 1)

    def end_row(self, key: bytes) -> None:
        """Say that one was right: those in a row begin anew."""
        count = self._counts.get(key)
        if count is not None:
            count.row = 0

    def forget(self, key: bytes) -> None:
        """Begin anew for a key."""
        self._counts.pop(key, None)

    def rows(self) -> list[list[object]]:
        """What is to be kept, the oldest first."""
        return [
            [key.hex(), one.short, one.long, one.row, one.last, one.short_since, one.long_since]
            for key, one in self._counts.items()
        ]

    def take(self, rows: Iterable[Sequence[object]]) -> None:
        """Fill it with what was kept."""
        for key, *numbers in rows:
            self._counts[bytes.fromhex(str(key))] = Count(*(int(str(one)) for one in numbers))


class Spread:
    """Which accounts one password was tried on: spraying shows where single counters do not.

    Held for the long window under a key of the process, a few accounts for each password, never at rest.
    """

    def __init__(self, most: int = MOST // 4, widest: int = 24) -> None:
        """No password was tried."""
        self._most = most
        self._widest = widest
        self._tried: OrderedDict[bytes, tuple[int, set[bytes]]] = OrderedDict()

    def of(self, password: bytes, account: bytes, now: int) -> int:
        """On how many other accounts this password was tried."""
        since, accounts = self._tried.get(password, (0, set()))
        return 0 if now >= since + LONG_MS else len(accounts - {account})

    def add(self, password: bytes, account: bytes, now: int) -> None:
        """Count an account that it is tried on."""
        since, accounts = self._tried.get(password, (now, set()))
        if now >= since + LONG_MS:
            since, accounts = now, set()
        if len(accounts) < self._widest:
            accounts.add(account)
        self._tried[password] = since, accounts
        self._tried.move_to_end(password)
        if len(self._tried) > self._most:
            self._tried.popitem(last=False)

    def take_back(self, password: bytes, account: bytes) -> None:
        """It is the account's own: no sign of anything."""
        self._tried.get(password, (0, set[bytes]()))[1].discard(account)
