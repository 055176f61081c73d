"""Challenges at sign-in: a puzzle of hashes that a browser solves in a moment, without anybody else.

A challenge is made, not stored: random bytes, when it was made, how many bits, how long to wait instead, and
an HMAC under a key of this process that binds it to one account. It is answered by

    <challenge>:<number>   where SHA-256 of this text begins with so many zero bits, or
    <challenge>:           once its wait is over (for a browser without scripts)

Each is taken once. What is kept is which were taken, until they would have been over anyway.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from noren_vault.clock import Now

LIFE_MS: Final = 900_000
LEAST_BITS: Final = 18
MOST_MORE_BITS: Final = 4
# While somebody solves one the level may rise by so much; who solved it is not sent round again for that.
LENIENT_BITS: Final = 2
_RANDOM: Final = 16
_HEAD: Final = _RANDOM + 8 + 1 + 2
_MAC: Final = 16
_LONGEST_NUMBER: Final = 20
_MOST_USED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Answered:
    """A challenge that came back. `number` is empty where somebody waited instead."""

    text: str
    number: str
    bits: int
    made: int
    wait: int


class Puzzles:
    """Makes challenges and takes each once."""

    def __init__(self, now: Now, *, least: int = LEAST_BITS) -> None:
        """A restart forgets the key, and with it every open challenge. `least`: bits of the easiest."""
        self.least = least
        self._key = secrets.token_bytes(32)
        self._now = now
        self._used: OrderedDict[bytes, int] = OrderedDict()

    def make(self, place: bytes, bits: int, wait: int) -> str:
        """Make one for a place: an account of a shop. `wait` in seconds; 0 where waiting does not help."""
        head = secrets.token_bytes(_RANDOM) + self._now().to_bytes(8, "big")
        head += bits.to_bytes(1, "big") + wait.to_bytes(2, "big")
        return base64.urlsafe_b64encode(head + self._mac(place, head)).decode().rstrip("=")

    def read(self, place: bytes, proof: str) -> Answered | None:
        """Read an answer that holds now, without taking it; None for anything else."""
        text, colon, number = proof.partition(":")
        raw = _decoded(text)
        head = raw[:_HEAD]
        if (
            not colon
            or len(raw) != _HEAD + _MAC
            or not hmac.compare_digest(raw[_HEAD:], self._mac(place, head))
        ):
            return None
        made = int.from_bytes(head[_RANDOM : _RANDOM + 8], "big")
        bits, wait = head[_RANDOM + 8], int.from_bytes(head[_RANDOM + 9 :], "big")
        begins = made if number else made + wait * 1000
        if raw[_HEAD:] in self._used or not begins <= self._now() < begins + LIFE_MS:
            return None
        answered = Answered(text, number, bits, made, wait)
        return answered if _holds(answered) else None

    def use(self, answered: Answered) -> None:
        """Take it: it opens nothing again."""
        now = self._now()
        while self._used and (next(iter(self._used.values())) <= now or len(self._used) >= _MOST_USED):
            self._used.popitem(last=False)
        self._used[_decoded(answered.text)[_HEAD:]] = answered.made + answered.wait * 1000 + LIFE_MS

    def _mac(self, place: bytes, head: bytes) -> bytes:
        return hmac.new(self._key, place + head, hashlib.sha256).digest()[:_MAC]


def zero_bits(text: str) -> int:
    """With how many zero bits the SHA-256 of a text begins."""
    return 256 - int.from_bytes(hashlib.sha256(text.encode()).digest(), "big").bit_length()


def solve(challenge: str, bits: int) -> str:
    """Find an answer, as a browser does."""
    number = 0
    while zero_bits(f"{challenge}:{number}") < bits:
        number += 1
    return f"{challenge}:{number}"


def _holds(answered: Answered) -> bool:
    if not answered.number:
        return answered.wait > 0
    number = answered.number
    if len(number) > _LONGEST_NUMBER or not (number.isascii() and number.isdecimal()):
        return False
    return zero_bits(f"{answered.text}:{number}") >= answered.bits


def _decoded(text: str) -> bytes:
    if len(text) > 100 or not text.isascii():
        return b""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
