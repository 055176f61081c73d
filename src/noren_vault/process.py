"""Which process asks: the kernel names it, and when it started, so that a number used again is another."""

import socket
import struct
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import Final

# `uid:1000/4711.8812345`: user, process id, start in clock ticks since the machine's start. Set for each
# connection by the server; empty inside the vault itself.
current: Final[ContextVar[str]] = ContextVar("process", default="")
# In /proc/<pid>/stat, counted after the command's closing bracket: field 22 of proc(5).
_START: Final = 19
# macOS: getsockopt(SOL_LOCAL, LOCAL_PEERPID) gives the process's number; its start is not told there.
_SOL_LOCAL: Final = 0
_LOCAL_PEERPID: Final = 2


def peer_process(connection: socket.socket, uid: int) -> str:
    """Name the process that connected. One that has gone meanwhile has no start."""
    if sys.platform == "linux":
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid = int(struct.unpack("3i", raw)[0])
    else:
        pid = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID)
    return f"uid:{uid}/{pid}.{_start(pid)}"


def _start(pid: int) -> str:
    try:
        told = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
    except OSError:
        return "0"
    after = told.rpartition(")")[2].split()
    return after[_START] if len(after) > _START else "0"
