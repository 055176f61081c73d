"""What a form of the inquiry desk brings, cut as the first thing that is done with it.

Only what is left is handed on: to the page that shows a form again, to the vault. Files are text alone, since
what cannot be read cannot be cut: a picture of a card would be kept as it is.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from noren.incidents import cutting
from noren.incidents.cutting import Cut, Kind
from noren.people.inquiries import LONGEST, LONGEST_FILE, LONGEST_NAME, MOST_FILES

# A character of a text may take four bytes.
MOST_BYTES: Final = 4 * LONGEST_FILE
_ENCODINGS: Final = ("utf-8-sig", "cp932")
# Control signs, and those that no letters stand for: bytes of a picture read as text have them.
_NO_SIGNS: Final = ("Cc", "Cn", "Co", "Cs")
_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
# No text begins so: documents and archives whose first signs are letters.
_NO_TEXT: Final = (b"%PDF", b"PK", b"{\\rtf", b"GIF8", b"%!PS")


class Upload(Protocol):
    """A file as it was sent, in memory."""

    @property
    def name(self) -> str | None:
        """As the browser calls it."""

    @property
    def size(self) -> int | None:
        """In bytes."""

    def read(self) -> bytes:
        """All of it."""


class NoFile(StrEnum):
    """Why a file is not taken; nothing of it was kept."""

    TOO_MANY = "too_many"
    TOO_LARGE = "too_large"
    NO_TEXT = "no_text"


class FileRefused(ValueError):
    """A file that is not taken."""

    def __init__(self, reason: NoFile) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Given:
    """Words and files, cut, and of which kinds was what was cut out of them."""

    words: str
    mail: str
    files: tuple[tuple[str, str], ...]
    found: tuple[Kind, ...]

    @property
    def cards(self) -> int:
        """How many card numbers."""
        return self.found.count(Kind.CARD)

    @property
    def pasted(self) -> list[str]:
        """What is to be made anew, as many of each kind as one inquiry opens rows for."""
        return [str(one) for one in self.found if one not in (Kind.CARD, Kind.CARD_CODE)][:20]


def given(words: str, mail: str, uploads: Iterable[Upload]) -> Given:
    """Cut what a form brought. Raises FileRefused."""
    told, address = cutting.cut(_lines(words).strip()), cutting.cut(mail.strip())
    found = [*told.found, *address.found]
    files: list[tuple[str, str]] = []
    for number, upload in enumerate(uploads, 1):
        if number > MOST_FILES:
            raise FileRefused(NoFile.TOO_MANY)
        name, text = _name(upload.name or "", number), cutting.cut(_text(upload))
        if text.text.strip():
            files.append((name.text, text.text[:LONGEST_FILE]))
            found += [*name.found, *text.found]
    return Given(told.text, address.text, tuple(files), tuple(found))


def too_long(one: Given) -> bool:
    """Whether the words are more than one inquiry takes."""
    return len(one.words) > LONGEST


def _text(upload: Upload) -> str:
    """A file's text. Raises FileRefused for what is none."""
    if (upload.size or 0) > MOST_BYTES:
        raise FileRefused(NoFile.TOO_LARGE)
    raw = upload.read()
    if raw.startswith(_NO_TEXT):
        raise FileRefused(NoFile.NO_TEXT)
    for encoding in ("utf-16",) if raw.startswith(_MARKS) else _ENCODINGS:
        try:
            text = _lines(raw.decode(encoding))
        except UnicodeDecodeError:
            continue
        if all(sign in "\n\t\f" or unicodedata.category(sign) not in _NO_SIGNS for sign in text):
            if len(text) > LONGEST_FILE:
                raise FileRefused(NoFile.TOO_LARGE)
            return text
    raise FileRefused(NoFile.NO_TEXT)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _name(text: str, number: int) -> Cut:
    """What a file is called, without signs that are none of a name."""
    whole = "".join(one for one in text.replace("\\", "/").rpartition("/")[2] if one.isprintable())
    named = cutting.cut(whole)
    return Cut(named.text[:LONGEST_NAME] or f"{number}.txt", named.found)
