"""A ledger that is served as tiles (C2SP tlog-tiles): does it continue a checkpoint that was kept earlier?

Only hashes are fetched, never an entry. The roots of both sizes are computed from the same tiles, so one tree
begins with the other; what was signed says whether it is the right one.
"""

import hashlib
import urllib.request
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

Signed = tuple[int, bytes]
Fetch = Callable[[str], bytes]
MOST_BYTES: Final = 1_000_000
_HASH: Final = 32


def fetcher(url: str) -> Fetch:
    """Fetch paths below an address, each within ten seconds. Raises OSError."""

    def fetch(path: str) -> bytes:
        with urllib.request.urlopen(f"{url.rstrip('/')}/{path}", timeout=10) as answer:  # noqa: S310 - as given
            data: bytes = answer.read(MOST_BYTES)
        return data

    return fetch


def tile_path(level: int, number: int) -> str:
    """Where a full tile lies: its number in groups of three digits, all but the last with an x before."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.append(f"x{number % 1000:03d}")
    return "/".join(["tile", str(level), *reversed(groups)])


def roots(fetch: Fetch, newest: int, sizes: Sequence[int]) -> list[bytes]:
    """The roots of the first so many entries, by tiles of `newest` entries. Raises OSError, ValueError."""

    @cache
    def tile(level: int, number: int) -> bytes:
        width = min((newest >> (8 * level)) - number * 256, 256)
        if width <= 0:
            raise ValueError("a tile beyond the tree")
        data = fetch(tile_path(level, number) + ("" if width == 256 else f".p/{width}"))
        if len(data) != width * _HASH:
            raise ValueError(f"a tile of {len(data)} bytes in place of {width * _HASH}")
        return data

    def node(level: int, index: int) -> bytes:
        """The root over the entries from index * 2**level on, 2**level of them."""
        count = 1 << (level % 8)
        number, at = divmod(index * count, 256)
        data = tile(level // 8, number)
        row = [data[(at + one) * _HASH : (at + one + 1) * _HASH] for one in range(count)]
        while len(row) > 1:
            row = [hashlib.sha256(b"\x01" + a + b).digest() for a, b in zip(row[::2], row[1::2], strict=True)]
        return row[0]

    return [_root(size, node) for size in sizes]


def _root(size: int, node: Callable[[int, int], bytes]) -> bytes:
    """The root over the perfect subtrees of a size, joined from the right."""
    found, at = hashlib.sha256(b"").digest(), 0
    peaks = []
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            peaks.append(node(level, at >> level))
            at += 1 << level
    for place, peak in enumerate(reversed(peaks)):
        found = peak if place == 0 else hashlib.sha256(b"\x01" + peak + found).digest()
    return found
