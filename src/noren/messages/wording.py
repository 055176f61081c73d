"""A shop's own words in its mails: which fields they may hold, what is refused in them, which version holds.

A closed list of fields; whatever else stands in braces is refused by name. What must stand in a mail (the
greeting, what was booked, the link, the shop) stands around these words and is no part of them.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from noren.booking.transact import Actor
from noren.errors import WordsChanged
from noren.messages.models import Wording
from noren.messages.notice import Kind
from noren.shops.models import Shop
from noren.shops.tenancy import write_in

LANGUAGES: Final = ("ja", "en")
"""In easy Japanese the house's words are what they are: readings and short sentences are its whole point."""
PARTS: Final = ("subject", "opening", "closing")
LONGEST: Final[Mapping[str, int]] = {"subject": 120, "opening": 1000, "closing": 1000}
NAME: Final = "name"
# In a subject nothing that fills a line of its own, and not who it is for: it shows on a locked phone.
_OF_SUBJECT: Final = ("shop", "day", "service", "staff")
_OF_TEXT: Final = (NAME, "shop", "day", "when", "service", "staff", "party", "price", "phone")
# What only mails of one kind have; and what such a mail is not whole without.
_MORE: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.DELAYED: ("minutes",),
    Kind.OFFERED: ("until",),
    Kind.RESCHEDULED: ("was",),
}
KEEPS_HOUSE: Final = frozenset(
    {Kind.DELAYED, Kind.RESCHEDULED, Kind.REASSIGNED, Kind.CHOOSE, Kind.ZONE, Kind.CALLED_OFF, Kind.LINK}
)
"""Of these the house's opening says what she may do now, or by how much she has to wait: it stays, below."""
_BRACED: Final = re.compile(r"[{｛]([^{}｛｝\n]*)[}｝]|[{}｛｝]")
_HOLE: Final = re.compile(r"\{([a-z]+)\}")
_JOINER = "\u200d"


class Wrong(StrEnum):
    """Why words are refused."""

    FIELD = "field"  # in braces, and no field
    BRACE = "brace"  # a brace alone
    WIDE = "wide"  # ｛name｝, as a Japanese keyboard writes it
    CONTROL = "control"  # what nobody sees: it could hide or turn round what stands there
    LINE = "line"  # a subject is one line
    LONG = "long"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one of the parts. `said`: what stands there, where that can be shown."""

    part: str
    why: Wrong
    said: str = ""


@dataclass(frozen=True, slots=True)
class Own:
    """A shop's words of one kind and language; empty: said in the house's. `version` 0: never any."""

    subject: str = ""
    opening: str = ""
    closing: str = ""
    version: int = 0
    id: int | None = None

    @property
    def is_house(self) -> bool:
        """Whether all of it is said in the house's words."""
        return not (self.subject or self.opening or self.closing)


HOUSE: Final = Own()


def of_many(words: Mapping[str, Mapping[str, str]], language: str) -> Own:
    """Return the words of a message to many in a language; where it has none, in the one that it has."""
    spoken = "en" if language == "en" else "ja"
    said = words.get(spoken) or next(iter(words.values()), {})
    return Own(said.get("subject", ""), said.get("opening", ""))


def fields(kind: Kind, part: str) -> tuple[str, ...]:
    """Return the fields that may stand in a part of a mail of this kind, in the order they are shown."""
    return (*(_OF_SUBJECT if part == "subject" else _OF_TEXT), *_MORE.get(kind, ()))


def plain(part: str, text: str) -> str:
    """Return the words as they are kept: composed (NFC), with line ends of one sort and none around them."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    return lines.strip(" \u3000\t\n") if part == "subject" else lines.strip()


def faults(kind: Kind, given: Mapping[str, str]) -> list[Fault]:
    """Return all that is wrong with words that somebody wishes to keep; nothing: they can be kept."""
    return [fault for part in PARTS for fault in _faults(kind, part, plain(part, given.get(part, "")))]


def _faults(kind: Kind, part: str, text: str) -> list[Fault]:
    found = [Fault(part, Wrong.LONG, str(LONGEST[part]))] if len(text) > LONGEST[part] else []
    if part == "subject" and "\n" in text:
        found.append(Fault(part, Wrong.LINE))
    if any(_unseen(text, at) for at in range(len(text))):
        found.append(Fault(part, Wrong.CONTROL))
    known = fields(kind, part)
    for match in _BRACED.finditer(text):
        if match[1] is None:
            found.append(Fault(part, Wrong.BRACE, match[0]))
        elif match[1] not in known:
            found.append(Fault(part, Wrong.FIELD, match[0][:40]))
        elif match[0] != f"{{{match[1]}}}":
            found.append(Fault(part, Wrong.WIDE, match[0]))
    return found


def _unseen(text: str, at: int) -> bool:
    """Say whether the letter is one that nobody sees: a control, half a character, what turns writing round.

    A joiner between two pictures makes one of them: a family, a flag.
    """
    letter, category = text[at], unicodedata.category(text[at])
    if letter == "\n":
        return False
    if letter == _JOINER:
        return not (0 < at < len(text) - 1 and _is_picture(text[at - 1]) and _is_picture(text[at + 1]))
    return category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _is_picture(letter: str) -> bool:
    return unicodedata.category(letter) in ("So", "Sk") or letter == "\ufe0f"


def of(kind: Kind, language: str) -> Own:
    """Return the words that hold now. Inside the shop."""
    return _own(Wording.objects.filter(kind=kind, language=language).order_by("version").last())


def all_of() -> dict[tuple[str, str], Wording]:
    """Return the newest row by kind and language: all that the shop has ever written of. Inside the shop."""
    rows = Wording.objects.order_by("version")
    return {(row.kind, row.language): row for row in rows}


def _own(row: Wording | None) -> Own:
    if row is None:
        return HOUSE
    return Own(row.subject, row.opening, row.closing, row.version, None if _is_empty(row) else row.id)


def _is_empty(row: Wording) -> bool:
    return not (row.subject or row.opening or row.closing)


def keep(
    shop_id: int, kind: Kind, language: str, given: Mapping[str, str], *, seen: int, now: datetime, by: Actor
) -> None:
    """Keep words that have no fault as a new version; the same again are kept once. All empty: the house's.

    `seen`: the version that was looked at when they were written. Raises WordsChanged: there is a later one.
    """
    wanted = {part: plain(part, given.get(part, "")) for part in PARTS}
    if faults(kind, wanted):
        raise ValueError("these words are refused: look for their faults first")
    with write_in(shop_id):
        # One at a time: of two who write at once the second sees what the first has written.
        Shop.objects.select_for_update(no_key=True).first()
        there = of(kind, language)
        if {part: getattr(there, part) for part in PARTS} == wanted:
            return
        if there.version != seen:
            raise WordsChanged
        Wording.objects.create(
            kind=kind, language=language, version=there.version + 1, at=now, by=by, **wanted
        )


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return own words without the lines whose field is empty, as the house's are written: the holes stay.

    `{name}` is the vault's to fill, and never empty.
    """
    lines = (
        line
        for line in text.split("\n")
        if all(hole == NAME or values.get(hole, "") for hole in _HOLE.findall(line))
    )
    return "\n".join(lines).strip()


def mark(subject: str, text: str) -> str:
    """Return the hash by which it is known in which words a mail went, their fields open."""
    return hashlib.sha256(f"{subject}\x00{text}".encode()).hexdigest()[:16]
