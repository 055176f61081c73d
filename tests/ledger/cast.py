"""Who plays in the ledger's tests: a key, a clock, a store of heads, disks that fail, and the outsider."""

import asyncio
import io
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import noren_verify
from noren_vault.ledger import Entry, Head, HeadStore, Ledger
from noren_vault.ledger.note import Signer
from noren_vault.ledger.segments import Disk

ORIGIN = "ledger.example/test"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
# What a build of the vault looks like: a SHA-256 in hex.
BUILD = "0123456789abcdef" * 4
VKEY = Signer(ORIGIN, KEY).verifier.vkey()


class Clock:
    """Milliseconds that only a test moves."""

    def __init__(self, start: int = 1_700_000_000_000) -> None:
        self.at = start

    def __call__(self) -> int:
        return self.at


class Heads:
    """A store of heads in memory, which can be made to fail or to hang."""

    def __init__(self, head: Head | None = None) -> None:
        self.head = head
        self.broken = False
        self.hanging = False
        self._cut = threading.Event()

    async def load(self) -> Head | None:
        return self.head

    def store(self, head: Head) -> None:
        self._cut.clear()
        while self.hanging:
            if self._cut.wait(0.01):
                raise ConnectionError("the connection was cut")
        if self.broken:
            raise ConnectionError("the database is gone")
        self.head = head

    def cut(self) -> None:
        self._cut.set()


class FaultyDisk(Disk):
    """A disk of which one call fails: before it is done ("not written") or after ("written, answer lost")."""

    def __init__(self) -> None:
        self.fault: Callable[[str], None] | None = (
            None  # called with "write", "written", "sync", "synced", ...
        )

    def _at(self, moment: str) -> None:
        if self.fault is not None:
            self.fault(moment)

    def write(self, fd: int, data: bytes, offset: int) -> None:
        self._at("write")
        super().write(fd, data, offset)
        self._at("written")

    def sync(self, fd: int) -> None:
        self._at("sync")
        super().sync(fd)
        self._at("synced")

    def reserve(self, fd: int, size: int) -> None:
        self._at("reserve")
        super().reserve(fd, size)

    def sync_folder(self, folder: Path) -> None:
        self._at("folder")
        super().sync_folder(folder)

    def fail_once(self, moment: str, number: int) -> None:
        """At the next `moment`, raise the OSError with this number."""

        def fault(now: str) -> None:
            if now == moment:
                self.fault = None
                raise OSError(number, os.strerror(number))

        self.fault = fault

    def fail_always(self, moment: str, number: int) -> None:
        """At every `moment` from now on, raise the OSError with this number."""

        def fault(now: str) -> None:
            if now == moment:
                raise OSError(number, os.strerror(number))

        self.fault = fault

    def hang(self, moment: str) -> threading.Event:
        """At the next `moment`, wait until the event that is given back is set."""
        free = threading.Event()

        def fault(now: str) -> None:
            if now == moment:
                self.fault = None
                free.wait(30)

        self.fault = fault
        return free


@asynccontextmanager
async def opened(folder: Path, heads: HeadStore, **more: Any) -> AsyncIterator[Ledger]:
    """An open ledger, closed at the end."""
    more.setdefault("now", Clock())
    more.setdefault("build", BUILD)
    ledger = await Ledger.open(folder, KEY, ORIGIN, heads=heads, **more)
    try:
        yield ledger
    finally:
        await ledger.close()


def intent(number: int = 0) -> Entry:
    """An entry as a reveal writes it."""
    person = f"00000000-0000-4000-8000-{number:012d}"
    return Entry(
        kind="intent", actor="aoi.salon", shop=1, purpose="today", persons=(person,), fields=("name",)
    )


def fill(folder: Path, heads: HeadStore, batches: int, *, each: int = 1, **more: Any) -> None:
    """Write a ledger of `batches` batches with `each` entries, and close it."""

    async def write() -> None:
        async with opened(folder, heads, **more) as ledger:
            for batch in range(batches):
                await asyncio.gather(*(ledger.append(intent(batch * each + at)) for at in range(each)))

    asyncio.run(write())


def outsider(folder: Path, *more: str) -> tuple[int, str]:
    """What the verifier, which shares no code with the ledger, says about a folder: exit code and words."""
    out = io.StringIO()
    with redirect_stdout(out):
        code = noren_verify.main([str(folder), "--key", VKEY, *more])
    return code, out.getvalue()


def segment(folder: Path, number: int = 0) -> Path:
    """A segment's file."""
    return folder / "segments" / f"{number:08d}.seg"
