"""`noren trace FILE`: from which export a list that turned up comes, by whom and when.

The file's texts go to the vault, which alone knows the canaries. It may be a part of the list, in another
order or encoding, without some of its columns, or mixed of several.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from noren import people
from noren.errors import NorenError
from noren.people.exporting import unguarded

A_REQUEST: Final = 50_000
_LETTERS: Final = 1_000_000
_LONGEST: Final = 400
_MAIL: Final = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9.-]+", re.ASCII)
_ENDS: Final = re.compile(r'[\r\n\t,;|"、\x00]+')
_MARKS: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
# What stands for a canary: her address alone, her number and a name; names alone prove nothing.
_WEIGHTS: Final = {"mail": 3, "phone": 2, "name": 1, "kana": 1}
_SURE: Final = 3
_NAMES_AT_LEAST: Final = 0.5


def main(words: Sequence[str]) -> int:
    """Return 0 when an export was found for sure or possibly, 3 when none was, 1 when it cannot be asked."""
    parser = argparse.ArgumentParser(prog="noren trace", description=(__doc__ or "").split(": ", 1)[-1])
    parser.add_argument("file", type=Path, metavar="FILE", help="the list: CSV, or any text")
    parser.add_argument("--json", action="store_true", help="print JSON for a program, with proofs")
    asked = parser.parse_args(words)
    try:
        found = texts(asked.file.read_bytes())
        answer = ask(found)
    except OSError as fault:
        sys.stderr.write(f"noren: {asked.file}: {fault.strerror}\n")
        return 1
    except NorenError as error:
        sys.stderr.write(f"noren: {error.words()}\n")
        return 1
    told = json.dumps(answer, indent=2, ensure_ascii=False) if asked.json else as_text(answer, len(found))
    sys.stdout.write(f"{told}\n")
    return 0 if answer["exports"] else 3


def texts(raw: bytes) -> list[str]:
    """Give each text of a file once, whatever separates them; what cannot be read is passed over."""
    found = dict.fromkeys(one for one in _cells(_decoded(raw)) if one and len(one) <= _LONGEST)
    return list(found)


def _decoded(raw: bytes) -> str:
    named = _MARKS.get(raw[:3]) or _MARKS.get(raw[:2])
    for encoding in ([named] if named else []) + ["utf-8", "cp932"]:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", errors="replace")


def _cells(text: str) -> Iterator[str]:
    for cell in _ENDS.split(text):
        yield unguarded(cell.strip()).strip()
    yield from _MAIL.findall(text)


def ask(found: list[str]) -> dict[str, Any]:
    """Ask the vault about all texts, in several requests where they are many; gives one answer."""
    answer: dict[str, Any] = {"exports": [], "size": 0, "checkpoint": ""}
    exports: dict[str, dict[str, Any]] = {}
    for some in _requests(found):
        told = people.trace(some)
        for one in told["exports"]:
            seen = exports.get(one["export"])
            if seen is not None:
                one["matched"] = _joined(seen["matched"], one["matched"])
            exports[one["export"]] = one
        answer |= {"size": told["size"], "checkpoint": told["checkpoint"]}
    judged = [one | {"verdict": verdict(one)} for one in exports.values()]
    answer["exports"] = [one for one in judged if one["verdict"]]
    return answer


def _requests(found: Sequence[str]) -> Iterator[list[str]]:
    """At least one: that nothing was found is asked and recorded, too."""
    some: list[str] = []
    letters = 0
    for one in found:
        if len(some) >= A_REQUEST or letters >= _LETTERS:
            yield some
            some, letters = [], 0
        some.append(one)
        letters += len(one)
    yield some


def _joined(one: dict[str, list[str]], other: dict[str, list[str]]) -> dict[str, list[str]]:
    keys = sorted({*one, *other}, key=int)
    return {key: sorted({*one.get(key, ()), *other.get(key, ())}) for key in keys}


def verdict(export: dict[str, Any]) -> str:
    """`sure`, `possible`, or empty for what chance would bring as well.

    Sure: a canary's mail, or a number with a name, or two numbers. Possible: a number alone, or names of at
    least half of the canaries.
    """
    matched = export["matched"].values()
    by_contact = [names for names in matched if {"mail", "phone"} & set(names)]
    if any(sum(_WEIGHTS[name] for name in names) >= _SURE for names in by_contact) or len(by_contact) > 1:
        return "sure"
    names = sum(bool({"name", "kana"} & set(one)) for one in matched)
    enough = names >= max(_SURE, _NAMES_AT_LEAST * export["canaries"])
    return "possible" if by_contact or enough else ""


def as_text(answer: dict[str, Any], looked_at: int) -> str:
    """The answer in words."""
    lines: list[str] = []
    for one in sorted(answer["exports"], key=lambda each: each["verdict"] == "possible"):
        lines += [*_export(one), ""]
    if not lines:
        lines = [
            f"No canary of any export is among the {looked_at} texts of this file.",
            "That proves nothing: they may have been taken out, or the list has another source.",
        ]
    else:
        lines.append(f"Answered from the ledger's head of {answer['size']} entries.")
    return "\n".join(lines)


def _export(one: dict[str, Any]) -> Iterable[str]:
    words = {
        "sure": "This list comes from export",
        "possible": "This list may come from export (a coincidence is not excluded)",
    }
    yield f"{words[one['verdict']]} {one['export']} of {one['slug']}: {one['reason']}"
    yield f"  {one['persons']} persons, {', '.join(one['fields'])}"
    hits = {name: sum(name in names for names in one["matched"].values()) for name in _WEIGHTS}
    told = ", ".join(f"{count} by {name}" for name, count in hits.items() if count)
    yield f"  {len(one['matched'])} of {one['canaries']} canaries found: {told}"
    yield f"  asked for by {one['asked_by']}, agreed to by {one['decided_by'] or 'nobody (none was needed)'}"
    pieces: list[dict[str, Any]] = []
    for step in one["steps"]:
        if step["note"] in ("piece", "alone"):
            pieces.append(step)
            continue
        yield from _pieces(pieces)
        pieces = []
        yield f"  {_at(step)} entry {step['entry']}: {step['note']} by {step['actor']} ({step['credential']})"
    yield from _pieces(pieces)
    yield f"  whose data: noren scope --export {one['export']} --since {_since(one)} --bundle FILE"


def _pieces(pieces: list[dict[str, Any]]) -> Iterable[str]:
    if pieces:
        first, last = pieces[0], pieces[-1]
        open_ = sum(step["outcome"] != "released" for step in pieces)
        told = f"  {_at(first)} entries {first['entry']} to {last['entry']}: {len(pieces)} pieces"
        told += f" of {sum(step['persons'] for step in pieces)} persons by {first['actor']}"
        yield told + (f", {open_} of which may not have arrived" if open_ else "")


def _at(step: dict[str, Any]) -> str:
    return datetime.fromtimestamp(step["at"], UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _since(one: dict[str, Any]) -> str:
    return datetime.fromtimestamp(int(one["steps"][0]["at"]), UTC).strftime("%Y-%m-%dT%H:%MZ")
