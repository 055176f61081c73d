"""Sheets: a window's minutes as one integer, the earliest minute the highest bit.

So "later" is `>>` and "earlier" is `<<`, and a stretch of free minutes long enough for a service is found
by shift-and.
"""

from collections.abc import Iterable, Sequence

from noren.engine.model import DAY, Claim, Taken, Window

DAY_BYTES = DAY // 8


def full(window: Window) -> int:
    return (1 << window.size) - 1


def span(window: Window, start: int, end: int) -> int:
    """Return the minutes [start, end), cut to the window."""
    start, end = max(start, window.first), min(end, window.last)
    if start >= end:
        return 0
    return ((1 << (end - start)) - 1) << (window.last - end)


def fit(free: int, minutes: int) -> int:
    """Return the minutes at which `minutes` free minutes begin."""
    have = 1
    while have < minutes and free:
        step = min(have, minutes - have)
        free &= free << step
        have += step
    return free


def has(bits: int, window: Window, minute: int) -> bool:
    return window.first <= minute < window.last and bool(bits >> (window.last - 1 - minute) & 1)


def marks(window: Window, minutes: Iterable[int]) -> int:
    """Return a sheet with these single minutes, those outside the window left out."""
    raw = bytearray(window.size // 8)
    first, last = window.first, window.last
    for minute in minutes:
        if first <= minute < last:
            at = minute - first
            raw[at >> 3] |= 128 >> (at & 7)
    return int.from_bytes(raw, "big")


def minutes_of(bits: int, window: Window) -> tuple[int, ...]:
    """Return the minutes of a sheet, ascending."""
    text = format(bits, "b")
    first = window.last - len(text)
    found: list[int] = []
    at = text.find("1")
    while at >= 0:
        found.append(first + at)
        at = text.find("1", at + 1)
    return tuple(found)


def runs(bits: int, window: Window) -> list[tuple[int, int]]:
    """Return the stretches [start, end) of a sheet, ascending."""
    text = format(bits, "b") + "0"
    first = window.last - len(text) + 1
    found: list[tuple[int, int]] = []
    at = text.find("1")
    while at >= 0:
        end = text.find("0", at)
        found.append((first + at, first + end))
        at = text.find("1", end)
    return found


def planes(
    window: Window, stock: int, claims: Iterable[Claim], onto: Sequence[Taken] = ()
) -> tuple[Taken, ...]:
    """Return the thermometer planes of one resource from its claims: plane j = minutes with at least j units.

    This is what a sheet is an index of: giving back, the doctor and the tests compute it from the claims
    that remain.
    Claims of other resources must not be among them. `onto`: planes on which they are put.
    """
    free = [0] * (stock - len(onto))
    core, padded = [each.core for each in onto] + free, [each.padded for each in onto] + free
    for claim in claims:
        for _ in range(claim.units):
            _stack(core, span(window, claim.start, claim.end))
            _stack(padded, span(window, claim.padded_start, claim.padded_end))
    return tuple(map(Taken, core, padded))


def _stack(heights: list[int], bits: int) -> None:
    """Put one more unit on a thermometer."""
    for plane, held in enumerate(heights):
        heights[plane] = held | bits
        bits &= held


def at_least(count: int, sheets: Sequence[int]) -> int:
    """Return the minutes set in at least `count` of the sheets, one or more."""
    if count == 1:
        found = 0
        for bits in sheets:
            found |= bits
        return found
    heights = [0] * count
    for bits in sheets:
        _stack(heights, bits)
    return heights[count - 1]
