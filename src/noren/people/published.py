"""What the ledger publishes, read from its folder: the checkpoint, its key, and the tiles of its tree.

These are public, hold no ids, and are read without the vault. Its entries are not among them.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from django.conf import settings

HASH_BYTES: Final = 32
WIDTH: Final = 256
_DASH: Final = "— "
# Key id, time, and signature of a timestamped cosignature (C2SP tlog-cosignature).
_COSIGNATURE_BYTES: Final = 4 + 8 + 64


@dataclass(frozen=True, slots=True)
class Signature:
    """By whom, and when a witness says that it signed. The signature itself is not checked here."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Published:
    """The checkpoint as published. `note` is the whole signed text, `witnesses` those who signed it too."""

    note: str
    origin: str
    size: int
    root: str
    vkey: str
    witnesses: tuple[Signature, ...]


def checkpoint() -> Published | None:
    """The published checkpoint; None while there is no ledger to be read."""
    folder = Path(settings.LEDGER)
    try:
        note = (folder / "checkpoint").read_text(encoding="utf-8")
        vkey = (folder / "vkey").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    text, _, lines = note.rpartition("\n\n")
    origin, size, root = text.split("\n")[:3]
    found = tuple(one for line in lines.splitlines() if (one := _witness(line)) is not None)
    return Published(note, origin, int(size), root, vkey, found)


def tile(level: int, number: int, width: int) -> bytes | None:
    """The first `width` hashes of a tile (256: the whole one), or None where there are not so many.

    A tile that has grown since still answers for each width that it ever had.
    """
    folder = Path(settings.LEDGER) / "tile" / str(level)
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.append(f"x{number % 1000:03d}")
    full = folder.joinpath(*reversed(groups))
    # Twice: the publisher may replace a partial tile by a wider one while it is looked for.
    for _ in range(2):
        for path in (full, *_partial(full)):
            try:
                data = path.read_bytes()[: width * HASH_BYTES]
            except OSError:
                continue
            if len(data) == width * HASH_BYTES:
                return data
    return None


def _partial(full: Path) -> list[Path]:
    folder = full.with_name(f"{full.name}.p")
    return [path for path in folder.glob("*") if path.name.isdecimal()] if folder.is_dir() else []


def _witness(line: str) -> Signature | None:
    name, _, blob = line.removeprefix(_DASH).partition(" ")
    try:
        raw = base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != _COSIGNATURE_BYTES:
        return None
    try:
        return Signature(name, datetime.fromtimestamp(int.from_bytes(raw[4:12], "big"), UTC))
    except (OverflowError, OSError, ValueError):
        return None
