"""The door's functions on a customer's card: lines the shop writes of her, tags, and joining two records.

Each raises what `client`'s raise, too. What is joined here is joined in the vault; the bookings are
`booking.merging`'s to bring over.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings

from noren.people import wire


class MergeState(StrEnum):
    """What the vault says of a record."""

    NONE = "none"
    MERGED = "merged"
    UNDONE = "undone"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Words:
    """One wording: when, by whose handle, what."""

    at: datetime
    by: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of notes or of a chart, its newest wording and those before it. `booking` 0: of none.

    Without a name it was written otherwise, and stands as it is.
    """

    name: str
    booking: int
    newest: Words
    earlier: tuple[Words, ...] = ()


@dataclass(frozen=True, slots=True)
class Alike:
    """A record that may be the same person's, and by which fields it looks so."""

    person: UUID
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Likeness:
    """`proved`: she has proved her address, or has an account. The first of `found` others."""

    proved: bool
    alike: tuple[Alike, ...]
    found: int


@dataclass(frozen=True, slots=True)
class Compared:
    """By field: same, differs, first (only who stays has it), second, none. `refused` is a code, or empty."""

    fields: dict[str, str]
    refused: str


@dataclass(frozen=True, slots=True)
class Merged:
    state: MergeState
    into: UUID | None
    until: datetime | None


def _call(method: str, params: dict[str, Any], *, seconds: float = 10.0) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, params, seconds=seconds)


def read(text: str) -> list[Line]:
    """Read a field of lines, the newest line first."""
    wordings: dict[str, list[Words]] = {}
    bookings: dict[str, int] = {}
    others: list[str] = []
    for each in text.split("\n"):
        try:
            told = json.loads(each)
            words = Words(_instant(told["at"] / 1000), str(told["by"]), str(told["text"]))
            name, booking = str(told["line"]), int(told["booking"])
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
            others.append(each)
            continue
        wordings.setdefault(name, []).append(words)
        bookings.setdefault(name, booking)
    found = [Line(name, bookings[name], each[0], tuple(each[1:])) for name, each in wordings.items()]
    rest = "\n".join(others).strip()
    if rest:
        found.append(Line("", 0, Words(_instant(0), "", rest)))
    return found


def write_line(grant: str, person: UUID, what: str, line: str, text: str, *, booking: int = 0) -> None:
    """Write a line of `notes` or `chart`, or another wording of the line of this name; an empty text erases
    it with all its wordings. The same again changes nothing. Raises BadField, PurposeRefused, NoSuchPerson.
    """
    values = {"field": what, "line": line, "text": text, "booking": booking}
    _call("write_line", {"grant": grant, "person": str(person), **values})


def tag(grant: str, person: UUID, *, add: Iterable[int], take: Iterable[int]) -> None:
    """Give her tags of the shop's list, take others away. Raises BadField, PurposeRefused, NoSuchPerson."""
    _call("tag", {"grant": grant, "person": str(person), "add": list(add), "take": list(take)})


def tags(text: str) -> frozenset[int]:
    """Read the field `tags`."""
    return frozenset(int(one) for one in text.split() if one.isascii() and one.isdecimal())


def alike(grant: str, person: UUID, *, wait: bool) -> Likeness:
    """Ask who may be the same person: by ids and names of fields, nothing is shown. On record as a search.

    Without `wait` a large shop is not opened for it. Raises NoSuchPerson, PurposeRefused, BudgetExceeded.
    """
    answer = _call("alike", {"grant": grant, "person": str(person), "wait": wait}, seconds=60)
    found = tuple(Alike(UUID(one["person"]), tuple(one["fields"])) for one in answer["alike"])
    return Likeness(answer["proved"], found, answer["found"])


def compare(grant: str, person: UUID, into: UUID) -> Compared:
    """Ask where two records agree, and why the first may not go into the other."""
    answer = _call("compare", {"grant": grant, "person": str(person), "into": str(into)})
    return Compared(dict(answer["fields"]), answer["refused"])


def merge(grant: str, person: UUID, into: UUID, take: Sequence[str]) -> datetime:
    """Join a record to another; gives until when it can be undone. Again it changes nothing. `take` names
    what the record that goes says better. Raises MergeRefused, NoSuchPerson.
    """
    asked = {"grant": grant, "person": str(person), "into": str(into), "take": list(take)}
    return _instant(_call("merge", asked, seconds=30)["until"])


def unmerge(grant: str, person: UUID, bookings: Iterable[int]) -> None:
    """Part them again, with what was written for these bookings. Raises MergeRefused, NoSuchPerson."""
    _call("unmerge", {"grant": grant, "person": str(person), "bookings": list(bookings)}, seconds=30)


def merge_state(shop_id: int, person: UUID) -> Merged:
    """Ask what became of a record. Needs nobody's grant: it tells ids."""
    answer = _call("merge_state", {"shop": shop_id, "person": str(person)})
    into, until = answer["into"], answer["until"]
    return Merged(MergeState(answer["state"]), into and UUID(into), until and _instant(until))


def merges(shop_id: int) -> dict[UUID, Merged]:
    """Ask of every record of a shop that was ever joined. An administrator's process may."""
    found = _call("merges", {"shop": shop_id}, seconds=60)["merges"]
    return {UUID(one["person"]): Merged(MergeState(one["state"]), UUID(one["into"]), None) for one in found}


def same_persons(
    persons: Sequence[str], *, shop_id: int | None = None, grant: str | None = None
) -> dict[str, str]:
    """Ask which records are one with these: which went into which. For who reads the record."""
    asked: dict[str, Any] = {"persons": list(persons), "shop": shop_id, "grant": grant}
    given = {name: value for name, value in asked.items() if value is not None}
    return dict(_call("same_persons", given)["into"])


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
