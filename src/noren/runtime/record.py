"""The children on record, so that a later start stops what a killed supervisor left, and nobody else.

A process is known by its id together with its start: an id alone may belong to somebody else by then.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

from noren.runtime import child

_PROC = Path("/proc")  # Linux; other systems ask ps


def started_at(pid: int) -> str | None:
    """Return when the process started, in the system's own words; None when there is none (or a zombie)."""
    if _PROC.is_dir():
        try:
            words = (
                (_PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2]
            )
        except (FileNotFoundError, ProcessLookupError):
            return None
        state, *rest = words.split()
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return None if state == "Z" else f"{boot} {rest[18]}"
    done = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None


class Record:
    """The file `children.json`: name -> [process id, start, signal to stop it]. Written whole each time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._running: dict[str, tuple[int, str, int]] = {}

    def add(self, name: str, pid: int, sign: signal.Signals) -> None:
        self._running[name] = (pid, started_at(pid) or "", int(sign))
        self._write()

    def remove(self, name: str) -> None:
        if self._running.pop(name, None) is not None:
            self._write()

    def stop_leftovers(self, seconds: float = 20) -> list[str]:
        """Stop, and at last kill, what a former supervisor left running; return the names."""
        try:
            left = json.loads(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return []
        alive = {}
        for name, (pid, start, sign) in left.items():
            if start and started_at(pid) == start:
                alive[name] = pid
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sign)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(started_at(pid) for pid in alive.values()):
            time.sleep(0.05)
        for pid in alive.values():
            child.kill_group(pid)
        while any(started_at(pid) for pid in alive.values()):
            time.sleep(0.05)
        self._write()
        return sorted(alive)

    def _write(self) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self._running), encoding="utf-8")
        fresh.replace(self.path)
