"""A log read from its beginning and held against what the ledger has of it. Used at each start, and by the
doctor.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from noren.doors import log
from noren.doors.judge import Judge, Stranger
from noren.doors.log import Place, Session
from noren.people.doors import Digest

RETIRED = "retired"
ACTIVITY = "activity"


@dataclass(slots=True)
class Walked:
    """What was found: where reading ended, foreign sessions and changed or missing files, and what came after
    the newest digest.
    """

    place: Place | None = None
    strangers: list[Stranger] = field(default_factory=list)
    ended: dict[str, float] = field(default_factory=dict)
    opened: int = 0
    refused: int = 0


def about(why: str, file: str) -> Stranger:
    """A sign that is about a file of the log, not about a session."""
    return Stranger(why, Session(file, 0, "", "", "", 0, ""))


def walk(folder: Path, judge: Judge, digests: Iterable[Digest]) -> Walked:
    """Read all that is there. Every digest of a file must be met on the way; `judge` sees every line."""
    wanted, retired, newest = _wanted(digests)
    walked, changed = Walked(), set()
    for event in log.read(folder, None):
        place = walked.place = event.place
        chains = wanted.get(place.file, {}).pop(place.size, None)
        if event.what == "unreadable" or (chains is not None and chains != {place.chain}):
            changed.add(place.file)
        fresh = newest is None or (place.file, place.size) > newest
        walked.opened += fresh and event.what == "opened"
        walked.refused += fresh and event.what == "refused"
        stranger = judge.see(event)
        if stranger is not None:
            walked.strangers.append(stranger)
        elif event.what == "ended" and event.session is not None:
            walked.ended[event.session.id] = event.at
        elif event.what == "restarted":
            for one in walked.strangers:
                walked.ended.setdefault(one.session.id, event.at)
    there = log.files(folder)
    for file, left in sorted(wanted.items()):
        if file not in there and file not in retired:
            walked.strangers.append(about("log_missing", file))
        elif file in changed or (left and file in there):
            changed.add(file)
    walked.strangers += [about("log_changed", file) for file in sorted(changed)]
    return walked


def proved(folder: Path, place: Place) -> bool:
    """Whether the file still begins with exactly what was read of it."""
    for event in log.read(folder, Place.begin(place.file)):
        if event.place.file != place.file or event.place.size > place.size:
            return False
        if event.place.size == place.size:
            return event.place.chain == place.chain
    return place.size == 0


def _wanted(
    digests: Iterable[Digest],
) -> tuple[dict[str, dict[int, set[str]]], set[str], tuple[str, int] | None]:
    wanted: dict[str, dict[int, set[str]]] = {}
    retired: set[str] = set()
    newest = None
    for one in digests:
        if one.file == ACTIVITY:
            continue
        if one.note == RETIRED:
            retired.add(one.file)
            wanted.pop(one.file, None)
            continue
        places = wanted.setdefault(one.file, {})
        if one.size:
            places.setdefault(one.size, set()).add(one.chain)
        newest = one.file, one.size
    return wanted, retired, newest
