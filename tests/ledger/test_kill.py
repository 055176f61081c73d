"""A writing process is killed at a random moment, again and again, on the same ledger."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from noren_vault.ledger import Entry
from tests.ledger.cast import opened, outsider
from tests.ledger.writer import FileHeads

ROUNDS = 8
HOUSE = Path(__file__).parents[2]


def write_until_killed(folder: Path, seconds: float) -> dict[int, str]:
    """Start the writer, let it write for a while, kill it; what it was answered."""
    environment = {**os.environ, "PYTHONPATH": f"{HOUSE}{os.pathsep}{HOUSE / 'src'}"}
    command = [sys.executable, "-m", "tests.ledger.writer", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=folder) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        lines = child.stdout.read().decode().splitlines()
    return {int(index): ref for index, ref in (line.split(" ") for line in lines if line.count(" ") == 1)}


def read(folder: Path) -> dict[int, Entry]:
    """Open the ledger as a start after the crash does, and read all of it."""

    async def story() -> dict[int, Entry]:
        async with opened(folder / "ledger", FileHeads(folder / "head"), segment_bytes=32 << 10) as ledger:
            return dict(ledger.entries())

    return asyncio.run(story())


def test_it_keeps_every_answered_entry_when_it_is_killed(tmp_path: Path) -> None:
    """After each kill -9 all entries that were ever answered are there, in place, and the outsider finds the
    whole.
    """
    moments = random.Random(20190318)
    answered: dict[int, str] = {}
    for _ in range(ROUNDS):
        answered |= write_until_killed(tmp_path, moments.uniform(0.0, 0.25))
        entries = read(tmp_path)
        assert {index: entries[index].ref for index in answered} == answered
        assert {entry.kind for entry in entries.values()} <= {"intent", "repair"}
        code, words = outsider(tmp_path / "ledger")
        assert (code, words.split(",")[0]) == (0, f"whole: {len(entries)} entries")
    assert len(answered) > 100
