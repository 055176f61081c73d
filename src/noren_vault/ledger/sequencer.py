"""The one writer of the ledger: orders entries, writes them in batches, answers when they are durable."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol, TypeVar

from .checkpoint import Head, sign_head
from .entry import BUILD_DIGITS, Entry
from .errors import LedgerUnavailable
from .frames import ENTRY, HEAD, encode_frame
from .hand import Hand
from .merkle import leaf_hash
from .note import Signer
from .recovery import Recovered
from .segments import RESERVE_BYTES, SegmentWriter

MAX_BATCH: Final = 512
MAX_BATCH_BYTES: Final = 1 << 20
MAX_WAITING: Final = 20_000
DEADLINE: Final = 5.0

Result = TypeVar("Result")
_log = logging.getLogger(__name__)


class HeadStore(Protocol):
    """Where the last signed head is kept apart from the files: the vault's database.

    Only the sequencer stores; it stores after the batch is durable, and before it answers or begins the next
    batch.
    """

    async def load(self) -> Head | None:
        """The head stored last, or None when there never was one."""

    def store(self, head: Head) -> None:
        """Keep `head` in place of the one before; blocks. Any exception means: not surely kept.

        Called on the sequencer's thread, right behind the sync: a way over the loop would cost twice as much.
        """

    def cut(self) -> None:
        """Make a `store` that hangs fail. Called on the loop."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an appended entry became: its index in the ledger and its time in milliseconds (see Entry for
    skew).
    """

    index: int
    time: int
    skew: int


class _Wish(NamedTuple):
    entry: Entry
    future: "asyncio.Future[Receipt]"


@dataclass(frozen=True, slots=True)
class _Written:
    segment: int
    offset: int
    leaves: list[bytes]
    head: Head
    fault: Exception | None = None


class Sequencer:
    """Owns the tree, the index and the head (written in `_apply` only, on the loop) and the files (on its
    thread).

    `_refusal` is why no entry is taken now: set for as long as the disk hangs, and for good after an error on
    the files, because what lies on the disk is then unknown until the ledger is opened and walked again.
    """

    def __init__(
        self,
        recovered: Recovered,
        writer: SegmentWriter,
        signer: Signer,
        heads: HeadStore,
        *,
        now: Callable[[], int],
        build: str,
        deadline: float,
        after: Callable[[Head, list[tuple[int, Entry]]], None],
    ) -> None:
        self.tree = recovered.tree
        self.index = recovered.index
        self.head = recovered.head
        self._time = recovered.time
        self._writer = writer
        self._signer = signer
        self._heads = heads
        self._now = now
        self._build = build[:BUILD_DIGITS]
        self._deadline = deadline
        self._after = after
        self._unstored: Head | None = None
        self._refusal: LedgerUnavailable | None = None
        self._full_recorded = False
        self._waiting: deque[_Wish] = deque()
        self._wake = asyncio.Event()
        # Set once, when what lies on the disk is unknown: only opening the ledger again can tell.
        self.poisoned = asyncio.Event()
        self._closing = False
        self._hand = Hand("ledger")
        self._task = asyncio.create_task(self._run())

    @property
    def refusal(self) -> LedgerUnavailable | None:
        """Why no entry is taken now, or None."""
        return self._refusal

    async def append(self, entry: Entry) -> Receipt:
        """Write an entry; the answer comes when it is durable and its head is stored. Raises
        LedgerUnavailable.
        """
        if self._refusal is not None:
            raise _again(self._refusal)
        if len(self._waiting) >= MAX_WAITING:
            raise LedgerUnavailable("busy", f"{MAX_WAITING} entries wait to be written")
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Wish(entry, future))
        self._wake.set()
        try:
            async with asyncio.timeout(self._deadline):
                return await future
        except TimeoutError:
            raise LedgerUnavailable(
                "slow", f"the entry was not durable within {self._deadline:g} s"
            ) from None

    async def close(self) -> None:
        """Write what waits, then let go of the files; a disk that hangs is left alone after the deadline."""
        self._refusal = self._refusal or LedgerUnavailable("closed", "the ledger is closed")
        self._closing = True
        self._wake.set()
        done, _ = await asyncio.wait({self._task}, timeout=self._deadline)
        if done:
            with suppress(OSError):  # everything that was answered is durable already
                await self._hand.run(self._writer.close)
        else:
            self._task.cancel()
        self._hand.stop()

    async def _run(self) -> None:
        while not (self._closing and not self._waiting):
            await self._wake.wait()
            self._wake.clear()
            while batch := self._next_batch():
                await self._serve(batch)

    def _next_batch(self) -> list[_Wish]:
        """The wishes that go together, their entries stamped; who does not wait any more is left out."""
        batch: list[_Wish] = []
        persons = 0
        while self._waiting and len(batch) < MAX_BATCH and persons * 48 < MAX_BATCH_BYTES // 2:
            wish = self._waiting.popleft()
            if not wish.future.done():
                batch.append(wish._replace(entry=self._stamp(wish.entry)))
                persons += len(wish.entry.persons)
        return batch

    def _stamp(self, entry: Entry) -> Entry:
        clock = self._now()
        self._time = max(self._time, clock)
        return replace(entry, time=self._time, skew=self._time - clock, build=self._build)

    async def _serve(self, batch: list[_Wish]) -> None:
        """Write one batch and answer everyone in it."""
        try:
            await self._store_head(batch)
            first = await self._write([wish.entry for wish in batch], batch)
        except LedgerUnavailable as error:
            self._refuse(error, batch)
            return
        except Exception as error:  # noqa: BLE001 -- whatever it was, what lies on the disk is unknown now
            words = f"writing failed, the ledger must be opened again: {error!r}"
            self._refuse(LedgerUnavailable("poisoned", words), batch)
            return
        for number, wish in enumerate(batch, first):
            if not wish.future.done():
                wish.future.set_result(Receipt(number, wish.entry.time, wish.entry.skew))

    def _refuse(self, error: LedgerUnavailable, batch: list[_Wish]) -> None:
        """Nobody in the batch gets a receipt; after an unknown outcome nobody ever does."""
        _log.critical("ledger: %s", error)
        if error.reason in {"poisoned", "lost"}:
            self._refusal = error
            if error.reason == "poisoned":
                self.poisoned.set()
            _fail(self._waiting, error)
            self._waiting.clear()
        _fail(batch, error)

    async def _write(self, entries: list[Entry], batch: Sequence[_Wish]) -> int:
        """Entries to disk, the head to its store; the index of the first."""
        data = [entry.to_bytes() for entry in entries]
        try:
            written = await self._by_hand(lambda: self._stored(self._write_batch(data)), batch)
        except LedgerUnavailable as error:
            if error.reason == "full":
                await self._record_full()
            raise
        first = self._apply(written, entries)
        if written.fault is not None:
            raise _unkept(written.fault) from written.fault
        self._unstored = None
        return first

    def _write_batch(self, data: list[bytes], reserve: int = RESERVE_BYTES) -> _Written:
        """On the thread: sign the batch's head, roll when the segment is full, write and sync."""
        leaves = [leaf_hash(one) for one in data]
        tree = self.tree.range.copy()
        for leaf in leaves:
            tree.append(leaf)
        head = sign_head(self._signer, tree.size, tree.root())
        frames = [encode_frame(ENTRY, one) for one in data]
        block = b"".join([*frames, encode_frame(HEAD, head.signed.encode())])
        if not self._writer.fits(len(block), reserve=reserve):
            self._writer.roll(self.head.size, self.head.signed)
            self._full_recorded = False
        offset = self._writer.append(block)
        return _Written(self._writer.number, offset, leaves, head)

    def _stored(self, written: _Written) -> _Written:
        """On the thread: have the head stored. The batch is durable whether that succeeds or not."""
        try:
            self._heads.store(written.head)
        except Exception as fault:  # noqa: BLE001 -- whatever it was: the head is not surely kept
            return replace(written, fault=fault)
        return written

    def _apply(self, written: _Written, entries: list[Entry]) -> int:
        """The batch is durable: from here on it is the ledger's last."""
        first = self.tree.size
        self.index.add(first, written.segment, written.offset)
        self.tree.extend(written.leaves)
        self.head = self._unstored = written.head
        self._after(written.head, list(enumerate(entries, first)))
        return first

    async def _store_head(self, batch: Sequence[_Wish]) -> None:
        """Store a head that could not be stored with its batch: the files are one batch ahead at most."""
        if (head := self._unstored) is None:
            return
        try:
            await self._by_hand(lambda: self._heads.store(head), batch)
        except Exception as error:
            raise _unkept(error) from error
        self._unstored = None

    async def _record_full(self) -> None:
        """Put on record, once, in the room kept for it, that entries are refused because the disk is full."""
        if self._full_recorded:
            return
        self._full_recorded = True
        marker = self._stamp(Entry(kind="refused", note="disk_full"))
        data = marker.to_bytes()
        if self._writer.fits(len(data) + 1_024, reserve=0):
            self._apply(await self._by_hand(lambda: self._write_batch([data], 0), ()), [marker])

    async def _by_hand(self, call: Callable[[], Result], batch: Sequence[_Wish]) -> Result:
        """Make a call on the thread. When it passes the deadline, everyone is refused until it comes back."""
        job = self._hand.run(call)
        try:
            async with asyncio.timeout(self._deadline):
                return await asyncio.shield(job)
        except TimeoutError:
            slow = LedgerUnavailable(
                "slow", f"the disk or the store of heads has not answered for {self._deadline:g} s"
            )
            _log.critical("ledger: %s", slow)
            self._heads.cut()
            self._refusal = self._refusal or slow
            _fail([*batch, *self._waiting], slow)
            self._waiting.clear()
            result = await job
            if self._refusal is slow:
                self._refusal = None
            return result


def _unkept(fault: Exception) -> LedgerUnavailable:
    return LedgerUnavailable("heads", f"the signed head could not be stored: {fault!r}")


def _fail(wishes: Sequence[_Wish] | deque[_Wish], error: LedgerUnavailable) -> None:
    for wish in wishes:
        if not wish.future.done():
            wish.future.set_exception(_again(error))


def _again(error: LedgerUnavailable) -> LedgerUnavailable:
    """The same error as a new object: one that is raised in many tasks would collect all their tracebacks."""
    return LedgerUnavailable(error.reason, str(error))
