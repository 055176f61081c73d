"""A photo drawn anew by a process of its own: a file of anybody's goes in, files that we made come out.

What the process may do at most stands in redraw_child, which sets it on itself before it looks at the file.
Here it is started, held to its time, and not believed: what it says is measured before it is taken.
"""

import json
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from noren.runtime import child

MOST_BYTES: Final = 8 * 1024 * 1024
MOST_PIXELS: Final = 25_000_000
SECONDS: Final = 30.0
# All that a well-behaved child can have to say.
_MOST_OUT: Final = 4 * 1024 * 1024
_TURN = threading.Lock()
_LOG = logging.getLogger(__name__)


class Kind(StrEnum):
    """How a file is encoded; the names are also the ends of addresses."""

    AVIF = "avif"
    WEBP = "webp"


# Where each begins its name, and the name.
_BEGINS: Final = {Kind.AVIF: (4, b"ftypavif"), Kind.WEBP: (8, b"WEBP")}


class Reason(StrEnum):
    """Why a file is no photo for us."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    # Nothing is wrong with it: others came first, or the machine is slow.
    BUSY = "busy"


class NoPhoto(ValueError):
    """The file cannot be shown; nothing of it was kept."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Shape:
    """How a photo is cut, and for which widths; each has the most bytes that it may weigh."""

    ratio: tuple[int, int]
    widths: tuple[tuple[int, int], ...]

    @property
    def least(self) -> tuple[int, int]:
        """The smallest photo of this shape, in pixels."""
        across, down = self.ratio
        return self.widths[0][0], self.widths[0][0] * down // across


# The large one over the shop's page, and what is shown small in lists. A first screen has one of the first
# and some of the second: together less than 100 kB.
WIDE: Final = Shape((16, 9), ((480, 20_000), (960, 40_000), (1600, 60_000)))
SQUARE: Final = Shape((1, 1), ((96, 3_000), (240, 7_000), (384, 16_000)))


@dataclass(frozen=True, slots=True)
class File:
    """One width of a photo, encoded."""

    kind: Kind
    width: int
    height: int
    data: bytes


def redraw(raw: bytes, shape: Shape) -> tuple[File, ...]:
    """Draw a photo in each width. Raises NoPhoto."""
    if len(raw) > MOST_BYTES:
        raise NoPhoto(Reason.TOO_LARGE)
    if not raw:
        raise NoPhoto(Reason.UNREADABLE)
    wanted = json.dumps({"ratio": shape.ratio, "widths": shape.widths})
    with _turn():
        code, said = ask((sys.executable, "-I", "-B", "-m", "noren.shops.redraw_child", wanted), raw)
    try:
        return tuple(_files(said, shape))
    except NoPhoto:
        raise
    except (ValueError, KeyError, TypeError):
        # The log says how it ended, and nothing of the file. Killed: by its deadline, or the machine is full;
        # else by a limit of its own or a fault of a decoder.
        _LOG.warning("photo child ended with %s after %s bytes in", code, len(raw))
        raise NoPhoto(Reason.BUSY if code == -signal.SIGKILL else Reason.UNREADABLE) from None


def digest(files: Sequence[File]) -> str:
    """Name what is shown: other pixels are another name."""
    whole = sha256()
    for each in files:
        whole.update(sha256(each.data).digest())
    return whole.hexdigest()[:32]


@contextmanager
def _turn() -> Iterator[None]:
    """One at a time, and nobody waits: whoever books shares this process's few threads."""
    if not _TURN.acquire(blocking=False):
        raise NoPhoto(Reason.BUSY)
    try:
        yield
    finally:
        _TURN.release()


def ask(argv: Sequence[str], raw: bytes, *, seconds: float = SECONDS) -> tuple[int, bytes]:
    """Give a child its bytes; return its exit code and what it said, as much of it as we would read."""
    # Nothing is done between fork and exec: this process has threads. The child arranges the rest itself.
    process = subprocess.Popen(
        list(argv),
        env={"LANG": "C.UTF-8"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        umask=0o077,
        process_group=0,
    )
    deadline = threading.Timer(seconds, child.kill_group, [process.pid])
    deadline.start()
    try:
        said = _spoken(process, raw)
    finally:
        child.kill_group(process.pid)
        deadline.cancel()
        code = process.wait()
    return code, said


def _spoken(process: subprocess.Popen[bytes], raw: bytes) -> bytes:
    """Write all, then read all: the child reads to the end before it says anything."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("both pipes were asked for")
    with process.stdout as out:
        try:
            with process.stdin as into:
                into.write(raw)
        except BrokenPipeError:
            # It ended before it had read all; what it said before that is told below.
            pass
        return out.read(_MOST_OUT + 1)


def _files(said: bytes, shape: Shape) -> Iterator[File]:
    """Read the answer: a line of JSON, then each file's bytes. Raises ValueError where it is another."""
    head, newline, rest = said.partition(b"\n")
    told: dict[str, Any] = json.loads(head)
    if "refused" in told:
        raise NoPhoto(Reason(told["refused"]))
    if not newline or not told["files"] or len(rest) != sum(each["bytes"] for each in told["files"]):
        raise ValueError("cut short, or more than was said")
    widest, (across, down) = shape.widths[-1][0], shape.ratio
    for each in told["files"]:
        data, rest = rest[: each["bytes"]], rest[each["bytes"] :]
        file = File(Kind(each["kind"]), int(each["width"]), int(each["height"]), data)
        at, name = _BEGINS[file.kind]
        if not 0 < file.width <= widest or file.height != max(1, round(file.width * down / across)):
            raise ValueError("another size")
        if data[at : at + len(name)] != name:
            raise ValueError("another kind of file")
        yield file
