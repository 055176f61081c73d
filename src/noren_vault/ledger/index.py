"""Where entries lie: a sparse index in memory from an entry's number to a place in a segment file."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .entry import Entry
from .errors import EntryInvalid, LedgerDamaged
from .frames import ENTRY, FrameInvalid, read_frames
from .segments import segment_path

STRIDE: Final = 64


class OffsetIndex:
    """About one place for every 64 entries; each place is the beginning of a batch."""

    def __init__(self) -> None:
        self._first = array("q")
        self._segment = array("q")
        self._offset = array("q")

    def add(self, first: int, segment: int, offset: int) -> None:
        """A batch whose first entry is `first` begins at `offset` of `segment`."""
        if self._first and self._segment[-1] == segment and first - self._first[-1] < STRIDE:
            return
        self._first.append(first)
        self._segment.append(segment)
        self._offset.append(offset)

    def find(self, entry: int) -> tuple[int, int, int]:
        """A place at or before `entry`: (first entry there, segment, offset)."""
        at = bisect_right(self._first, entry) - 1
        return self._first[at], self._segment[at], self._offset[at]

    def bound(self, segment: int, end: int) -> int:
        """How many bytes of `segment` to read for entries before `end`: all (-1), or up to the next place."""
        at = bisect_left(self._first, end)
        return self._offset[at] if at < len(self._first) and self._segment[at] == segment else -1


def read_payloads(folder: Path, places: OffsetIndex, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The bytes of entries `start` to `end` (not included; all of them durable) from the files.

    Raises LedgerDamaged when what is read is not what was written.
    """
    index, segment, offset = places.find(start)
    while index < end:
        bound = places.bound(segment, end)
        try:
            with segment_path(folder, segment).open("rb") as file:
                file.seek(offset)
                data = file.read(bound - offset if bound >= 0 else -1)
            for frame in read_frames(data):
                if frame.kind == ENTRY and index < end:
                    if index >= start:
                        yield index, frame.payload
                    index += 1
        except (FrameInvalid, FileNotFoundError) as error:
            if index < end:
                words = f"entry {index} cannot be read from segment {segment}: {error}"
                raise LedgerDamaged(index, words) from error
        segment, offset = segment + 1, 0


def read_entries(folder: Path, places: OffsetIndex, start: int, end: int) -> Iterator[tuple[int, Entry]]:
    """The same, read as entries."""
    for index, payload in read_payloads(folder, places, start, end):
        try:
            yield index, Entry.from_bytes(payload)
        except EntryInvalid as error:
            raise LedgerDamaged(index, f"entry {index} cannot be read: {error}") from error
