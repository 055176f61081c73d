"""What a shop asks of who books: questions, consents, and the names of those who come with her.

Values alone, as the shop's rows have them. What is answered is no concern of this room.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Plain = Mapping[str, Any]
_TURNERS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
LENGTHS = {"short": 100, "long": 1_000}
"""How long an answer in words may be."""


class Kind(StrEnum):
    """`consent` is a tick under the shop's wording."""

    SHORT = "short"
    LONG = "long"
    ONE = "one"
    SEVERAL = "several"
    CONSENT = "consent"


class Guests(StrEnum):
    """Whether the names of those who come are asked for. Nothing said: by who books for somebody else, and
    nobody has to.
    """

    UNSAID = ""
    HIDDEN = "hidden"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Question:
    """`question`, `help` and each choice are words by language."""

    key: str
    kind: Kind
    required: bool
    health: bool
    question: Plain
    help: Plain
    choices: Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class Asking:
    """What one service asks, the shop's own questions first. `version` names the wording of them all."""

    version: int = 1
    questions: tuple[Question, ...] = ()
    guests: Guests = Guests.UNSAID

    @property
    def plain(self) -> tuple[Question, ...]:
        return tuple(each for each in self.questions if not each.health)

    @property
    def health(self) -> tuple[Question, ...]:
        return tuple(each for each in self.questions if each.health)

    @property
    def insists_on_health(self) -> bool:
        """Whether nobody books without an answer about health, and so without consent to keep it."""
        return any(each.required for each in self.health)


def asking(shop: Plain, service: Plain) -> Asking:
    """Build what a service asks from the rows of it and of its shop."""
    return Asking(
        shop["questions_version"],
        tuple(_question(each) for each in [*shop["questions"], *service["questions"]]),
        Guests(service["guests"] or shop["guests"]),
    )


def hides(text: str, *, lines: bool = False) -> bool:
    """Say whether a text holds what shows itself otherwise than it stands; the vault takes none of it."""
    allowed = "\n\t" if lines else ""
    return any(
        char in _TURNERS or (unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") and char not in allowed)
        for char in text
    )


def said_in(words: Plain, language: str) -> str:
    """Return the shop's words in a language, or in the one they were written in."""
    return words.get(language) or words.get("ja") or next(iter(words.values()), "")


def _question(plain: Plain) -> Question:
    return Question(
        plain["key"],
        Kind(plain["kind"]),
        plain["required"],
        plain["health"],
        plain["question"],
        plain["help"],
        {each["key"]: each["words"] for each in plain["choices"]},
    )


def together(those: Sequence[Asking]) -> Asking:
    """Return what a visit of several services asks: each question once, and names where one wants them."""
    found = {each.key: each for asks in those for each in asks.questions}
    strict = (Guests.REQUIRED, Guests.OPTIONAL, Guests.UNSAID, Guests.HIDDEN)
    guests = min((asks.guests for asks in those), key=strict.index)
    return Asking(those[0].version, tuple(found.values()), guests)
