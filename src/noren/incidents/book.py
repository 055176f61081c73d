"""An incident's book, and what it says by now: a fold over its records, pure.

Nothing of it is ever changed. A record says one thing as JSON in its words; what it says of an earlier one it
says by its number. What cannot be read here is shown as it is: a book outlives the code that wrote it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from noren.errors import BadField
from noren.incidents.duties import LAWS, Leak
from noren.incidents.scope import END_YEAR, FIRST_YEAR
from noren.people.containment import PATHS
from noren.people.incidents import LONGEST, Record

LONGEST_TITLE: Final = 120


class Kind(StrEnum):
    """What a record does. `opened`, `member`, `handed`, `read` and `telling` are the vault's own."""

    OPENED = "opened"
    MEMBER = "member"
    # What is known to have happened, with its own time, and what somebody wants to say.
    FACT = "fact"
    NOTE = "note"
    SEVERITY = "severity"
    STATE = "state"
    COMMANDER = "commander"
    # When it became known, of how many persons, of which kinds by law: the terms run from it.
    KNOWN = "known"
    HYPOTHESIS = "hypothesis"
    # What somebody makes of a hypothesis by now.
    WEIGHED = "weighed"
    TASK = "task"
    DONE = "done"
    DECISION = "decision"
    # A file from elsewhere, by its hash.
    EVIDENCE = "evidence"
    # A question of whose data, and its answer in numbers (asked.py).
    SCOPE = "scope"
    # A shop was told: of what its duties run from.
    TOLD = "told"
    # A shop's pack was handed over into its console, which tells it; and the shop has read it.
    HANDED = "handed"
    READ = "read"
    # An item of a report as a person wrote it, and a report that was filed.
    ITEM = "item"
    FILED = "filed"
    # A path that is looked into, and from when to when: the timeline takes the ledger's facts of it.
    SUSPECT = "suspect"
    # What is about to be done against it, with what stood before; and how that ended.
    CONTAIN = "contain"
    CONTAINED = "contained"
    # What an earlier record should have said. Both stay.
    CORRECTION = "correction"
    # A copy of all of it left, under a passphrase or a key, by the file's hash (copies.py).
    COPIED = "copied"
    # That people were told, and of what: written by the vault itself.
    TELLING = "telling"


SEVERITIES: Final = ("minor", "major", "critical")
STATES: Final = ("investigating", "identified", "contained", "resolved", "closed")
WEIGHTS: Final = ("open", "supported", "refuted")
DEEDS: Final = ("end_grants", "freeze", "thaw", "hold", "release", "block", "open", "revoke", "reset")
OUTCOMES: Final = ("done", "failed")
# What a record of each kind must say; what it may say stands behind it.
_MUST: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.OPENED: ("title",),
    Kind.FACT: ("text",),
    Kind.NOTE: ("text",),
    Kind.SEVERITY: ("level",),
    Kind.STATE: ("state",),
    Kind.COMMANDER: ("handle",),
    Kind.KNOWN: ("at",),
    Kind.HYPOTHESIS: ("text",),
    Kind.WEIGHED: ("of", "weight"),
    Kind.TASK: ("text",),
    Kind.DONE: ("of",),
    Kind.DECISION: ("text", "because"),
    Kind.EVIDENCE: ("name", "sha256"),
    Kind.SCOPE: ("question", "size", "root", "sha256"),
    Kind.TOLD: ("shop", "at", "how"),
    Kind.HANDED: ("shop", "at", "how", "sections", "scope"),
    Kind.ITEM: ("form", "item", "text"),
    Kind.FILED: ("form", "step", "at"),
    Kind.SUSPECT: ("path", "name", "since"),
    Kind.CONTAIN: ("deed",),
    Kind.CONTAINED: ("of", "outcome"),
    Kind.CORRECTION: ("of", "text"),
    Kind.COPIED: ("sha256", "records", "under"),
}
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "level": SEVERITIES,
    "state": STATES,
    "weight": WEIGHTS,
    "path": PATHS,
    "deed": DEEDS,
    "outcome": OUTCOMES,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One record as it is shown in time. `when`: when it happened, where somebody said so, else when it was
    written. `said` is what could be read of its words.
    """

    record: Record
    when: datetime
    said: Mapping[str, Any]
    corrections: tuple[Record, ...] = ()

    @property
    def kind(self) -> str:
        return self.record.kind

    @property
    def text(self) -> str:
        """Its own words."""
        return str(self.said.get("text") or self.said.get("title") or "")

    @property
    def told_later(self) -> bool:
        """Whether it was written down for another moment than the one of writing."""
        return self.when != self.record.at


@dataclass(frozen=True, slots=True)
class Suspect:
    """A path that is looked into; without `until` to this day."""

    number: int
    path: str
    name: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """A hypothesis, a task or a deed, with what was said of it since. `state` is a weight, or open and done;
    of a deed that was begun and of whose end nothing is known it is open.
    """

    line: Line
    state: str
    since: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a book says by now."""

    title: str
    opened: datetime
    severity: str = "major"
    state: str = "investigating"
    commander: str = ""
    known: Leak | None = None
    laws: tuple[str, ...] = LAWS
    lines: tuple[Line, ...] = ()
    hypotheses: tuple[Thread, ...] = ()
    tasks: tuple[Thread, ...] = ()
    decisions: tuple[Line, ...] = ()
    evidence: tuple[Line, ...] = ()
    scopes: tuple[Line, ...] = ()
    told: tuple[Line, ...] = ()
    """That shops were told, by a pack or otherwise."""
    read: tuple[Line, ...] = ()
    """That shops have read their packs."""
    items: tuple[Line, ...] = ()
    filed: tuple[Line, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    deeds: tuple[Thread, ...] = ()
    unread: tuple[int, ...] = field(default=())
    """Numbers of the records that cannot be read."""


def say(kind: Kind, **said: Any) -> str:
    """Return a record's words. Raises BadField for what a record of this kind cannot say."""
    for name in _MUST[kind]:
        if not said.get(name):
            raise BadField(field=name, reason="empty")
    for name, choices in _CHOICES.items():
        if name in said and said[name] not in choices:
            raise BadField(field=name, reason="unknown")
    if len(str(said.get("title", ""))) > LONGEST_TITLE:
        raise BadField(field="title", reason="too_long")
    words = json.dumps(
        {name: value for name, value in said.items() if value not in ("", None)}, ensure_ascii=False
    )
    if len(words) > LONGEST:
        raise BadField(field="text", reason="too_long")
    return words


def title_of(words: str) -> str:
    """Return the title with which a book was opened, for a list of them."""
    said = _read(words)
    return str(said.get("title", "")) or words[:LONGEST_TITLE]


def said_in(record: Record) -> str:
    """Return what a record says in prose."""
    return str(_read(record.words).get("text", ""))


def workspace(records: Iterable[Record]) -> Workspace:
    """Return what the records say together, in their order."""
    there = list(records)
    first = there[0]
    found = Workspace(title_of(first.words), first.at, commander=first.by if first.by != "admin" else "")
    lines: dict[int, Line] = {}
    for record in there:
        said = _read(record.words)
        lines[record.number] = Line(record, _when(record, said), said)
        found = _take(found, record, said)
    corrected = _corrected(lines)
    return replace(
        found,
        lines=tuple(sorted(corrected.values(), key=lambda line: (line.when, line.record.number))),
        hypotheses=_threads(corrected, Kind.HYPOTHESIS, Kind.WEIGHED),
        tasks=_threads(corrected, Kind.TASK, Kind.DONE),
        decisions=_of_kind(corrected, Kind.DECISION),
        evidence=_of_kind(corrected, Kind.EVIDENCE),
        scopes=_of_kind(corrected, Kind.SCOPE),
        told=_of_kind(corrected, Kind.TOLD, Kind.HANDED),
        read=_of_kind(corrected, Kind.READ),
        items=_of_kind(corrected, Kind.ITEM),
        filed=_of_kind(corrected, Kind.FILED),
        suspects=_suspects(corrected),
        deeds=_threads(corrected, Kind.CONTAIN, Kind.CONTAINED),
        unread=tuple(number for number, line in lines.items() if not line.said),
    )


def _take(found: Workspace, record: Record, said: Mapping[str, Any]) -> Workspace:
    """What one record changes of the whole."""
    match record.kind:
        case Kind.SEVERITY if said.get("level") in SEVERITIES:
            return replace(found, severity=said["level"])
        case Kind.STATE if said.get("state") in STATES:
            return replace(found, state=said["state"])
        case Kind.COMMANDER if said.get("handle"):
            return replace(found, commander=str(said["handle"]))
        case Kind.KNOWN if (leak := _leak(said)) is not None:
            return replace(
                found, known=leak, laws=tuple(law for law in LAWS if law in _list(said, "laws", LAWS))
            )
    return found


def _leak(said: Mapping[str, Any]) -> Leak | None:
    at, persons = instant(said.get("at")), said.get("persons")
    if at is None:
        return None
    number = persons if type(persons) is int and persons >= 0 else None
    return Leak(at, number, frozenset(str(kind) for kind in _list(said, "kinds", ())))


def _threads(lines: Mapping[int, Line], begins: Kind, goes_on: Kind) -> tuple[Thread, ...]:
    found = []
    for number, line in lines.items():
        if line.kind != begins:
            continue
        since = [
            other for other in lines.values() if other.kind == goes_on and other.said.get("of") == number
        ]
        state = "open"
        if since:
            said = since[-1].said
            state = "done" if goes_on is Kind.DONE else str(said.get("weight") or said.get("outcome", "open"))
        found.append(Thread(line, state, tuple(since)))
    return tuple(found)


def _of_kind(lines: Mapping[int, Line], *kinds: Kind) -> tuple[Line, ...]:
    return tuple(line for line in lines.values() if line.kind in kinds)


def _suspects(lines: Mapping[int, Line]) -> tuple[Suspect, ...]:
    found = []
    for number, line in lines.items():
        since, said = instant(line.said.get("since")), line.said
        if line.kind == Kind.SUSPECT and since is not None and said.get("path") in PATHS and said.get("name"):
            until = instant(said.get("until"))
            found.append(Suspect(number, str(said["path"]), str(said["name"]), since, until))
    return tuple(found)


def _corrected(lines: Mapping[int, Line]) -> dict[int, Line]:
    found = dict(lines)
    for line in lines.values():
        of = line.said.get("of")
        if line.kind == Kind.CORRECTION and type(of) is int and of in found and of < line.record.number:
            found[of] = replace(found[of], corrections=(*found[of].corrections, line.record))
    return found


def _list(said: Mapping[str, Any], name: str, usual: Sequence[str]) -> Sequence[Any]:
    told = said.get(name, usual)
    return told if isinstance(told, list) else usual


def _when(record: Record, said: Mapping[str, Any]) -> datetime:
    return instant(said.get("when")) or record.at


def instant(text: object) -> datetime | None:
    """Read an instant as a record has it; None for what is none, or of a year in which nothing can be told by
    every clock and reckoned with.
    """
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo is not None and FIRST_YEAR <= at.year < END_YEAR else None


def _read(words: str) -> Mapping[str, Any]:
    """What the words say; nothing where they are no object."""
    try:
        said = json.loads(words)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
