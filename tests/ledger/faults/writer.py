"""A process that appends one entry after another and says what became of each, until it is refused or killed.

`python -m tests.ledger.faults.writer FOLDER [CALL NUMBER ERROR]`. With the three words the call of the disk
with that number, counted from the opening on, is made and its answer lost: the error with that number comes
instead, or (`kill`) the process dies. Lines, each after the fact: `ready`, `answered INDEX REF`,
`refused REASON REF`, `done`.
"""

import asyncio
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from noren_vault.ledger import Entry, Ledger, LedgerUnavailable
from noren_vault.ledger.segments import Disk
from tests.ledger.cast import BUILD, KEY, ORIGIN
from tests.ledger.writer import FileHeads, milliseconds

SEGMENT_BYTES = 8 << 10
APPENDS = 14
# Tries after the first refusal: what was told to be unknown must stay refused.
TRIES = 3
DEADLINE = 2.0


class LosesAnswer(Disk):
    """A disk that does what it is asked; after one call nobody hears of it."""

    def __init__(self, call: str, number: int, error: str) -> None:
        self.armed = False
        self._at = call, number
        self._error = error
        self._made: Counter[str] = Counter()

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in ("open", "write", "sync", "sync_folder", "truncate", "rename", "reserve"):
            return found

        def call(*given: Any) -> Any:
            result = found(*given)
            if self.armed:
                self._made[name] += 1
                if (name, self._made[name]) == self._at:
                    self._lose()
            return result

        return call

    def _lose(self) -> None:
        if self._error == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(int(self._error), os.strerror(int(self._error)))


def say(words: str) -> None:
    """One line at once, past every buffer."""
    os.write(1, f"{words}\n".encode())


async def main(folder: Path, lost: list[str]) -> None:
    """Open, append, tell."""
    disk = LosesAnswer(lost[0], int(lost[1]), lost[2]) if lost else None
    ledger = await Ledger.open(
        folder / "ledger",
        KEY,
        ORIGIN,
        heads=FileHeads(folder / "head"),
        now=milliseconds,
        build=BUILD,
        segment_bytes=SEGMENT_BYTES,
        deadline=DEADLINE,
        disk=disk,
    )
    if disk is not None:
        disk.armed = True
    say("ready")
    refusals = 0
    for number in range(APPENDS):
        ref = f"{os.getpid()}.{number}"
        try:
            receipt = await ledger.append(Entry(kind="intent", ref=ref))
        except LedgerUnavailable as refusal:
            refusals += 1
            say(f"refused {refusal.reason} {ref}")
            if refusals > TRIES:
                break
        else:
            say(f"answered {receipt.index} {ref}")
    await ledger.close()
    say("done")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
