"""Every line of the table of failures, with real processes: see docs/ledger-failures.md.

LEDGER_FAULTS=all runs each line of the calls' table, otherwise every third.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from noren_vault.ledger import Entry
from tests.ledger.cast import ORIGIN, fill, opened, outsider, segment
from tests.ledger.faults import table
from tests.ledger.faults.table import LOST, ROWS, Row
from tests.ledger.faults.writer import SEGMENT_BYTES
from tests.ledger.writer import FileHeads, milliseconds

HOUSE = Path(__file__).parents[3]
CHOSEN = ROWS if os.environ.get("LEDGER_FAULTS") == "all" else ROWS[::3]


@dataclass
class Told:
    """What a writer said, and how it ended."""

    answered: dict[int, str]
    refused: list[tuple[str, str]]
    code: int
    late: bool  # something was answered after a refusal


def command(folder: Path, *more: str) -> list[str]:
    """The words that start a writer."""
    return [sys.executable, "-m", "tests.ledger.faults.writer", str(folder), *more]


def environment() -> dict[str, str]:
    """Where a writer finds the code."""
    return {**os.environ, "PYTHONPATH": f"{HOUSE}{os.pathsep}{HOUSE / 'src'}", "PYTHONDONTWRITEBYTECODE": "1"}


def understand(text: str, code: int) -> Told:
    """Read a writer's lines."""
    told = Told({}, [], code, late=False)
    for line in text.splitlines():
        match line.split(" "):
            case ["answered", index, ref]:
                told.answered[int(index)] = ref
                told.late = told.late or bool(told.refused)
            case ["refused", reason, ref]:
                told.refused.append((reason, ref))
    return told


def strace() -> str:
    """The tracer, which this table is nothing without."""
    found = shutil.which("strace")
    assert found, "strace is not installed: apt install strace"
    return found


def suffer(folder: Path, row: Row) -> Told:
    """Run a writer to which this happens. It ends within a bounded time, or the test fails."""
    call, words = row.call, command(folder)
    if row.form == LOST:
        error = "kill" if row.fault == "kill" else str(table.error_number(row.fault))
        words = command(folder, call.disk[0], str(call.disk[1]), error)
    else:
        fault = "signal=SIGKILL" if row.fault == "kill" else f"error={row.fault}"
        inject = f"--inject={call.trace}:{fault}:when={call.number}"
        path, log = folder / "ledger" / call.file, folder / "trace"
        words = [strace(), "-f", "-qq", "--seccomp-bpf", "-o", str(log), "-P", str(path), inject, *words]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env=environment(), cwd=folder, timeout=60
    )
    if row.form != LOST:
        assert (folder / "trace").read_text().strip(), "the call was never made"
    return understand(done.stdout, done.returncode)


def crash(folder: Path, row: Row, before: int) -> None:
    """Take away what was never made durable, as a crash of the machine would."""
    if row.form == LOST:
        return
    if row.call.left == "batch":
        os.truncate(segment(folder / "ledger"), before)
    elif row.call.left == "name":
        segment(folder / "ledger", 1).unlink()


def reopen(folder: Path) -> dict[int, Entry]:
    """Open the ledger as a start does, and read all of it."""

    async def story() -> dict[int, Entry]:
        heads = FileHeads(folder / "head")
        async with opened(folder / "ledger", heads, now=milliseconds, segment_bytes=SEGMENT_BYTES) as ledger:
            return dict(ledger.entries())

    return asyncio.run(story())


def durable_end(folder: Path, told: Told) -> int:
    """Where the batch of the last answered entry ends in segment 0: nothing behind it was made durable."""
    text, size = segment(folder / "ledger").read_bytes(), max(told.answered) + 1
    mark = f"{ORIGIN}\n{size}\n".encode()
    at = text.rindex(mark) - 5
    return at + 9 + int.from_bytes(text[at + 1 : at + 5], "big")


@pytest.mark.parametrize("row", CHOSEN, ids=lambda row: row.name)
def test_it_keeps_what_it_answered_whatever_call_fails(tmp_path: Path, row: Row) -> None:
    """Answered means there; refused for a reason within a bounded time, or dead; whole when opened again."""
    fill(tmp_path / "ledger", FileHeads(tmp_path / "head"), 2, segment_bytes=SEGMENT_BYTES)
    told = suffer(tmp_path, row)
    assert told.answered
    if row.fault == "kill":
        assert told.code in (-signal.SIGKILL, 128 + signal.SIGKILL)
    else:
        assert told.refused
        assert told.refused[0][0] == row.reason
        assert told.late == (row.reason == "full")
        assert told.code == 0
    crash(tmp_path, row, durable_end(tmp_path, told) if row.call.left == "batch" else 0)
    entries = reopen(tmp_path)
    assert {index: entries[index].ref for index in told.answered} == told.answered
    refs = [entry.ref for entry in entries.values() if entry.kind == "intent"]
    assert len(refs) == 2 + len(told.answered) + row.kept
    if row.kept and told.refused:
        assert refs[-1] == told.refused[0][1]
    code, words = outsider(tmp_path / "ledger")
    assert (code, words.split(",")[0]) == (0, f"whole: {len(entries)} entries")


def test_the_document_is_the_table() -> None:
    """docs/ledger-failures.md says what is tested here, and nothing else."""
    assert (HOUSE / "docs" / "ledger-failures.md").read_text(encoding="utf-8") == table.document()
