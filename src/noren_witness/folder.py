"""The witness's folder: its key, the logs it knows, and how far each had come.

    key                     PRIVATE+KEY+NAME+ID+KEY, as Go's note package writes it; 0600
    logs                    one log's public key a line, and its origin where that is not the key's name;
                            `#` begins a comment; read again at each request
    state/<sha256(origin)>  the newest checkpoint that was cosigned, with our cosignature: one file a log
    lock                    held by the one process that serves

A state is replaced as a whole and is on the disk, name and content, before anybody is told of it.
"""

import base64
import fcntl
import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from noren_witness.note import (
    COSIGNATURE,
    ED25519,
    Checkpoint,
    Key,
    Malformed,
    named,
    read_checkpoint,
    read_vkey,
)

_PRIVATE: Final = "PRIVATE+KEY+"
_LOGS: Final = (
    "# One log's public key (NAME+KEYID+KEY) a line. What is added here counts from the next request on.\n"
)


class FolderError(Exception):
    """The folder cannot be used as it lies there; the words say what to do. Never a key's content."""


class Folder:
    """An existing witness's folder. `lock` keeps a second process out for as long as this one lives."""

    def __init__(self, path: Path) -> None:
        """Read the key. Raises FolderError."""
        self.path = path
        self.key, self.private = _read_key(path / "key")

    @classmethod
    def make(cls, path: Path, name: str) -> "Folder":
        """Make folder, key and an empty list of logs. Raises FolderError where a key lies already."""
        private = Ed25519PrivateKey.generate()
        try:
            signing = named(name, ED25519, private.public_key())
        except Malformed as error:
            raise FolderError(f"{name!a}: {error}") from None
        raw = base64.b64encode(bytes([ED25519]) + private.private_bytes_raw()).decode()
        path.mkdir(parents=True, exist_ok=True)
        try:
            _write(path / "key", f"{_PRIVATE}{name}+{signing.key_id.hex()}+{raw}\n".encode())
        except FileExistsError:
            raise FolderError(f"{path / 'key'} is there already: a witness keeps its key") from None
        if not (path / "logs").exists():
            (path / "logs").write_text(_LOGS, encoding="utf-8")
        (path / "state").mkdir(exist_ok=True)
        _sync(path)
        return cls(path)

    def lock(self) -> int:
        """Hold the folder until the process ends. Raises FolderError when another holds it."""
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise FolderError(f"another witness serves {self.path}") from None
        return descriptor

    def logs(self) -> dict[str, list[Key]]:
        """The known logs' keys by origin. Raises FolderError, which names the line."""
        found: dict[str, list[Key]] = {}
        for at, line in enumerate((self.path / "logs").read_text(encoding="utf-8").splitlines(), 1):
            text = line.partition("#")[0].strip()
            if text:
                vkey, _, origin = text.partition(" ")
                try:
                    key = read_vkey(vkey, ED25519)
                except Malformed as error:
                    raise FolderError(f"{self.path / 'logs'}, line {at}: {error}") from None
                found.setdefault(origin.strip() or key.name, []).append(key)
        return found

    def state(self, origin: str) -> Checkpoint | None:
        """The newest checkpoint cosigned for the log. Raises FolderError when the file cannot be trusted."""
        path = self.state_path(origin)
        try:
            found = read_checkpoint(path.read_bytes())
        except FileNotFoundError:
            return None
        except (Malformed, OSError) as error:
            raise FolderError(f"{path} cannot be read: {error}") from error
        if found.origin != origin:
            raise FolderError(f"{path} is of another log")
        return found

    def keep(self, origin: str, note: bytes) -> None:
        """Put the checkpoint in place of the one before; on the disk when this returns. Raises OSError."""
        path = self.state_path(origin)
        passing = path.with_name(f"{path.name}.new")
        passing.unlink(missing_ok=True)
        _write(passing, note, mode=0o644)
        passing.replace(path)
        _sync(path.parent)

    def state_path(self, origin: str) -> Path:
        """Where the log's state lies."""
        return self.path / "state" / hashlib.sha256(origin.encode()).hexdigest()


def _read_key(path: Path) -> tuple[Key, Ed25519PrivateKey]:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise FolderError(f"{path} may be read by others: chmod 600 it, or make a new one")
        name, _, rest = path.read_text(encoding="utf-8").strip().removeprefix(_PRIVATE).partition("+")
        raw = base64.b64decode(rest.partition("+")[2], validate=True)
        if len(raw) != 33 or raw[0] != ED25519:
            raise FolderError(f"{path} is no Ed25519 key")
        private = Ed25519PrivateKey.from_private_bytes(raw[1:])
        return named(name, COSIGNATURE, private.public_key()), private
    except FileNotFoundError:
        raise FolderError(f"there is no {path}: noren-witness init makes one") from None
    except (OSError, ValueError, Malformed):
        raise FolderError(f"{path} cannot be read as a key") from None


def _write(path: Path, data: bytes, mode: int = 0o600) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
