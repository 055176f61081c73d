"""What software wrote which entries: each build that the ledger names, and where."""

from dataclasses import dataclass
from typing import Any

from noren_vault.ledger.entry import BUILD_DIGITS


@dataclass(slots=True)
class _Seen:
    first: int
    last: int
    entries: int


class Builds:
    """Filled by the walk at the start. What is appended afterwards is this process's own build's."""

    def __init__(self, own: str) -> None:
        """Know of no entry yet. `own` is this process's build, the SHA-256 in hex."""
        self.own = own
        self._seen: dict[str, _Seen] = {}
        self._size = 0

    def replay(self, index: int, build: str) -> None:
        """Take the next entry."""
        self._count(build, index, 1)

    def to_wire(self, size: int) -> list[dict[str, Any]]:
        """Every build in the order of its first entry, when the ledger has `size` entries."""
        self._count(self.own[:BUILD_DIGITS], self._size, size - self._size)
        return [
            {"build": build, "first": seen.first, "last": seen.last, "entries": seen.entries}
            for build, seen in self._seen.items()
        ]

    def _count(self, build: str, first: int, entries: int) -> None:
        if entries <= 0:
            return
        seen = self._seen.setdefault(build, _Seen(first, first, 0))
        seen.last = first + entries - 1
        seen.entries += entries
        self._size = first + entries
