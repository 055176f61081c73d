"""Encrypting and opening with age (https://age-encryption.org/v1): `age -d -i KEYFILE` opens our files, too.

Three archives have an identity each, in files of age's own format in `backup-keys/`. The fourth, the wrapped
keys', has one for each backup, which only the vault can open.
"""

import hashlib
import os
from pathlib import Path
from typing import IO, Protocol

import pyrage

from noren.runtime.env import StartRefused

KEPT = ("app", "vault", "ledger")


class Readable(Protocol):
    """A stream of bytes to be read."""

    def read(self, size: int = -1, /) -> bytes: ...


class _Counting:
    """A file that is written, hashed and counted at once."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        self.size += len(data)
        return self._stream.write(data)

    def flush(self) -> None:
        self._stream.flush()


def encrypt(source: Readable, path: Path, recipient: str) -> tuple[str, int]:
    """Encrypt a stream into a new file, durable; gives its SHA-256 in hex and its size."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        counting = _Counting(file)
        pyrage.encrypt_io(source, counting, [pyrage.x25519.Recipient.from_str(recipient)])
        file.flush()
        os.fsync(file.fileno())
    return counting.hash.hexdigest(), counting.size


def decrypt(path: Path, target: IO[bytes], identity: str) -> None:
    """Open a file into a stream. Raises StartRefused where the key is another or a byte was changed."""
    try:
        with path.open("rb") as source:
            pyrage.decrypt_io(source, target, [pyrage.x25519.Identity.from_str(identity)])
    except (pyrage.DecryptError, OSError) as fault:
        # A piece in the middle that does not open comes as an OSError without a number.
        if isinstance(fault, OSError) and fault.errno is not None:
            raise
        raise StartRefused(f"{path} cannot be opened: it was changed, or this is not its key.") from None


def recipient(folder: Path, archive: str) -> str:
    """Return the public key of one of the three, made when it is first asked for."""
    path = folder / f"{archive}.txt"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = pyrage.x25519.Identity.generate()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"# opens the {archive} archives of Noren's backups\n{made}\n")
            file.flush()
            os.fsync(file.fileno())
    return str(pyrage.x25519.Identity.from_str(identity(folder, archive)).to_public())


def identity(folder: Path, archive: str) -> str:
    """Return the secret key of one of the three. Raises StartRefused."""
    path = folder / f"{archive}.txt"
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        raise StartRefused(
            f"{path} is missing: without it the {archive} archives cannot be opened."
        ) from None
    return next((line for line in lines if line.startswith("AGE-SECRET-KEY-")), "")
