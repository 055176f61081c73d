"""The answer to a scope question, as text for a person and as JSON for a program. Ids only."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from noren import people
from noren.incidents.asked import KEYS_TAKEN
from noren.incidents.scope import Question

HEADINGS = ("person", "fields", "first", "last", "purposes", "state", "entries")
ACCOUNTS = ("account", "person", "what", "credential", "form", "first", "last", "state")
WAYS = ("actor", "credential", "session", "process", "kind", "first", "last", "entries")
_MOST_ENTRIES: Final = 8
_MOST_WAYS: Final = 20
NOBODY: Final[Mapping[str, str]] = {}
_FORMS: Final = {
    "readable": "readable: cipher and the keys to it were in one hand",
    "cipher": "cipher, without the keys that open it",
    "keys": "keys, without anything that they open",
    "ids": "opaque ids, no field of a person",
}


def as_text(question: Question, found: people.Scope, into: Mapping[str, str] = NOBODY) -> str:
    """Return a table of persons for each shop, the ways, what was taken, and how far it is complete.

    `into`: which records the shop has joined to which.
    """
    persons = len(found.exposed_people)
    span = f"from {_time(question.since)} to {_time(question.until)}"
    count = f"{persons} {'person' if persons == 1 else 'persons'} in {found.entries} entries"
    lines = [f"{question.path()}, {span}: {count}.", ""]
    for shop, there in groupby(found.exposed_people, key=lambda one: one.shop_id):
        exposures = list(there)
        rows = [row for exposure in exposures for row in _rows(exposure)]
        lines += [f"Shop {shop}: {_counted(exposures)}.", *_table([HEADINGS, *rows]), ""]
    lines += [f"Joined by the shop: {person} went into {other}." for person, other in into.items()]
    lines += [*_spared(question, found), *_stores(found), *_accounts(found), *_ways(found)]
    lines += _untouched(found)
    lines += (
        [f"Besides, canaries of backups, who are nobody: {len(found.canaries)}.", ""]
        if found.canaries
        else []
    )
    lines += [f"Head: {found.head_size} entries, root {found.head_root}", "Checkpoint:"]
    lines += [f"  {line}".rstrip() for line in found.checkpoint.rstrip("\n").split("\n")]
    lines += ["", completeness(found)]
    return "\n".join(lines)


def as_json(question: Question, found: people.Scope, into: Mapping[str, str] = NOBODY) -> dict[str, Any]:
    """Return the same facts, fields by name; instants in ISO 8601, UTC."""
    return {
        "path": question.path(),
        "since": question.since.isoformat(),
        "until": question.until.isoformat(),
        "asked": {name: list(texts) for name, texts in found.asked.items()},
        "persons": [_values(exposure) for exposure in found.exposed_people],
        "spared": [_values(exposure) for exposure in found.spared_people],
        "canaries": sorted(map(str, found.canaries)),
        "joined": dict(into),
        "ways": [_plain(way) for way in found.ways],
        "stores": [_plain(store) for store in found.stores],
        "accounts": [_plain(account) for account in found.accounts],
        "keyside": None if found.keyside is None else _plain(found.keyside),
        "untouched": {str(shop): _plain(one) for shop, one in found.untouched.items()},
        "entries": found.entries,
        "head": {"size": found.head_size, "root": found.head_root},
        "checkpoint": found.checkpoint,
        "complete": found.complete,
    }


def completeness(found: people.Scope) -> str:
    """Say up to which entry nothing is missing, and who is left."""
    if not found.complete:
        return "NOT complete: the ledger's index is behind. Ask again, or run `noren ledger rebuild-index`."
    if found.head_size == 0:
        return "Complete: the ledger has no entry yet."
    return f"Everybody else: not exposed by what was asked about. Complete up to entry {found.head_size - 1}."


def _counted(exposures: Sequence[people.Exposure]) -> str:
    exposed = sum(one.state is people.ExposureState.EXPOSED for one in exposures)
    return f"{exposed} exposed, {len(exposures) - exposed} possibly"


def _spared(question: Question, found: people.Scope) -> list[str]:
    """Who was asked for by name is told each; the others who stand in it and are not exposed, by number."""
    there = found.spared_people
    if not there:
        return []
    lines = [f"Not exposed, though they stand in it: {len(there)}."]
    if question.persons:
        lines += [f"  {one.person}: not exposed" for one in there]
    return [*lines, ""]


def _stores(found: people.Scope) -> list[str]:
    lines = []
    for store in found.stores:
        until = _time(store.until)
        held = sum(store.persons.values())
        lines += [
            f"Store {store.name}, {_time(store.since)} to {until}: {_FORMS[store.form]}; {held} persons."
        ]
        if store.unbounded:
            lines += [f"  What is read there later leaves no entry: everyone, from {_time(store.since)}."]
    if found.keyside is not None:
        taken = any(store.form in KEYS_TAKEN for store in found.stores)
        lines += _keyside(found.keyside, taken=taken)
    return [*lines, ""] if lines else []


def _accounts(found: people.Scope) -> list[str]:
    """What people sign in with: each that is (possibly) exposed, the others by number."""
    lines: list[str] = []
    for store, there in groupby(found.accounts, key=lambda one: one.store):
        held = list(there)
        spared = Counter(one.kind for one in held if one.state is people.ExposureState.NOT)
        rows = [
            (
                one.actor or "-",
                "-" if one.person is None else str(one.person),
                one.kind,
                one.credential or "-",
                one.form,
                _time(one.first),
                _time(one.last),
                str(one.state),
            )
            for one in held
            if one.state is not people.ExposureState.NOT
        ]
        lines += [f"Sign-in data in {store}:", *(_table([ACCOUNTS, *rows]) if rows else [])]
        if spared:
            told = ", ".join(f"{count} {kind}" for kind, count in sorted(spared.items()))
            lines += [f"  Not exposed, though it lay there: {told}."]
        by_table = sum(not one.entries for one in held)
        lines += [f"  {by_table} of these only by the vault's tables of today."] if by_table else []
    return [*lines, ""] if lines else []


def _keyside(side: people.KeySide, *, taken: bool) -> list[str]:
    counts = ", ".join(f"{count} {kind}" for kind, count in side.counts.items())
    verdict = (
        "nothing on record speaks against the keys" if side.intact else "NOT intact: see door and restore"
    )
    verdict = "NOT intact: the keys lay in what was taken" if taken else verdict
    lines = [f"Key side, by the ledger for this time: {verdict} ({counts})."]
    lines += [
        f"  entry {one.entry}  {_time(one.at)}  {one.kind} {one.note} {one.ref}" for one in side.entries
    ]
    lines += [f"  and {side.left_off} more"] if side.left_off else []
    return [*lines, "  A copy of the keys' files by whoever had the host would leave no entry."]


def _untouched(found: people.Scope) -> list[str]:
    """Whom it leaves out: by what the ledger says was ever stored of them."""
    if not found.untouched:
        return []
    lines = ["Not touched, of those who had rows in the time:"]
    for shop, one in found.untouched.items():
        fields = ", ".join(f"{name} {count}" for name, count in one.fields.items())
        lines += [f"  Shop {shop}: {one.persons} persons whole; by field: {fields or '-'}"]
    return [*lines, ""]


def _ways(found: people.Scope) -> list[str]:
    if not found.ways:
        return []
    rows = [
        (
            *(getattr(way, name) or "-" for name in WAYS[:5]),
            _time(way.first),
            _time(way.last),
            str(way.entries),
        )
        for way in found.ways[:_MOST_WAYS]
    ]
    left = len(found.ways) - _MOST_WAYS
    more = [f"and {left} more (--json lists them)"] if left > 0 else []
    return ["By these ways:", *_table([WAYS, *rows]), *more, ""]


def _values(exposure: people.Exposure) -> dict[str, Any]:
    return {
        "person": str(exposure.person),
        "shop": exposure.shop_id,
        "fields": {
            one.field: {
                "first": one.first.isoformat(),
                "last": one.last.isoformat(),
                "state": str(one.state),
            }
            for one in exposure.seen
        },
        "first": exposure.first.isoformat(),
        "last": exposure.last.isoformat(),
        "purposes": list(exposure.purposes),
        "state": str(exposure.state),
        "entries": list(exposure.entries),
    }


def _plain(value: Any) -> Any:
    """Turn a value of `people` into JSON's kinds."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return {str(key): _plain(one) for key, one in value.items()} if isinstance(value, dict) else value


def _rows(exposure: people.Exposure) -> Iterable[Sequence[str]]:
    """Fields with the same times and state share a line; the first line names the person."""
    same = groupby(
        sorted(exposure.seen, key=lambda one: (one.first, one.last, one.state)),
        key=lambda one: (one.first, one.last, one.state),
    )
    for number, ((first, last, state), fields) in enumerate(same):
        yield (
            "" if number else str(exposure.person),
            ",".join(one.field for one in fields),
            _time(first),
            _time(last),
            "" if number else ",".join(exposure.purposes),
            str(state),
            "" if number else _entries(exposure.entries),
        )


def _entries(entries: Sequence[int]) -> str:
    shown = ",".join(map(str, entries[:_MOST_ENTRIES]))
    return shown if len(entries) <= _MOST_ENTRIES else f"{shown},... ({len(entries)})"


def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
