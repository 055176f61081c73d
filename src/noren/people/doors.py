"""Other doors, as the vault keeps them: foreign sessions at the databases, digests of the connection logs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from noren.people import answers
from noren.people.client import _call


@dataclass(frozen=True, slots=True)
class Door:
    """A foreign session, or a log that is not as it was. `explained`: why it was all right, or None."""

    session: str
    cluster: str
    why: tuple[str, ...]
    login: str
    database: str
    host: str
    application: str
    started: datetime
    ended: datetime | None
    explained: str | None
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """One `connections` entry: up to `size` bytes the file's chain (hex) was this. `file` may be activity."""

    at: datetime
    cluster: str
    file: str
    size: int
    chain: str
    note: str


@dataclass(frozen=True, slots=True)
class Watched:
    """When each cluster was last looked at, and how many signs nobody has explained."""

    seen: Mapping[str, datetime]
    open: int


def report(
    cluster: str,
    *,
    signs: Iterable[Mapping[str, Any]] = (),
    ended: Iterable[tuple[str, int]] = (),
    digest: Mapping[str, Any] | None = None,
) -> None:
    """Tell what a watcher has seen: at most 500 sessions, times in milliseconds. Needs an admin's process."""
    params: dict[str, Any] = {
        "cluster": cluster,
        "signs": [dict(one) for one in signs],
        "ended": [{"session": session, "at": at} for session, at in ended],
        "digest": None if digest is None else dict(digest),
    }
    _call("report_doors", params, seconds=60)


def digests() -> tuple[Digest, ...]:
    """The digests of the connection logs, the oldest first. Needs an admin's process."""
    return tuple(_digest(one) for one in _call("digests", {}, seconds=60)["digests"])


def _digest(one: dict[str, Any]) -> Digest:
    cluster, file, place = one["ref"].split("/")
    size, _, chain = place.partition(":")
    return Digest(answers.instant(one["at"] / 1000), cluster, file, int(size), chain, one["note"])


def doors(*, since: datetime, until: datetime, grant: str | None = None) -> tuple[Door, ...]:
    """The signs of a time. Needs an admin's process, or an operator's `grant`; the look is on record."""
    params: dict[str, Any] = {"since": _ms(since), "until": _ms(until)}
    if grant is not None:
        params["grant"] = grant
    return tuple(_door(one) for one in _call("doors", params, seconds=60)["doors"])


def _door(one: dict[str, Any]) -> Door:
    ended = one["ended"]
    return Door(
        session=one["session"],
        cluster=one["cluster"],
        why=tuple(one["why"]),
        login=one["login"],
        database=one["database"],
        host=one["host"],
        application=one["application"],
        started=answers.instant(one["started"] / 1000),
        ended=None if ended is None else answers.instant(ended / 1000),
        explained=one["explained"],
        entries=tuple(one["entries"]),
    )


def explain(session: str, because: str) -> None:
    """Put on record that a sign was looked into; the words lie sealed. Needs an admin's process."""
    _call("explain_door", {"session": session, "because": because})


def watched() -> Watched:
    """How watching stands: no names, no sessions."""
    answer = _call("doors_state", {}, seconds=5)
    seen = {cluster: answers.instant(at / 1000) for cluster, at in answer["seen"].items()}
    return Watched(seen, answer["open"])


def _ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
