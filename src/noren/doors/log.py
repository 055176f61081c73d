"""A cluster's own connection log: JSON lines in files, read in their order, each line chained to the last.

The chain of a file begins with its name, and is SHA-256 over the chain so far and each line's bytes (its
newline included): a place names file, size in bytes and chain, and proves everything before it in the file.
"""

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

NAME: Final = re.compile(r"connections-\d{8}-\d{6}\.json", re.ASCII)
_LONGEST: Final = 1 << 20
_OPENED: Final = re.compile(r"(replication )?connection authorized: ")
_APPLICATION: Final = re.compile(r" application_name=(.*?)(?: SSL enabled \(.*)?$", re.DOTALL)
# invalid_authorization_specification, invalid_password
_REFUSED: Final = ("28000", "28P01")


@dataclass(frozen=True, slots=True)
class Place:
    """How far a file was read, and what proves it."""

    file: str
    size: int = 0
    chain: str = ""

    @classmethod
    def begin(cls, file: str) -> "Place":
        return cls(file, 0, hashlib.sha256(f"noren connection log v1\x00{file}".encode()).hexdigest())

    def after(self, line: bytes) -> "Place":
        chain = hashlib.sha256(bytes.fromhex(self.chain) + line).hexdigest()
        return Place(self.file, self.size + len(line), chain)


@dataclass(frozen=True, slots=True)
class Session:
    """One session as the server names it. `started` in POSIX seconds; `host` is `[local]` on the socket."""

    id: str
    pid: int
    login: str
    database: str
    host: str
    started: int
    application: str


@dataclass(frozen=True, slots=True)
class Event:
    """What a line says: `what` is opened, ended, refused, restarted, unreadable or other. `at` in seconds."""

    place: Place
    what: str
    session: Session | None = None
    at: float = 0


def files(folder: Path) -> list[str]:
    """Return the names of the files, the oldest first."""
    try:
        return sorted(one.name for one in folder.iterdir() if NAME.fullmatch(one.name))
    except FileNotFoundError:
        return []


def read(folder: Path, place: Place | None) -> Iterator[Event]:
    """Read on from a place (None: from the oldest file) to what is there now.

    A file that is gone yields nothing more: who keeps places notices. Half a line at the end of the newest
    file is left for the next time.
    """
    there = files(folder)
    if place is None:
        if not there:
            return
        place = Place.begin(there[0])
    if place.file in there:
        for event in _rest(folder, place, last=place.file == there[-1]):
            place = event.place
            yield event
    for name in there:
        if name > place.file:
            yield from _rest(folder, Place.begin(name), last=name == there[-1])


def _rest(folder: Path, place: Place, *, last: bool) -> Iterator[Event]:
    try:
        handle = os.open(folder / place.file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return
        file.seek(place.size)
        while line := file.readline(_LONGEST):
            if not line.endswith(b"\n") and last and len(line) < _LONGEST:
                return
            place = place.after(line)
            yield _event(place, line)


def _event(place: Place, line: bytes) -> Event:
    try:
        told = json.loads(line)
        at = _seconds(told["timestamp"])
        return _told(place, told, str(told.get("message", "")), at)
    except (ValueError, KeyError, TypeError, RecursionError):
        # A server that was killed may leave half a line at a file's end, and nowhere else.
        return Event(place, "unreadable" if line.endswith(b"\n") else "other")


def _told(place: Place, told: dict[str, Any], message: str, at: float) -> Event:
    severity = told.get("error_severity")
    if severity == "LOG" and told.get("backend_type") == "postmaster":
        return Event(place, "restarted" if message.startswith("starting PostgreSQL ") else "other", at=at)
    if severity == "LOG" and _OPENED.match(message):
        return Event(place, "opened", _session(told, message), at)
    if severity == "LOG" and message.startswith("disconnection: "):
        return Event(place, "ended", _session(told, ""), at)
    refused = severity == "FATAL" and told.get("state_code") in _REFUSED
    return Event(place, "refused" if refused else "other", at=at)


def _session(told: dict[str, Any], message: str) -> Session:
    application = _APPLICATION.search(message)
    return Session(
        id=str(told["session_id"]),
        pid=int(told["pid"]),
        login=str(told.get("user", "")),
        database=str(told.get("dbname", "")),
        host=str(told.get("remote_host", "")),
        started=int(_seconds(told["session_start"])),
        application=application[1] if application else "",
    )


def _seconds(text: str) -> float:
    """Read `2026-11-27 06:20:11.694 UTC`; our clusters' log_timezone is UTC."""
    words = text.removesuffix(" UTC")
    if words == text:
        raise ValueError("a time that is not in UTC")
    return datetime.fromisoformat(words).replace(tzinfo=UTC).timestamp()
