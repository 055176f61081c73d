"""The door's functions about incidents: books that are only added to, which the vault keeps.

Each takes an operator's grant, or None in an administrator's process. They raise as `client`'s do, and
GrantRefused; beside what each names, NoSuchIncident, which is also the answer to who is no member.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings

from noren.people import wire

LONGEST: Final = 20_000
STANDINGS: Final = ("in", "out", "barred")


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it was written. `by` is a handle, or admin. The ledger has SHA-256 over all of it."""

    number: int
    at: datetime
    by: str
    kind: str
    words: str = field(repr=False)
    salt: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Book:
    """All records of an incident in order, and who is what to it: handle -> in, out, barred."""

    incident: str
    records: tuple[Record, ...]
    members: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Listed:
    """An incident in a list: with how it was opened, and how many records it has."""

    incident: str
    opened: datetime
    by: str
    records: int
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the ledger has the records of a book: by number the entries that tried to add it, the last holds.

    `checkpoint` is the signed head of `size` entries.
    """

    entries: Mapping[int, tuple[int, ...]]
    size: int
    checkpoint: str


def open_one(grant: str | None, words: str) -> str:
    """Open an incident, whose first member is who opens it; give its id."""
    return str(_call("open_incident", grant, words=words)["incident"])


def all_of(grant: str | None) -> list[Listed]:
    """Those one is a member of, the newest first. On record."""
    return [
        Listed(one["incident"], _instant(one["opened_at"]), one["by"], one["records"], one["words"])
        for one in _call("incidents", grant)["incidents"]
    ]


def read(grant: str | None, incident: str) -> Book:
    """Read the whole book. On record."""
    told = _call("incident", grant, incident=incident)
    records = tuple(
        Record(one["number"], _instant(one["at"]), one["by"], one["kind"], one["words"], one["salt"])
        for one in told["records"]
    )
    return Book(incident, records, {one["handle"]: one["standing"] for one in told["members"]})


def places(grant: str | None, incident: str) -> Places:
    """Where its records stand on the ledger. On record."""
    told = _call("incident_places", grant, seconds=60.0, incident=incident)
    found: dict[int, tuple[int, ...]] = {}
    for number, entry in told["places"]:
        found[number] = (*found.get(number, ()), entry)
    return Places(found, told["size"], told["checkpoint"])


def add(grant: str | None, incident: str, kind: str, words: str) -> int:
    """Add a record; give its number."""
    return int(_call("add_to_incident", grant, incident=incident, kind=kind, words=words)["number"])


def change_member(grant: str | None, incident: str, handle: str, standing: str) -> int:
    """Let an operator in or out, or bar her; give the record's number. NoSuchMember, LastMember."""
    told = _call("incident_member", grant, incident=incident, handle=handle, standing=standing)
    return int(told["number"])


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _call(method: str, grant: str | None, *, seconds: float = 10.0, **params: Any) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, {"grant": grant, **params}, seconds=seconds)
