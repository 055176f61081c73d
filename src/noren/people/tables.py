"""A CSV file as a table of cells: in which letters it was written, and what parts its columns.

Both are found, and both can be said by whoever looks at the table and sees that they were found wrongly.
Nothing here repeats what a cell contains.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

CHARSETS: Final = ("utf-8", "cp932", "utf-16", "euc_jp")
SEPARATORS: Final = (",", "\t", ";")
MOST_COLUMNS: Final = 100
# So many bytes of a file without a mark are looked at for what UTF-16 has and no other has: zeros.
_LOOKED_AT: Final = 4096


class NotAList(ValueError):
    """The file is no list at all; the message says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """`number` counts from 1, the heading included: the first line of the file that the row stands on."""

    number: int
    cells: tuple[str, ...]


@dataclass(slots=True)
class Table:
    charset: str
    separator: str
    heading: tuple[str, ...]
    lines: list[Line] = field(default_factory=list)
    """Without those that are empty."""


def charset_of(raw: bytes) -> str:
    """Find in which letters a file was written: by its mark, else strictly UTF-8, else what Excel writes in
    Japan. Raises NotAList.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _unmarked(raw):
        return "utf-16"
    for charset in ("utf-8", "cp932"):
        try:
            decoded(raw, charset)
        except NotAList:
            continue
        return charset
    raise NotAList("The file is neither UTF-8 nor Shift_JIS (CP932).")


def decoded(raw: bytes, charset: str) -> str:
    """Read all of a file in these letters, its mark taken away. Raises NotAList."""
    name = _unmarked(raw) or "utf-16" if charset == "utf-16" else charset
    try:
        text = raw.decode("utf-8-sig" if name == "utf-8" else name)
    except UnicodeDecodeError as error:
        raise NotAList(f"The file cannot be read as {charset}.") from error
    if "\x00" in text:
        raise NotAList(f"The file is no text in {charset}.")
    return text


def _unmarked(raw: bytes) -> str:
    """Return which UTF-16 it is without a mark: its ASCII letters, the commas at least, leave zeros."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or len(raw) % 2 or not raw:
        return ""
    even, odd = raw[:_LOOKED_AT:2], raw[1:_LOOKED_AT:2]
    if not even.count(0) and odd.count(0):
        return "utf-16-le"
    return "utf-16-be" if even.count(0) and not odd.count(0) else ""


def separator_of(text: str) -> str:
    """Find what parts the columns: what stands most often in the first line, outside quotes."""
    counted, quoted = dict.fromkeys(SEPARATORS, 0), False
    for letter in text:
        if letter == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif letter in "\r\n":
            break
        elif letter in counted:
            counted[letter] += 1
    return max(SEPARATORS, key=lambda each: counted[each])


def read(raw: bytes, charset: str = "", separator: str = "") -> Table:
    """Read a file; what is not said is found. Raises NotAList."""
    if charset not in CHARSETS:
        charset = charset_of(raw)
    text = decoded(raw, charset)
    if separator not in SEPARATORS:
        separator = separator_of(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        table = Table(charset, separator, tuple(cell.strip() for cell in next(reader, [])))
        table.lines = list(_lines(reader))
    except csv.Error as error:
        raise NotAList(f"Line {reader.line_num} is no CSV: {error}.") from error
    if not table.heading or len(table.heading) > MOST_COLUMNS:
        raise NotAList("The first line must name the columns.")
    return table


def _lines(reader: Iterator[list[str]]) -> Iterator[Line]:
    before: int = reader.line_num  # type: ignore[attr-defined]
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield Line(before + 1, tuple(cells))
        before = reader.line_num  # type: ignore[attr-defined]
