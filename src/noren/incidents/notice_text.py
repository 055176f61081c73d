"""A notice's text: its sections, its canonical bytes, what it lacks, and what a correction changed. Pure.

docs/notices.md describes the format; the verifier reads it without this code.
"""

import difflib
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

FORMAT: Final = "noren-notice/1"
LANGUAGES: Final = ("ja", "en")
STATES: Final = ("investigating", "identified", "contained", "resolved")
CONFIDENCE: Final = ("confirmed", "estimated", "unknown")
SECTIONS: Final = (
    "happened",
    "when",
    "whose",
    "unaffected",
    "cause",
    "done",
    "advice",
    "unknown",
    "authorities",
    "contact",
)
# Without these nobody knows what it is about, or whom to ask.
NEEDED: Final = ("title", "happened", "contact")
LONGEST: Final[Mapping[str, int]] = {"title": 120} | dict.fromkeys(SECTIONS, 4000)
NOTICE: Final = re.compile(r"[a-z0-9][a-z0-9-]{2,39}", re.ASCII)
INCIDENT: Final = re.compile(r"[a-z0-9-]{0,40}", re.ASCII)
_TURNERS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_TOKEN: Final = re.compile(r"[A-Za-z0-9]+|[ \t]+|\n+|.")


@dataclass(frozen=True, slots=True)
class Text:
    """One version's words. `said` is section by language; `most` persons at most, 0: not said."""

    notice: str
    number: int
    version: int
    state: str = "investigating"
    next: str = ""
    incident: str = ""
    most: int = 0
    confidence: str = "unknown"
    said: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Mapping[str, Any], notice: str, number: int, version: int) -> "Text":
        """Read the plain form of a draft or of a published text."""
        return cls(
            notice,
            number,
            version,
            state=str(told.get("state", "investigating")),
            next=str(told.get("next", "")),
            incident=str(told.get("incident", "")),
            most=int(told.get("most", 0)),
            confidence=str(told.get("confidence", "unknown")),
            said={name: clean(told.get(name, {})) for name in LANGUAGES},
        )

    @classmethod
    def read(cls, canonical: str) -> "Text":
        """Read a canonical text, changed by others or not. Raises ValueError."""
        told = json.loads(canonical)
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            raise ValueError("not a notice's text")
        return cls.of(told, str(told.get("notice")), int(told.get("number", 0)), int(told.get("version", 0)))

    def plain(self) -> dict[str, Any]:
        """The plain form, without its place."""
        return {
            "state": self.state,
            "next": self.next,
            "incident": self.incident,
            "most": self.most,
            "confidence": self.confidence,
            **{name: dict(self.said.get(name, {})) for name in LANGUAGES},
        }

    def canonical(self) -> str:
        """The text whose UTF-8 bytes are hashed."""
        place = {"notice": self.notice, "number": self.number, "version": self.version}
        told = {"format": FORMAT, **place, **self.plain()}
        return json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    @property
    def next_at(self) -> datetime | None:
        """When the next update is promised."""
        return instant(self.next)

    def words(self, language: str, section: str) -> str:
        """What is said, or nothing."""
        return self.said.get(language, {}).get(section, "")

    def at(self, number: int, version: int) -> "Text":
        """The same words at another place."""
        return replace(self, number=number, version=version)


def clean(given: object) -> dict[str, str]:
    """One language's sections in their one form; empty ones are left out."""
    if not isinstance(given, Mapping):
        return {}
    found = {}
    for name in ("title", *SECTIONS):
        lines = (
            unicodedata.normalize("NFC", str(given.get(name, ""))).replace("\r\n", "\n").replace("\r", "\n")
        )
        text = "\n".join(line.rstrip() for line in lines.split("\n")).strip()
        if text:
            found[name] = " ".join(text.split()) if name == "title" else text
    return found


def digest(canonical: str) -> str:
    """The SHA-256 by which the ledger knows it."""
    return hashlib.sha256(canonical.encode()).hexdigest()


def instant(text: str) -> datetime | None:
    """Read `2026-11-28T09:00Z`; None for nothing."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def written(at: datetime | None) -> str:
    """Write an instant as the text has it."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def lacks(text: Text, now: datetime) -> list[tuple[str, str, str]]:
    """What keeps it from being published: language, section, why (`empty`, `long`, `other`, `characters`)."""
    found: list[tuple[str, str, str]] = []
    for language in LANGUAGES:
        other = "en" if language == "ja" else "ja"
        for name in ("title", *SECTIONS):
            words = text.words(language, name)
            if not words and name in NEEDED:
                found.append((language, name, "empty"))
            elif not words and text.words(other, name):
                found.append((language, name, "other"))
            elif len(words) > LONGEST[name]:
                found.append((language, name, "long"))
            elif any(_bad(one) for one in words):
                found.append((language, name, "characters"))
    if text.next and (text.next_at is None or text.next_at <= now):
        found.append(("", "next", "past"))
    if not text.next and text.state != "resolved":
        found.append(("", "next", "empty"))
    return found


def _bad(char: str) -> bool:
    control = unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") and char not in "\n\t"
    return char in _TURNERS or control


def changes(old: str, new: str) -> Iterator[tuple[str, str]]:
    """What a correction did to a passage, piece by piece: `same`, `gone` or `new`, and the words."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    for deed, i, j, k, m in difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        if deed == "equal":
            yield "same", "".join(before[i:j])
            continue
        if j > i:
            yield "gone", "".join(before[i:j])
        if m > k:
            yield "new", "".join(after[k:m])
