"""What happens to the folder, the machine and the database while a real process writes, or as it starts."""

import asyncio
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from noren.runtime import databases, env
from noren_vault.database import Heads as DatabaseHeads
from noren_vault.ledger import Entry, Ledger, LedgerShort, LedgerUnavailable
from tests.ledger.cast import Clock, fill, intent, opened, outsider, segment
from tests.ledger.faults.table import DEEDS, STORE
from tests.ledger.writer import FileHeads
from tests.servers import Server

DAY = 86_400_000
SMALL = 8 << 10


def reopen(folder: Path, **more: Any) -> list[Entry]:
    """Open as a start does, and read everything."""

    async def story() -> list[Entry]:
        async with opened(folder / "ledger", FileHeads(folder / "head"), **more) as ledger:
            return [entry for _, entry in ledger.entries()]

    return asyncio.run(story())


def refusals_after(folder: Path, deed: Callable[[], None]) -> list[str]:
    """Five entries, then the deed, then three more: why those are refused (or `answered`)."""

    async def story() -> list[str]:
        told = []
        async with opened(folder / "ledger", FileHeads(folder / "head"), deadline=2.0) as ledger:
            for number in range(5):
                await ledger.append(intent(number))
            deed()
            for number in range(3):
                try:
                    await ledger.append(intent(number))
                    told.append("answered")
                except LedgerUnavailable as refusal:
                    told.append(refusal.reason)
        return told

    return asyncio.run(story())


def test_the_table_has_no_line_without_a_test() -> None:
    """What stands in the document is what is tested below, by name."""
    tested = [
        *FOLDER,
        "the file system is full",
        "the file system is mounted read-only at the start",
        *CLOCKS,
    ]
    assert [one.what for one in DEEDS] == tested
    assert [one.what for one in STORE] == list(CUTS)


# -- the folder


def _unlink(folder: Path) -> None:
    segment(folder).unlink()


def _rename(folder: Path) -> None:
    segment(folder).rename(folder / "elsewhere")


def _replace(folder: Path) -> None:
    shutil.copy(segment(folder), folder / "copy")
    (folder / "copy").replace(segment(folder))


def _cut(folder: Path) -> None:
    os.truncate(segment(folder), segment(folder).stat().st_size - 100)


def _foreign(folder: Path) -> None:
    with segment(folder).open("ab") as file:
        file.write(b"somebody else was here")


def _move(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))


def _move_back(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_name("moved").rename(folder)


def _set_back(folder: Path) -> None:
    for file in (folder.parent / "older" / "segments").iterdir():
        shutil.copy(file, folder / "copy")
        (folder / "copy").replace(folder / "segments" / file.name)


def _nothing(folder: Path) -> None:
    """There is nothing to put right."""


FOLDER: dict[str, tuple[Callable[[Path], None], Callable[[Path], object] | None]] = {
    "the segment is unlinked": (_unlink, None),
    "the segment is renamed": (_rename, lambda folder: (folder / "elsewhere").rename(segment(folder))),
    "the segment is replaced by a copy of itself": (_replace, _nothing),
    "the segment is cut": (_cut, None),
    "somebody else appends to the segment": (_foreign, _nothing),
    "the folder is moved away": (_move, _move_back),
    "the folder is set back to an older copy": (_set_back, None),
}


@pytest.mark.parametrize("what", FOLDER)
def test_it_notices_within_one_batch_what_was_done_to_its_files(tmp_path: Path, what: str) -> None:
    """Everything after the deed is refused as lost; opened again it is whole, or says what is missing."""
    deed, mend = FOLDER[what]
    folder = tmp_path / "ledger"
    fill(folder, FileHeads(tmp_path / "head"), 2)
    shutil.copytree(folder, tmp_path / "older")
    assert refusals_after(tmp_path, lambda: deed(folder)) == ["lost"] * 3
    if mend is None:
        with pytest.raises(LedgerShort):
            reopen(tmp_path)
        assert outsider(folder)[0] == 1
        return
    mend(folder)
    kinds = [entry.kind for entry in reopen(tmp_path)]
    assert kinds == ["intent"] * 7 + ["repair"] * (deed is _foreign)
    assert outsider(folder)[0] == 0


# -- the file system


@contextmanager
def mounted(at: Path, *options: str) -> Iterator[None]:
    """A small file system of its own. Only root may mount: without that the test says it did not run."""
    at.mkdir(exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", ",".join(("size=256k", *options)), "tmpfs", str(at)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"NOT TESTED HERE: a full or read-only disk, for mount is refused: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(at)], check=True)


def test_it_refuses_on_a_full_file_system_until_there_is_room(tmp_path: Path) -> None:
    """No room for a new segment: `full`, put on record once; with room again it goes on, and all is whole."""
    disk, folder = tmp_path / "disk", tmp_path / "disk" / "ledger"
    with mounted(disk):

        async def story() -> list[str]:
            told: list[str] = []
            async with opened(folder, FileHeads(tmp_path / "head"), segment_bytes=SMALL) as ledger:
                await ledger.append(intent())
                ballast = (disk / "ballast").open("wb", buffering=0)
                with ballast, suppress(OSError):
                    while True:
                        ballast.write(bytes(4096))
                told += [await _append(ledger, number) for number in range(20)]
                (disk / "ballast").unlink()
                told.append(await _append(ledger, 20))
            return told

        told = asyncio.run(story())
        assert told[0] == told[-1] == "answered"
        assert set(told[:-1]) == {"answered", "full"}
        assert told[-2] == "full"
        kinds = [entry.kind for entry in _entries(folder, tmp_path / "head")]
        assert kinds.count("refused") == 1
        assert kinds.count("intent") == told.count("answered") + 1
        assert outsider(folder)[0] == 0


async def _append(ledger: Ledger, number: int) -> str:
    try:
        await ledger.append(intent(number))
    except LedgerUnavailable as refusal:
        return refusal.reason
    return "answered"


def _entries(folder: Path, head: Path) -> list[Entry]:
    async def story() -> list[Entry]:
        async with opened(folder, FileHeads(head), segment_bytes=SMALL) as ledger:
            return [entry for _, entry in ledger.entries()]

    return asyncio.run(story())


def test_it_does_not_open_on_a_read_only_file_system(tmp_path: Path) -> None:
    """It says so, and changes nothing."""
    disk, folder = tmp_path / "disk", tmp_path / "disk" / "ledger"
    with mounted(disk):
        fill(folder, FileHeads(tmp_path / "head"), 2, segment_bytes=SMALL)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(OSError, match="Read-only file system"):
            _entries(folder, tmp_path / "head")
        assert outsider(folder)[0] == 0
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        assert len(_entries(folder, tmp_path / "head")) == 2


# -- the clock

CLOCKS = {
    "the clock is set back by a day": [-DAY],
    "the clock is set forward by a day, then back": [DAY, -DAY],
}


@pytest.mark.parametrize("what", CLOCKS)
def test_it_goes_on_when_the_clock_jumps(tmp_path: Path, what: str) -> None:
    """Entries keep their order, time never falls, also across a restart, and the skew is on record."""
    clock, said = Clock(), list[int]()

    async def write() -> None:
        async with opened(tmp_path / "ledger", FileHeads(tmp_path / "head"), now=clock) as ledger:
            await ledger.append(intent())
            said.append(clock.at)

    asyncio.run(write())
    for step in CLOCKS[what]:
        clock.at += step
        asyncio.run(write())
        asyncio.run(write())
    entries = reopen(tmp_path, now=clock)
    times = [entry.time for entry in entries]
    assert times == sorted(times)
    assert [entry.time - entry.skew for entry in entries] == said
    assert max(entry.skew for entry in entries) == DAY
    assert outsider(tmp_path / "ledger")[0] == 0


# -- the store of heads, in a real database behind a line that can be cut


class Line:
    """A line to the database's server. `cut` is what becomes of the next statement about the head."""

    def __init__(self, server: tuple[str, int], here: Path) -> None:
        self._server = server
        self.cut = ""
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(here))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more calls."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        host, port = self._server
        if host.startswith("/"):
            far = socket.socket(socket.AF_UNIX)
            far.connect(f"{host}/.s.PGSQL.{port}")
        else:
            far = socket.create_connection(self._server)
        held = threading.Event()
        with near, far:
            answers = threading.Thread(target=self._answers, args=(far, near, held), daemon=True)
            answers.start()
            with suppress(OSError):
                while data := near.recv(65536):
                    if self.cut and b"INSERT INTO vault.ledger_head" in data:
                        held.set()
                        if self.cut == "before":
                            break
                    far.sendall(data)
            for one in (near, far):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            answers.join()

    def _answers(self, far: socket.socket, near: socket.socket, held: threading.Event) -> None:
        with suppress(OSError):
            while data := far.recv(65536):
                if not held.is_set():
                    near.sendall(data)
                elif self.cut == "after":
                    near.shutdown(socket.SHUT_RDWR)


CUTS = {
    "the connection ends before the head is stored": "before",
    "the connection ends after it, before the answer": "after",
    "the database does not answer": "silent",
}


@pytest.mark.parametrize("what", CUTS)
def test_it_answers_nobody_whose_head_is_not_surely_stored(
    vault_server: Server, tmp_path: Path, what: str
) -> None:
    """Refused as `heads` in bounded time, nobody answered; once it is back it goes on, and is whole."""
    with vault_server.clone() as name:
        words = databases.vault(env.read(), "vault") | {"dbname": name}
        line = Line((words["host"], int(words.get("port", "5432"))), tmp_path / ".s.PGSQL.5432")
        url = databases.url(words | {"host": str(tmp_path), "port": "5432"})
        asyncio.run(_cut_and_mend(tmp_path / "ledger", url, line, CUTS[what]))
        line.close()
    assert outsider(tmp_path / "ledger")[0] == 0


async def _cut_and_mend(folder: Path, url: str, line: Line, cut: str) -> None:
    heads = DatabaseHeads(url)
    await heads.open()
    try:
        async with opened(folder, heads, deadline=2.0) as ledger:
            await ledger.append(intent(1))
            line.cut = cut
            assert await _append(ledger, 2) in ("heads", "slow")
            for _ in range(100):  # the thread is cut off from the line a moment after the refusal
                if ledger.size == 2:
                    break
                await asyncio.sleep(0.02)
            assert ledger.size == 2
            if cut != "silent":
                held = await heads.load()
                assert held is not None
                assert held.size == (1 if cut == "before" else 2)
            line.cut = ""
            for _ in range(20):
                if await _append(ledger, 3) == "answered":
                    break
                await asyncio.sleep(0.2)
            stored = await heads.load()
            assert stored is not None
            assert stored.size == ledger.size >= 3
    finally:
        await heads.close()
