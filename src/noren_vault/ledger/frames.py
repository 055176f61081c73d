"""The frames that segment files are made of. Pure: bytes in, frames out.

    kind (1 byte) | length of payload (4 bytes) | payload | CRC-32 of all before (4 bytes)

Numbers are big endian. Kinds: `S` opens a segment, `E` is an entry, `H` is a signed head and closes a batch.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple

from .entry import MAX_ENTRY_BYTES

SEGMENT: Final = ord("S")
ENTRY: Final = ord("E")
HEAD: Final = ord("H")
OVERHEAD: Final = 9
MAX_HEAD_BYTES: Final = 4_096
_LIMITS: Final = {SEGMENT: 1_024, ENTRY: MAX_ENTRY_BYTES, HEAD: MAX_HEAD_BYTES}
_MAGIC: Final = "noren-ledger/1"
_start = struct.Struct(">BI")
_sum = struct.Struct(">I")


class Frame(NamedTuple):
    """A frame at `offset` of its segment; the next one begins at `end`."""

    kind: int
    offset: int
    end: int
    payload: bytes


class FrameInvalid(Exception):
    """The bytes at `offset` are no frame. `cut`: they end where the file ends, as after a torn write."""

    def __init__(self, offset: int, words: str, *, cut: bool = False) -> None:
        super().__init__(words)
        self.offset = offset
        self.cut = cut


@dataclass(frozen=True, slots=True)
class SegmentStart:
    """The payload that opens a segment: whose ledger, which segment, and the index of its first entry."""

    origin: str
    number: int
    first: int

    def to_bytes(self) -> bytes:
        """Four lines of text."""
        return f"{_MAGIC}\n{self.origin}\n{self.number}\n{self.first}\n".encode()


def encode_frame(kind: int, payload: bytes) -> bytes:
    """One frame."""
    if len(payload) > _LIMITS[kind]:
        raise ValueError("the payload is longer than its kind may be")
    body = _start.pack(kind, len(payload)) + payload
    return body + _sum.pack(zlib.crc32(body))


def read_frames(data: bytes, offset: int = 0) -> Iterator[Frame]:
    """The frames of a segment from `offset` to the end of `data`. Raises FrameInvalid at the first that is
    none.
    """
    total = len(data)
    view = memoryview(data)
    while offset < total:
        if offset + OVERHEAD > total:
            raise FrameInvalid(offset, "the file ends within a frame", cut=True)
        kind, length = _start.unpack_from(data, offset)
        limit = _LIMITS.get(kind)
        if limit is None or length > limit:
            raise FrameInvalid(offset, "the bytes are no frame")
        payload_end = offset + 5 + length
        if payload_end + 4 > total:
            raise FrameInvalid(offset, "the file ends within a frame", cut=True)
        if _sum.unpack_from(data, payload_end)[0] != zlib.crc32(view[offset:payload_end]):
            raise FrameInvalid(offset, "the checksum does not fit the bytes")
        yield Frame(kind, offset, payload_end + 4, data[offset + 5 : payload_end])
        offset = payload_end + 4


def heads_after(data: bytes, offset: int, origin: str) -> Iterator[bytes]:
    """Payloads of every intact head frame of `origin` at or after `offset`, whatever lies between them."""
    mark = f"{origin}\n".encode()
    at = data.find(mark, offset + 5)
    while at >= 0:
        if data[at - 5] == HEAD:
            with suppress(FrameInvalid):
                yield next(read_frames(data, at - 5)).payload
        at = data.find(mark, at + 1)
