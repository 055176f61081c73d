"""The tree a second time, word for word as RFC 6962 defines it, recursively and slowly."""

import hashlib
from functools import cache

LIMIT = 300
LEAVES = [hashlib.sha256(b"\x00entry %d" % number).digest() for number in range(LIMIT)]


def split(width: int) -> int:
    """The largest power of two below `width`, as the RFC words it."""
    power = 1
    while power * 2 < width:
        power *= 2
    return power


@cache
def mth(low: int, high: int) -> bytes:
    """MTH(D[low:high]) of RFC 6962, word for word."""
    if high == low:
        return hashlib.sha256(b"").digest()
    if high - low == 1:
        return LEAVES[low]
    k = split(high - low)
    return hashlib.sha256(b"\x01" + mth(low, low + k) + mth(low + k, high)).digest()


def path(m: int, low: int, high: int) -> list[bytes]:
    """PATH(m, D[low:high]) of RFC 6962."""
    if high - low == 1:
        return []
    k = split(high - low)
    if m < k:
        return [*path(m, low, low + k), mth(low + k, high)]
    return [*path(m - k, low + k, high), mth(low, low + k)]


def subproof(m: int, low: int, high: int, *, whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[low:high], b) of RFC 6962."""
    n = high - low
    if m == n:
        return [] if whole else [mth(low, high)]
    k = split(n)
    if m <= k:
        return [*subproof(m, low, low + k, whole=whole), mth(low + k, high)]
    return [*subproof(m - k, low + k, high, whole=False), mth(low, low + k)]


def node(level: int, index: int) -> bytes:
    """The node reader over the naive tree."""
    return mth(index << level, (index + 1) << level)


def flip(value: bytes, bit: int) -> bytes:
    """The value with one bit turned."""
    at, shift = divmod(bit, 8)
    return value[:at] + bytes([value[at] ^ (1 << shift)]) + value[at + 1 :]
