"""`noren-verify incident`: is an incident's copy what the ledger says, checked without the system it is of?

In a folder with the copy's parts: `book.json`, whose every record has a salted commitment on the ledger; with
`proof/` those entries lead to a signed head. The answers to "whose data" (`scopes/`) are checked as bundles
and held against the book, files of evidence against their records. docs/incident-copy.md has the format.
"""

import argparse
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from noren_verify import bundle, signed
from noren_verify.signed import Key, NotWhole, object_of, read_key, read_signed

Json = dict[str, Any]
SCHEMA = "noren-incident/1"
ADDED = "added:"
EVIDENCE = "evidence"


def verify(folder: Path, key_text: str) -> list[str]:
    """Check a folder; the lines to print, one that begins with NOT WHOLE for each part that fails.

    Raises NotWhole where it is no such folder, Misuse.
    """
    key = read_key(key_text)
    try:
        manifest = object_of((folder / "manifest.json").read_bytes(), "manifest.json")
        if manifest["schema"] != SCHEMA:
            raise NotWhole(f"{folder} is not of the format {SCHEMA}")
        parts: dict[str, str] = dict(manifest["parts"])
        lines = list(_parts(folder, parts))
        book = object_of((folder / "book.json").read_bytes(), "book.json")
        said = {record["number"]: _words(record) for record in book["records"]}
        lines += _tried("the book", lambda: _book(folder, book, str(manifest["incident"]), key))
        for name in sorted(name for name in parts if name.startswith("scopes/") and name.endswith(".zip")):
            lines += _tried(name, lambda name=name: _scope(folder / name, said, key_text))
        lines += _evidence(parts, [_words(one) for one in book["records"] if one["kind"] == EVIDENCE])
    except (OSError, KeyError, TypeError, AttributeError, ValueError) as fault:
        raise NotWhole(f"{folder} does not hold an incident's copy: {fault!r}") from None
    return lines


def _tried(what: str, check: Any) -> list[str]:
    try:
        return list(check())
    except NotWhole as fault:
        return [f"NOT WHOLE: {what}: {fault}"]


def _parts(folder: Path, parts: dict[str, str]) -> Iterator[str]:
    wrong = []
    for name, sha256 in sorted(parts.items()):
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            wrong.append(name)
    if wrong:
        yield f"NOT WHOLE: not as they were copied: {', '.join(wrong)}"
    else:
        yield f"whole: {len(parts)} parts are as they were copied"


def _book(folder: Path, book: Json, incident: str, key: Key) -> Iterator[str]:
    """Hold every record against the ledger's entry about it."""
    head = read_signed((folder / "proof" / "checkpoint").read_bytes(), key, "the copy's checkpoint")
    with (
        (folder / "proof" / "entries").open("rb") as lines,
        (folder / "proof" / "hashes").open("rb") as hashes,
    ):
        entries = bundle.led(lines, hashes, head)
    if book["incident"] != incident:
        raise NotWhole("it is of another incident")
    newest = _newest(entries, incident)
    for number, record in enumerate(book["records"], start=1):
        if record["number"] != number:
            raise NotWhole(f"record {number} is missing")
        found = newest.pop(number, None)
        if found is None:
            raise NotWhole(f"record {number} has no entry")
        if found[1]["note"] != f"{ADDED}{record['kind']}" or found[1]["commit"] != _commitment(
            incident, record
        ):
            raise NotWhole(f"record {number} was CHANGED: entry {found[0]} says something else")
    ended = {one["ref"]: one["note"] for one in entries.values() if one["kind"] == "outcome"}
    gone = [number for number, (index, _) in newest.items() if ended.get(str(index)) == "done"]
    if gone:
        raise NotWhole(f"record {gone[0]} is missing")
    count = len(book["records"])
    yield f"proved: all {count} records of the book are as the ledger of {head.size} entries has them"
    yield f"not proved here: that nobody has written a record no. {count + 1} since"


def _newest(entries: dict[int, Json], incident: str) -> dict[int, tuple[int, Json]]:
    """By a record's number its last entry: an adding that was cut off leaves its number to the next."""
    found: dict[int, tuple[int, Json]] = {}
    for index, entry in sorted(entries.items()):
        place, _, number = entry["ref"].rpartition("/")
        if (
            entry["kind"] == "incident"
            and entry["note"].startswith(ADDED)
            and place == f"incident:{incident}"
        ):
            found[int(number)] = index, entry
    return found


def _commitment(incident: str, record: Json) -> str:
    told = {"incident": incident} | {
        name: record[name] for name in ("number", "at", "by", "kind", "words", "salt")
    }
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def _scope(path: Path, said: dict[int, Json], key_text: str) -> Iterator[str]:
    """Check one answer, and that it is the one that the book's record names."""
    number = int(path.stem)
    told = bundle.verify(path, key_text)
    if bundle.digest(path) == said[number].get("sha256"):
        yield f"proved: the answer beside record {number} is the one that the record names"
    else:
        yield f"not proved here: the answer beside record {number} is another than on its day"
    yield from (_about(number, line) for line in told)


def _about(number: int, line: str) -> str:
    """A line of the bundle's, with whose it is behind its verdict."""
    verdict, _, rest = line.partition(": ")
    return f"{verdict}: record {number}: {rest}"


def _evidence(parts: dict[str, str], said: list[Json]) -> Iterator[str]:
    """Files that a record of theirs names by their hash; the others came with a sign, and the record is its.

    A record of that kind with a file in it is written by the vault alone.
    """
    named = {one["file"]: one.get("sha256") for one in said if isinstance(one.get("file"), str)}
    files = {name.partition("/")[2]: sha256 for name, sha256 in parts.items() if name.startswith("evidence/")}
    wrong = [name for name, sha256 in sorted(files.items()) if named.get(name, sha256) != sha256]
    for name in wrong:
        yield f"NOT WHOLE: the file {name} is not the one that the book names"
    held = sum(name in named for name in files) - len(wrong)
    if held:
        yield f"proved: files of evidence are those that the book names: {held}"
    if beside := sum(name not in named for name in files):
        yield f"not proved here: files that came with a sign, and that no record of the book names: {beside}"


def _words(record: Json) -> Json:
    try:
        said = json.loads(record["words"])
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def main(arguments: Sequence[str] | None = None) -> int:
    """`noren-verify incident FOLDER --vkey KEY`. The exit code: 0 proved, 1 not whole, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="noren-verify incident", description="Check an incident's copy.")
    parser.add_argument("folder", type=Path, help="`data` in what `noren incident take` wrote")
    parser.add_argument("--vkey", "--key", required=True, help="public key (NAME+KEYID+BASE64), or its file")
    options = parser.parse_args(arguments)
    return signed.said(lambda: verify(options.folder, options.vkey))
