"""A list of customers as a CSV file gives it: rows with stable keys, and what is wrong with which line.

Nothing here repeats what a row contains: a report of an import can be shown and kept.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from noren.people import columns, mended, tables
from noren.people.columns import Reading
from noren.people.exporting import unguarded
from noren.people.model import BadRow, Row
from noren.people.tables import Line, NotAList, Table

FIELDS = ("name", "kana", "mail", "phone", "note")
_ID = "id"
_PARTS: Final = (("name", "last name", "first name"), ("kana", "last kana", "first kana"))
_DIGITS = re.compile(r"\D")

WORDS: Mapping[str, str] = {
    "empty": "is missing",
    "too_long": "is too long",
    "control": "holds characters that cannot be printed",
    "mail": "is no mail address",
    "phone": "is no phone number; a number of another country begins with +",
    "digits": "is not made of digits",
    "not_text": "is no text",
    "unknown": "is not a field of a customer",
    "columns": "has more columns than the heading",
    "double": "is the same as an earlier one",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """`line` counts from 1, the heading included; `reason` is a code of WORDS."""

    line: int
    field: str
    reason: str

    def words(self) -> str:
        return f"line {self.line}: {self.field} {WORDS.get(self.reason, self.reason)}"


@dataclass(slots=True)
class CustomerList:
    rows: list[Row] = field(default_factory=list)
    """Doubles included: who takes the rows tells of them."""
    lines: dict[str, list[int]] = field(default_factory=dict)
    """The lines of each key."""
    faults: list[Fault] = field(default_factory=list)
    """Lines that are no rows."""
    mended: dict[str, int] = field(default_factory=dict)
    """How many cells of each field were mended."""

    @property
    def doubles(self) -> int:
        """How many lines say again who stands on an earlier one."""
        return len(self.rows) - len(self.lines)

    def each_once(self) -> list[Row]:
        """Return the rows without those that say again who stands on an earlier line."""
        return list({row.key: row for row in reversed(self.rows)}.values())[::-1]

    def faults_with(self, bad: Sequence[BadRow]) -> list[Fault]:
        """Return all faults by line, those that were found when the rows were taken among them."""
        found = list(self.faults)
        doubles = {key: lines[1:] for key, lines in self.lines.items() if len(lines) > 1}
        for each in bad:
            if each.reason == "double":
                found.append(Fault(doubles[each.key].pop(0), "row", each.reason))
            else:
                found.append(Fault(self.lines[each.key][0], each.field, each.reason))
        return sorted(found, key=lambda fault: (fault.line, fault.field))


def read(raw: bytes, secret: bytes, reading: Reading | None = None) -> CustomerList:
    """Read a file. `secret` keys the hash that is the key of a row without an id. Raises NotAList."""
    table, names = opened(raw, reading or Reading())
    if "name" not in names and "last name" not in names:
        raise NotAList(
            "The first line must name the columns: id, name, kana, mail, phone, note (or 氏名 ...)."
        )
    return rows_of(table, names, secret)


def opened(raw: bytes, reading: Reading) -> tuple[Table, tuple[str, ...]]:
    """Give the table, and what each of its columns is: as it is said, or guessed. Raises NotAList."""
    table = tables.read(raw, reading.charset, reading.separator)
    said = len(reading.columns) == len(table.heading)
    return table, reading.columns if said else columns.guessed(table.heading, reading.kind)


def rows_of(table: Table, names: Sequence[str], secret: bytes) -> CustomerList:
    """Give the persons of a table as they would be stored."""
    found = CustomerList()
    for line in table.lines:
        if len(line.cells) > len(names):
            found.faults.append(Fault(line.number, "row", "columns"))
            continue
        row = row_of(values_of(line, names), secret, found.mended)
        found.lines.setdefault(row.key, []).append(line.number)
        found.rows.append(row)
    return found


def values_of(line: Line, names: Sequence[str]) -> dict[str, str]:
    """Give the cells of a line by what their columns are."""
    return {name: unguarded(cell) for name, cell in zip(names, line.cells, strict=False) if name}


def row_of(values: dict[str, str], secret: bytes, counted: dict[str, int]) -> Row:
    """Give the person of a line; `counted` counts what was mended."""
    for whole, last, first in _PARTS:
        parts = [values.pop(last, "").strip(), values.pop(first, "").strip()]
        if not values.get(whole, "").strip():
            values[whole] = " ".join(part for part in parts if part)
    for name, mend in mended.MENDS.items():
        before = values.get(name, "")
        values[name] = mend(before)
        if values[name] != before:
            counted[name] = counted.get(name, 0) + 1
    given = {name: values[name] for name in FIELDS if values.get(name, "").strip()}
    return Row(_key(values, secret), given)


def _key(values: Mapping[str, str], secret: bytes) -> str:
    """Return what makes a second run find the row again: its id, or a keyed hash of who it is."""
    own = values.get(_ID, "").strip()
    if own and len(own) <= 100:
        return f"id:{own}"
    return "row:" + hmac.digest(secret, "\x1f".join(_spelled(values)).encode(), hashlib.sha256).hex()


def _spelled(values: Mapping[str, str]) -> Iterator[str]:
    """One spelling of what identifies a person, so that a list exported anew gives the same keys."""
    yield "customers import"
    for name in ("name", "kana", "mail", "phone"):
        text = unicodedata.normalize("NFKC", values.get(name, "")).lower()
        yield _DIGITS.sub("", text) if name == "phone" else "".join(text.split())
