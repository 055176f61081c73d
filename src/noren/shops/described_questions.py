"""What a file says that a shop asks of who books: `[[questions]]`, `[[services.questions]]`, `guests`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from noren.shops.questions import Guests, Kind, hides
from noren.shops.reading import Reader, Values

MOST = 12
"""Questions of one list."""
MOST_CHOICES = 20
MOST_WORDS = 2_000
"""Characters of all that one booking is asked, choices and all: the wording is kept with the answers."""
_QUESTION, _HELP, _CHOICE = 600, 600, 60


@dataclass(slots=True)
class Keys:
    """The keys that the shop's own questions have, and how long these are: what is left to a service's."""

    taken: set[str] = field(default_factory=set)
    length: int = 0


def read(parent: Reader, keys: Keys) -> list[Values]:
    """Read `[[questions]]`, or those of a service: the shop's keys are not free there."""
    tables, found = parent.tables("questions"), []
    taken, length = set(keys.taken), keys.length
    if len(tables) > MOST:
        parent.wrong("questions", f"are more than {MOST}; a customer gives up sooner")
    for table in tables:
        one = _read(table)
        if one["key"] in taken:
            table.wrong("key", f"{one['key']!r} is asked already; every question needs its own")
        taken.add(one["key"])
        length += _length(one)
        found.append(one)
    if length > MOST_WORDS:
        parent.wrong(
            "questions", f"have {length} characters together, the shop's with them; {MOST_WORDS} at most"
        )
    return found


def guests(parent: Reader) -> str:
    """Read `guests = "required"`; nothing is no word of a file's."""
    kinds = (Guests.HIDDEN, Guests.OPTIONAL, Guests.REQUIRED)
    return parent.choice("guests", kinds) if parent.has("guests") else Guests.UNSAID.value


def of_shop(found: Sequence[Values]) -> Keys:
    """Return what the shop's own questions leave to those of its services."""
    return Keys({each["key"] for each in found}, sum(_length(each) for each in found))


def _read(table: Reader) -> Values:
    kind = Kind(table.choice("kind", tuple(Kind), Kind.SHORT))
    found: Values = {
        "key": table.key(),
        "kind": kind.value,
        "required": table.flag("required", standard=False),
        "health": table.flag("health", standard=False),
        "question": _words(table, "question", _QUESTION, needed=True),
        "help": _words(table, "help", _HELP),
        "choices": [_choice(each) for each in table.tables("choices")],
    }
    chosen = [each["key"] for each in found["choices"]]
    if (kind in (Kind.ONE, Kind.SEVERAL)) != bool(chosen):
        how = 'write choices = [{ key = "short", words = { ja = "...", en = "..." } }]'
        table.wrong("choices", f"are missing; {how}" if not chosen else "are for the kinds one and several")
    if len(set(chosen)) < len(chosen) or len(chosen) > MOST_CHOICES:
        table.wrong("choices", f"have a key twice, or are more than {MOST_CHOICES}")
    if kind is Kind.CONSENT and found["health"]:
        table.wrong("health", "is no consent's; consent to keep answers about health is asked for by itself")
    table.done()
    return found


def _choice(table: Reader) -> Values:
    found = {"key": table.key(), "words": _words(table, "words", _CHOICE, needed=True)}
    table.done()
    return found


def _words(table: Reader, key: str, longest: int, *, needed: bool = False) -> dict[str, str]:
    words = table.words(key, needed=needed)
    for text in words.values():
        if len(text) > longest or hides(text, lines=True):
            table.wrong(key, f"is longer than {longest} characters, or holds what is no text")
    return words


def _length(one: Mapping[str, Any]) -> int:
    """How much of a booking's room the wording takes, in the longest of its languages."""
    all_words = [one["question"], *(each["words"] for each in one["choices"])]
    return sum(max((len(text) for text in words.values()), default=0) for words in all_words)
