"""Opening: what is whole is opened, what is torn beyond every known head is repaired, everything else is
refused.
"""

import asyncio
import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from noren_vault.ledger import (
    Entry,
    Head,
    Ledger,
    LedgerDamaged,
    LedgerForked,
    LedgerInUse,
    LedgerShort,
    LedgerUnavailable,
)
from noren_vault.ledger.checkpoint import sign_head
from noren_vault.ledger.frames import ENTRY, HEAD, encode_frame, read_frames
from noren_vault.ledger.merkle import CompactRange, leaf_hash
from noren_vault.ledger.note import Signer
from tests.ledger.cast import (
    BUILD,
    KEY,
    ORIGIN,
    OTHER_KEY,
    Clock,
    FaultyDisk,
    Heads,
    fill,
    intent,
    opened,
    outsider,
    segment,
)


def reopen(folder: Path, heads: Heads, **more: object) -> list[Entry]:
    """Open, read everything, close."""

    async def read() -> list[Entry]:
        async with opened(folder, heads, **more) as ledger:
            return [entry for _, entry in ledger.entries()]

    return asyncio.run(read())


def ends(folder: Path, number: int = 0) -> list[int]:
    """Where each batch of a segment ends."""
    return [frame.end for frame in read_frames(segment(folder, number).read_bytes()) if frame.kind == HEAD]


def forget(folder: Path) -> None:
    """Remove what is derived, so that only the segments speak."""
    shutil.rmtree(folder / "tile", ignore_errors=True)
    (folder / "checkpoint").unlink()


def test_it_opens_what_it_closed(tmp_path: Path) -> None:
    """Nothing is added or lost by opening."""
    heads = Heads()
    fill(tmp_path, heads, 5, each=3)
    before = segment(tmp_path).read_bytes()
    assert len(reopen(tmp_path, heads)) == 15
    assert segment(tmp_path).read_bytes() == before


@pytest.mark.parametrize("lost", [1, 2, 4])
def test_it_refuses_when_the_last_batches_are_cut_off_and_says_which_entries_are_missing(
    tmp_path: Path, lost: int
) -> None:
    """Cut at the end of a batch the files look whole; the stored head knows better."""
    heads = Heads()
    fill(tmp_path, heads, 5, each=3)
    os.truncate(segment(tmp_path), ends(tmp_path)[-1 - lost])
    with pytest.raises(LedgerShort, match=f"entries {15 - 3 * lost} to 14 are missing") as caught:
        reopen(tmp_path, heads)
    assert (caught.value.first, caught.value.last) == (15 - 3 * lost, 14)
    assert f"entries {15 - 3 * lost} to 14 are missing" in outsider(tmp_path)[1]


def test_it_refuses_a_cut_in_the_middle_of_a_frame(tmp_path: Path) -> None:
    """Cut anywhere within an answered batch, the missing entries are named."""
    heads = Heads()
    fill(tmp_path, heads, 3, each=2)
    last, before = ends(tmp_path)[-1], ends(tmp_path)[-2]
    for at in range(last - 1, before, -97):
        os.truncate(segment(tmp_path), at)
        with pytest.raises(LedgerShort) as caught:
            reopen(tmp_path, heads)
        assert (caught.value.first, caught.value.last) == (4, 5)
        code, words = outsider(tmp_path)
        assert code == 1
        assert "entries 4 to 5 are missing" in words


@pytest.mark.parametrize("source", ["store", "checkpoint", "witness"])
def test_it_refuses_by_whichever_head_it_has(tmp_path: Path, source: str) -> None:
    """The store's head, the checkpoint file's and a witness's each suffice to notice a missing end."""
    heads = Heads()
    fill(tmp_path, heads, 3)
    kept = heads.head
    assert kept is not None
    os.truncate(segment(tmp_path), ends(tmp_path)[-2])
    if source != "checkpoint":
        forget(tmp_path)
    left = Heads(kept if source == "store" else None)
    with pytest.raises(LedgerShort, match="entries 2 to 2 are missing"):
        reopen(tmp_path, left, witnessed=[kept] if source == "witness" else [])


def test_it_cannot_notice_a_cut_that_nobody_witnessed(tmp_path: Path) -> None:
    """Who rolls back files, database and checkpoint together is seen only by a witness: this is the stated
    limit.
    """
    fill(tmp_path, Heads(), 3)
    os.truncate(segment(tmp_path), ends(tmp_path)[-2])
    forget(tmp_path)
    assert len(reopen(tmp_path, Heads())) == 2


def test_it_refuses_when_no_file_is_left(tmp_path: Path) -> None:
    """An empty folder beside a stored head is not a new ledger."""
    heads = Heads()
    fill(tmp_path, heads, 3)
    shutil.rmtree(tmp_path / "segments")
    with pytest.raises(LedgerShort, match="entries 0 to 2 are missing"):
        reopen(tmp_path, heads)


@pytest.mark.parametrize("number", [0, 1])
def test_it_refuses_when_a_segment_in_the_middle_is_gone(tmp_path: Path, number: int) -> None:
    """The first entry of a missing segment is named."""
    heads = Heads()
    fill(tmp_path, heads, 120, segment_bytes=16 << 10)
    first = int(next(read_frames(segment(tmp_path, number).read_bytes())).payload.split(b"\n")[3])
    segment(tmp_path, number).unlink()
    with pytest.raises(LedgerDamaged) as caught:
        reopen(tmp_path, heads)
    assert caught.value.entry == first


@pytest.mark.parametrize(
    "junk", [b"\x00", b"E", b"\x00" * 500, b"E\x00\x00\x01\x00half an entry", os.urandom(300)]
)
def test_it_cuts_off_a_torn_end_and_records_the_repair(tmp_path: Path, junk: bytes) -> None:
    """Bytes that nobody was answered about are removed, and the removal is an entry of the ledger."""
    heads = Heads()
    fill(tmp_path, heads, 3)
    end = ends(tmp_path)[-1]
    with segment(tmp_path).open("ab") as file:
        file.write(junk)
    entries = reopen(tmp_path, heads)
    assert [entry.kind for entry in entries] == ["intent"] * 3 + ["repair"]
    assert (entries[3].note, entries[3].ref) == ("torn_tail", f"segment:0/byte:{end}/cut:{len(junk)}")
    assert len(reopen(tmp_path, heads)) == 4
    assert outsider(tmp_path)[0] == 0


def torn_batch(folder: Path, first: int, count: int) -> bytes:
    """The bytes of a next batch, as the sequencer would write them."""
    data = [Entry(kind="intent", time=1).to_bytes() for _ in range(count)]
    tree = CompactRange()
    for frame in read_frames(segment(folder).read_bytes()):
        if frame.kind == ENTRY:
            tree.append(leaf_hash(frame.payload))
    for one in data:
        tree.append(leaf_hash(one))
    head = sign_head(Signer(ORIGIN, KEY), tree.size, tree.root())
    assert tree.size == first + count
    return b"".join([*(encode_frame(ENTRY, one) for one in data), encode_frame(HEAD, head.signed.encode())])


def test_it_repairs_a_crash_after_any_byte_of_a_batch(tmp_path: Path) -> None:
    """Whether the batch is cut short or whole, the ledger opens; whole it is kept, else it is repaired."""
    heads = Heads()
    fill(tmp_path, heads, 2)
    whole, stored = segment(tmp_path).read_bytes(), heads.head
    batch = torn_batch(tmp_path, 2, 2)
    for at in [*range(1, len(batch), 37), len(batch) - 1, len(batch)]:
        segment(tmp_path).write_bytes(whole + batch[:at])
        heads.head = stored
        forget(tmp_path)
        kinds = [entry.kind for entry in reopen(tmp_path, heads)]
        assert kinds == (["intent"] * 4 if at == len(batch) else ["intent", "intent", "repair"])
        assert heads.head is not None
        assert heads.head.size == len(kinds)
        assert outsider(tmp_path)[0] == 0


def test_it_repairs_a_batch_whose_head_reached_the_disk_before_its_entries(tmp_path: Path) -> None:
    """A disk may write the end of an unanswered batch first: one head alone behind the tear is the batch's
    own.
    """
    heads = Heads()
    fill(tmp_path, heads, 2)
    batch = bytearray(torn_batch(tmp_path, 2, 2))
    batch[:64] = bytes(64)
    with segment(tmp_path).open("ab") as file:
        file.write(batch)
    assert [entry.kind for entry in reopen(tmp_path, heads)] == ["intent", "intent", "repair"]
    assert outsider(tmp_path)[0] == 0


def test_it_repairs_into_a_new_segment_when_the_torn_one_is_full(tmp_path: Path) -> None:
    """The repair itself may need the next segment; the torn bytes do not stay behind."""
    heads = Heads()
    fill(tmp_path, heads, 4)
    with segment(tmp_path).open("ab") as file:
        file.write(b"torn")
    entries = reopen(tmp_path, heads, segment_bytes=segment(tmp_path).stat().st_size)
    assert entries[-1].kind == "repair"
    assert segment(tmp_path, 1).exists()
    assert outsider(tmp_path)[0] == 0


def test_it_repairs_again_when_it_crashed_in_the_middle_of_a_repair(tmp_path: Path) -> None:
    """A repair that fails leaves a torn end, which the next opening repairs."""
    heads = Heads()
    fill(tmp_path, heads, 2)
    with segment(tmp_path).open("ab") as file:
        file.write(b"torn" * 1_000)
    disk = FaultyDisk()
    writes = 0

    def fault(moment: str) -> None:
        nonlocal writes
        writes += moment == "written"
        if writes == 1:  # the repair: the end is acknowledged, so that no copy is made of it
            raise OSError(5, "input/output error")

    disk.fault = fault
    with pytest.raises(Exception, match="input/output"):
        reopen(tmp_path, heads, disk=disk)
    kinds = [entry.kind for entry in reopen(tmp_path, heads)]
    assert kinds[:3] == ["intent", "intent", "repair"]
    assert outsider(tmp_path)[0] == 0


@pytest.mark.parametrize("with_store", [True, False])
def test_it_names_the_entry_that_was_damaged_in_the_middle(tmp_path: Path, with_store: bool) -> None:
    """Damage that a known head covers, or that several heads follow, is never repaired."""
    heads = Heads()
    fill(tmp_path, heads, 9)
    forget(tmp_path)
    frames = [frame for frame in read_frames(segment(tmp_path).read_bytes()) if frame.kind == ENTRY]
    data = bytearray(segment(tmp_path).read_bytes())
    data[frames[4].offset + 20] ^= 1
    segment(tmp_path).write_bytes(data)
    with pytest.raises(LedgerDamaged, match="entry 4 is damaged") as caught:
        reopen(tmp_path, heads if with_store else Heads())
    assert caught.value.entry == 4


def test_it_never_repairs_a_segment_that_another_one_follows(tmp_path: Path) -> None:
    """The end of a segment is only torn when it is the ledger's end, whether or not a head is known."""
    fill(tmp_path, Heads(), 120, segment_bytes=16 << 10)
    forget(tmp_path)
    before_last = ends(tmp_path)[-2]
    last = len(ends(tmp_path)) - 2  # each batch has one entry, and one head opens the segment
    data = bytearray(segment(tmp_path).read_bytes())
    data[before_last + 30] ^= 1
    segment(tmp_path).write_bytes(data)
    with pytest.raises(LedgerDamaged, match=f"entry {last} is damaged"):
        reopen(tmp_path, Heads())


def test_it_names_the_entry_when_the_last_one_is_damaged(tmp_path: Path) -> None:
    """The last answered batch is covered by the stored head."""
    heads = Heads()
    fill(tmp_path, heads, 3)
    data = bytearray(segment(tmp_path).read_bytes())
    data[ends(tmp_path)[-2] + 30] ^= 1
    segment(tmp_path).write_bytes(data)
    with pytest.raises(LedgerDamaged, match="entry 2 is damaged"):
        reopen(tmp_path, heads)


def test_it_says_so_when_only_the_last_signed_head_is_damaged(tmp_path: Path) -> None:
    """A damaged head over intact entries is named as that."""
    heads = Heads()
    fill(tmp_path, heads, 3, each=2)
    data = bytearray(segment(tmp_path).read_bytes())
    data[-10] ^= 1
    segment(tmp_path).write_bytes(data)
    with pytest.raises(LedgerDamaged, match="signed head over the entries 4 to 5 is damaged"):
        reopen(tmp_path, heads)


def rewritten(folder: Path, index: int) -> bytes:
    """The segment with one entry changed and its checksum made to fit, as a careful forger would."""
    out, count = b"", 0
    for frame in read_frames(segment(folder).read_bytes()):
        payload = frame.payload
        if frame.kind == ENTRY:
            if count == index:
                payload = payload.replace(b"aoi.salon", b"eve.salon")
            count += 1
        out += encode_frame(frame.kind, payload)
    return out


def test_it_names_the_batch_that_a_careful_forger_changed(tmp_path: Path) -> None:
    """Checksums that fit do not help: the signed root does not."""
    heads = Heads()
    fill(tmp_path, heads, 9)
    segment(tmp_path).write_bytes(rewritten(tmp_path, 5))
    with pytest.raises(LedgerDamaged, match="entry 5 is not what was signed") as caught:
        reopen(tmp_path, heads)
    assert (caught.value.entry, caught.value.last) == (5, 5)
    code, words = outsider(tmp_path)
    assert code == 1
    assert "entry 5 was changed" in words


def test_it_refuses_another_history_of_the_same_length(tmp_path: Path) -> None:
    """A ledger that was written anew with the same key does not fit the head that was stored."""
    heads = Heads()
    fill(tmp_path / "one", heads, 3)
    other = Heads()
    fill(tmp_path / "two", other, 3, now=Clock(1))
    assert other.head is not None
    (tmp_path / "one" / "checkpoint").unlink()
    shutil.copy(segment(tmp_path / "two"), segment(tmp_path / "one"))
    with pytest.raises(LedgerForked, match="first 3 entries are not those"):
        reopen(tmp_path / "one", heads)


def test_it_refuses_a_longer_history_that_left_the_known_one(tmp_path: Path) -> None:
    """More entries than the stored head has do not hide that the first ones are others."""
    heads = Heads()
    fill(tmp_path / "one", heads, 3)
    fill(tmp_path / "two", Heads(), 7, now=Clock(1))
    with pytest.raises(LedgerForked):
        reopen(tmp_path / "two", heads)


def test_it_refuses_another_key(tmp_path: Path) -> None:
    """The folder names its key; another one cannot go on with it."""
    fill(tmp_path, Heads(), 1)

    async def other() -> None:
        await Ledger.open(tmp_path, OTHER_KEY, ORIGIN, heads=Heads(), now=Clock(), build=BUILD)

    with pytest.raises(LedgerForked, match="another key"):
        asyncio.run(other())


def test_it_refuses_a_stored_head_that_was_not_signed(tmp_path: Path) -> None:
    """A head that the store made up, or whose numbers are not those of its signed text, stops the start."""
    heads = Heads()
    fill(tmp_path, heads, 2)
    assert heads.head is not None
    with pytest.raises(LedgerForked, match="not signed by this ledger's key"):
        reopen(tmp_path, Heads(sign_head(Signer(ORIGIN, OTHER_KEY), 1, bytes(32))))
    with pytest.raises(LedgerForked, match="another size or root"):
        reopen(tmp_path, Heads(Head(1, heads.head.root, heads.head.signed)))


def test_it_lets_one_process_write(tmp_path: Path) -> None:
    """A second opening is refused while the first is there, and possible afterwards."""

    async def story() -> None:
        async with opened(tmp_path, Heads()):
            with pytest.raises(LedgerInUse):
                await Ledger.open(tmp_path, KEY, ORIGIN, heads=Heads(), now=Clock(), build=BUILD)
        async with opened(tmp_path, Heads()):
            pass

    asyncio.run(story())


def test_it_makes_the_derived_files_again(tmp_path: Path) -> None:
    """Tiles and checkpoint that were lost or damaged are the same after the next opening."""
    heads = Heads()
    fill(tmp_path, heads, 3, each=300)
    files = {
        path: path.read_bytes()
        for path in [*tmp_path.glob("tile/**/*"), tmp_path / "checkpoint"]
        if path.is_file()
    }
    assert {path.relative_to(tmp_path).as_posix() for path in files} >= {
        "tile/0/000",
        "tile/0/003.p/132",
        "tile/1/000.p/3",
    }
    forget(tmp_path)
    reopen(tmp_path, heads)
    assert {path: path.read_bytes() for path in files} == files
    for path in files:
        path.write_bytes(b"damaged")
    reopen(tmp_path, heads)
    assert {path: path.read_bytes() for path in files} == files


def test_it_brings_a_store_that_fell_behind_up_to_the_files(tmp_path: Path) -> None:
    """A crash between the sync and the store leaves the store one batch behind; opening mends that."""
    heads = Heads()
    fill(tmp_path, heads, 2)
    before = heads.head
    fill(tmp_path, heads, 1)
    after, heads.head = heads.head, before
    assert len(reopen(tmp_path, heads)) == 3
    assert heads.head == after


def test_it_removes_what_a_crash_left_of_an_unfinished_segment(tmp_path: Path) -> None:
    """A segment under its passing name was never part of the ledger."""
    heads = Heads()
    fill(tmp_path, heads, 2)
    passing = segment(tmp_path, 1).with_suffix(".new")
    passing.write_bytes(b"half")
    assert len(reopen(tmp_path, heads)) == 2
    assert not passing.exists()


@pytest.mark.parametrize("data", [b"", b"S", b"\x00" * 64])
def test_it_refuses_a_segment_without_a_beginning(tmp_path: Path, data: bytes) -> None:
    """Segments get their name when they are whole, so one without a beginning was tampered with."""
    heads = Heads()
    fill(tmp_path, heads, 2)
    segment(tmp_path, 1).write_bytes(data)
    with pytest.raises(LedgerDamaged):
        reopen(tmp_path, heads)


def test_it_survives_a_restart_after_each_batch(tmp_path: Path) -> None:
    """Opened and closed again and again, the ledger continues the same tree."""
    heads = Heads()
    for round_ in range(6):
        fill(tmp_path, heads, 1, each=round_ + 1, segment_bytes=4 << 10)
        assert outsider(tmp_path)[0] == 0
    assert len(reopen(tmp_path, heads)) == 21


def test_it_writes_entries_that_any_json_reader_reads(tmp_path: Path) -> None:
    """The frames of the files hold plain JSON."""
    fill(tmp_path, Heads(), 2)
    payloads = [frame.payload for frame in read_frames(segment(tmp_path).read_bytes()) if frame.kind == ENTRY]
    assert [json.loads(one)["kind"] for one in payloads] == ["intent", "intent"]
    assert json.loads(payloads[0])["persons"] == list(intent(0).persons)


def unacknowledged(folder: Path) -> Heads:
    """A ledger of three entries whose last batch no stored head covers: its sync failed, or nobody knows."""
    heads = Heads()
    fill(folder, heads, 2)
    before = heads.head
    fill(folder, heads, 1)
    return Heads(before)


def test_it_copies_an_end_that_was_never_acknowledged_to_a_new_file(tmp_path: Path) -> None:
    """The same bytes, another file, synced with its folder before anything is taken; then it is left."""
    heads = unacknowledged(tmp_path)
    before, file = segment(tmp_path).read_bytes(), segment(tmp_path).stat().st_ino
    disk, moments = FaultyDisk(), list[str]()
    disk.fault = moments.append
    assert len(reopen(tmp_path, heads, disk=disk)) == 3
    assert segment(tmp_path).read_bytes() == before
    assert segment(tmp_path).stat().st_ino != file
    assert moments[:6] == ["reserve", "write", "written", "sync", "synced", "folder"]
    file = segment(tmp_path).stat().st_ino
    reopen(tmp_path, heads)
    assert segment(tmp_path).stat().st_ino == file


@pytest.mark.parametrize("moment", ["reserve", "write", "written", "sync", "synced", "folder"])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_it_does_not_open_while_that_copy_cannot_be_made(tmp_path: Path, moment: str, number: int) -> None:
    """Whichever call fails it does not open, and says `full` of a full disk; nothing is lost by it."""
    heads, disk = unacknowledged(tmp_path), FaultyDisk()
    disk.fail_always(moment, number)
    with pytest.raises(OSError if number == errno.EIO else LedgerUnavailable, match=r"error|full"):
        reopen(tmp_path, heads, disk=disk)
    assert outsider(tmp_path)[0] == 0
    assert not list((tmp_path / "segments").glob("*.new"))
    assert len(reopen(tmp_path, heads)) == 3


def test_it_syncs_the_names_of_its_folders_when_it_is_made(tmp_path: Path) -> None:
    """The segment's folder, the ledger's and the one it lies in: a crash may not take a name away."""
    disk, synced = FaultyDisk(), list[Path]()
    real = disk.sync_folder

    def note(folder: Path) -> None:
        real(folder)
        synced.append(folder)

    disk.sync_folder = note  # type: ignore[method-assign]
    fill(tmp_path / "ledger", Heads(), 1, disk=disk)
    assert {tmp_path, tmp_path / "ledger", tmp_path / "ledger" / "segments"} <= set(synced)
