"""What was found out and decided while the platform could not be used: brought into the book, once.

People write it into a TOML file beside an incident's copy. A record is known by what it says; brought again
it is there already, and one that was reworded comes as another. docs/incident-copy.md describes the file.
"""

import hashlib
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from noren.errors import BadField
from noren.incidents import book
from noren.incidents.book import Kind
from noren.people import incidents

FILE: Final = "outside.toml"
KINDS: Final = (Kind.FACT, Kind.NOTE, Kind.TASK, Kind.DECISION)
_SAYS: Final = ("kind", "at", "by", "text", "because", "who")
_BY: Final = 100
BLANK: Final = """\
# What was found out, decided or is to be done while the platform could not be used.
# Write a record under the others for each; nothing is taken out of the book later.
# `noren incident bring-back` puts them into the incident's book, each once, marked as written outside.

incident = "{incident}"

# [[record]]
# kind = "decision"                  # fact, note, task or decision
# at = 2026-11-28T09:30:00+09:00     # when it happened or was decided, with its zone
# by = "Aoi Sato, by phone"          # who says so
# text = "The shop's page stays closed."
# because = "Nobody knows yet whether the way in is shut."   # of a decision
# who = "Kei"                        # of a task
"""


class OutsideRefused(ValueError):
    """A file that cannot be brought back as it is; the words say which record, and why."""


@dataclass(frozen=True, slots=True)
class Outside:
    """One record as somebody wrote it elsewhere: at which time, by whom."""

    kind: Kind
    at: datetime
    by: str
    said: dict[str, str]

    def words(self, incident: str) -> str:
        """Return what the book says of it. Raises BadField."""
        more = {"when": self.at.isoformat(), "wrote": self.by, "outside": self.known_by(incident)}
        return book.say(self.kind, **self.said, **more)

    def known_by(self, incident: str) -> str:
        """Return what tells it from every other one."""
        told = [incident, self.kind, self.at.astimezone(UTC).isoformat(), self.by, sorted(self.said.items())]
        return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()[:32]


def read(text: str, incident: str) -> list[Outside]:
    """Read the file of this incident; all of it fits or nothing is brought. Raises OutsideRefused."""
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise OutsideRefused(f"it is not TOML: {fault}.") from None
    if told.get("incident") != incident:
        raise OutsideRefused(f"it is of the incident {told.get('incident', '(none)')}, not of {incident}.")
    records = told.get("record", [])
    if set(told) - {"incident", "record"} or not isinstance(records, list):
        raise OutsideRefused("beside `incident` there are only [[record]] tables.")
    found = [_record(number, one) for number, one in enumerate(records, start=1)]
    for number, one in enumerate(found, start=1):
        try:
            one.words(incident)
        except BadField as bad:
            lacks = ", ".join(f"{name} ({why})" for name, why in bad.reasons.items())
            raise OutsideRefused(f"record {number}: {lacks}.") from None
    return found


def bring(grant: str | None, incident: str, records: Sequence[Outside]) -> tuple[int, int]:
    """Add those that are not in the book; give how many were added, and how many were there.

    Raises as `incidents.add` does; what was added until then stays, and is found by the next try.
    """
    work = book.workspace(incidents.read(grant, incident).records)
    there = {line.said.get("outside") for line in work.lines}
    added = 0
    for one in records:
        known = one.known_by(incident)
        if known not in there:
            incidents.add(grant, incident, one.kind, one.words(incident))
            there.add(known)
            added += 1
    return added, len(records) - added


def _record(number: int, told: Any) -> Outside:
    if not isinstance(told, dict) or set(told) - set(_SAYS):
        raise OutsideRefused(f"record {number}: it says {', '.join(_SAYS)}, and nothing else.")
    kind, at = told.get("kind"), told.get("at")
    if kind not in KINDS:
        raise OutsideRefused(f"record {number}: kind is one of {', '.join(KINDS)}.")
    if not isinstance(at, datetime) or book.instant(at.isoformat()) is None:
        raise OutsideRefused(f"record {number}: at is a time with its zone, 2026-11-28T09:30:00+09:00.")
    said = {name: told[name] for name in _SAYS[2:] if name in told}
    if not all(isinstance(value, str) for value in said.values()):
        raise OutsideRefused(f"record {number}: write {', '.join(_SAYS[2:])} between quotation marks.")
    by = str(said.pop("by", "")).strip()
    if not by or len(by) > _BY:
        raise OutsideRefused(f"record {number}: by says who wrote it, in at most {_BY} letters.")
    return Outside(Kind(kind), at, by, said)
