"""What a witness does with a checkpoint (C2SP tlog-witness v1.0.0): a request in, an answer out."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from noren_witness.consistency import EMPTY_ROOT, continues
from noren_witness.folder import Folder
from noren_witness.note import (
    HASH_BYTES,
    Checkpoint,
    Key,
    Malformed,
    WrongSignature,
    check_signed,
    cosignature,
    decoded,
    number,
    read_checkpoint,
    signature_line,
)

MOST_PROOF_LINES: Final = 63
# 63 hashes, and a checkpoint with a hundred signatures.
MOST_BYTES: Final = 64 * 1024
TEXT: Final = "text/plain; charset=utf-8"
SIZE: Final = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: str
    kind: str = TEXT


@dataclass(frozen=True, slots=True)
class Submission:
    """The body of add-checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint

    @classmethod
    def of(cls, body: bytes) -> "Submission":
        """Read it. Raises Malformed."""
        top, blank, note = body.partition(b"\n\n")
        try:
            first, *lines = top.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise Malformed("the lines before the checkpoint are ASCII") from None
        if not blank or not first.startswith("old ") or len(lines) > MOST_PROOF_LINES:
            raise Malformed("`old SIZE`, at most 63 proof lines, an empty line, and a checkpoint expected")
        proof = tuple(decoded(line) for line in lines)
        if any(len(one) != HASH_BYTES for one in proof):
            raise Malformed("a proof line is a hash of 32 bytes")
        return cls(number(first.removeprefix("old ")), proof, read_checkpoint(note))


class Witness:
    """One witness. Comparing and keeping is one step: a slow request never takes back a later one."""

    def __init__(self, folder: Folder, clock: Callable[[], float] = time.time) -> None:
        """Use the folder, whose lock the caller holds."""
        self._folder = folder
        self._clock = clock
        self._one = threading.Lock()

    @property
    def vkey(self) -> str:
        """The witness's public key."""
        return self._folder.key.vkey()

    def add_checkpoint(self, body: bytes) -> Answer:
        """Cosign, or say why not. Raises FolderError or OSError: then nothing was cosigned."""
        try:
            given = Submission.of(body)
        except Malformed as error:
            return Answer(400, f"{error}\n")
        keys = self._folder.logs().get(given.checkpoint.origin)
        if keys is None:
            return Answer(404, "the log is not known here\n")
        try:
            check_signed(given.checkpoint, keys)
        except WrongSignature as error:
            return Answer(403, f"{error}\n")
        if given.old > given.checkpoint.size:
            return Answer(400, "the old size is larger than the checkpoint's\n")
        with self._one:
            return self._compare_and_keep(given, keys)

    def checkpoint(self, name: str) -> Answer:
        """The newest checkpoint cosigned for the log whose origin's SHA-256 is `name`."""
        for origin in self._folder.logs():
            path = self._folder.state_path(origin)
            if path.name == name and path.is_file():
                return Answer(200, path.read_text(encoding="utf-8"))
        return Answer(404, "no checkpoint\n")

    def _compare_and_keep(self, given: Submission, keys: list[Key]) -> Answer:
        new = given.checkpoint
        known = self._folder.state(new.origin)
        size, root = (0, EMPTY_ROOT) if known is None else (known.size, known.root)
        if given.old != size:
            return Answer(409, f"{size}\n", SIZE)
        if not continues(size, root, new.size, new.root, given.proof):
            return Answer(422, "the checkpoint does not continue the one that was cosigned last\n")
        line = cosignature(self._folder.key, self._folder.private, new.text, int(self._clock()))
        # What others signed is not ours to keep: the log would say how long the file is.
        known_keys = {(key.name, key.key_id) for key in keys}
        signed = "".join(signature_line(*one) for one in new.signatures if one[:2] in known_keys)
        self._folder.keep(new.origin, f"{new.text}\n{signed}{line}".encode())
        return Answer(200, line)
