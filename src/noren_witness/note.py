"""Signed notes, checkpoints and cosignatures (C2SP signed-note, tlog-checkpoint, tlog-cosignature v1)."""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519: Final = 1
COSIGNATURE: Final = 4
MOST_SIGNATURES: Final = 100
HASH_BYTES: Final = 32
_DASH: Final = "— "
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class Malformed(Exception):
    """The text is not what it should be; the words say what it should."""


class WrongSignature(Exception):
    """A signature by a known key does not fit, or no known key signed."""


class Key(NamedTuple):
    """A named public key of the type ED25519 (a log's) or COSIGNATURE (a witness's)."""

    name: str
    kind: int
    key_id: bytes
    public: Ed25519PublicKey

    def vkey(self) -> str:
        """The key as one line, NAME+KEYID+KEY."""
        raw = bytes([self.kind]) + self.public.public_bytes_raw()
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(raw).decode()}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: `size` entries under `root`. `text`, whole, is what is signed."""

    origin: str
    size: int
    root: bytes
    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]  # name, key id, signature


def read_vkey(text: str, kind: int) -> Key:
    """Read NAME+KEYID+KEY. Raises Malformed."""
    parts = text.strip().split("+", 2)
    raw = decoded(parts[2]) if len(parts) == 3 else b""
    if len(raw) != 33 or raw[0] != kind:
        raise Malformed(f"a key is written NAME+KEYID+KEY, with an Ed25519 key of the type {kind:02x}")
    key = named(parts[0], kind, Ed25519PublicKey.from_public_bytes(raw[1:]))
    if key.key_id.hex() != parts[1]:
        raise Malformed("the key's id does not fit its name and bytes")
    return key


def named(name: str, kind: int, public: Ed25519PublicKey) -> Key:
    """Give a public key its name and, with it, its id. Raises Malformed for a name that may be none."""
    if not name or "+" in name or any(char.isspace() or char < " " for char in name):
        raise Malformed("a key's name is not empty and holds neither blanks nor a plus")
    raw = name.encode() + b"\n" + bytes([kind]) + public.public_bytes_raw()
    return Key(name, kind, hashlib.sha256(raw).digest()[:4], public)


def read_checkpoint(note: bytes) -> Checkpoint:
    """Read a signed checkpoint; no signature is checked. Raises Malformed."""
    try:
        whole = note.decode()
    except UnicodeDecodeError:
        raise Malformed("a checkpoint is UTF-8") from None
    text, blank, below = whole.rpartition("\n\n")
    if not blank or not below.endswith("\n") or any(char < " " and char != "\n" for char in whole):
        raise Malformed("a checkpoint is a signed note")
    lines = text.split("\n")
    if len(lines) < 3 or not all(lines) or not _NUMBER.fullmatch(lines[1]) or int(lines[1]) >= 1 << 63:
        raise Malformed("a checkpoint has an origin, a size and a root, and no empty line")
    root = decoded(lines[2])
    if len(root) != HASH_BYTES:
        raise Malformed("a checkpoint's root has 32 bytes")
    signed = below[:-1].split("\n")
    if len(signed) > MOST_SIGNATURES:
        raise Malformed("the checkpoint has too many signatures")
    return Checkpoint(lines[0], int(lines[1]), root, f"{text}\n", tuple(_signature(line) for line in signed))


def check_signed(checkpoint: Checkpoint, keys: Sequence[Key]) -> None:
    """A known key signed, and whatever is said to be of a known key fits. Raises WrongSignature."""
    known = {(key.name, key.key_id): key for key in keys}
    good = 0
    for name, key_id, signature in checkpoint.signatures:
        key = known.get((name, key_id))
        if key is None:
            continue
        try:
            key.public.verify(signature, checkpoint.text.encode())
        except InvalidSignature:
            raise WrongSignature(f"the signature by {name} does not fit") from None
        good += 1
    if not good:
        raise WrongSignature("no known key signed the checkpoint")


def signature_line(name: str, key_id: bytes, signature: bytes) -> str:
    """A signature as it stands in a note, its newline too."""
    return f"{_DASH}{name} {base64.b64encode(key_id + signature).decode()}\n"


def cosignature(key: Key, private: Ed25519PrivateKey, text: str, seconds: int) -> str:
    """The line that says: at this POSIX time it was the largest head seen, and it continues all before."""
    signature = private.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
    return signature_line(key.name, key.key_id, seconds.to_bytes(8, "big") + signature)


def decoded(text: str) -> bytes:
    """Base64 in its one form, of the standard alphabet and padded. Raises Malformed."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("base64 expected") from None
    if base64.b64encode(raw).decode() != text:
        raise Malformed("base64 expected, in its canonical form")
    return raw


def number(text: str) -> int:
    """A decimal number without leading zeros, below 2**63. Raises Malformed."""
    if not _NUMBER.fullmatch(text) or int(text) >= 1 << 63:
        raise Malformed("a decimal number without leading zeros expected")
    return int(text)


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, space, blob = line.removeprefix(_DASH).partition(" ")
    raw = decoded(blob)
    if not line.startswith(_DASH) or not name or not space or len(raw) < 5:
        raise Malformed("a signature line is a dash, a name, and a signature")
    return name, raw[:4], raw[4:]
