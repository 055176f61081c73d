"""An export as a CSV file: RFC 4180 in UTF-8 with its mark, and nothing in it that a spreadsheet would run.

A cell that begins as a formula does gets an apostrophe in front, which a spreadsheet shows as text and
`importing` takes away again; one that begins with apostrophes and then so gets one more, so that each cell
comes back as it was.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
_FORMULA: Final = re.compile("'*[=+\\-@\t\r\n\x00＝＋－＠]")
_GUARDED: Final = re.compile("''*[=+\\-@\t\r\n\x00＝＋－＠]")


def guarded(cell: str) -> str:
    """Make a cell that no spreadsheet runs."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """Give the cell that was guarded, or the cell itself."""
    return cell[1:] if _GUARDED.match(cell) else cell


def text(fields: Sequence[str], pieces: Iterable[Sequence[Sequence[str]]], language: str) -> Iterator[str]:
    """Give the file piece by piece, the mark and the headings first; `language` is ja or en."""
    yield MARK + _lines([[HEADINGS[language][name] for name in fields]])
    for rows in pieces:
        yield _lines(rows)


def _lines(rows: Iterable[Sequence[str]]) -> str:
    told = io.StringIO(newline="")
    # Every cell in quotes: a line end or a separator of another country in it stays within.
    csv.writer(told, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(
        [guarded(cell) for cell in row] for row in rows
    )
    return told.getvalue()
