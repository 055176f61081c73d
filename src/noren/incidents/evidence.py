"""Lines of a file from elsewhere, put on our clock. Pure.

A line tells its time at its beginning (RFC 3339, or syslog's two), or as JSON under one of the usual names. A
time without a zone is taken as UTC; `skew` is by how many seconds the clock behind it is ahead of ours. A
line without a time belongs to the one before it. A file that is no text has no lines.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

MOST_SHOWN: Final = 200
LONGEST_LINE: Final = 500
_NAMES: Final = ("time", "timestamp", "@timestamp", "ts", "datetime", "date", "eventTime", "published")
_ISO: Final = re.compile(
    r"\W{0,2}(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?)", re.ASCII
)
# RFC 5424 has a priority and a version before its RFC 3339; RFC 3164 has no year.
_SYSLOG: Final = re.compile(r"<\d{1,3}>\d{0,2} ?", re.ASCII)
_OLD: Final = re.compile(r"([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d{2}:\d{2}:\d{2})(?= )", re.ASCII)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MILLISECONDS: Final = 10_000_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number, when it happened by our clock (None: it tells no time), and its words."""

    number: int
    at: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """The lines that were asked for, at most MOST_SHOWN, and how many there are; `timed`: tell a time."""

    lines: tuple[Line, ...]
    number: int
    timed: int
    text: bool


def find(
    content: bytes,
    *,
    skew: int,
    taken: datetime,
    words: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Found:
    """The lines with these words, of this time. `taken`: when the file came, for times without a year."""
    text = _text(content)
    if text is None:
        return Found((), 0, 0, text=False)
    shown: list[Line] = []
    number = timed = 0
    for line in _lines(text, skew, taken):
        timed += line.at is not None
        if words and words.casefold() not in line.text.casefold():
            continue
        if (since or until) and not _within(line.at, since, until):
            continue
        number += 1
        if len(shown) < MOST_SHOWN:
            shown.append(Line(line.number, line.at, line.text[:LONGEST_LINE]))
    return Found(tuple(shown), number, timed, text=True)


def _within(at: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    return at is not None and (since is None or at >= since) and (until is None or at <= until)


def _lines(text: str, skew: int, taken: datetime) -> Iterator[Line]:
    last: datetime | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        told = time_of(line, taken)
        if told is not None:
            try:
                last = told - timedelta(seconds=skew)
            except OverflowError:
                last = None
        yield Line(number, last, line)


def time_of(line: str, taken: datetime) -> datetime | None:
    """The time that a line tells, by its own clock."""
    if line.lstrip().startswith("{"):
        return _of_json(line)
    rest = _SYSLOG.sub("", line, count=1) if line.startswith("<") else line
    match = _ISO.match(rest)
    if match is not None:
        return _iso(match[1])
    old = _OLD.match(rest)
    return None if old is None else _of_no_year(old[1], old[2], old[3], taken)


def _of_json(line: str) -> datetime | None:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    for name in _NAMES:
        value = told.get(name) if isinstance(told, dict) else None
        if isinstance(value, str) and (match := _ISO.match(value)) is not None:
            return _iso(match[1])
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _posix(float(value))
    return None


def _posix(value: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(value / 1000 if abs(value) >= _MILLISECONDS else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _iso(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _of_no_year(month: str, day: str, clock: str, taken: datetime) -> datetime | None:
    """The last such day before the file came, one day of slack for a clock that is ahead."""
    if month not in _MONTHS:
        return None
    for year in (taken.year, taken.year - 1):
        at = _iso(f"{year}-{_MONTHS.index(month) + 1:02}-{int(day):02}T{clock}")
        if at is not None and at <= taken + timedelta(days=1):
            return at
    return None


def _text(content: bytes) -> str | None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text
