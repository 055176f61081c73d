"""So many mails a minute, in rounds of seconds: what part of one is left goes to the next round."""

from collections.abc import Collection
from typing import Final

# Sixty sixtieths are one, whatever they add up to in floating point.
_A_HAIR: Final = 1e-6


class Pace:
    """How many may go of each that runs."""

    def __init__(self) -> None:
        """Nothing is left over yet."""
        self._left: dict[str, float] = {}

    def of(self, running: Collection[str]) -> None:
        """Forget those that do not run any more."""
        self._left = {one: left for one, left in self._left.items() if one in running}

    def most(self, one: str, a_minute: int, seconds: float) -> int:
        """Say how many of it may go in a round of so many seconds."""
        may = self._left.get(one, 0.0) + a_minute * seconds / 60
        most = int(may + _A_HAIR)
        self._left[one] = may - most
        return most
