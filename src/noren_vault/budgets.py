"""How many different persons one credential's lineage may see in an hour and in a day.

The ledger's intent entry is the debit: this is its count in memory, made anew from the entries at each start.
A person seen again within 24 hours costs nothing; a new one is the unit. The lineage is the actor, so another
passkey or another grant of the same actor does not fill the budget again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from noren_vault.errors import BudgetExceeded
from noren_vault.rights import Role

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Limits:
    """Distinct new persons in a rolling hour and in rolling 24 hours."""

    hour: int
    day: int


LIMITS: Final[Mapping[Role, Limits]] = MappingProxyType(
    {
        Role.STAFF: Limits(300, 600),
        Role.MANAGER: Limits(400, 1000),
        Role.OWNER: Limits(400, 1000),
        Role.OPERATOR: Limits(20, 100),
    }
)


@dataclass(frozen=True, slots=True)
class Budget:
    """`today` is what 24 hours have used, `left` what may still be seen now."""

    today: int
    left: int

    def to_wire(self) -> dict[str, int]:
        """The shape of the answer."""
        return {"today": self.today, "left": self.left}


class Budgets:
    """The counters. Only the vault's one event loop calls, and none waits: check and debit are one step."""

    def __init__(self) -> None:
        """Start with nothing seen; `replay` adds what the ledger remembers."""
        # lineage -> person -> when (ms) the person was first seen in the running 24 hours; oldest first.
        self._seen: dict[str, dict[str, int]] = {}

    def replay(self, lineage: str, persons: Iterable[str], at: int) -> None:
        """Count what an entry of the ledger says, in the ledger's order."""
        self._add(lineage, persons, at)

    def debit(self, lineage: str, role: Role, persons: Iterable[str], now: int) -> Budget:
        """Count the persons, all or none. Raises BudgetExceeded (facts: today, left)."""
        seen = self._current(lineage, now)
        new = sum(person not in seen for person in set(persons))
        before = self._standing(seen, role, now)
        if new > before.left:
            raise BudgetExceeded(f"{new} new persons, {before.left} left", **before.to_wire())
        self._add(lineage, persons, now)
        return self._standing(self._seen[lineage], role, now)

    def standing(self, lineage: str, role: Role, now: int) -> Budget:
        """What is used and left, without using any."""
        return self._standing(self._current(lineage, now), role, now)

    def _add(self, lineage: str, persons: Iterable[str], at: int) -> None:
        seen = self._current(lineage, at)
        for person in persons:
            seen.setdefault(person, at)

    def _current(self, lineage: str, now: int) -> dict[str, int]:
        seen = self._seen.setdefault(lineage, {})
        while seen:
            person, at = next(iter(seen.items()))
            if at > now - DAY_MS:
                break
            del seen[person]
        return seen

    @staticmethod
    def _standing(seen: dict[str, int], role: Role, now: int) -> Budget:
        limits = LIMITS[role]
        hour = 0
        for at in reversed(seen.values()):
            if at <= now - HOUR_MS:
                break
            hour += 1
        today = len(seen)
        return Budget(today=today, left=max(0, min(limits.day - today, limits.hour - hour)))
