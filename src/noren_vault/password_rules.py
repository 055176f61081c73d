"""Which passwords may be chosen (NIST SP 800-63B-4, section 3.1.1.2), each refusal with its reason.

Length in code points after NFC: 15 where the password is all, 8 beside a second factor, 256 at most. Any text
that is not broken is taken; no rules on which signs it has. The whole of it, not a part, is held against the
blocklist, against the words that stand for this account, shop and service, and against mere patterns.
"""

import gzip
import re
import unicodedata
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Final

from noren_vault.errors import BadPassword

LEAST_ALONE: Final = 15
LEAST_WITH_SECOND: Final = 8
MOST: Final = 256
_LONGEST_PATTERN: Final = 7
_WORDS: Final = re.compile(r"[^\W\d_]+")
Common = Callable[[str], bool]


class Reason(StrEnum):
    """Why a password may not be chosen: a closed list."""

    NOT_TEXT = "not_text"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    COMMON = "common"
    PATTERN = "pattern"
    OWN_WORDS = "own_words"
    BREACHED = "breached"


@cache
def blocklist() -> frozenset[str]:
    """The bundled blocklist: some 45,000 of the commonest passwords, words and names, of 8 signs or more.

    Where they come from, and under which licences, `blocklist/SOURCES` says; `bin/blocklist` makes the file.
    """
    packed = resources.files("noren_vault").joinpath("blocklist", "common.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode().split("\n"))


def common(folded: str) -> bool:
    """Whether the bundled blocklist has it."""
    return folded in blocklist()


def prepared(text: str) -> bytes:
    """The bytes that are hashed: UTF-8 of the NFC. Raises BadPassword for a text that is broken."""
    try:
        return unicodedata.normalize("NFC", text).encode()
    except UnicodeEncodeError:
        raise _bad(Reason.NOT_TEXT, LEAST_ALONE) from None


def stands_alone(text: str) -> bool:
    """Whether it is long enough without a second factor."""
    return len(unicodedata.normalize("NFC", text)) >= LEAST_ALONE


def check(text: str, *, least: int, words: Iterable[str], common: Common = common) -> None:
    """Raise BadPassword with the first reason why it may not be. `words`: names of account, shop, service."""
    prepared(text)
    length = len(unicodedata.normalize("NFC", text))
    if length < least:
        raise _bad(Reason.TOO_SHORT, least)
    if length > MOST:
        raise _bad(Reason.TOO_LONG, least)
    folded = _folded(text)
    unit = _unit(folded)
    if _is_run(folded) or len(unit) <= _LONGEST_PATTERN:
        raise _bad(Reason.PATTERN, least)
    if common(folded) or common(unit):
        raise _bad(Reason.COMMON, least)
    if _made_of("".join(_WORDS.findall(folded)), _parts(words)):
        raise _bad(Reason.OWN_WORDS, least)


def breached(least: int) -> BadPassword:
    """The refusal of one that stood in a breach."""
    return _bad(Reason.BREACHED, least)


def _bad(reason: Reason, least: int) -> BadPassword:
    return BadPassword(f"refused as {reason}", reason=str(reason), least=least, most=MOST)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _unit(text: str) -> str:
    """The shortest text of which the whole is a repetition: itself where it is none."""
    return text[: (text + text).find(text, 1)]


def _is_run(text: str) -> bool:
    """Whether each sign is the next of the one before, up or down; after 9 comes 0."""
    steps = {ord(b) - ord(a) for a, b in pairwise(text)}
    return steps <= {1, -9} or steps <= {-1, 9}


def _parts(words: Iterable[str]) -> set[str]:
    """The words, and what is between their signs: `aoi.sato@example.jp` is aoi, sato, example, jp."""
    found = {part for word in words for part in _WORDS.findall(_folded(word))}
    # A single letter stands for nothing; a single kanji is a name.
    return {part for part in found if len(part) > 1 or not part.isascii()}


def _made_of(text: str, parts: set[str]) -> bool:
    """Whether a text is nothing but these parts, one after another."""
    reached = {0}
    for end in range(1, len(text) + 1):
        if any(end - len(part) in reached and text[:end].endswith(part) for part in parts):
            reached.add(end)
    return len(text) > 0 and len(text) in reached
