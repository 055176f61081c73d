"""Signed notes (C2SP signed-note v1.0.0) with Ed25519 keys.

<text, ending in a newline>
<empty line>
— <key name> base64(4 bytes key id, signature)
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .errors import NoteInvalid

MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100
ED25519 = b"\x01"
_DASH = "— "


@dataclass(frozen=True, slots=True)
class Opened:
    """A note of which a signature was verified: its text, and the names of the keys that signed."""

    text: str
    verified: tuple[str, ...]
    unknown: tuple[str, ...]


class Verifier:
    """A named public key."""

    __slots__ = ("_public", "key_id", "name")

    def __init__(self, name: str, public: Ed25519PublicKey) -> None:
        _check_name(name)
        self.name = name
        self._public = public
        self.key_id = _key_id(name, ED25519 + public.public_bytes_raw())

    @classmethod
    def from_vkey(cls, vkey: str) -> "Verifier":
        """Read `<name>+<8 hex key id>+base64(type, key)`. The base64 part may hold a plus."""
        name, raw, _ = read_vkey(vkey, ED25519)
        return cls(name, Ed25519PublicKey.from_public_bytes(raw))

    def vkey(self) -> str:
        """The key as one line of text."""
        raw = base64.b64encode(ED25519 + self._public.public_bytes_raw()).decode()
        return f"{self.name}+{self.key_id.hex()}+{raw}"

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Whether this key signed this text."""
        try:
            self._public.verify(signature, text)
        except InvalidSignature:
            return False
        return True


class Signer:
    """A named private key. It has no repr of its secret and cannot be pickled."""

    __slots__ = ("_private", "verifier")

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.verifier = Verifier(name, private.public_key())

    def sign(self, text: str) -> str:
        """The note with this text and this key's signature."""
        if not text.endswith("\n"):
            raise NoteInvalid("the text of a note ends in a newline")
        blob = base64.b64encode(self.verifier.key_id + self._private.sign(text.encode())).decode()
        return f"{text}\n{_DASH}{self.verifier.name} {blob}\n"


def read_vkey(vkey: str, kind: bytes) -> tuple[str, bytes, bytes]:
    """Name, 32 bytes and id of an Ed25519 key of this type. Raises NoteInvalid."""
    parts = vkey.strip().split("+", 2)
    if len(parts) != 3:
        raise NoteInvalid("a public key is written NAME+KEYID+KEY")
    name, raw = parts[0], _base64(parts[2])
    _check_name(name)
    if len(raw) != 33 or raw[:1] != kind:
        raise NoteInvalid(f"the public key is not an Ed25519 key of the type {kind.hex()}")
    key_id = _key_id(name, raw)
    if key_id.hex() != parts[1]:
        raise NoteInvalid("the public key's id does not fit its name and bytes")
    return name, raw[1:], key_id


def open_note(note: bytes, verifiers: Sequence[Verifier]) -> Opened:
    """Check a note's signatures. A known key must verify, one known key at least must have signed.

    Raises NoteInvalid. Unknown keys are listed and otherwise ignored.
    """
    known = {(one.name, one.key_id): one for one in verifiers}
    if len(known) != len(verifiers):
        raise NoteInvalid("two keys with the same name and id were given")
    text, lines = _split(note)
    verified: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for line in lines:
        name, key_id, signature = _signature(line)
        verifier = known.get((name, key_id))
        if verifier is None:
            unknown[name] = None
        elif not verifier.verifies(text.encode(), signature):
            raise NoteInvalid(f"the signature by {name} does not fit the text")
        else:
            verified[name] = None
    if not verified:
        raise NoteInvalid("no known key signed the note")
    return Opened(text, tuple(verified), tuple(unknown))


def _split(note: bytes) -> tuple[str, list[str]]:
    if len(note) > MAX_NOTE_BYTES:
        raise NoteInvalid("the note is too long")
    try:
        whole = note.decode()
    except UnicodeDecodeError:
        raise NoteInvalid("the note is not UTF-8") from None
    if any(char < " " and char != "\n" for char in whole):
        raise NoteInvalid("the note holds control characters")
    at = whole.rfind("\n\n")
    if at < 0 or not whole.endswith("\n") or len(whole) == at + 2:
        raise NoteInvalid("the note has no signatures")
    lines = whole[at + 2 : -1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteInvalid("the note has too many signatures")
    return whole[: at + 1], lines


def _signature(line: str) -> tuple[str, bytes, bytes]:
    if not line.startswith(_DASH):
        raise NoteInvalid("a signature line begins with a dash and a space")
    name, space, blob = line[len(_DASH) :].partition(" ")
    if not space:
        raise NoteInvalid("a signature line holds a name and a signature")
    _check_name(name)
    raw = _base64(blob)
    if len(raw) < 5:
        raise NoteInvalid("a signature is too short")
    return name, raw[:4], raw[4:]


def _check_name(name: str) -> None:
    if not name or "+" in name or any(char.isspace() for char in name):
        raise NoteInvalid("a key's name is not empty and holds neither spaces nor plus")


def _key_id(name: str, typed: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4]


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteInvalid("base64 expected") from None
