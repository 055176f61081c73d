"""A list of customers as a CSV file gives it: rows with stable keys, and what is wrong with which line.

Nothing here repeats what a row contains: a report of an import can be shown and kept.
"""

import csv
import hashlib
import hmac
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from noren.people.exporting import unguarded
from noren.people.model import BadRow, Row

FIELDS = ("name", "kana", "mail", "phone", "note")
_ID = "id"
_HEADINGS: Mapping[str, tuple[str, ...]] = {
    _ID: ("id", "key", "no", "顧客番号", "会員番号", "番号"),
    "name": ("name", "氏名", "名前", "お名前", "顧客名"),
    "kana": ("kana", "フリガナ", "ふりがな", "カナ", "氏名カナ", "氏名(カナ)"),
    "mail": ("mail", "email", "e-mail", "メール", "メールアドレス"),
    "phone": ("phone", "tel", "電話", "電話番号", "携帯", "携帯電話"),
    "note": ("note", "備考", "メモ"),
    "last name": ("last name", "last_name", "姓"),
    "first name": ("first name", "first_name", "名"),
    "last kana": ("last kana", "セイ", "姓カナ"),
    "first kana": ("first kana", "メイ", "名カナ"),
}
_BY_HEADING = {heading: name for name, headings in _HEADINGS.items() for heading in headings}
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


class NotAList(ValueError):
    """The file is no list of customers at all; the message says why."""


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


def decode(raw: bytes) -> str:
    """Read UTF-8, with or without its mark, or else what Excel writes in Japan. Raises NotAList."""
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NotAList("The file is neither UTF-8 nor Shift_JIS (CP932).")


def read(raw: bytes, secret: bytes) -> CustomerList:
    """Read a file. `secret` keys the hash that is the key of a row without an id. Raises NotAList."""
    lines = csv.reader(io.StringIO(decode(raw), newline=""), strict=True)
    found = CustomerList()
    try:
        names = _heading(next(lines, []))
        before = lines.line_num
        for cells in lines:
            _take(found, names, cells, before + 1, secret)
            before = lines.line_num
    except csv.Error as error:
        raise NotAList(f"Line {lines.line_num} is no CSV: {error}.") from error
    return found


def _heading(cells: Sequence[str]) -> list[str | None]:
    """Return what each column is; None for one that is not known."""
    names = [_BY_HEADING.get(unicodedata.normalize("NFKC", cell).strip().lower()) for cell in cells]
    if "name" not in names and "last name" not in names:
        raise NotAList(
            "The first line must name the columns: id, name, kana, mail, phone, note (or 氏名 ...)."
        )
    return names


def _take(
    found: CustomerList, names: Sequence[str | None], cells: Sequence[str], line: int, secret: bytes
) -> None:
    if not any(cell.strip() for cell in cells):
        return
    if len(cells) > len(names):
        found.faults.append(Fault(line, "row", "columns"))
        return
    values = {name: unguarded(cell) for name, cell in zip(names, cells, strict=False) if name is not None}
    for whole, last, first in (("name", "last name", "first name"), ("kana", "last kana", "first kana")):
        parts = [values.pop(last, "").strip(), values.pop(first, "").strip()]
        if whole not in values:
            values[whole] = " ".join(part for part in parts if part)
    key = _key(values, secret)
    found.lines.setdefault(key, []).append(line)
    given = {name: values[name] for name in FIELDS if values.get(name, "").strip()}
    found.rows.append(Row(key, given))


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
