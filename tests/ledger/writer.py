"""A process that writes a ledger until it is killed: `python -m tests.ledger.writer FOLDER`.

For each entry that was answered it prints a line `INDEX REF`, after the answer.
"""

import asyncio
import base64
import json
import os
import sys
import time
from pathlib import Path

from noren_vault.ledger import Entry, Head, Ledger
from tests.ledger.cast import BUILD, KEY, ORIGIN


class FileHeads:
    """A store of heads in a file of its own, outside the ledger's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def load(self) -> Head | None:
        if not self.path.exists():
            return None
        size, root, signed = json.loads(self.path.read_text())
        return Head(size, base64.b64decode(root), signed)

    def store(self, head: Head) -> None:
        passing = self.path.with_suffix(".new")
        passing.write_text(json.dumps([head.size, base64.b64encode(head.root).decode(), head.signed]))
        passing.replace(self.path)

    def cut(self) -> None:
        """A file does not hang."""


def milliseconds() -> int:
    """The real clock."""
    return time.time_ns() // 1_000_000


async def write_for_ever(ledger: Ledger, name: str) -> None:
    """Append, and say what was answered."""
    count = 0
    while True:
        ref = f"{name}.{count}"
        receipt = await ledger.append(Entry(kind="intent", ref=ref))
        os.write(1, f"{receipt.index} {ref}\n".encode())
        count += 1


async def main(folder: Path) -> None:
    """Eight writers at once, in small segments."""
    ledger = await Ledger.open(
        folder / "ledger",
        KEY,
        ORIGIN,
        heads=FileHeads(folder / "head"),
        now=milliseconds,
        build=BUILD,
        segment_bytes=32 << 10,
    )
    os.write(1, b"ready\n")
    await asyncio.gather(*(write_for_ever(ledger, f"{os.getpid()}.{at}") for at in range(8)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
