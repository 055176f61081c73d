"""The outsider's verifier: is this ledger whole, and is it the one that was signed?

It reads the segment files itself, computes the tree, and checks every signed head, the published checkpoint
and any checkpoint kept earlier. It shares no code with the server and trusts nothing that it reads; the
format is described in docs/ledger-format.md. Exit codes: 0 whole, 1 not whole (with words), 2 wrong usage,
3 whole, but entries were written by a build that is not one of those given.
"""

import argparse
import base64
import hashlib
import re
import stat
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from noren_verify import online
from noren_verify.proof import carried, leaf_of, prove, read_proof, verify_proof
from noren_verify.signed import (
    MAX_TEXT,
    Key,
    Misuse,
    NotWhole,
    Signed,
    decoded,
    read_key,
    read_signed,
)

__all__ = [
    "Key",
    "Misuse",
    "NotWhole",
    "Signed",
    "decoded",
    "leaf_of",
    "main",
    "read_key",
    "read_proof",
    "read_signed",
    "verify_proof",
]

LIMITS = {"S": 1_024, "E": 65_535, "H": 4_096}
BUILD_DIGITS = 32


class Unfinished(NotWhole):
    """The files end where a batch is being written, or where one was cut off."""


class Stack:
    """Perfect subtrees as (height, hash), the highest first: all that is needed to compute a root."""

    def __init__(self) -> None:
        self.count = 0
        self.items: list[tuple[int, bytes]] = []

    def push(self, leaf: bytes) -> None:
        """Add the hash of the next entry."""
        height = 0
        while self.items and self.items[-1][0] == height:
            leaf = hashlib.sha256(b"\x01" + self.items.pop()[1] + leaf).digest()
            height += 1
        self.items.append((height, leaf))
        self.count += 1

    def root(self) -> bytes:
        """The root over everything pushed."""
        found: bytes | None = None
        for _, value in reversed(self.items):
            found = value if found is None else hashlib.sha256(b"\x01" + value + found).digest()
        return hashlib.sha256(b"").digest() if found is None else found


def build_of(entry: bytes) -> str:
    """What an entry says of the software that wrote it: its last key. Empty where it says nothing."""
    _, found, rest = entry.rpartition(b',"build":"')
    text = rest.removesuffix(b'"}').decode(errors="replace") if found else ""
    return text if re.fullmatch(rf"[0-9a-f]{{{BUILD_DIGITS}}}", text, re.ASCII) else ""


class Reading:
    """One pass over a folder. `stack.count` entries were read; the last head covers `covered` of them."""

    def __init__(self, folder: Path, key: Key, kept: Sequence[tuple[str, Signed]], wanted: int) -> None:
        self.folder = folder
        self.key = key
        self.kept = kept
        self.wanted = wanted  # the index of an entry whose bytes are asked for, or -1
        self.entry = b""
        self.builds: dict[str, list[int]] = {}  # which software wrote entries: the first, the last, how many
        self.stack, self.before = Stack(), Stack()  # all entries; those before the present batch
        self.covered = 0
        self.batch: list[bytes] = []
        self.roots = {signed.size: self.stack.root() for _, signed in kept}

    def run(self) -> "Reading":
        """Read all segments, and be what was read. Raises NotWhole at the first thing that is wrong."""
        paths = sorted((self.folder / "segments").glob("*.seg"))
        for number, path in enumerate(paths):
            if path.name != f"{number:08d}.seg" or not stat.S_ISREG(path.lstat().st_mode):
                raise NotWhole(f"entry {self.stack.count}: the segment that begins with it is missing")
            try:
                self._segment(path, number)
            except Unfinished as error:
                if path != paths[-1]:
                    raise NotWhole(str(error)) from None
                self._compare()
                raise
        self._compare()
        if not paths:
            raise NotWhole("there is no segment file")
        return self

    def _segment(self, path: Path, number: int) -> None:
        """The segment's start, the signed head of what came before, then batches closed by their heads."""
        place = 0
        with path.open("rb") as file:
            for kind, payload in read_frames(file, path.name, self.stack.count):
                if (place < 2 and kind != "SH"[place]) or (place and kind == "S"):
                    raise NotWhole(f"entry {self.stack.count}: a frame before it is not where it belongs")
                if kind == "S":
                    self._start(payload, path.name, number)
                elif kind == "E":
                    self._entry(payload)
                else:
                    self._head(payload, path.name, opening=place == 1)
                place += 1
        if place < 2 or self.batch:
            raise Unfinished(f"entry {self.covered}: {path.name} ends before the signed head over it")

    def _start(self, payload: bytes, name: str, number: int) -> None:
        if payload != f"noren-ledger/1\n{self.key.name}\n{number}\n{self.stack.count}\n".encode():
            raise NotWhole(f"entry {self.stack.count}: {name} does not continue the ledger at this entry")

    def _entry(self, data: bytes) -> None:
        if self.stack.count == self.wanted:
            self.entry = data
        seen = self.builds.setdefault(build_of(data), [self.stack.count, 0, 0])
        seen[1:] = self.stack.count, seen[2] + 1
        self.batch.append(leaf_of(data))
        self.stack.push(self.batch[-1])
        if self.stack.count in self.roots:
            self.roots[self.stack.count] = self.stack.root()

    def _head(self, payload: bytes, name: str, *, opening: bool) -> None:
        last = self.stack.count - 1
        what = f"entry {last}: the signed head after it" if last >= 0 else "the signed head before entry 0"
        signed = read_signed(payload, self.key, what)
        if opening == bool(self.batch):
            raise NotWhole(f"{what} closes a batch without entries")
        if signed.size != self.stack.count:
            raise NotWhole(f"{what} is of {signed.size} entries")
        if signed.root != self.stack.root():
            raise NotWhole(f"{self._changed(signed.root)} was changed after it was signed ({name})")
        self.covered = signed.size
        self.before.items, self.before.count = list(self.stack.items), self.stack.count
        self.batch.clear()

    def _changed(self, root: bytes) -> str:
        """Which entry of the batch was changed: the tiles tell it when they still fit the signed root."""
        first, last = self.covered, self.stack.count - 1
        told = [self._tile_hash(index) for index in range(first, last + 1)]
        for leaf in told:
            self.before.push(leaf)
        if self.before.root() == root:
            first += next((at for at, leaf in enumerate(self.batch) if leaf != told[at]), 0)
            return f"entry {first}"
        return f"entry {first}" if first == last else f"entry {first} or a later one up to {last}"

    def _tile_hash(self, index: int) -> bytes:
        number, at = divmod(index, 256)
        full = self.folder / online.tile_path(0, number)
        for path in [full, *full.with_name(f"{full.name}.p").glob("*")]:
            if len(hashes := _bytes(path) or b"") >= at * 32 + 32:
                return hashes[at * 32 : at * 32 + 32]
        return b""

    def _compare(self) -> None:
        """Hold the files against the checkpoints that were kept and the one that is published."""
        for what, (size, root) in sorted(self.kept, key=lambda one: one[1].size):
            if size > self.covered:
                missing = f"entries {self.covered} to {size - 1} are missing"
                raise NotWhole(f"{missing}: {what} was signed over {size} entries")
            if self.roots[size] != root:
                raise NotWhole(f"entry {size - 1} or one before it is not what it was for {what}")


def read_frames(file: BinaryIO, name: str, count: int) -> Iterator[tuple[str, bytes]]:
    """Kind and payload of each frame of a segment; `count` entries come before it. Raises NotWhole."""
    offset = 0
    while start := file.read(5):
        kind, where = chr(start[0]), f"({name}, byte {offset})"
        what = f"entry {count - 1}: the signed head after it" if kind == "H" and count else f"entry {count}"
        length = int.from_bytes(start[1:], "big")
        if len(start) == 5 and length > LIMITS.get(kind, -1):
            raise NotWhole(f"{what} is damaged: the bytes are no frame {where}")
        rest = file.read(length + 4) if len(start) == 5 else b""
        if len(rest) < length + 4:
            raise Unfinished(f"{what} is cut off: the file ends within a frame {where}")
        if zlib.crc32(start + rest[:-4]) != int.from_bytes(rest[-4:], "big"):
            raise NotWhole(f"{what} is damaged: the checksum does not fit {where}")
        yield kind, rest[:-4]
        offset += 9 + length
        count += kind == "E"


def verify_folder(folder: Path, key: Key, kept: Sequence[tuple[str, Signed]], wanted: int = -1) -> Reading:
    """Check a folder, which may be written while it is read. Raises NotWhole."""
    # The published checkpoint is read first, so that it cannot be ahead of the segments.
    published = _bytes(folder / "checkpoint")
    if published is None:
        raise NotWhole("the checkpoint file is missing: a missing end could not be noticed")
    kept = [*kept, ("the checkpoint file", read_signed(published, key, "the checkpoint file"))]
    if (newer := _bytes(folder / "head")) is not None:  # while witnesses are behind
        kept.append(("the head file", read_signed(newer, key, "the head file")))
    for _ in range(2):  # an end that is not finished is read again a little later
        with suppress(Unfinished):
            return Reading(folder, key, kept, wanted).run()
        time.sleep(0.3)
    return Reading(folder, key, kept, wanted).run()


def _bytes(path: Path) -> bytes | None:
    """The content of a small regular file, or None where there is none."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(MAX_TEXT + 1)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="noren-verify", description="Check that a ledger is whole.")
    parser.add_argument("folder", nargs="?", help="the ledger folder, or the address where it is served")
    parser.add_argument("--key", required=True, help="public key (NAME+KEYID+BASE64), or a file with it")
    parser.add_argument(
        "--checkpoint", action="append", default=[], type=Path, help="a checkpoint kept earlier"
    )
    parser.add_argument(
        "--build",
        action="extend",
        nargs="+",
        default=[],
        metavar="HASH",
        help="the published builds of the vault, in hex: another one's entries are an alarm",
    )
    parser.add_argument("--proof", type=Path, help="a .tlog-proof file")
    parser.add_argument(
        "--compare",
        nargs=2,
        type=Path,
        metavar="CHECKPOINT",
        help="two checkpoints: do they tell one history? Of different sizes the folder is needed too",
    )
    parser.add_argument("--entry", type=Path, help="a file with the entry that the proof is about")
    found = parser.parse_args(arguments)
    found.url = found.folder if (found.folder or "").startswith(("http://", "https://")) else None
    found.folder = None if found.url or found.folder is None else Path(found.folder)
    if found.url is not None:
        if found.proof or found.entry or found.compare or not found.checkpoint:
            parser.error("an address goes with a key and a checkpoint kept earlier")
        return found
    if found.compare is not None:
        if found.proof is not None or found.entry is not None or found.checkpoint:
            parser.error("--compare goes with a key and, where the sizes differ, the folder")
        return found
    if found.folder is None and (found.proof is None or found.checkpoint):
        parser.error("give a ledger folder, or a proof (and its entry, where it does not bring it along)")
    if found.folder is not None and not found.folder.is_dir():
        parser.error(f"{found.folder} is not a folder")
    if not all(re.fullmatch(r"[0-9a-f]{32,64}", one, re.ASCII) for one in found.build):
        parser.error("a build is 32 to 64 hex digits")
    if found.entry is not None and found.proof is None:
        parser.error("an entry is checked by its proof: give --proof")
    return found


def check(options: argparse.Namespace) -> tuple[list[str], list[str]]:
    """Do what was asked; the lines to print, and those about builds that were not given. Raises NotWhole or
    Misuse.
    """
    key, lines = read_key(options.key), []
    builds: dict[str, list[int]] = {}
    if options.url is not None:
        return check_served(options.url, key, options.checkpoint), []
    if options.compare is not None:
        return compare(options.folder, key, options.compare), []
    old = [(f"the checkpoint {path.name}", path) for path in options.checkpoint]
    kept = [(what, read_signed(_given(path), key, what)) for what, path in old]
    proof = None if options.proof is None else read_proof(_given(options.proof), key)
    entry = b"" if options.entry is None else _given(options.entry).rstrip(b"\n")
    if options.folder is not None:
        about = [("the proof's checkpoint", proof[2])] if proof else []
        reading = verify_folder(options.folder, key, [*kept, *about], proof[0] if proof else -1)
        root = base64.b64encode(reading.stack.root()).decode()
        lines += [f"whole: {reading.covered} entries, root {root}"]
        lines += [f"unchanged: the first {size} entries are those of {what}" for what, (size, _) in kept]
        entry = entry or reading.entry
        builds = reading.builds
    if proof is not None:
        brought = carried(_given(options.proof))
        lines += prove(entry, brought, *proof)
        entry = entry or (brought if len(brought) != 32 else b"")
        if options.folder is None and entry:
            builds = {build_of(entry): [proof[0], proof[0], 1]}
    known = {one[:BUILD_DIGITS] for one in options.build}
    told = {
        build: f"build {build or '(none)'}: entries {first} to {last}, {count} of them"
        for build, (first, last, count) in builds.items()
    }
    lines += told.values() if known else ()
    return lines, [f"not a published {line}" for build, line in told.items() if known and build not in known]


def check_served(url: str, key: Key, paths: Sequence[Path]) -> list[str]:
    """Whether a ledger that is served as tiles continues the checkpoints; the lines to print."""
    fetch = online.fetcher(url)
    now = read_signed(fetch("checkpoint"), key, "the served checkpoint")
    kept = [(f"the checkpoint {one.name}", _given(one)) for one in paths]
    old = [(what, read_signed(data, key, what)) for what, data in kept]
    for what, (size, _) in old:
        if size > now.size:
            raise NotWhole(
                f"entries {now.size} to {size - 1} are missing: {what} was signed over {size} entries"
            )
    try:
        found = online.roots(fetch, now.size, [now.size, *(signed.size for _, signed in old)])
    except ValueError as error:
        raise NotWhole(f"the served tiles are not those of the checkpoint: {error}") from None
    for (what, signed), root in zip([("the served checkpoint", now), *old], found, strict=True):
        if signed.root != root:
            raise NotWhole(f"the served hashes are not those of {what}")
    return [
        f"unchanged: the first {size} of {now.size} entries are those of {what}" for what, (size, _) in old
    ]


def compare(folder: Path | None, key: Key, paths: Sequence[Path]) -> list[str]:
    """Whether two checkpoints, both signed with the key, tell one history; the line to print.

    Raises NotWhole when they do not: the two files are then the proof that this key signed two histories, and
    whoever has the key can check it. Raises Misuse when that cannot be decided without the folder.
    """
    (first, one), (other, two) = [
        (f"the checkpoint {path.name}", read_signed(_given(path), key, f"the checkpoint {path.name}"))
        for path in paths
    ]
    if one.size == two.size:
        if one.root != two.root:
            raise NotWhole(f"{first} and {other} are of {one.size} entries with different roots: a fork")
        return [f"agree: both are of {one.size} entries with the same root"]
    if folder is None:
        raise Misuse(f"the sizes differ ({one.size} and {two.size}): give the ledger folder too")
    fitting = [_fits(folder, key, what, signed) for what, signed in ((first, one), (other, two))]
    if all(fitting):
        return [f"agree: the ledger continues both, {one.size} and {two.size} entries"]
    strange = [what for what, fits in zip((first, other), fitting, strict=True) if not fits]
    raise NotWhole(f"{' and '.join(strange)} tell another history than this ledger: a fork")


def _fits(folder: Path, key: Key, what: str, signed: Signed) -> bool:
    """Whether the ledger, whole by itself, continues a checkpoint. Raises NotWhole when it is not whole."""
    if signed.size > (covered := verify_folder(folder, key, []).covered):
        raise NotWhole(f"entries {covered} to {signed.size - 1} are missing, or {what} is of another history")
    try:
        verify_folder(folder, key, [(what, signed)])
    except NotWhole:
        return False
    return True


def _given(path: Path) -> bytes:
    if (data := _bytes(path)) is None:
        raise Misuse(f"{path} is not a file")
    return data


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Gives the exit code."""
    options = _arguments(arguments)
    try:
        lines, alarms = check(options)
    except Misuse as error:
        print(f"noren-verify: {error}", file=sys.stderr)
        return 2
    except (NotWhole, OSError) as error:
        print(f"not whole: {error}")
        return 1
    print("\n".join([*lines, *alarms]))
    return 3 if alarms else 0
