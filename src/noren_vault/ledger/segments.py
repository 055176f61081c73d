"""The segment files: the only place that writes the ledger's truth.

Only `SegmentWriter` writes here, and only the process that holds the folder's lock has one. Disk space is
reserved beyond the end of the file, so that a full disk is found when a segment begins and not in the middle
of a batch.
"""

import ctypes
import errno
import os
import sys
from pathlib import Path
from typing import Final, Protocol

from .errors import LedgerUnavailable
from .frames import HEAD, SEGMENT, SegmentStart, encode_frame

SEGMENT_BYTES: Final = 16 << 20
# Kept free at the end of each segment, so that a full disk can still be put on record.
RESERVE_BYTES: Final = 4 << 10
_KEEP_SIZE: Final = 1
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Disk:
    """The system calls on a segment, in one place so that each can be made to fail in a test."""

    def open(self, path: Path, flags: int) -> int:
        """A descriptor; new files may be read by everyone (they hold no personal data)."""
        return os.open(path, flags | os.O_CLOEXEC, 0o644)

    def write(self, fd: int, data: bytes, offset: int) -> None:
        """Write all of `data` at `offset`."""
        view = memoryview(data)
        while view:
            done = os.pwrite(fd, view, offset)
            view, offset = view[done:], offset + done

    def sync(self, fd: int) -> None:
        """Make the data, and the size that is needed to read them, durable."""
        if hasattr(os, "fdatasync"):
            os.fdatasync(fd)
        else:
            os.fsync(fd)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def truncate(self, fd: int, size: int) -> None:
        """Cut the file off at `size`."""
        os.ftruncate(fd, size)

    def rename(self, old: Path, new: Path) -> None:
        """Give a file its name, in place of another that has it."""
        old.rename(new)

    def reserve(self, fd: int, size: int) -> None:
        """Take disk space up to `size` without changing the file's length. Raises OSError when the disk is
        full.
        """
        if _fallocate is None or _fallocate(fd, _KEEP_SIZE, 0, size) == 0:
            return
        number = ctypes.get_errno()
        if number not in (errno.EOPNOTSUPP, errno.ENOSYS):
            raise OSError(number, os.strerror(number))


class _Fallocate(Protocol):
    def __call__(self, fd: int, mode: int, offset: int, size: int, /) -> int: ...


def _find_fallocate() -> _Fallocate | None:
    """Linux's fallocate, which Python offers only in the form that lengthens the file."""
    if sys.platform != "linux":
        return None
    call = ctypes.CDLL(None, use_errno=True).fallocate
    call.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    call.restype = ctypes.c_int
    found: _Fallocate = call
    return found


_fallocate = _find_fallocate()


def segment_path(folder: Path, number: int) -> Path:
    """The file of segment `number`, counted from 0."""
    return folder / "segments" / f"{number:08d}.seg"


def list_segments(folder: Path) -> list[Path]:
    """The segment files in order."""
    return sorted((folder / "segments").glob("*.seg"))


def opening(origin: str, number: int, first: int, signed_head: str) -> bytes:
    """The first bytes of a segment: who it belongs to, and the signed head that it continues."""
    start = SegmentStart(origin, number, first).to_bytes()
    return encode_frame(SEGMENT, start) + encode_frame(HEAD, signed_head.encode())


def create_segment(folder: Path, number: int, content: bytes, *, size: int, disk: Disk) -> None:
    """Make a segment, durable, under a passing name, then give it its name, in place of a file that has it.

    Raises OSError.
    """
    _name_segment(_make_segment(folder, number, content, size=size, disk=disk), disk)


def _make_segment(folder: Path, number: int, content: bytes, *, size: int, disk: Disk) -> Path:
    """The segment under its passing name, or (OSError) nothing at all."""
    passing = segment_path(folder, number).with_suffix(".new")
    fd = disk.open(passing, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        disk.reserve(fd, size)
        disk.write(fd, content, 0)
        disk.sync(fd)
    except OSError:
        passing.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    return passing


def _name_segment(passing: Path, disk: Disk) -> None:
    """Give it its name, durably. After an OSError nobody knows whether it has it."""
    try:
        disk.rename(passing, passing.with_suffix(".seg"))
    except OSError:
        passing.unlink(missing_ok=True)
        raise
    disk.sync_folder(passing.parent)


class SegmentWriter:
    """Appends batches to the last segment. Every method blocks; only the sequencer's own thread calls them.

    `end` is where the next batch goes: everything before it is durable and checked. A method that raises
    OSError leaves the file in an unknown state: no further append is allowed, the ledger must be opened and
    checked again.
    """

    def __init__(
        self, folder: Path, number: int, end: int, *, origin: str, size: int = SEGMENT_BYTES, disk: Disk
    ) -> None:
        self.number = number
        self.end = end
        self._folder = folder
        self._origin = origin
        self._size = size
        self._disk = disk
        self._path = segment_path(folder, number)
        self._fd = disk.open(self._path, os.O_RDWR)
        self._length = os.fstat(self._fd).st_size  # more than `end` while a torn batch lies there
        try:
            disk.reserve(self._fd, size)
        except OSError as error:
            if error.errno not in FULL:
                os.close(self._fd)
                raise

    def fits(self, length: int, *, reserve: int = RESERVE_BYTES) -> bool:
        """Whether a batch of `length` bytes goes into this segment."""
        return self.end + length + reserve <= self._size

    def roll(self, first: int, signed_head: str) -> None:
        """Begin the next segment. A full disk changes nothing and raises LedgerUnavailable("full")."""
        self._check(self._length)
        content = opening(self._origin, self.number + 1, first, signed_head)
        try:
            made = _make_segment(self._folder, self.number + 1, content, size=self._size, disk=self._disk)
        except OSError as error:
            if error.errno in FULL:
                raise LedgerUnavailable("full", "the disk is full: no new segment can be begun") from error
            raise
        # From here on the new segment may have its name, and the old one may not grow: nothing is just full.
        _name_segment(made, self._disk)
        self._disk.truncate(self._fd, self.end)  # gives back what was reserved and not used
        self._disk.sync(self._fd)
        os.close(self._fd)
        self.number += 1
        self._path = segment_path(self._folder, self.number)
        self._fd = self._disk.open(self._path, os.O_RDWR)
        self.end = self._length = len(content)

    def append(self, batch: bytes) -> int:
        """Write a batch, make it durable, and say at which offset it begins.

        Raises LedgerUnavailable("lost") when the file that is open is not the file that has the name any
        more.
        """
        self._check(self._length)
        start, end = self.end, self.end + len(batch)
        self._disk.write(self._fd, batch, start)
        if self._length > end:  # the rest of a torn batch, which this batch repairs
            self._disk.truncate(self._fd, end)
            self._disk.reserve(self._fd, self._size)
        self._disk.sync(self._fd)
        self._length = end
        self._check(end)
        self.end = end
        return start

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)

    def _check(self, length: int) -> None:
        mine = os.fstat(self._fd)
        try:
            named = self._path.lstat()
        except FileNotFoundError:
            raise LedgerUnavailable("lost", f"{self._path.name} was removed while it was written") from None
        if mine.st_nlink == 0 or (mine.st_ino, mine.st_dev) != (named.st_ino, named.st_dev):
            raise LedgerUnavailable("lost", f"{self._path.name} was replaced while it was written")
        if mine.st_size != length:
            raise LedgerUnavailable(
                "lost", f"{self._path.name} has {mine.st_size} bytes where {length} were written"
            )
