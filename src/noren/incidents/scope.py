"""Whose data, which fields, when, by which path: the question of every leak, put to the vault's ledger."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from noren import people
from noren.people import card

# How data can have passed, and what can have been taken as it lay.
PATHS: Final = ("actor", "credential", "session", "process", "address", "device", "export")
TAKEN: Final = ("store", "backup", "key", "door")
STORES: Final = ("app", "logs", "vault", "keys", "host")
# An instant that somebody gives lies between; every clock can tell it, and it can be reckoned with.
FIRST_YEAR, END_YEAR = 1970, 2200
_A_REQUEST: Final = 200
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\d{1,6})([smhdw])")


class BadMoment(ValueError):
    """A point in time that cannot be read; its words say how to write one."""


@dataclass(frozen=True, slots=True)
class Question:
    """A union of paths and stores, and when: [since, until], aware. Shop and persons narrow the answer.

    `named` holds the values by kind, of PATHS and TAKEN; empty, it asks for whatever passed in the time.
    `size`: as of so many entries of the ledger, of all by now unless it is given.
    """

    since: datetime
    until: datetime
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shop_id: int | None = None
    persons: tuple[str, ...] = ()
    size: int | None = None

    def path(self) -> str:
        """Name what is asked about, in words."""
        named = [f"{kind} {value}" for kind, values in self.named.items() for value in values]
        return ", ".join(named) or "every path"


def of_whole_persons(question: Question, grant: str | None = None) -> Question:
    """Ask for every record that is one with those asked for: a shop may have joined some."""
    into = _joined(question.persons, grant)
    every = dict.fromkeys((*question.persons, *into, *into.values()))
    return replace(question, persons=tuple(every))


def joined(found: people.Scope) -> dict[str, str]:
    """Return of the records that are told which the shop has joined to which."""
    return _joined([str(one.person) for one in (*found.persons, *found.spared)])


def _joined(persons: Sequence[str], grant: str | None = None) -> dict[str, str]:
    into: dict[str, str] = {}
    for start in range(0, len(persons), _A_REQUEST):
        into |= card.same_persons(persons[start : start + _A_REQUEST], grant=grant)
    return into


def ask(question: Question, *, grant: str | None = None, untouched: bool = False) -> people.Scope:
    """Return every person and field that passed or lay there: complete up to the head the answer names.

    An administrator's process may, or an operator's `grant` under the power to read the record.
    """
    named: dict[str, Any] = {**question.named, "person": question.persons or None}
    return people.scope(
        since=question.since,
        until=question.until,
        shop_id=question.shop_id,
        size=question.size,
        untouched=untouched,
        grant=grant,
        **named,
    )


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
    if not FIRST_YEAR <= instant.year < END_YEAR:
        raise BadMoment(f"{text}: give a year from {FIRST_YEAR} to {END_YEAR - 1}.")
    return instant
