"""Where keys lie: a folder that only the vault's user can enter, one file a key.

    epoch-0001-<id>.key    wraps the persons' data keys
    index-0001-<id>.key    the blind index
    ledger-0001-<id>.key   signs the ledger's heads (Ed25519, the seed)
    backup-0001-<id>.key   seals what a backup holds of wrapped data keys
    pepper-0001-<id>.key   passwords, second factors and sign-in mails

A key has 32 bytes. The folder is 0700, the files 0600, both the vault's own user's; anything looser stops the
start, for then it is not known who has a copy. Another provider keeps its files in the same folder, wrapped.
"""

import os
import re
import secrets
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from noren_vault import sealing

_NAME: Final = re.compile(r"([a-z]+)-([0-9]{4,9})-([0-9a-f]{8})", re.ASCII)


class KeysError(Exception):
    """The keys cannot be used as they lie there; the words name the file, never its content."""


class KeysUnavailable(KeysError):
    """Who unwraps the keys does not answer now: a later start may succeed."""


class Kind(StrEnum):
    """What a key is for."""

    EPOCH = "epoch"
    INDEX = "index"
    LEDGER = "ledger"
    BACKUP = "backup"
    PEPPER = "pepper"


@dataclass(frozen=True, slots=True, order=True)
class Stored:
    """A key by its name: its kind, its number within the kind (the newest has the highest), its id."""

    kind: Kind
    number: int
    id: bytes

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return f"{self.kind}-{self.number:04d}-{self.id.hex()}"


class FileProvider:
    """Keys as plain files. Every method blocks; who has a loop calls it in a thread."""

    suffix = ".key"

    def __init__(self, folder: Path) -> None:
        """Keep the folder; nothing is read yet."""
        self.folder = folder

    def stored(self, kind: Kind) -> list[Stored]:
        """Name the keys of a kind, oldest first. Raises KeysError."""
        return sorted(one for one in self._all() if one.kind == kind)

    def new(self, kind: Kind) -> Stored:
        """Name the next key of a kind; `make` makes it."""
        highest = max((one.number for one in self.stored(kind)), default=0)
        return Stored(kind, highest + 1, secrets.token_bytes(sealing.KEY_ID_BYTES))

    def make(self, stored: Stored) -> None:
        """Make the key, whole and durable or not at all, never over another. Raises KeysError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check(self.folder, 0o700)
        write(self._path(stored), self._fresh(stored))

    def read(self, stored: Stored) -> bytes:
        """Give the key's 32 bytes. Raises KeysError."""
        path = self._path(stored)
        if not os.path.lexists(path):
            raise KeysError(f"no {stored.kind} key {stored.id.hex()} in {self.folder}")
        _check(self.folder, 0o700)
        _check(path, 0o600)
        raw = self._opened(stored, path.read_bytes())
        if len(raw) != sealing.KEY_BYTES:
            raise KeysError(f"{path.name} does not hold {sealing.KEY_BYTES} bytes")
        return raw

    def made_at(self, stored: Stored) -> int:
        """Tell when the key's file was written, in milliseconds since the epoch."""
        return int(self._path(stored).lstat().st_mtime * 1000)

    def destroy(self, stored: Stored) -> None:
        """Remove the key for good; one that is gone already is no error."""
        self._path(stored).unlink(missing_ok=True)
        sync(self.folder)

    # -- what another provider does in its own way

    def _fresh(self, stored: Stored) -> bytes:  # noqa: ARG002 - a wrapping provider binds the name
        return secrets.token_bytes(sealing.KEY_BYTES)

    def _opened(self, stored: Stored, content: bytes) -> bytes:  # noqa: ARG002 - the same
        return content

    # -- inside

    def _all(self) -> Iterable[Stored]:
        if not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            if path.suffix != self.suffix or path.name.startswith("."):
                continue
            match = _NAME.fullmatch(path.stem)
            if match is None or match[1] not in list(Kind):
                raise KeysError(f"{path.name} is not the name of a key")
            yield Stored(Kind(match[1]), int(match[2]), bytes.fromhex(match[3]))

    def _path(self, stored: Stored) -> Path:
        return self.folder / f"{stored.name}{self.suffix}"


def write(path: Path, content: bytes) -> None:
    """Write a file of mode 0600, whole or not at all, durable, and never over another."""
    half = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(half, path)
    finally:
        half.unlink()
    sync(path.parent)


def sync(folder: Path) -> None:
    """Make a folder's names durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _check(path: Path, most: int) -> None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid():
        raise KeysError(f"{path} does not belong to the vault's user")
    if stat.S_IMODE(found.st_mode) & ~most:
        raise KeysError(
            f"{path} can be reached by others: mode {stat.S_IMODE(found.st_mode):o}, not {most:o}"
        )
