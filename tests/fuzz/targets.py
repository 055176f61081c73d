"""What reads bytes that a stranger may have written: each as a function that must not stumble.

A target takes any bytes. It may refuse them by its own error; anything else that is raised, and anything that
is accepted and should not be, is a finding.
"""

import asyncio
import base64
import json
from collections.abc import Callable
from contextlib import suppress

import noren_verify
from noren_vault.errors import BadRequest
from noren_vault.ledger import Entry, EntryInvalid
from noren_vault.ledger.checkpoint import open_head, parse_checkpoint, sign_head
from noren_vault.ledger.errors import CheckpointInvalid, NoteInvalid
from noren_vault.ledger.frames import FrameInvalid, encode_frame, heads_after, read_frames
from noren_vault.ledger.merkle import leaf_hash, node_hash
from noren_vault.ledger.note import Signer, Verifier, open_note
from noren_vault.ledger.proof import proof_text
from noren_vault.protocol import Params, Request, read_frame, to_frame
from tests.ledger.cast import KEY, ORIGIN, VKEY

SIGNER = Signer(ORIGIN, KEY)
KEY_OF_VERIFIER = noren_verify.read_key(VKEY)
# The one text that the key has signed here. Whoever gets another one accepted has forged it.
HEAD = sign_head(SIGNER, 2, node_hash(leaf_hash(b"a"), leaf_hash(b"b")))
TEXT = HEAD.signed.rpartition("\n\n")[0] + "\n"


def frames(data: bytes) -> None:
    """Segments: what is read is written back to the same bytes."""
    out = b""
    with suppress(FrameInvalid):
        for frame in read_frames(data):
            out += encode_frame(frame.kind, frame.payload)
            assert frame.end == len(out)
    assert data.startswith(out)
    for payload in heads_after(data, 0, ORIGIN):
        assert payload in data


def entry(data: bytes) -> None:
    """Entries: only the canonical bytes."""
    with suppress(EntryInvalid):
        assert Entry.from_bytes(data).to_bytes() == data


def note(data: bytes) -> None:
    """Signed notes and public keys: nobody forges a signature, nobody gets another text through."""
    with suppress(NoteInvalid):
        assert open_note(data, [SIGNER.verifier]).text == TEXT
    with suppress(NoteInvalid, UnicodeDecodeError):
        vkey = data.decode()
        assert Verifier.from_vkey(vkey).vkey() == vkey.strip()


def checkpoint(data: bytes) -> None:
    """Checkpoints, by both readers: what one accepts as signed, the other does."""
    with suppress(CheckpointInvalid, UnicodeDecodeError):
        text = data.decode()
        found = parse_checkpoint(text)
        assert found.text().split("\n")[:2] == text.split("\n")[:2]
    ours = theirs = None
    with suppress(CheckpointInvalid, NoteInvalid, UnicodeDecodeError):
        head = open_head(data.decode(), [SIGNER.verifier], ORIGIN)
        ours = head.size, head.root
    with suppress(noren_verify.NotWhole):
        theirs = tuple(noren_verify.read_signed(data, KEY_OF_VERIFIER, "it"))
    assert ours in (None, (HEAD.size, HEAD.root))
    assert theirs in (None, (HEAD.size, HEAD.root))


def proof(data: bytes) -> None:
    """Offline proofs: of the two entries there are, only they are proved, and each in its place."""
    with suppress(noren_verify.NotWhole):
        index, hashes, signed = noren_verify.read_proof(data, KEY_OF_VERIFIER)
        for number, content in enumerate((b"a", b"b", b"c")):
            with suppress(noren_verify.NotWhole):
                noren_verify.verify_proof(content, index, hashes, signed)
                assert number == index < 2


def request(data: bytes) -> None:
    """The protocol: a frame, a request, and every reader of its params."""

    async def read() -> bytes | None:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await read_frame(reader)

    with suppress(BadRequest):
        frame = asyncio.run(read()) if len(data) > 4 else None
        for one in (frame, data):
            if one is not None:
                with suppress(BadRequest):
                    _params(Request.of(one).params)


def _params(params: Params) -> None:
    readers: list[Callable[[str], object]] = [
        params.number,
        params.maybe_number,
        params.text,
        params.maybe_text,
        params.flag,
        params.mapping,
        params.items,
        params.texts,
        params.person,
        params.persons,
    ]
    for name in list(params.raw)[:20]:
        for read in readers:
            with suppress(BadRequest):
                read(name)
    with suppress(UnicodeEncodeError):  # a lone surrogate has no UTF-8, and no answer repeats a request
        to_frame(params.raw)


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (frames, entry, note, checkpoint, proof, request)
}


def seeds() -> dict[str, list[bytes]]:
    """Good input for each target, from which the corpus was made."""
    signed, whole = HEAD.signed.encode(), Entry(kind="intent", fields=("name",), ref="1").to_bytes()
    hashes = [leaf_hash(b"b")]
    asked = json.dumps({"v": 1, "method": "reveal", "params": {"persons": ["0" * 32], "limit": 3}}).encode()
    opening = encode_frame(ord("S"), f"noren-ledger/1\n{ORIGIN}\n0\n0\n".encode())
    return {
        "frames": [opening + encode_frame(ord("H"), signed) + encode_frame(ord("E"), whole)],
        "entry": [whole],
        "note": [signed, VKEY.encode()],
        "checkpoint": [signed, TEXT.encode(), base64.b64encode(HEAD.root)],
        "proof": [proof_text(0, hashes, HEAD).encode()],
        "request": [asked, len(asked).to_bytes(4, "big") + asked],
    }
