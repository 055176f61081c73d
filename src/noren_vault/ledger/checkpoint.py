"""Checkpoints (C2SP tlog-checkpoint v1.0.0): origin, size and root of a tree, the text of a signed note."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .errors import CheckpointInvalid
from .merkle import HASH_BYTES
from .note import Signer, Verifier, open_note

MAX_SIZE = (1 << 63) - 1
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The text under the signature. `extensions` are further lines, none of them empty; this ledger writes
    none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The lines, each with its newline."""
        root = base64.b64encode(self.root).decode()
        return "".join(f"{line}\n" for line in (self.origin, str(self.size), root, *self.extensions))


@dataclass(frozen=True, slots=True)
class Head:
    """The state of the ledger after a batch: `size` entries, their `root`, and the `signed` checkpoint that
    says so.
    """

    size: int
    root: bytes
    signed: str


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text (without signatures). Raises CheckpointInvalid."""
    if not text.endswith("\n"):
        raise CheckpointInvalid("a checkpoint ends in a newline")
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise CheckpointInvalid("a checkpoint has an origin, a size and a root, and no empty line")
    if not _NUMBER.fullmatch(lines[1]) or int(lines[1]) > MAX_SIZE:
        raise CheckpointInvalid("a checkpoint's size is a decimal number without leading zeros")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError):
        raise CheckpointInvalid("a checkpoint's root is base64") from None
    if len(root) != HASH_BYTES:
        raise CheckpointInvalid("a checkpoint's root has 32 bytes")
    return Checkpoint(lines[0], int(lines[1]), root, tuple(lines[3:]))


def sign_head(signer: Signer, size: int, root: bytes) -> Head:
    """Sign the head; the key's name is the ledger's origin."""
    return Head(size, root, signer.sign(Checkpoint(signer.verifier.name, size, root).text()))


def open_head(signed: str, verifiers: Sequence[Verifier], origin: str) -> Head:
    """Check a signed checkpoint of this origin. Raises NoteInvalid or CheckpointInvalid."""
    checkpoint = parse_checkpoint(open_note(signed.encode(), verifiers).text)
    if checkpoint.origin != origin:
        raise CheckpointInvalid(f"the checkpoint is of {checkpoint.origin}, not of {origin}")
    return Head(checkpoint.size, checkpoint.root, signed)
