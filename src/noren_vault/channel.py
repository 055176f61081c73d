"""A way by which a letter reaches a person, as the courier sees it. Mail is the one there is.

A channel knows how a letter looks there and how it is handed over; whose it is, whether it may go, and what
is written down about it, the courier knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from noren_vault.fields import Value
from noren_vault.letter import Letter


class Handed(StrEnum):
    """How handing over ended.

    SENT: the other side took it. DEFERRED: it surely did not, and may later. FAILED: it surely did not, for
    good. UNKNOWN: it may have.
    """

    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """How it ended, and a code why (never the other side's words: it repeats the address in them).

    `told` when anything personal, be it the address, had gone out before; `no_such_address` when the refusal
    is about the address itself.
    """

    handed: Handed
    reason: str = ""
    told: bool = True
    no_such_address: bool = False


@dataclass(frozen=True, slots=True)
class Stamp:
    """What marks one message: `mark` is the same for each attempt at a key, `token` is told to nobody else.

    `at` in milliseconds.
    """

    mark: str
    token: str
    at: int


class Channel(Protocol):
    """What a channel must be able to do."""

    @property
    def name(self) -> str:
        """Its name in the vault's tables."""

    @property
    def field(self) -> str:
        """The person's field that holds the address."""

    def make(self, letter: Letter, person: Mapping[str, Value], stamp: Stamp) -> bytes:
        """Make what is handed over. `person` has an address. Raises BadRequest."""

    def hand_over(self, address: str, made: bytes, stamp: Stamp) -> Answer:
        """Hand it over and say how that ended. Blocks; raises nothing."""

    def close(self) -> None:
        """Let go of what is held for the next one."""
