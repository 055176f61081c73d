"""Which builds of the vault wrote the ledger, held against the list that was published."""

import re
from collections.abc import Iterable
from typing import Final

from noren import people

# As many hex digits of a build's SHA-256 as an entry of the ledger holds.
_DIGITS: Final = 32
_BUILD: Final = re.compile(rf"[0-9a-f]{{{_DIGITS},64}}", re.ASCII)


def published(text: str) -> frozenset[str]:
    """Read a list of builds: one a line, `#` begins a comment. Raises ValueError for what is none."""
    words = [line.partition("#")[0].strip() for line in text.splitlines()]
    for word in filter(None, words):
        if not _BUILD.fullmatch(word):
            raise ValueError(f"{word[:80]!a} is no build: {_DIGITS} to 64 hex digits")
    return frozenset(word[:_DIGITS] for word in words if word)


def others(found: Iterable[people.Build], listed: frozenset[str]) -> list[people.Build]:
    """Those that the list does not name."""
    return [one for one in found if one.build not in listed]


def as_text(found: Iterable[people.Build], listed: frozenset[str] | None) -> str:
    """A line for each build, in the order of their first entries."""
    return "\n".join(_line(one, listed) for one in found)


def _line(one: people.Build, listed: frozenset[str] | None) -> str:
    span = f"{one.build or '(none)':{_DIGITS}}  entries {one.first} to {one.last}, {one.entries} of them"
    if listed is None:
        return span
    return f"{span}  {'published' if one.build in listed else 'NOT PUBLISHED'}"
