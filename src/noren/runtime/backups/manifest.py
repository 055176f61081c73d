"""What a backup consists of, in one JSON file whose SHA-256 stands in the ledger.

A backup is a folder: `manifest.json` and the files it names, each an age file under the key of its archive.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from noren.runtime.env import StartRefused

NAME = "manifest.json"
_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class File:
    """One file: which archive's key opens it, its SHA-256 in hex and its size in bytes."""

    archive: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """`key` and `sealed` are the backup key's id and the sealed identity of the wrapped keys, in hex.

    `origin`, `size`, `root` are the head that the ledger's archive ends with. `canary` is a person of the
    vault, `canary_sha256` the hash of her address.
    """

    id: str
    made_at: str
    key: str
    sealed: str
    origin: str
    size: int
    root: str
    canary: str
    canary_sha256: str
    files: Mapping[str, File]

    def write(self, folder: Path) -> str:
        """Write it into its backup's folder; gives its SHA-256 in hex."""
        text = json.dumps({"v": 1} | asdict(self), indent=1) + "\n"
        (folder / NAME).write_text(text, encoding="utf-8")
        return hashlib.sha256(text.encode()).hexdigest()


def new_id(now: datetime) -> str:
    """Return a name that sorts by time and is nobody else's."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def made(backup: str) -> datetime:
    """Return when a backup was begun."""
    return datetime.strptime(backup[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def ids(folder: Path) -> list[str]:
    """Return the finished backups in a folder, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(one.name for one in folder.iterdir() if _ID.fullmatch(one.name) and (one / NAME).is_file())


def read(folder: Path) -> tuple[Manifest, str]:
    """Read a backup's manifest; gives it and its SHA-256 in hex. Raises StartRefused."""
    try:
        data = (folder / NAME).read_bytes()
    except FileNotFoundError:
        raise StartRefused(f"There is no backup in {folder}.") from None
    try:
        raw = json.loads(data)
        if raw.pop("v") != 1:
            raise StartRefused(f"{folder / NAME} is of a version that this Noren does not know.")
        files = {name: File(**one) for name, one in raw.pop("files").items()}
        manifest = Manifest(**raw, files=files)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StartRefused(f"{folder / NAME} is not the manifest of a backup.") from None
    if manifest.id != folder.name:
        raise StartRefused(f"{folder / NAME} is the manifest of {manifest.id}.")
    return manifest, hashlib.sha256(data).hexdigest()


def check_files(folder: Path, manifest: Manifest) -> None:
    """Hold every file against its SHA-256. Raises StartRefused for one that is missing or another."""
    for name, file in manifest.files.items():
        if "/" in name or not (folder / name).is_file():
            raise StartRefused(f"{folder / name} is missing.")
        with (folder / name).open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != file.sha256:
            raise StartRefused(f"{folder / name} is not what was written: its SHA-256 is another.")
