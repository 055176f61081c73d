"""Is a notice that is shown the one that the ledger says? Asked of the vault, once for many readers.

What the ledger has once said of a version it says for ever, so it is remembered in this process; a row that
is changed in the database no longer has the remembered hash. Without an answer the page says "not checked".
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from noren.booking.doctor import Finding
from noren.errors import LedgerUnavailable, VaultUnavailable
from noren.incidents.models import NoticeVersion
from noren.incidents.notice_text import digest
from noren.people import notices as door

_AGAIN: Final = timedelta(seconds=60)
_SOON: Final = timedelta(seconds=2)
_SECONDS: Final = 5.0
Place = tuple[str, int, int]


class Verdict(StrEnum):
    """How a version stands to the ledger."""

    PROVED = "proved"
    CHANGED = "changed"
    UNPROVED = "unproved"
    UNCHECKED = "unchecked"


@dataclass(slots=True)
class _Known:
    """What the ledger has said, what it was asked for in vain, when it last answered, when it did not."""

    said: dict[Place, list[door.Said]] = field(default_factory=dict)
    absent: set[Place] = field(default_factory=set)
    asked: datetime | None = None
    failed: datetime | None = None


_known = _Known()


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on each version, and the places that the ledger knows and the database has not."""

    verdicts: dict[Place, Verdict]
    missing: tuple[Place, ...]

    def of(self, row: NoticeVersion) -> Verdict:
        """The verdict on a row."""
        return self.verdicts[_place(row)]


def check(rows: Iterable[NoticeVersion], now: datetime, *, notice: str = "") -> Checked:
    """Hold all rows of a notice, or all that there are, against the ledger."""
    found = {_place(row): row for row in rows}
    _learn(found, now)
    verdicts = {place: _verdict(row) for place, row in found.items()}
    missing = [place for place in _known.said if place not in found and notice in ("", place[0])]
    return Checked(verdicts, tuple(sorted(missing)))


def _learn(rows: dict[Place, NoticeVersion], now: datetime) -> None:
    """Ask the ledger anew where it was asked too long ago, or a row is new; after a fault 2 seconds later."""
    new = any(place not in _known.said and place not in _known.absent for place in rows)
    if _lately(_known.failed, now, _SOON) or not (new or not _lately(_known.asked, now, _AGAIN)):
        return
    try:
        said = _by_place(door.said(seconds=_SECONDS))
    except (VaultUnavailable, LedgerUnavailable):
        _known.failed = now
        return
    _known.said, _known.absent = said, {place for place in rows if place not in said}
    _known.asked, _known.failed = now, None


def _lately(at: datetime | None, now: datetime, within: timedelta) -> bool:
    return at is not None and timedelta(0) <= now - at < within


def _by_place(answer: Iterable[door.Said]) -> dict[Place, list[door.Said]]:
    said: dict[Place, list[door.Said]] = {}
    for one in answer:
        said.setdefault((one.notice, one.number, one.version), []).append(one)
    return said


def forget() -> None:
    """Know nothing: the next look asks."""
    _known.said, _known.absent, _known.asked, _known.failed = {}, set(), None, None


def _verdict(row: NoticeVersion) -> Verdict:
    said = _known.said.get(_place(row))
    if said is None:
        return Verdict.UNPROVED if _place(row) in _known.absent else Verdict.UNCHECKED
    return Verdict.PROVED if any(_fits(row, one) for one in said) else Verdict.CHANGED


def _fits(row: NoticeVersion, said: door.Said) -> bool:
    told = (digest(row.text), row.entry, row.published_at, row.alone)
    return told == (said.hash, said.entry, said.at, said.alone)


def _place(row: NoticeVersion) -> Place:
    return row.notice, row.number, row.version


def examine() -> list[Finding]:
    """For the doctor: every stored text is the ledger's, and none is missing."""
    rows = list(NoticeVersion.objects.all())
    try:
        said = _by_place(door.said())
    except (VaultUnavailable, LedgerUnavailable):
        # That the vault does not answer is a finding already.
        return []
    found = []
    for row in rows:
        place = _place(row)
        if place not in said:
            found.append(Finding("notice_unproved", _words(place)))
        elif not any(_fits(row, one) for one in said[place]):
            found.append(Finding("notice_changed", _words(place)))
    there = {_place(row) for row in rows}
    return found + [Finding("notice_missing", _words(place)) for place in sorted(said) if place not in there]


def _words(place: Place) -> str:
    return f"{place[0]}, update {place[1]}, version {place[2]}"
