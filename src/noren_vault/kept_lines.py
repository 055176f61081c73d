"""What a shop writes of a customer, line by line: its notes, and what was done at a visit (カルテ).

A text of JSON objects, the newest first. Each has the name of its line, whose words it is, when they were
written, and the booking it belongs to (0: none). A line that is written anew keeps its earlier wordings
behind the newest; erased, it goes with all of them. Pure.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

KEPT: Final = ("notes", "chart")
MOST_WORDS: Final = 4_000


@dataclass(frozen=True, slots=True)
class Wording:
    """One wording of one line; `at` in milliseconds, `by` a handle."""

    line: str
    booking: int
    at: int
    by: str
    text: str

    def to_text(self) -> str:
        """One line of the field."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))


def read(text: str) -> list[Wording]:
    """Read a field. What is no such line was written by hand: it stays, as the oldest, under no name."""
    found: list[Wording] = []
    others: list[str] = []
    for each in text.split("\n"):
        one = _read(each)
        if one is not None:
            found.append(one)
        elif each.strip():
            others.append(each)
    return [*found, Wording("", 0, 0, "", "\n".join(others))] if others else found


def to_text(wordings: Iterable[Wording]) -> str:
    """Write a field."""
    return "\n".join(one.to_text() if one.line else one.text for one in wordings)


def written(stood: str, new: Wording) -> str:
    """Put a wording before all others. The same words once more, or an erased line again, change nothing."""
    wordings = read(stood)
    newest = next((one for one in wordings if one.line == new.line), None)
    if not new.text:
        return to_text(one for one in wordings if one.line != new.line) if newest else stood
    if newest is None:
        return to_text([new, *wordings])
    if newest.text == new.text:
        return stood
    again = Wording(new.line, newest.booking, new.at, new.by, new.text)
    return to_text([again, *wordings])


def joined(mine: str, others: str) -> str:
    """Put two persons' lines together, in the order of their times; what both have stands once."""
    wordings = sorted(dict.fromkeys(read(mine) + read(others)), key=lambda one: -one.at)
    return to_text(wordings)


def parted(stands: str, hers: str, bookings: Collection[int]) -> tuple[str, str]:
    """Part what was joined: what stays, and what goes back to who had `hers` and has these bookings.

    Lines go with all wordings that they have by now.
    """
    names = {one.line for one in read(hers) if one.line}
    bare = [line for one in read(hers) if not one.line for line in one.text.split("\n")]
    stays: list[Wording] = []
    back: list[Wording] = []
    for one in read(stands):
        if not one.line:
            stays.extend(_bare(line for line in one.text.split("\n") if line not in bare))
        elif one.line in names or one.booking in bookings:
            back.append(one)
        else:
            stays.append(one)
    back.extend(_bare(bare))
    return to_text(stays), to_text(back)


def _bare(lines: Iterable[str]) -> list[Wording]:
    text = "\n".join(lines)
    return [Wording("", 0, 0, "", text)] if text else []


def _read(line: str) -> Wording | None:
    try:
        told: Any = json.loads(line)
        one = Wording(**told)
    except (ValueError, TypeError, RecursionError):
        return None
    numbers = type(one.booking) is int and type(one.at) is int
    texts = all(isinstance(each, str) for each in (one.line, one.by, one.text))
    return one if numbers and texts and one.line else None
