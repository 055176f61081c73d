"""From how many tries what is asked of whom: the numbers, and the one place where they are compared. Pure.

Documented in docs/sign-in-defence.md, which names each of them.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from noren_vault.puzzles import MOST_MORE_BITS
from noren_vault.tallies import Count

# NIST SP 800-63B-4, 3.2.2: never more wrong ones in a row without a challenge.
MOST_IN_A_ROW: Final = 100
LEAST_WAIT: Final = 30
MOST_WAIT: Final = 3_600
# How many may take the way of waiting, by everybody, in a short window.
MOST_WAITED: Final = 60
# For everybody together it is an attack only where wrong ones outnumber right ones so many times.
WRONG_TO_RIGHT: Final = 3
# Wrong codes, after a right password, from which the next waits; and from which the account's owner is told.
FREE_SECONDS: Final = 5
TELLING_SECONDS: Final = 3
# Wrong passwords from strangers after which the owner is told of a right one from a stranger.
TELLING_WRONG: Final = 3


@dataclass(frozen=True, slots=True)
class Bound:
    """So many tries in the short window, or in the long one."""

    short: int
    long: int

    def reached(self, count: Count) -> bool:
        """Whether a count has come so far."""
        return count.short >= self.short or count.long >= self.long

    def doublings(self, count: Count) -> float:
        """How often it has doubled since it came so far; below 0 before."""
        most = max(count.short / self.short, count.long / self.long)
        return math.log2(most) if most else -1.0


# From here a stranger is asked for a puzzle.
ACCOUNT: Final = Bound(8, 20)
ADDRESS: Final = Bound(20, 100)
NETWORK: Final = Bound(60, 300)
DEVICE: Final = Bound(300, 2_000)
EVERYBODY: Final = Bound(300, 3_000)
SPRAYED: Final = 10
# From here a right password from a stranger takes a mailed code besides.
ACCOUNT_CODE: Final = Bound(30, 80)
ADDRESS_CODE: Final = Bound(40, 200)
NETWORK_CODE: Final = Bound(120, 600)
SPRAYED_CODE: Final = 20
# From here an account's own browser is a stranger.
OWN: Final = Bound(10, 50)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was counted for one try. `attack`: sign-in as a whole is under one.

    `sprayed`: other accounts that its password was tried on.
    """

    account: Count
    address: Count
    network: Count
    device: Count
    attack: bool = False
    sprayed: int = 0


@dataclass(frozen=True, slots=True)
class Need:
    """What is asked of a stranger. Without `puzzle` nothing; `wait` 0: waiting does not help."""

    puzzle: bool
    bits: int
    wait: int
    code: bool


def need(seen: Seen, *, least_bits: int) -> Need:
    """What is asked of a stranger whose try would be counted under these."""
    over = max(_overs(seen))
    closed = seen.account.row >= MOST_IN_A_ROW
    code = (
        seen.attack
        or seen.sprayed >= SPRAYED_CODE
        or ACCOUNT_CODE.reached(seen.account)
        or ADDRESS_CODE.reached(seen.address)
        or NETWORK_CODE.reached(seen.network)
    )
    steps = max(0, int(over))
    bits = least_bits + min(MOST_MORE_BITS, steps)
    wait = 0 if closed else min(MOST_WAIT, LEAST_WAIT << min(steps, 10))
    return Need(puzzle=closed or over >= 0, bits=bits, wait=wait, code=code)


def attacked(wrong: Count, right: Count) -> bool:
    """Whether it looks as if sign-in as a whole were under attack."""
    short = wrong.short >= max(EVERYBODY.short, WRONG_TO_RIGHT * right.short)
    return short or wrong.long >= max(EVERYBODY.long, WRONG_TO_RIGHT * right.long)


def second_wait(count: Count) -> int:
    """How many seconds after the last wrong code the next one is looked at."""
    steps = count.long - FREE_SECONDS
    return 0 if steps < 0 else min(MOST_WAIT, LEAST_WAIT << min(steps, 10))


def _overs(seen: Seen) -> Iterable[float]:
    yield ACCOUNT.doublings(seen.account)
    yield ADDRESS.doublings(seen.address)
    yield NETWORK.doublings(seen.network)
    yield DEVICE.doublings(seen.device)
    yield 0.0 if seen.attack else -1.0
    yield 0.0 if seen.sprayed >= SPRAYED else -1.0
