"""Whose data, which fields, when, by which path: the question of every leak, put to the vault's ledger."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from noren import people

# How data can have passed, and what can have been taken as it lay.
PATHS: Final = ("actor", "credential", "session", "process", "address", "device", "export")
TAKEN: Final = ("store", "backup", "key", "door")
STORES: Final = ("app", "vault", "keys", "host")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\d{1,6})([smhdw])")


class BadMoment(ValueError):
    """A point in time that cannot be read; its words say how to write one."""


@dataclass(frozen=True, slots=True)
class Question:
    """A union of paths and stores, and when: [since, until], aware. Shop and persons narrow the answer.

    `named` holds the values by kind, of PATHS and TAKEN; empty, it asks for whatever passed in the time.
    """

    since: datetime
    until: datetime
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shop_id: int | None = None
    persons: tuple[str, ...] = ()

    def path(self) -> str:
        """Name what is asked about, in words."""
        named = [f"{kind} {value}" for kind, values in self.named.items() for value in values]
        return ", ".join(named) or "every path"


def ask(question: Question) -> people.Scope:
    """Return every person and field that passed or lay there: complete up to the head the answer names."""
    named: dict[str, Any] = {**question.named, "person": question.persons or None}
    return people.scope(since=question.since, until=question.until, shop_id=question.shop_id, **named)


def moment(text: str, *, now: datetime) -> datetime:
    """Read `1h`, `30m`, `7d` (ago) or an ISO 8601 instant with its offset. Raises BadMoment."""
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        try:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        except OverflowError:
            raise BadMoment(f"{text}: that is before the calendar began.") from None
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadMoment(
            f"{text}: write how long ago (45s, 30m, 1h, 7d, 2w) or an instant, 2026-11-22T09:30:00+09:00."
        ) from None
    if instant.tzinfo is None:
        raise BadMoment(f"{text}: say in which zone, for instance {text}Z or {text}+09:00.")
    return instant
