"""The ledger as the vault sees it: open, append, read, prove."""

import asyncio
import fcntl
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .checkpoint import Head, open_head, sign_head
from .entry import Entry
from .errors import (
    CheckpointInvalid,
    LedgerError,
    LedgerForked,
    LedgerInUse,
    LedgerShort,
    LedgerUnavailable,
    NoteInvalid,
    ProofInvalid,
)
from .index import read_entries, read_payloads
from .merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from .note import Signer, Verifier
from .proof import proof_text
from .publisher import Publisher, Subscriber
from .recovery import Recovered, recover
from .segments import FULL, SEGMENT_BYTES, Disk, SegmentWriter, create_segment, list_segments, opening
from .sequencer import DEADLINE, HeadStore, Receipt, Sequencer
from .tiles import replace_file

_REPAIR_REF: Final = "segment:{}/byte:{}/cut:{}"
_log = logging.getLogger(__name__)


class Ledger:
    """An open ledger. One process at a time; everything here belongs to the loop on which it was opened."""

    def __init__(
        self,
        folder: Path,
        signer: Signer,
        sequencer: Sequencer,
        publisher: Publisher,
        lock: int,
        *,
        build: str,
    ) -> None:
        """Use `Ledger.open`. `build` is the software's SHA-256 in hex."""
        self.folder = folder
        self.build = build
        self._signer = signer
        self._sequencer = sequencer
        self._publisher = publisher
        self._lock = lock

    @classmethod
    async def open(
        cls,
        folder: Path,
        signing_key: Ed25519PrivateKey,
        origin: str,
        *,
        heads: HeadStore,
        now: Callable[[], int],
        build: str,
        witnessed: Sequence[Head] = (),
        deadline: float = DEADLINE,
        segment_bytes: int = SEGMENT_BYTES,
        disk: Disk | None = None,
    ) -> "Ledger":
        """Walk the whole ledger, hold it against every known head, then take entries. Creates what is not
        there.

        `now` gives milliseconds since the epoch (UTC), `build` is the SHA-256 of the software in hex: every
        entry says by which it was written. `witnessed` are heads that others kept. A torn batch
        that nobody was answered about is cut off, and that is recorded as an entry of kind `repair`.
        Raises LedgerShort, LedgerForked, LedgerDamaged, LedgerInUse, LedgerUnavailable; OSError when a file
        or folder may not be used.
        """
        signer, disk = Signer(origin, signing_key), disk or Disk()
        (folder / "segments").mkdir(parents=True, exist_ok=True)
        lock = _take_lock(folder)
        try:
            stored = await heads.load()
            recovered, writer = await asyncio.to_thread(
                _prepare, folder, signer, [stored, *witnessed], size=segment_bytes, disk=disk
            )
            publisher = Publisher(folder, recovered.tree, recovered.head)
            sequencer = Sequencer(
                recovered,
                writer,
                signer,
                heads,
                now=now,
                build=build,
                deadline=deadline,
                after=publisher.appended,
            )
            ledger = cls(folder, signer, sequencer, publisher, lock, build=build)
            await ledger._settle(recovered, heads, stored)
        except BaseException:
            os.close(lock)
            raise
        return ledger

    async def append(self, entry: Entry) -> Receipt:
        """Write an entry. The answer comes when it is durable; raises LedgerUnavailable and never hangs."""
        return await self._sequencer.append(entry)

    @property
    def size(self) -> int:
        """The number of durable entries."""
        return self._sequencer.head.size

    @property
    def refusal(self) -> LedgerUnavailable | None:
        """Why no entry is taken now (for the health answer), or None."""
        return self._sequencer.refusal

    async def poisoned(self) -> None:
        """Return when an error on the files has left their state unknown. Close and open the ledger then."""
        await self._sequencer.poisoned.wait()

    def head(self) -> Head:
        """The signed head after the last durable batch."""
        return self._sequencer.head

    def head_at(self, size: int) -> Head:
        """The signed head of the first `size` entries. Blocks; raises ProofInvalid."""
        head = self._sequencer.head
        return head if size == head.size else sign_head(self._signer, size, self.root(size))

    def checkpoint(self) -> str:
        """The signed checkpoint of the last durable batch."""
        return self._sequencer.head.signed

    def vkey(self) -> str:
        """The public key with which heads are checked."""
        return self._signer.verifier.vkey()

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, Entry]]:
        """Durable entries `start` to `end` (not included; at most the present size) with their indexes.

        Read from the files while you iterate; blocks. Raises LedgerDamaged when they are not what was
        written.
        """
        stop = self.size if end is None else min(end, self.size)
        if not 0 <= start < stop:
            return iter(())
        return read_entries(self.folder, self._sequencer.index, start, stop)

    def payloads(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """The bytes of the same entries, exactly as they were signed."""
        stop = self.size if end is None else min(end, self.size)
        if not 0 <= start < stop:
            return iter(())
        return read_payloads(self.folder, self._sequencer.index, start, stop)

    def proof(self, index: int, head: Head | None = None, extra: bytes = b"") -> str:
        """The `.tlog-proof` file of one entry under a head of this ledger's, the present one unless given.

        `extra` goes with it as it is. Blocks; raises ProofInvalid.
        """
        head = head or self._sequencer.head
        try:
            hashes = inclusion_proof(index, head.size, self._sequencer.tree.node)
            leaf = self._sequencer.tree.node(0, index)
            verify_inclusion(index, head.size, leaf, hashes, head.root)
        except (OSError, ValueError, ProofInvalid) as error:
            raise ProofInvalid(f"no proof for entry {index}: {error}") from error
        return proof_text(index, hashes, head, extra)

    def root(self, size: int) -> bytes:
        """The root of the first `size` entries. Blocks; raises ProofInvalid."""
        if not 0 <= size <= self._sequencer.head.size:
            raise ProofInvalid(f"the ledger has fewer than {size} entries")
        try:
            return root_at(size, self._sequencer.tree.node)
        except (OSError, ValueError) as error:
            raise ProofInvalid(f"no root of {size} entries: {error}") from error

    def consistency(self, old: int, head: Head) -> list[bytes]:
        """The proof that a head of this ledger continues its first `old` entries; from 0 it is empty. Blocks;
        raises ProofInvalid.
        """
        if old in (0, head.size):
            return []
        try:
            hashes = consistency_proof(old, head.size, self._sequencer.tree.node)
        except (OSError, ValueError) as error:
            raise ProofInvalid(f"no proof from {old} entries: {error}") from error
        verify_consistency(old, head.size, self.root(old), head.root, hashes)
        return hashes

    def cosigned(self, head: Head) -> None:
        """Publish this head of the ledger's, whose `signed` text carries its witnesses' signatures too."""
        self._publisher.cosigned(head)

    def node(self, level: int, index: int) -> bytes:
        """The hash of the whole node (level, index) of the tree. Blocks; raises OSError without its tile."""
        return self._sequencer.tree.node(level, index)

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Have `callback(index, entry)` called on the loop for each entry that is durable from now on, in
        order.

        It is called after the one who appended was answered and never delays an append; what it raises is
        logged. Gives the function that ends the subscription. What was missed can be read with `entries`.
        """
        return self._publisher.subscribe(callback)

    async def publish(self) -> None:
        """Write tiles and checkpoint file for the present head now, not within the next second."""
        await self._publisher.publish()

    async def close(self) -> None:
        """Write what waits, publish, and let go of the folder."""
        await self._sequencer.close()
        await self._publisher.close()
        os.close(self._lock)

    async def _settle(self, recovered: Recovered, heads: HeadStore, stored: Head | None) -> None:
        """After the walk: bring the head store up to the files, record a repair, publish."""
        try:
            if recovered.head.size and (stored is None or stored.size < recovered.head.size):
                await asyncio.to_thread(heads.store, recovered.head)
            if recovered.torn:
                ref = _REPAIR_REF.format(recovered.segment, recovered.end, recovered.torn)
                _log.warning("ledger: cut off a torn batch: %s (%s)", ref, recovered.words)
                await self.append(Entry(kind="repair", note="torn_tail", ref=ref))
            await self.publish()
        except BaseException:
            await self._sequencer.close()
            await self._publisher.close()
            raise


def _take_lock(folder: Path) -> int:
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise LedgerInUse(f"another process writes the ledger in {folder}") from None
    return fd


def _prepare(
    folder: Path, signer: Signer, heads: Sequence[Head | None], *, size: int, disk: Disk
) -> tuple[Recovered, SegmentWriter]:
    """Blocking part of opening: check the key, walk the files, make their end surely durable.

    The segment is copied to a new file when its end was never acknowledged: no stored head covers it, or no
    batch was written to it yet. After a failed sync the kernel shows bytes that the disk may lack, and will
    not write them again; to read them proves nothing. The copy is made of the bytes that the walk held
    against the signed heads, in fresh blocks, with a sync of its own. An end that a stored head covers was
    synced without an error, for the head is stored after that.
    """
    origin = signer.verifier.name
    _check_vkey(folder, signer.verifier)
    known = [_checked(head, signer.verifier) for head in heads if head is not None]
    known += _head_files(folder, signer.verifier)
    for leftover in (folder / "segments").glob("*.new"):
        leftover.unlink()
    if not list_segments(folder):
        largest = max((head.size for head in known), default=0)
        if largest:
            words = f"entries 0 to {largest - 1} are missing: there is no segment file"
            raise LedgerShort(0, largest - 1, words)
        for one in (folder, folder.parent):  # the names of the folders, too, are needed after a crash
            disk.sync_folder(one)
        content = opening(origin, 0, 0, sign_head(signer, 0, EMPTY_ROOT).signed)
        create_segment(folder, 0, content, size=size, disk=disk)
    _forget_cached(folder)
    recovered = recover(folder, signer.verifier, known)
    stored = heads[0]
    if stored is None or stored.size < recovered.head.size or recovered.batch == 0:
        _renew(folder, recovered, size=size, disk=disk)
    recovered.data = b""
    return recovered, SegmentWriter(
        folder, recovered.segment, recovered.end, origin=origin, size=size, disk=disk
    )


def _renew(folder: Path, recovered: Recovered, *, size: int, disk: Disk) -> None:
    """Give the last segment's name to a new file with the bytes that were walked."""
    try:
        create_segment(folder, recovered.segment, recovered.data, size=size, disk=disk)
    except OSError as error:
        if error.errno in FULL:
            raise LedgerUnavailable(
                "full", "the disk is full: the end of the ledger cannot be made durable"
            ) from error
        raise


def _forget_cached(folder: Path) -> None:
    """Ask to read from the disk, so that a batch which never reached it shows as torn and is on record.

    Only a wish (the kernel keeps pages that are in use): nothing relies on it, see `_prepare`.
    """
    if not hasattr(os, "posix_fadvise"):
        return
    with list_segments(folder)[-1].open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _check_vkey(folder: Path, verifier: Verifier) -> None:
    path = folder / "vkey"
    if not path.exists():
        replace_file(path, f"{verifier.vkey()}\n".encode())
    elif path.read_text().strip() != verifier.vkey():
        raise LedgerForked(f"{path} names another key than the one this ledger is to be signed with")


def _checked(head: Head, verifier: Verifier) -> Head:
    try:
        found = open_head(head.signed, [verifier], verifier.name)
    except (NoteInvalid, CheckpointInvalid) as error:
        raise LedgerForked(f"a kept head was not signed by this ledger's key: {error}") from error
    if (found.size, found.root) != (head.size, head.root):
        raise LedgerForked("a kept head says another size or root than its signed text")
    return head


def _head_files(folder: Path, verifier: Verifier) -> list[Head]:
    """The heads in the checkpoint file, and in the newer one beside it while witnesses are behind.

    They are derived and not synced, so one that cannot be read is made again.
    """
    found: list[Head] = []
    for name in ("checkpoint", "head"):
        try:
            found.append(open_head((folder / name).read_text(), [verifier], verifier.name))
        except FileNotFoundError:
            continue
        except (UnicodeDecodeError, LedgerError) as error:
            _log.warning("ledger: the %s file is not readable and is made again: %s", name, error)
    return found
