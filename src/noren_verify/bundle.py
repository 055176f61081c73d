"""The answer to "whose data", checked without the system that gave it.

A bundle says by which ledger entries it answers. Here each entry is led to the signed head, the answer is
worked out anew from the entries alone, and it is said in words what that proves and what it does not.
The rules are those of docs/scope.md; nothing is shared with the server.
"""

import argparse
import hashlib
import json
import re
import zipfile
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from noren_verify import NotWhole, Signed, leaf_of, read_key, read_signed
from noren_verify.accounts import in_store
from noren_verify.signed import object_of, said

IN = ("put", "update", "import", "member")
SILENT = (
    "outcome", "erase", "refused", "signin", "signout", "register", "invite", "scope", "start", "repair",
    "key", "backup", "restore", "door", "connections", "bounce", "search_build", "right", "prove", "budget",
    "sign",
    "power", "incident", "merge", "notice",
)  # fmt: skip
TOLD = ("released", "done", "sent", "refused")
STATES = ("not", "possibly", "exposed")
STORED = ("put", "import", "member", "update", "erase")
ERASING_MS = 60_000
LINE = re.compile(r"(0|[1-9][0-9]{0,15}) (\{.*\})", re.ASCII)
HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)

Json = dict[str, Any]
Entries = dict[int, Json]
# first, last, state
Seen = list[int]


class Person(NamedTuple):
    """What the entries say of one person."""

    fields: dict[str, Seen]
    purposes: set[str]
    entries: set[int]


class Found(dict[tuple[int, str], Person]):
    """All persons, by shop and id."""

    def add(self, key: tuple[int, str], names: Sequence[str], when: Seen, purpose: str) -> Person:
        """Widen what is known of a person's fields; what was surely not told widens nothing that was."""
        one = self.setdefault(key, Person({}, set(), set()))
        first, last, state = when
        one.purposes.add(purpose)
        for name in names or ("presence",):
            seen = one.fields.setdefault(name, [first, last, state])
            if bool(state) == bool(seen[2]):
                seen[0], seen[1] = min(seen[0], first), max(seen[1], last)
            elif state:
                seen[0], seen[1] = first, last
            seen[2] = max(seen[2], state)
        return one


def root_of(entries: dict[int, bytes], hashes: Iterator[bytes], size: int) -> bytes:
    """The root of a tree of `size` entries from some leaves and the hashes of the parts between them."""
    order = sorted(entries)

    def part(low: int, high: int) -> bytes:
        width = high - low
        if bisect_left(order, low) == bisect_left(order, high) and width & (width - 1) == 0:
            return next(hashes)
        if width == 1:
            return entries[low]
        middle = low + (1 << (width - 1).bit_length() - 1)
        return hashlib.sha256(b"\x01" + part(low, middle) + part(middle, high)).digest()

    if not size:
        return hashlib.sha256(b"").digest()
    try:
        return part(0, size)
    except StopIteration:
        raise NotWhole("the bundle has too few hashes") from None


def led(lines: Iterable[bytes], hashes: Iterable[bytes], signed: Signed) -> Entries:
    """Read entries by their numbers, once they and the hashes lead to the signed head. Raises NotWhole."""
    entries: Entries = {}
    leaves: dict[int, bytes] = {}
    for each in lines:
        line = each.rstrip(b"\n")
        match = LINE.fullmatch(line.decode("ascii", errors="replace"))
        if match is None or int(match[1]) >= signed.size or int(match[1]) in leaves:
            raise NotWhole("a line of `entries` is none, or is there twice")
        index, data = int(match[1]), line.partition(b" ")[2]
        leaves[index], entries[index] = leaf_of(data), json.loads(data)
    rest = iter([_hash(line) for line in hashes])
    if root_of(leaves, rest, signed.size) != signed.root or next(rest, None) is not None:
        raise NotWhole("the entries do not lead to the signed head")
    return entries


class Bundle:
    """An opened bundle whose entries were led to the signed head. Raises NotWhole."""

    def __init__(self, signed: Signed, file: zipfile.ZipFile) -> None:
        self.signed = signed
        self.question = object_of(file.read("question.json"), "question.json")
        self.answer = object_of(file.read("answer.json"), "answer.json")
        with file.open("entries") as entries, file.open("hashes") as hashes:
            self.entries = led(entries, hashes, signed)

    def outcomes(self) -> dict[int, str]:
        """Of each entry how it ended: the newest word."""
        return {
            int(one["ref"]): one["note"]
            for _, one in sorted(self.entries.items())
            if one["kind"] == "outcome" and one["ref"].isdecimal()
        }

    def covered(self) -> tuple[bool, int]:
        """Whether the entries hold all of the time, and their number.

        By the times that are written: they never fall, so a range with a neighbour on each side is all.
        """
        order = sorted(self.entries)
        since, until = self.question["since"], self.question["until"]
        if self.question["stores"]:
            since, until = 0, max(one["until"] for one in self.question["stores"])
        inside = [index for index in order if since <= self.entries[index]["time"] <= until]
        before = [index for index in order if self.entries[index]["time"] < since]
        after = [index for index in order if self.entries[index]["time"] > until]
        first, last = (inside[0], inside[-1]) if inside else (_next(before), _next(before) - 1)
        whole = last - first + 1 == len(inside)
        begins = first == 0 or first - 1 in before
        ends = last + 1 == self.signed.size or last + 1 in after
        return whole and begins and ends, len(inside)


def _next(before: list[int]) -> int:
    return before[-1] + 1 if before else 0


def passed(bundle: Bundle, found: Found) -> None:
    """Who passed by the paths of the question, by the entries alone."""
    question, outcomes = bundle.question, bundle.outcomes()
    if question["stores"] and not question["asked"] and not _has_paths(question):
        return
    for index, entry in bundle.entries.items():
        sure = _matches(entry, question)
        if sure is None or not _in_time(entry, question["since"], question["until"]):
            continue
        note, inward = outcomes.get(index, ""), entry["kind"] in IN
        state = 0 if not inward and note == "failed" else 2 if sure and (inward or note in TOLD) else 1
        for person in set(_narrowed(entry["persons"], question)):
            when, purpose = [entry["time"], entry["time"], state], entry["purpose"] or entry["kind"]
            found.add((entry["shop"], person), entry["fields"], when, purpose).entries.add(index)


def _has_paths(question: Json) -> bool:
    return any(kind not in ("store", "backup", "key", "door") for kind in question["given"])


def _matches(entry: Json, question: Json) -> bool | None:
    """None: not by these paths. Else whether it surely was by one of them."""
    if entry["kind"] in SILENT or question["shop"] not in (None, entry["shop"]):
        return None
    asked = question["asked"]
    if not _has_paths(question):
        return True
    sure = any(entry[name] in asked.get(name, ()) for name in ("actor", "credential", "session"))
    sure = sure or (entry["process"] != "" and entry["process"] in asked.get("process", ()))
    sure = sure or (entry["kind"] == "export" and entry["ref"] in asked.get("export", ()))
    return True if sure else False if entry["session"] in asked.get("unsure", ()) else None


def _in_time(entry: Json, since: int, until: int) -> bool:
    late = entry["skew"] > 0 and entry["time"] > until and entry["time"] - entry["skew"] <= until
    return bool(since <= entry["time"] <= until or late)


def _narrowed(persons: list[str], question: Json) -> list[str]:
    return [one for one in persons if not question["persons"] or one in question["persons"]]


class Row:
    """One person's rows: when made and erased (0: not yet), which fields, by which entries."""

    def __init__(self) -> None:
        self.made = self.erased = 0
        self.fields: set[str] = set()
        self.entries: set[int] = set()

    def add(self, index: int, entry: Json, outcome: str) -> None:
        """Put in what an entry did to them."""
        self.entries.add(index)
        if entry["kind"] != "erase":
            self.made = min(self.made or entry["time"], entry["time"])
            self.fields.update(entry["fields"])
        elif outcome == "done":
            self.erased = max(self.erased, entry["time"])


def taken(bundle: Bundle, found: Found) -> None:
    """Who had rows in what was taken, by the entries that made, changed and erased them."""
    question = bundle.question
    for store in question["stores"]:
        since, until = store["since"], store["until"]
        state = 2 if store["form"] == "readable" else 0
        foreign = store["name"].startswith("door:")
        state = 1 if store["form"] == "cipher" and (foreign or not question["intact"]) else state
        for key, row in _rows(bundle, until).items():
            if not row.made or (row.erased and row.erased + ERASING_MS < since):
                continue
            last = min(until, max(row.erased, since)) if row.erased else until
            purpose = f"taken.{store['name'].partition(':')[0]}"
            one = found.add(key, sorted(row.fields), [max(row.made, since), last, state], purpose)
            one.entries.update(row.entries)


def _rows(bundle: Bundle, until: int) -> dict[tuple[int, str], Row]:
    rows: dict[tuple[int, str], Row] = {}
    outcomes = bundle.outcomes()
    for index, entry in bundle.entries.items():
        outcome = outcomes.get(index, "")
        if _stored(entry, outcome, until, bundle.question):
            for person in _narrowed(entry["persons"], bundle.question):
                rows.setdefault((entry["shop"], person), Row()).add(index, entry, outcome)
    return rows


def _stored(entry: Json, outcome: str, until: int, question: Json) -> bool:
    return (
        entry["kind"] in STORED
        and entry["time"] - entry["skew"] <= until
        and question["shop"] in (None, entry["shop"])
        and not (entry["kind"] == "put" and outcome == "failed")
    )


def answered(bundle: Bundle) -> tuple[list[Json], list[Json]]:
    """The answer that follows from the entries: who is (possibly) exposed, who stands in it and is not."""
    found = Found()
    passed(bundle, found)
    taken(bundle, found)
    there = {person for _, person in found}
    for person in bundle.question["persons"]:
        if person not in there:
            found[bundle.question["shop"] or 0, person] = Person({}, set(), set())
    persons: list[Json] = []
    spared: list[Json] = []
    for (shop, person), one in sorted(found.items()):
        most = max((state for _, _, state in one.fields.values()), default=0)
        shown = {name: seen for name, seen in sorted(one.fields.items()) if seen[2] >= min(most, 1)}
        told = {
            "person": person,
            "shop": shop,
            "fields": {name: [first, last, STATES[state]] for name, (first, last, state) in shown.items()},
            "purposes": sorted(one.purposes),
            "entries": sorted(one.entries),
        }
        (persons if most else spared).append(told)
    return persons, spared


def accounts(bundle: Bundle) -> list[Json]:
    """Sign-in data in what was taken, as the entries say."""
    question, outcomes = bundle.question, bundle.outcomes()
    return [
        one
        for store in question["stores"]
        for one in in_store(bundle.entries, outcomes, store, intact=question["intact"])
        if question["shop"] in (None, one["shop"])
        and (not question["persons"] or one["person"] in question["persons"])
    ]


def _compare_accounts(told: list[Json], mine: list[Json]) -> int:
    """Compare what has entries to show; gives how many have none."""
    shown = [one for one in told if one["entries"]]
    for one in mine:
        if one not in shown:
            raise NotWhole(f"accounts: of {one['kind']} of {one['actor']} the entries say something else")
    if len(shown) != len(mine):
        raise NotWhole("accounts: not as the entries say")
    return len(told) - len(shown)


def verify(path: Path, key_text: str) -> list[str]:
    """Check a bundle; the lines to print. Raises NotWhole, Misuse."""
    key = read_key(key_text)
    try:
        with zipfile.ZipFile(path) as file:
            signed = read_signed(file.read("checkpoint"), key, "the bundle's checkpoint")
            bundle = Bundle(signed, file)
        persons, spared = answered(bundle)
        lain = accounts(bundle)
    except (zipfile.BadZipFile, KeyError, TypeError, AttributeError, ValueError) as fault:
        raise NotWhole(f"{path.name} is not a bundle: {fault}") from None
    if bundle.answer["size"] != signed.size:
        raise NotWhole("the answer was given from another head")
    for what, mine in (("persons", persons), ("spared", spared)):
        _compare(what, bundle.answer[what], mine)
    by_table = _compare_accounts(bundle.answer["accounts"], lain)
    lines = _words(bundle, persons, spared)
    if lain:
        exposed = sum(one["state"] != "not" for one in lain)
        lines.insert(
            3,
            f"proved: sign-in data follow: {exposed} things, {len(lain) - exposed} more not exposed",
        )
    if by_table:
        lines += [f"not proved here: {by_table} things of accounts, which only the vault's tables say"]
    return lines


def digest(path: Path) -> str:
    """SHA-256, in hex, of the answer as it stands in a bundle: the book of an incident names it by that."""
    with zipfile.ZipFile(path) as file:
        return hashlib.sha256(file.read("answer.json")).hexdigest()


def _compare(what: str, told: list[Json], mine: list[Json]) -> None:
    if told == mine:
        return
    ours = {(one["shop"], one["person"]): one for one in mine}
    theirs = {(one["shop"], one["person"]): one for one in told}
    for key in sorted(ours.keys() | theirs.keys()):
        if ours.get(key) != theirs.get(key):
            raise NotWhole(f"{what}: of person {key[1]} of shop {key[0]} the entries say something else")
    raise NotWhole(f"{what}: not as the entries say")


def _words(bundle: Bundle, persons: list[Json], spared: list[Json]) -> list[str]:
    question = bundle.question
    whole, inside = bundle.covered()
    given = [f"{kind} {value}" for kind, values in question["given"].items() for value in values]
    lines = [
        f"asked: {', '.join(given) or 'every path'}, {question['since']} to {question['until']} ms",
        f"proved: {len(bundle.entries)} entries are in the ledger of {bundle.signed.size} entries",
        f"proved: the answer follows from them: {len(persons)} persons, {len(spared)} more not exposed",
    ]
    if whole:
        lines += [f"proved: these are all {inside} entries of the time, by the times that they say"]
    else:
        lines += ["not proved here: that no other entry of the time answers, too (ask for a complete bundle)"]
    if any(kind in question["given"] for kind in ("address", "device")):
        lines += ["not proved here: which sessions an address or a device opened (sealed in the vault)"]
    if question["stores"]:
        lines += ["not proved here: when a store was taken, and that its key was not; the key side is listed"]
    return lines


def _hash(line: bytes) -> bytes:
    text = line.rstrip(b"\n").decode("ascii", errors="replace")
    if not HASH.fullmatch(text):
        raise NotWhole("a line of `hashes` is none")
    return bytes.fromhex(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """`noren-verify bundle FILE --vkey KEY`. Gives the exit code: 0 proved, 1 not whole, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="noren-verify bundle", description="Check the answer to a leak.")
    parser.add_argument("file", type=Path, help="what `noren scope --bundle FILE` wrote")
    parser.add_argument("--vkey", "--key", required=True, help="public key (NAME+KEYID+BASE64), or its file")
    options = parser.parse_args(arguments)
    return said(lambda: verify(options.file, options.vkey))
