"""An export as a CSV file: RFC 4180 in UTF-8 with its mark, and nothing in it that a spreadsheet would run.

A cell that begins as a formula does gets an apostrophe in front, which a spreadsheet shows as text and
`importing` takes away again; one that begins with apostrophes and then so gets one more, so that each cell
comes back as it was.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# In Japan Excel takes a file without it for Shift_JIS.
MARK: Final = "\ufeff"
HEADINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "ja": {
        "name": "氏名",
        "kana": "フリガナ",
        "mail": "メールアドレス",
        "phone": "電話番号",
        "note": "備考",
    },
    "en": {"name": "name", "kana": "kana", "mail": "mail", "phone": "phone", "note": "note"},
}
CHARSETS: Final = ("utf-8", "cp932", "either")
# What stands for a character that Shift_JIS does not have.
GETA: Final = "〓"
# One character in two standards: what Excel and Windows write in Shift_JIS for it, and read back as.
_SAME: Final = str.maketrans("〜−—‖¢£¬\u00a5\u203e", "～－―∥￠￡￢\\~")
_FORMULA: Final = re.compile("'*[=+\\-@\t\r\n\x00＝＋－＠\u2212]")
_GUARDED: Final = re.compile("''*[=+\\-@\t\r\n\x00＝＋－＠\u2212]")


def guarded(cell: str) -> str:
    """Make a cell that no spreadsheet runs."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """Give the cell that was guarded, or the cell itself."""
    return cell[1:] if _GUARDED.match(cell) else cell


@dataclass(frozen=True, slots=True)
class Written:
    """A file whole: in which characters, and how many of its own those do not have."""

    raw: bytes
    charset: str
    lost: int


def written(parts: Iterable[str], charset: str) -> Written:
    """Write it in Shift_JIS as Excel in Japan reads it, what that does not have as 〓; `either`: then in
    UTF-8, where nothing is lost.
    """
    told = "".join(parts)
    plain = told.removeprefix(MARK).translate(_SAME)
    lost = sum(1 for letter in plain if not _has(letter))
    if lost and charset == "either":
        return Written(told.encode(), "utf-8", 0)
    kept = plain if not lost else "".join(letter if _has(letter) else GETA for letter in plain)
    return Written(kept.encode("cp932"), "cp932", lost)


def _has(letter: str) -> bool:
    try:
        letter.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


def text(fields: Sequence[str], pieces: Iterable[Sequence[Sequence[str]]], language: str) -> Iterator[str]:
    """Give the file piece by piece, the mark and the headings first; `language` is ja or en."""
    yield MARK + lines([[HEADINGS[language][name] for name in fields]])
    for rows in pieces:
        yield lines(rows)


def lines(rows: Iterable[Sequence[str]]) -> str:
    """Give rows as lines of a file that no spreadsheet runs anything of."""
    told = io.StringIO(newline="")
    # Every cell in quotes: a line end or a separator of another country in it stays within.
    csv.writer(told, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(
        [guarded(cell) for cell in row] for row in rows
    )
    return told.getvalue()
