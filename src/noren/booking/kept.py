"""What a process keeps of its answers: the last ones, up to a number of bytes.

Nothing in here knows when an answer is true; each key says what its answer was made of.
"""

from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Values by their keys. The oldest go when there are more than `most` bytes of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._values: dict[Hashable, tuple[T, int]] = {}
        self._lock = Lock()

    def get(self, key: Hashable) -> T | None:
        found = self._values.get(key)
        return None if found is None else found[0]

    def keep(self, key: Hashable, value: T, size: int) -> None:
        """Keep a value of about so many bytes, in place of what was kept by this key."""
        with self._lock:
            before = self._values.pop(key, None)
            self._bytes += size - (before[1] if before else 0)
            self._values[key] = value, size
            while self._bytes > self._most and self._values:
                _, gone = self._values.pop(next(iter(self._values)))
                self._bytes -= gone
