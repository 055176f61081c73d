"""A witness's key and its timestamped signature (C2SP tlog-cosignature v1, Ed25519, type 04)."""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from noren_vault.ledger.errors import NoteInvalid
from noren_vault.ledger.note import read_vkey

COSIGNATURE: Final = b"\x04"
_DASH: Final = "— "


@dataclass(frozen=True, slots=True)
class Cosignature:
    """`line` as it stands under a checkpoint, its newline too; `at` in seconds since the epoch."""

    name: str
    line: str
    at: int


class Cosigner:
    """A witness's named public key; `raw` are its 32 bytes."""

    __slots__ = ("_public", "key_id", "name", "raw")

    def __init__(self, vkey: str) -> None:
        """Read NAME+KEYID+KEY. Raises NoteInvalid."""
        self.name, self.raw, self.key_id = read_vkey(vkey, COSIGNATURE)
        self._public = Ed25519PublicKey.from_public_bytes(self.raw)

    def found(self, text: str, lines: str) -> Cosignature | None:
        """The signature of a checkpoint's text among these lines; those of others are ignored.

        Raises NoteInvalid when a line says that it is this key's and does not fit.
        """
        for line in lines.split("\n"):
            name, _, blob = line.removeprefix(_DASH).partition(" ")
            try:
                raw = base64.b64decode(blob, validate=True)
            except (binascii.Error, ValueError):
                continue
            if not line.startswith(_DASH) or name != self.name or raw[:4] != self.key_id:
                continue
            at = int.from_bytes(raw[4:12], "big")
            try:
                self._public.verify(raw[12:], f"cosignature/v1\ntime {at}\n{text}".encode())
            except InvalidSignature:
                raise NoteInvalid(f"the signature by {name} does not fit the checkpoint") from None
            return Cosignature(name, f"{line}\n", at)
        return None
