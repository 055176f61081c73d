"""The one writer: order, batches, time, and every way in which a disk or a store of heads can fail."""

import asyncio
import errno
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from noren_vault.ledger import Entry, Ledger, LedgerUnavailable, Receipt
from noren_vault.ledger import sequencer as sequencer_module
from tests.ledger.cast import Clock, FaultyDisk, Heads, intent, opened, outsider, segment

SMALL = 16 << 10


def run(story: Coroutine[Any, Any, None]) -> None:
    """Play a story on a loop of its own."""
    asyncio.run(story)


async def refused(ledger: Ledger, number: int = 0) -> LedgerUnavailable:
    """The refusal that an append gets."""
    with pytest.raises(LedgerUnavailable) as caught:
        await ledger.append(intent(number))
    return caught.value


async def until_refused(
    ledger: Ledger, before: Callable[[], None] = lambda: None
) -> tuple[int, LedgerUnavailable]:
    """Append until it is refused: how many were taken, and the refusal. `before` is called before each
    append.
    """
    written = 0
    while True:
        before()
        try:
            await ledger.append(intent(written))
        except LedgerUnavailable as error:
            return written, error
        written += 1


def size_of(folder: Path) -> int:
    """Bytes in the first segment."""
    return segment(folder).stat().st_size


def persons(ledger: Ledger) -> list[str]:
    """The last digits of the person of each intent in the ledger, in order."""
    return [
        entry.persons[0][-3:].lstrip("0") or "0" for _, entry in ledger.entries() if entry.kind == "intent"
    ]


def test_it_answers_with_index_and_time(tmp_path: Path) -> None:
    """The first entry has index 0, the next index 1, and each its time."""

    async def story() -> None:
        clock = Clock(5_000)
        async with opened(tmp_path, Heads(), now=clock) as ledger:
            assert await ledger.append(intent()) == Receipt(0, 5_000, 0)
            clock.at = 6_000
            assert await ledger.append(intent()) == Receipt(1, 6_000, 0)
            assert [entry.time for _, entry in ledger.entries()] == [5_000, 6_000]

    run(story())


def test_it_never_lets_time_fall_and_says_how_far_the_clock_stood_behind(tmp_path: Path) -> None:
    """A clock set back by a day neither reorders entries nor hides: the skew is in the entry, across restarts
    too.
    """

    async def story() -> None:
        clock, heads, day = Clock(), Heads(), 86_400_000
        async with opened(tmp_path, heads, now=clock) as ledger:
            first = await ledger.append(intent())
            clock.at -= day
            assert await ledger.append(intent()) == Receipt(1, first.time, day)
        async with opened(tmp_path, heads, now=clock) as ledger:
            assert await ledger.append(intent()) == Receipt(2, first.time, day)
            assert [entry.skew for _, entry in ledger.entries()] == [0, day, day]

    run(story())


def test_it_writes_many_at_once_in_one_batch_with_one_sync(tmp_path: Path) -> None:
    """Entries that wait together share one sync and one signed head, in the order in which they came."""

    async def story() -> None:
        disk, syncs = FaultyDisk(), []
        async with opened(tmp_path, Heads(), disk=disk) as ledger:
            disk.fault = lambda moment: syncs.append(moment) if moment == "synced" else None
            receipts = await asyncio.gather(*(ledger.append(intent(at)) for at in range(100)))
            assert [receipt.index for receipt in receipts] == list(range(100))
            assert len(syncs) == 1
            assert persons(ledger) == [str(at) for at in range(100)]

    run(story())
    assert outsider(tmp_path)[0] == 0


def test_it_stores_the_head_before_it_answers(tmp_path: Path) -> None:
    """When the receipt comes, the store already has the head that covers the entry."""

    async def story() -> None:
        heads = Heads()
        async with opened(tmp_path, heads) as ledger:
            receipt = await ledger.append(intent())
            assert heads.head == ledger.head()
            assert heads.head is not None
            assert heads.head.size == receipt.index + 1

    run(story())


def test_it_begins_a_new_segment_when_one_is_full(tmp_path: Path) -> None:
    """Segments roll, reading goes across them, and the outsider finds the whole."""

    async def story() -> None:
        heads = Heads()
        async with opened(tmp_path, heads, segment_bytes=SMALL) as ledger:
            for at in range(120):
                await ledger.append(intent(at))
            assert segment(tmp_path, 2).exists()
            assert persons(ledger) == [str(at) for at in range(120)]
            assert [index for index, _ in ledger.entries(57, 63)] == [57, 58, 59, 60, 61, 62]
        async with opened(tmp_path, heads, segment_bytes=SMALL) as ledger:
            assert persons(ledger) == [str(at) for at in range(120)]
            assert (await ledger.append(intent())).index == 120

    run(story())
    assert outsider(tmp_path) == (0, f"whole: 121 entries, root {outsider(tmp_path)[1].split()[-1]}\n")


def test_it_reads_only_what_is_there(tmp_path: Path) -> None:
    """Ranges outside the ledger are empty."""

    async def story() -> None:
        async with opened(tmp_path, Heads()) as ledger:
            assert list(ledger.entries()) == []
            await ledger.append(intent())
            for start, end in ((1, 2), (5, 9), (-1, 1), (0, 0)):
                assert list(ledger.entries(start, end)) == []
            assert [index for index, _ in ledger.entries(0, 99)] == [0]

    run(story())


def test_it_tells_subscribers_after_the_answer_and_survives_those_that_fail(tmp_path: Path) -> None:
    """Each subscriber sees each durable entry once, in order; one that raises harms neither the others nor
    appends.
    """

    async def story() -> None:
        seen: list[int] = []

        def broken(index: int, entry: Entry) -> None:
            raise RuntimeError("a subscriber's own trouble")

        async with opened(tmp_path, Heads()) as ledger:
            ledger.subscribe(broken)
            end = ledger.subscribe(lambda index, _: seen.append(index))
            await asyncio.gather(*(ledger.append(intent(at)) for at in range(10)))
            await ledger.append(intent())
            await asyncio.sleep(0)
            end()
            await ledger.append(intent())
        assert seen == list(range(11))

    run(story())


def test_it_leaves_out_who_does_not_wait_any_more(tmp_path: Path) -> None:
    """An append that was cancelled before its batch began is not written."""

    async def story() -> None:
        async with opened(tmp_path, Heads()) as ledger:
            task = asyncio.create_task(ledger.append(intent(1)))
            other = asyncio.create_task(ledger.append(intent(2)))
            await asyncio.sleep(0)
            task.cancel()
            await other
            assert persons(ledger) == ["2"]

    run(story())


def test_it_refuses_when_it_is_closed(tmp_path: Path) -> None:
    """After close nothing is taken; closing writes what waited."""

    async def story() -> None:
        async with opened(tmp_path, Heads()) as ledger:
            waiting = asyncio.create_task(ledger.append(intent()))
            await asyncio.sleep(0)
        assert (await waiting).index == 0
        assert (await refused(ledger)).reason == "closed"

    run(story())


def test_it_refuses_when_too_many_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue has an end, so that a slow disk cannot fill the memory."""
    monkeypatch.setattr(sequencer_module, "MAX_WAITING", 3)

    async def story() -> None:
        async with opened(tmp_path, Heads()) as ledger:
            tasks = [asyncio.create_task(ledger.append(intent())) for _ in range(4)]
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(result) for result in results] == [Receipt, Receipt, Receipt, LedgerUnavailable]

    run(story())


# Each failure as "not written" and as "written, answer lost". After each: nobody was answered, nothing is
# taken, opening again finds every entry that was answered, and the outsider finds the whole.
FAILURES = {
    "write fails before": ("write", errno.EIO, 1),
    "write fails after": ("written", errno.EIO, 2),
    "disk full in the middle of a write": ("write", errno.ENOSPC, 1),
    "disk full told after the write": ("written", errno.ENOSPC, 2),
    "sync fails before": ("sync", errno.EIO, 2),
    "sync fails after": ("synced", errno.EIO, 2),
    "quota at the sync": ("sync", errno.EDQUOT, 2),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_it_is_poisoned_by_an_error_on_the_files_until_opened_again(tmp_path: Path, failure: str) -> None:
    """After one failed call nothing is taken although the disk works again; reopened, the ledger is whole."""
    moment, number, size_after = FAILURES[failure]

    async def story() -> None:
        disk, heads = FaultyDisk(), Heads()
        async with opened(tmp_path, heads, disk=disk) as ledger:
            await ledger.append(intent(1))
            disk.fail_once(moment, number)
            assert (await refused(ledger, 2)).reason == "poisoned"
            assert (await refused(ledger, 3)).reason == "poisoned"
            await asyncio.wait_for(ledger.poisoned(), 1)
            assert ledger.refusal is not None
            assert ledger.size == 1
        async with opened(tmp_path, heads) as ledger:
            assert ledger.size == size_after
            assert persons(ledger)[0] == "1"
            assert heads.head is not None
            assert heads.head.size == size_after
            await ledger.append(intent(4))

    run(story())
    assert outsider(tmp_path)[0] == 0


def test_it_refuses_everyone_who_waits_when_the_files_fail(tmp_path: Path) -> None:
    """Those behind the failed batch are refused at once too."""

    async def story() -> None:
        disk = FaultyDisk()
        async with opened(tmp_path, Heads(), disk=disk) as ledger:
            free = disk.hang("sync")
            first = asyncio.create_task(ledger.append(intent(1)))
            await asyncio.sleep(0.05)
            rest = [asyncio.create_task(ledger.append(intent(at))) for at in (2, 3)]
            await asyncio.sleep(0)
            disk.fail_once("synced", errno.EIO)
            free.set()
            results = await asyncio.gather(first, *rest, return_exceptions=True)
            assert [getattr(result, "reason", None) for result in results] == ["poisoned"] * 3

    run(story())


def vanish(path: Path) -> None:
    """Remove the file that is being written."""
    path.unlink()


def replace(path: Path) -> None:
    """Put a copy in the place of the file that is being written."""
    copy = path.with_suffix(".copy")
    copy.write_bytes(path.read_bytes())
    copy.rename(path)


def shorten(path: Path) -> None:
    """Cut the file that is being written."""
    os.truncate(path, path.stat().st_size - 1)


def lengthen(path: Path) -> None:
    """Let somebody else write to the file."""
    with path.open("ab") as file:
        file.write(b"x")


MOMENTS = ["between batches", "written", "synced"]


@pytest.mark.parametrize(
    ("harm", "moment"),
    [
        *((harm, moment) for harm in (vanish, replace, shorten, lengthen) for moment in MOMENTS),
        (vanish, "write"),
        (replace, "write"),
    ],
)
def test_it_notices_within_one_batch_that_its_file_is_not_its_file(
    tmp_path: Path, harm: Callable[[Path], None], moment: str
) -> None:
    """A file removed, replaced, cut or written by another is noticed before anyone is answered."""

    async def story() -> None:
        disk = FaultyDisk()
        async with opened(tmp_path, Heads(), disk=disk) as ledger:
            await ledger.append(intent(1))
            if moment == "between batches":
                harm(segment(tmp_path))
            else:

                def fault(now: str) -> None:
                    if now == moment:
                        disk.fault = None
                        harm(segment(tmp_path))

                disk.fault = fault
            assert (await refused(ledger)).reason == "lost"
            assert (await refused(ledger)).reason == "lost"

    run(story())


def test_it_answers_within_the_deadline_when_the_disk_hangs_and_goes_on_when_it_comes_back(
    tmp_path: Path,
) -> None:
    """A hung sync: who waits is refused after the deadline, who comes then at once; later all is well."""

    async def story() -> None:
        disk, heads = FaultyDisk(), Heads()
        async with opened(tmp_path, heads, disk=disk, deadline=0.2) as ledger:
            await ledger.append(intent(1))
            free = disk.hang("sync")
            assert (await refused(ledger, 2)).reason == "slow"
            await asyncio.sleep(0.05)
            async with asyncio.timeout(0.1):  # without waiting for a deadline of its own
                assert (await refused(ledger, 3)).reason == "slow"
            free.set()
            while ledger.refusal is not None:  # noqa: ASYNC110 -- the ledger offers no event for this
                await asyncio.sleep(0.01)
            assert (await ledger.append(intent(4))).index == 2
            assert persons(ledger) == ["1", "2", "4"]

    run(story())
    assert outsider(tmp_path)[0] == 0


def test_it_can_be_closed_while_the_disk_hangs(tmp_path: Path) -> None:
    """A disk that never answers does not keep the process from ending; opened again, the ledger is whole."""

    async def story() -> None:
        disk, heads = FaultyDisk(), Heads()
        async with opened(tmp_path, heads, disk=disk, deadline=0.1) as ledger:
            free = disk.hang("write")
            assert (await refused(ledger)).reason == "slow"
        free.set()

    run(story())


def test_it_refuses_when_the_disk_is_full_records_that_once_and_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    """A new segment that finds no room: refused with nothing half written, recorded in the kept room, then
    taken.
    """

    async def story() -> None:
        disk, heads = FaultyDisk(), Heads()
        async with opened(tmp_path, heads, disk=disk, segment_bytes=SMALL) as ledger:
            disk.fail_always("reserve", errno.ENOSPC)
            written, refusal = await until_refused(ledger)
            assert refusal.reason == "full"
            assert (await refused(ledger)).reason == "full"
            assert not segment(tmp_path, 1).exists()
            disk.fault = None
            assert (await ledger.append(intent(999))).index == written + 1
            kinds = [(entry.kind, entry.note) for _, entry in ledger.entries()]
            assert kinds == [("intent", "")] * written + [("refused", "disk_full"), ("intent", "")]

    run(story())
    assert outsider(tmp_path)[0] == 0


@pytest.mark.parametrize("moment", ["write", "written", "sync", "synced"])
def test_it_is_poisoned_when_a_new_segment_fails_for_another_reason(tmp_path: Path, moment: str) -> None:
    """An input error while a segment is begun stops the writer; reopened, everything answered is there."""

    async def story() -> None:
        disk, heads = FaultyDisk(), Heads()
        async with opened(tmp_path, heads, disk=disk, segment_bytes=SMALL) as ledger:
            rolling = SMALL - (4 << 10) - 700
            written, refusal = await until_refused(
                ledger, lambda: disk.fail_once(moment, errno.EIO) if size_of(tmp_path) > rolling else None
            )
            assert refusal.reason == "poisoned"
        async with opened(tmp_path, heads, segment_bytes=SMALL) as ledger:
            assert persons(ledger)[:written] == [str(at) for at in range(written)]
            await ledger.append(intent(written))

    run(story())
    assert outsider(tmp_path)[0] == 0


def test_it_refuses_while_the_head_cannot_be_stored_and_stays_one_batch_ahead_at_most(tmp_path: Path) -> None:
    """No head stored, no answer; nothing more is written before the store has the head of what is written."""

    async def story() -> None:
        heads = Heads()
        async with opened(tmp_path, heads) as ledger:
            await ledger.append(intent(1))
            heads.broken = True
            assert (await refused(ledger, 2)).reason == "heads"
            assert (await refused(ledger, 3)).reason == "heads"
            assert ledger.size == 2
            heads.broken = False
            assert (await ledger.append(intent(4))).index == 2
            assert persons(ledger) == ["1", "2", "4"]
            assert heads.head == ledger.head()

    run(story())


def test_it_refuses_within_the_deadline_when_the_store_of_heads_hangs(tmp_path: Path) -> None:
    """A database that never answers refuses the entry in time."""

    async def story() -> None:
        heads = Heads()
        async with opened(tmp_path, heads, deadline=0.1) as ledger:
            heads.hanging = True
            assert (await refused(ledger)).reason in {"heads", "slow"}
            heads.hanging = False

    run(story())
