"""What proves an answer, in one file that `noren-verify bundle` checks without this system.

A zip of: `question.json` and `answer.json`; `entries`, the ledger's own bytes of every entry that the
answer rests on, one a line after its index; `hashes`, those of the tree's largest whole parts that hold none
of these entries, from left to right, in hex; `checkpoint`, the signed head that all of it leads to.

A bundle proves that each entry is in the ledger and what follows from them. With `complete` it holds all
entries of the time as one range with its neighbours on both sides: then nothing of the time can be missing.
"""

import hashlib
import json
import zipfile
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

from noren import people
from noren.incidents.scope import TAKEN, Question

_AT_ONCE: Final = 5000
Node = tuple[int, int]


def write(path: Path, question: Question, found: people.Scope, *, complete: bool) -> None:
    """Write the bundle of an answer. Raises OSError, and what `people.evidence` raises."""
    half = path.with_name(f"{path.name}.new")
    try:
        with half.open("wb") as file:
            pack(file, question, found, complete=complete)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def pack(
    into: IO[bytes], question: Question, found: people.Scope, *, complete: bool, grant: str | None = None
) -> None:
    """Write the bundle into an open file, as who asked. Raises as `write` does."""
    size, chosen = found.head_size, _chosen(question, found, grant, complete=complete)
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("question.json", _text(_question(question, found)))
        file.writestr("answer.json", _text(answer(found)))
        file.writestr("checkpoint", found.checkpoint)
        with file.open("entries", "w") as entries:
            entries.writelines(lines_of_entries(chosen, size, grant))
        with file.open("hashes", "w") as hashes:
            hashes.writelines(lines_of_hashes(chosen, size, grant))


def digest(found: people.Scope) -> str:
    """Return SHA-256, in hex, of an answer as it stands in a bundle: the same one has the same."""
    return hashlib.sha256(_text(answer(found)).encode()).hexdigest()


def nodes_beside(chosen: Sequence[int], size: int) -> Iterator[Node]:
    """The largest whole subtrees (level, index) of a tree of `size` entries without any of the chosen ones.

    `chosen` ascends. Together with the chosen entries they give the root (RFC 6962, section 2.1).
    """
    waiting = [(0, size)] if size else []
    while waiting:
        low, high = waiting.pop()
        width = high - low
        empty = bisect_left(chosen, low) == bisect_left(chosen, high)
        if empty and width & (width - 1) == 0:
            yield width.bit_length() - 1, low // width
        elif width > 1:
            middle = low + (1 << (width - 1).bit_length() - 1)
            waiting += [(middle, high), (low, middle)]


def _chosen(question: Question, found: people.Scope, grant: str | None, *, complete: bool) -> list[int]:
    """The entries that are needed, and with `complete` their whole range and one beyond at each end."""
    needed = {entry for one in (*found.persons, *found.spared) for entry in one.entries}
    needed |= {entry for one in found.accounts for entry in one.entries}
    if found.keyside is not None:
        needed |= {one.entry for one in found.keyside.entries}
    if complete and found.head_size:
        evidence = people.evidence(size=found.head_size, bounds=_bounds(question), grant=grant)
        first, last = evidence.bounds or (0, 0)
        # Who had rows in a store is told by everything before its time, too.
        start = 0 if any(kind in question.named for kind in TAKEN) else max(0, first - 1)
        needed |= set(range(start, min(found.head_size, last + 1)))
    return with_outcomes(sorted(needed), found.head_size, grant)


def with_outcomes(chosen: Sequence[int], size: int, grant: str | None) -> list[int]:
    """Entries together with those that say how they ended."""
    ended: tuple[int, ...] = ()
    if chosen:
        ended = people.evidence(size=size, outcomes=chosen, grant=grant).outcomes
    return sorted({*chosen, *ended})


def lines_of_entries(chosen: Sequence[int], size: int, grant: str | None) -> Iterator[bytes]:
    """The ledger's own bytes of each chosen entry, after its index, as `entries` has them."""
    for start in range(0, len(chosen), _AT_ONCE):
        some = chosen[start : start + _AT_ONCE]
        texts = people.evidence(size=size, entries=some, grant=grant).entries
        for index, text in zip(some, texts, strict=True):
            yield f"{index} {text}\n".encode("ascii")


def lines_of_hashes(chosen: Sequence[int], size: int, grant: str | None) -> Iterator[bytes]:
    """What leads the chosen entries to the root of `size` entries, as `hashes` has it."""
    wanted = list(nodes_beside(chosen, size))
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        for value in people.evidence(size=size, nodes=some, grant=grant).nodes:
            yield f"{value.hex()}\n".encode("ascii")


def _question(question: Question, found: people.Scope) -> dict[str, Any]:
    """As it was asked, and as it was put to the entries: sessions for addresses, times for what was taken."""
    since, until = _bounds(question)
    return {
        "since": since,
        "until": until,
        "given": {kind: list(values) for kind, values in question.named.items()},
        "asked": {kind: list(values) for kind, values in found.asked.items()},
        "stores": [
            {
                "name": one.name,
                "since": _milliseconds(one.since),
                "until": _milliseconds(one.until),
                "form": one.form,
                "keys": list(one.keys),
            }
            for one in found.stores
        ],
        "intact": found.keyside is None or found.keyside.intact,
        "shop": question.shop_id,
        "persons": list(question.persons),
    }


def answer(found: people.Scope) -> dict[str, Any]:
    """Return an answer as the verifier works it out anew."""
    return {
        "persons": [_person(one) for one in found.persons],
        "spared": [_person(one) for one in found.spared],
        "accounts": [_account(one) for one in found.accounts],
        "size": found.head_size,
    }


def _account(one: people.AccountData) -> dict[str, Any]:
    return {
        "store": one.store,
        "shop": one.shop_id,
        "actor": one.actor,
        "person": None if one.person is None else str(one.person),
        "kind": one.kind,
        "credential": one.credential,
        "form": one.form,
        "key": one.key,
        "first": _milliseconds(one.first),
        "last": _milliseconds(one.last),
        "state": str(one.state),
        "entries": list(one.entries),
    }


def _person(one: people.Exposure) -> dict[str, Any]:
    return {
        "person": str(one.person),
        "shop": one.shop_id,
        "fields": {
            seen.field: [_milliseconds(seen.first), _milliseconds(seen.last), str(seen.state)]
            for seen in one.seen
        },
        "purposes": list(one.purposes),
        "entries": list(one.entries),
    }


def _bounds(question: Question) -> tuple[int, int]:
    """The time in whole milliseconds as the vault reads it: widened at both ends, never narrowed."""
    return _milliseconds(question.since), _milliseconds(question.until, up=True)


def _milliseconds(instant: datetime, *, up: bool = False) -> int:
    whole = int(instant.timestamp()) * 1000
    microseconds = instant.microsecond + (999 if up else 0)
    return whole + microseconds // 1000


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1) + "\n"
