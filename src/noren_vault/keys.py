"""The file provider of keys: a folder that only the vault's user can enter.

    epoch-0001-<id>.key   wraps the persons' data keys          32 bytes
    index-0001-<id>.key   the blind index                       32 bytes
    ledger-0001-<id>.key  signs the ledger's heads (Ed25519)    32 bytes, the seed

The folder is 0700, the files 0600, both the vault's own user's; anything looser stops the start, for then it
is not known who has a copy. A key is never made anew where something was sealed with another.
"""

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from noren_vault import sealing
from noren_vault.sealing import EpochKey, IndexKey, PlainKey

_KINDS: Final = ("epoch", "index", "ledger")


class KeysError(Exception):
    """The keys cannot be used as they lie there; the words name the file, never its content."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The handles. `epoch` is the one that seals; `epochs` holds every one that may open, by its id.

    `origin` names the ledger in its checkpoints: after its key, so that it outlives a change of host.
    """

    epoch: EpochKey
    epochs: dict[bytes, EpochKey]
    addresses: PlainKey
    index: IndexKey
    ledger: Ed25519PrivateKey
    origin: str


def make(folder: Path) -> None:
    """Make the folder and each kind of key that is not there yet."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check(folder, 0o700)
    for kind in _KINDS:
        if not _files(folder, kind):
            _write(folder, f"{kind}-0001-{secrets.token_hex(sealing.KEY_ID_BYTES)}.key")


def missing(folder: Path) -> list[str]:
    """Name the kinds of key that are not there."""
    return [kind for kind in _KINDS if not folder.is_dir() or not _files(folder, kind)]


def load(folder: Path) -> Keys:
    """Read every key. Raises KeysError for a missing one and for permissions that are too wide."""
    if absent := missing(folder):
        raise KeysError(f"no {', '.join(absent)} key in {folder}")
    _check(folder, 0o700)
    epochs = [sealing.epoch_key(_id(path), _read(path)) for path in _files(folder, "epoch")]
    newest = _files(folder, "epoch")[-1]
    index, ledger = _files(folder, "index")[-1], _files(folder, "ledger")[-1]
    return Keys(
        epoch=epochs[-1],
        epochs={key.id: key for key in epochs},
        addresses=sealing.plain_key(_id(newest), _read(newest), "session-address"),
        index=sealing.index_key(_id(index), _read(index)),
        ledger=Ed25519PrivateKey.from_private_bytes(_read(ledger)),
        origin=f"noren/{_id(ledger).hex()}",
    )


def _files(folder: Path, kind: str) -> list[Path]:
    """The kind's files, oldest first."""
    return sorted(folder.glob(f"{kind}-[0-9][0-9][0-9][0-9]-*.key"))


def _id(path: Path) -> bytes:
    try:
        key_id = bytes.fromhex(path.stem.rpartition("-")[2])
    except ValueError:
        key_id = b""
    if len(key_id) != sealing.KEY_ID_BYTES:
        raise KeysError(f"{path.name} is not the name of a key")
    return key_id


def _read(path: Path) -> bytes:
    _check(path, 0o600)
    raw = path.read_bytes()
    if len(raw) != sealing.KEY_BYTES:
        raise KeysError(f"{path.name} does not hold {sealing.KEY_BYTES} bytes")
    return raw


def _check(path: Path, most: int) -> None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid():
        raise KeysError(f"{path} does not belong to the vault's user")
    if stat.S_IMODE(found.st_mode) & ~most:
        raise KeysError(
            f"{path} can be reached by others: mode {stat.S_IMODE(found.st_mode):o}, not {most:o}"
        )


def _write(folder: Path, name: str) -> None:
    """Make the file whole or not at all, durable, and never over another."""
    half = folder / f".{name}.{secrets.token_hex(4)}"
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_bytes(sealing.KEY_BYTES))
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(half, folder / name)
    finally:
        half.unlink()
    _sync(folder)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
