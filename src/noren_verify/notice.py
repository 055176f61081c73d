"""`noren-verify notice`: is a notice's text the one that the ledger says was published, and is none missing?

Each text `X.json` lies beside its proof `X.tlog-proof`, which brings the ledger's entry along. The format of
the text is described in docs/notices.md.
"""

import argparse
import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from noren_verify.proof import carried, read_proof, verify_proof
from noren_verify.signed import Key, Misuse, NotWhole, object_of, read_key, said

FORMAT = "noren-notice/1"
LONGEST = 1_000_000
PUBLISHED = {"published": "by two operators", "published:alone": "by one operator ALONE"}


def verify_text(text: bytes, proof: bytes, key: Key) -> tuple[str, int, int, str]:
    """Notice, number and version of a text that was published as it is, and words. Raises NotWhole."""
    told = object_of(text, "the text")
    if told.get("format") != FORMAT:
        raise NotWhole(f"the text is not of the format {FORMAT}")
    notice, number, version = told.get("notice"), told.get("number"), told.get("version")
    if not isinstance(notice, str) or type(number) is not int or type(version) is not int:
        raise NotWhole("the text does not say which notice, update and version it is")
    what = f"{notice}, update {number}, version {version}"
    index, hashes, signed = read_proof(proof, key)
    brought = carried(proof)
    if not brought or len(brought) == 32:
        raise NotWhole(f"{what}: the proof does not bring its entry along")
    verify_proof(brought, index, hashes, signed)
    entry = object_of(brought, f"entry {index}")
    if entry.get("kind") != "notice" or entry.get("note") not in PUBLISHED:
        raise NotWhole(f"{what}: entry {index} publishes nothing")
    if entry.get("ref") != f"{notice}/{number}.{version}/sha256:{hashlib.sha256(text).hexdigest()}":
        raise NotWhole(f"{what}: the text was CHANGED, or is another one: entry {index} says {entry['ref']}")
    at = datetime.fromtimestamp(int(entry["time"]) / 1000, UTC)
    words = f"{what}: published {at:%Y-%m-%d %H:%M:%S} UTC {PUBLISHED[entry['note']]}, entry {index}"
    return notice, number, version, words


def verify(paths: Sequence[Path], key: Key) -> list[str]:
    """Check texts, and folders of them; the lines to print. Raises NotWhole, Misuse, OSError."""
    found: dict[tuple[str, int, int], str] = {}
    for path in _texts(paths):
        beside = path.with_suffix(".tlog-proof")
        if not beside.is_file():
            raise NotWhole(f"{path.name}: there is no {beside.name} beside it")
        notice, number, version, words = verify_text(_bytes(path), _bytes(beside), key)
        found[notice, number, version] = words
    if not found:
        raise Misuse("there is no notice's text")
    if any(path.is_dir() for path in paths):
        _none_missing(set(found))
    return [f"proved: {words}" for _, words in sorted(found.items())]


def _none_missing(found: set[tuple[str, int, int]]) -> None:
    for notice, number, version in sorted(found):
        if version > 1 and (notice, number, version - 1) not in found:
            raise NotWhole(f"{notice}, update {number}: version {version - 1} is missing")
        if number > 1 and (notice, number - 1, 1) not in found:
            raise NotWhole(f"{notice}: update {number - 1} is missing")


def _texts(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.rglob("*.json")) if path.is_dir() else [path]


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(LONGEST + 1)
    if len(data) > LONGEST:
        raise NotWhole(f"{path.name} is longer than any notice")
    return data


def main(arguments: Sequence[str] | None = None) -> int:
    """`noren-verify notice FILE ... --key KEY`. The exit code: 0 proved, 1 not whole, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="noren-verify notice", description="Check published notices.")
    parser.add_argument("paths", nargs="+", type=Path, help="a notice's text (.json), or a folder of them")
    parser.add_argument("--vkey", "--key", required=True, help="public key (NAME+KEYID+BASE64), or its file")
    options = parser.parse_args(arguments)
    return said(lambda: verify(options.paths, read_key(options.vkey)))
