"""The table of failures: each call on the way of an entry to the disk, each way it can fail.

`python -m tests.ledger.faults.table > docs/ledger-failures.md` writes the document.
"""

import errno
import sys
from dataclasses import dataclass
from typing import Final

NOT_DONE: Final = "not done"
LOST: Final = "done, answer lost"


@dataclass(frozen=True)
class Call:
    """A system call: what it is for, strace's name of it, the file it is made on, which one of them, and the
    name it has in `Disk`, counted there from the opening on.

    `left` is what a crash of the machine may leave of it when it was not done: `` as the process left it,
    `batch` the file is as long as before the batch, `name` the new segment has no name.
    """

    what: str
    trace: str
    file: str
    number: int
    disk: tuple[str, int]
    left: str = ""


NEW: Final = "segments/00000001.new"
OLD: Final = "segments/00000000.seg"
NEXT: Final = "segments/00000001.seg"
_RENAME: Final = "?rename,?renameat,?renameat2"

# The writer's second batch, and its first new segment.
CALLS: Final = (
    Call("write the batch", "pwrite64", OLD, 2, ("write", 2)),
    Call("sync the batch", "fdatasync", OLD, 2, ("sync", 2), left="batch"),
    Call("make the new segment's file", "openat", NEW, 1, ("open", 1)),
    Call("reserve its room", "fallocate", NEW, 1, ("reserve", 1)),
    Call("write its beginning", "pwrite64", NEW, 1, ("write", 7)),
    Call("sync its beginning", "fdatasync", NEW, 1, ("sync", 7)),
    Call("give it its name", _RENAME, NEW, 1, ("rename", 1)),
    Call("sync the folder", "fsync", "segments", 1, ("sync_folder", 1), left="name"),
    Call("give back the old one's room", "ftruncate", OLD, 1, ("truncate", 1)),
    Call("sync the old one", "fdatasync", OLD, 7, ("sync", 8)),
    Call("open the new one", "openat", NEXT, 1, ("open", 2)),
)
FAULTS: Final = ("EIO", "ENOSPC", "EROFS", "kill")


@dataclass(frozen=True)
class Row:
    """One failure. `reason` is the refusal's, empty where the process is dead and tells nothing; `kept`: does
    the entry that was in doubt stand in the ledger when it is opened again.
    """

    call: Call
    fault: str
    form: str
    reason: str
    kept: bool

    @property
    def name(self) -> str:
        """For the test's name and the document."""
        return f"{self.call.what}: {self.fault}, {self.form}"


def _row(call: Call, fault: str, form: str) -> Row:
    # Until the new segment is given its name a full disk changes nothing.
    full = fault == "ENOSPC" and call.file == NEW and call.trace != _RENAME
    reason = "" if fault == "kill" else "full" if full else "poisoned"
    batch = call.what in ("write the batch", "sync the batch")
    return Row(call, fault, form, reason, kept=batch and form == LOST)


# A read-only file system refuses what it is asked: no answer of it is lost.
ROWS: Final = tuple(
    _row(call, fault, form)
    for call in CALLS
    for fault in FAULTS
    for form in (NOT_DONE, LOST)
    if (fault, form) != ("EROFS", LOST)
)


def error_number(fault: str) -> int:
    """The number of an error."""
    return int(getattr(errno, fault))


@dataclass(frozen=True)
class Deed:
    """What somebody, or the machine, does to the folder while it is written. `reason` as in a row."""

    what: str
    reason: str
    then: str


DEEDS: Final = (
    Deed("the segment is unlinked", "lost", "refuses to open: the entries are missing"),
    Deed("the segment is renamed", "lost", "whole once it has its name again"),
    Deed("the segment is replaced by a copy of itself", "lost", "whole"),
    Deed("the segment is cut", "lost", "refuses to open: the entries are missing"),
    Deed("somebody else appends to the segment", "lost", "whole; the foreign bytes are cut off, on record"),
    Deed("the folder is moved away", "lost", "whole once it is back"),
    Deed("the folder is set back to an older copy", "lost", "refuses to open: the entries are missing"),
    Deed(
        "the file system is full",
        "full",
        "whole; `disk_full` is on record, and it goes on when there is room",
    ),
    Deed("the file system is mounted read-only at the start", "", "does not open, and says so"),
    Deed("the clock is set back by a day", "", "goes on; time stands still, `skew` says it"),
    Deed(
        "the clock is set forward by a day, then back",
        "",
        "goes on; time stands still, `skew` says by how much",
    ),
)
_BACK: Final = "whole; goes on when the database is back"
STORE: Final = (
    Deed("the connection ends before the head is stored", "heads", _BACK),
    Deed("the connection ends after it, before the answer", "heads", _BACK),
    Deed("the database does not answer", "heads", _BACK),
)

_TOP: Final = """# What the ledger does when something fails

Made by `python -m tests.ledger.faults.table > docs/ledger-failures.md`; each line is a test. After each
failure the ledger is opened again as a start does, held against everything that was answered, and verified
by `noren-verify`, which shares no code with it. In every line:

- what was answered is there, in its place; after `poisoned` or `lost` nothing more is answered in that run;
- the refusal comes within the writer's deadline, or the process is dead; nobody waits for ever.

*Not done*: the kernel refuses the call, or the process is killed as it is about to make it (`strace
--inject`). *Done, answer lost*: the call is made, and then the error is told instead of the success, or the
process is killed. Of a sync that was not done the worst is made true: the batch, or the new segment's name,
is taken away, as a crash of the machine would.

## The calls on the way to the disk

| call | failure | form | refusal | the entry in doubt |
|---|---|---|---|---|
"""
_END: Final = """
`full` and `heads` pass by themselves. After `poisoned` the vault ends and is started again: what lies on the
disk is known only by opening it. After `lost` everything is refused until somebody has put the folder right
and starts the vault.

`make ledger-faults` runs every line; `make test` every third of the first table, and all of the others.
"""
_HEADING: Final = "| what happens | refusal | afterwards |\n|---|---|---|"


def document() -> str:
    """The whole of docs/ledger-failures.md."""
    lines = [
        f"| {row.call.what} | {row.fault} | {row.form} | {f'`{row.reason}`' if row.reason else '(dead)'} | "
        f"{'is kept' if row.kept else 'is not there'} |"
        for row in ROWS
    ]
    told = ["", "## The folder, the machine", "", _HEADING]
    told += [f"| {one.what} | {f'`{one.reason}`' if one.reason else 'none'} | {one.then} |" for one in DEEDS]
    told += ["", "## The head's way to the database", "", _HEADING]
    told += [f"| {one.what} | `{one.reason}` | {one.then} |" for one in STORE]
    return _TOP + "\n".join([*lines, *told, _END])


if __name__ == "__main__":
    sys.stdout.write(document())
