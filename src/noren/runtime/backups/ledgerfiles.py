"""The ledger's files in and out of a backup (docs/ledger-format.md).

A living ledger may have half a batch at its end: what is copied ends with the last whole signed head.
"""

import io
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from noren.runtime.env import StartRefused

_SEGMENTS = "segments"
_HEAD, _SUM = 5, 4
_OURS = re.compile(r"vkey|segments/[0-9]{8}\.seg", re.ASCII)


@dataclass(frozen=True, slots=True)
class End:
    """The signed head that a ledger ends with, its text, and where in its last segment it ends."""

    origin: str
    size: int
    root: str
    signed: bytes
    bytes: int


def end(folder: Path) -> End:
    """Find the last signed head in the last segment. Raises StartRefused where there is none."""
    paths = segments(folder)
    found = None if not paths else _last_head(paths[-1].read_bytes())
    if found is None:
        raise StartRefused(f"There is no ledger in {folder}.")
    return found


def segments(folder: Path) -> list[Path]:
    """Return the segments in their order."""
    return sorted((folder / _SEGMENTS).glob("*.seg"))


def pack(folder: Path, target: IO[bytes]) -> End:
    """Write a tar of segments and public key; gives the head that it ends with."""
    paths, last = segments(folder), end(folder)
    with tarfile.open(fileobj=target, mode="w") as tar:
        _add(tar, "vkey", (folder / "vkey").read_bytes())
        for path in paths:
            data = path.read_bytes()
            if path == paths[-1]:
                # It may have grown since: then it has grown by whole frames after this place.
                data = data[: last.bytes]
            _add(tar, f"{_SEGMENTS}/{path.name}", data)
    return last


def unpack(source: IO[bytes], folder: Path) -> None:
    """Write what `pack` packed into an empty folder, and nothing else. Raises StartRefused."""
    (folder / _SEGMENTS).mkdir(mode=0o755)
    with tarfile.open(fileobj=source, mode="r") as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is None or not _OURS.fullmatch(member.name):
                raise StartRefused(f"{member.name!r} does not belong in a ledger's archive.")
            (folder / member.name).write_bytes(content.read())


def copy(old: Path, new: Path) -> None:
    """Copy a ledger, without the derived files and without half a batch at the end."""
    buffer = io.BytesIO()
    pack(old, buffer)
    buffer.seek(0)
    unpack(buffer, new)


def names(folder: Path, text: str) -> bool:
    """Whether a ledger's entries hold a text, such as a backup's id."""
    return any(text.encode() in path.read_bytes() for path in segments(folder))


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o644
    tar.addfile(info, io.BytesIO(data))


def _last_head(data: bytes) -> End | None:
    """Walk the frames: kind, length, payload, sum."""
    at, found = 0, None
    while at + _HEAD <= len(data):
        kind, length = data[at : at + 1], int.from_bytes(data[at + 1 : at + _HEAD], "big")
        after = at + _HEAD + length + _SUM
        if kind not in (b"S", b"E", b"H") or after > len(data):
            break
        if kind == b"H":
            signed = data[at + _HEAD : at + _HEAD + length]
            origin, size, root = signed.decode().split("\n")[:3]
            found = End(origin, int(size), root, signed, after)
        at = after
    return found
