"""The answer to a scope question, as text for a person and as JSON for a program. Ids only."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from noren import people
from noren.incidents.scope import Question

HEADINGS = ("person", "shop", "fields", "first", "last", "purposes", "state", "entries")


def as_text(question: Question, found: people.Scope) -> str:
    """Return a table of persons, then the tree it was answered from, then how far it is complete."""
    persons = len(found.persons)
    span = f"from {_time(question.since)} to {_time(question.until)}"
    count = f"{persons} {'person' if persons == 1 else 'persons'} in {found.entries} entries"
    lines = [f"{question.path()}, {span}: {count}.", ""]
    if persons:
        lines += [*_table([HEADINGS, *map(_row, found.persons)]), ""]
    lines += [f"Head: {found.head_size} entries, root {found.head_root}", "Checkpoint:"]
    lines += [f"  {line}".rstrip() for line in found.checkpoint.rstrip("\n").split("\n")]
    lines += ["", completeness(found)]
    return "\n".join(lines)


def as_json(question: Question, found: people.Scope) -> dict[str, Any]:
    """Return the same facts, fields by name; instants in ISO 8601, UTC."""
    return {
        "path": question.path(),
        "since": question.since.isoformat(),
        "until": question.until.isoformat(),
        "persons": [_values(exposure) for exposure in found.persons],
        "entries": found.entries,
        "head": {"size": found.head_size, "root": found.head_root},
        "checkpoint": found.checkpoint,
        "complete": found.complete,
    }


def completeness(found: people.Scope) -> str:
    """Say up to which entry nothing is missing."""
    if not found.complete:
        return "NOT complete: the ledger's index is behind. Ask again, or run `noren ledger rebuild-index`."
    if found.head_size == 0:
        return "Complete: the ledger has no entry yet."
    return f"Complete up to entry {found.head_size - 1}."


def _values(exposure: people.Exposure) -> dict[str, Any]:
    return {
        "person": str(exposure.person),
        "shop": exposure.shop_id,
        "fields": list(exposure.fields),
        "first": exposure.first.isoformat(),
        "last": exposure.last.isoformat(),
        "purposes": list(exposure.purposes),
        "state": str(exposure.state),
        "entries": list(exposure.entries),
    }


def _row(exposure: people.Exposure) -> Sequence[str]:
    return (
        str(exposure.person),
        str(exposure.shop_id),
        ",".join(exposure.fields),
        _time(exposure.first),
        _time(exposure.last),
        ",".join(exposure.purposes),
        str(exposure.state),
        ",".join(map(str, exposure.entries)),
    )


def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
