"""`noren incident evidence ID FILE`: a file from elsewhere is sealed into an incident, its hash on record."""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from noren.errors import NorenError, TooMuch
from noren.incidents import book
from noren.incidents.book import Kind
from noren.people import signs

DONE, NOT_NOW, ASKED_WRONGLY = 0, 1, 2


def take(words: Sequence[str]) -> int:
    """`noren incident evidence ID FILE --source NAME --skew SECONDS`: prints the file's id and SHA-256."""
    asked = _parser().parse_args(words)
    try:
        content = asked.file.read_bytes()
    except OSError as fault:
        return _refuse(f"{asked.file}: {fault.strerror}", ASKED_WRONGLY)
    if len(content) > signs.MOST_BYTES:
        return _refuse(TooMuch(megabytes=signs.MOST_BYTES >> 20).words(), NOT_NOW)
    if not content:
        return _refuse(f"{asked.file} is empty.", ASKED_WRONGLY)
    try:
        name, sha256 = asked.file.name, hashlib.sha256(content).hexdigest()
        record = said(name, sha256, source=asked.source, skew=asked.skew, text=asked.text)
        made = signs.take_file(
            None, asked.incident, content, name=name, words=record, source=asked.source, skew=asked.skew
        )
    except NorenError as error:
        return _refuse(error.words(), NOT_NOW)
    sys.stdout.write(f"{made}  sha256:{sha256}\n")
    return DONE


def said(name: str, sha256: str, *, source: str, skew: int, text: str) -> str:
    """The record's words in the book. Raises BadField."""
    return book.say(Kind.EVIDENCE, name=name, sha256=sha256, source=source, skew=skew or None, text=text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="noren incident evidence",
        description="Seal a file into an incident: its hash goes into the book and on the ledger.",
    )
    parser.add_argument("incident", metavar="ID", help="the incident, as its page's address names it")
    parser.add_argument("file", metavar="FILE", type=Path, help="at most 4 MB")
    parser.add_argument("--source", metavar="NAME", default="", help="which system it comes from")
    parser.add_argument(
        "--skew",
        metavar="SECONDS",
        type=int,
        default=0,
        help="by how much that system's clock is ahead of ours; less than 0: behind",
    )
    parser.add_argument("--text", metavar="WORDS", default="", help="what it shows")
    return parser


def _refuse(text: str, code: int) -> int:
    sys.stderr.write(f"noren: {text}\n")
    return code
