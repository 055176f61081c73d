"""A child's log: appended, and put aside when it is large."""

from collections import deque
from pathlib import Path

LARGEST = 5_000_000
KEPT = 4


class LogFile:
    """`name.log`, with `name.log.1` (newest) to `name.log.4` behind it. Remembers the last lines."""

    def __init__(self, path: Path, largest: int = LARGEST) -> None:
        self.path = path
        self.largest = largest
        self._file = path.open("ab")
        self._last: deque[str] = deque(maxlen=8)
        self._open_line = b""

    def write(self, chunk: bytes) -> list[str]:
        """Append a chunk as it came; return the lines that it ended."""
        if self._file.tell() + len(chunk) > self.largest:
            self._rotate()
        self._file.write(chunk)
        self._file.flush()
        *whole, self._open_line = (self._open_line + chunk).split(b"\n")
        self._open_line = self._open_line[-10_000:]
        lines = [line.decode("utf-8", "replace") for line in whole]
        self._last.extend(lines)
        return lines

    def tail(self) -> str:
        """Return the last lines."""
        return "\n".join(f"    {line}" for line in self._last)

    def close(self) -> None:
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(KEPT, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            newer = self.path.with_name(f"{self.path.name}.{number - 1}") if number > 1 else self.path
            if newer.exists():
                newer.replace(older)
        self._file = self.path.open("ab")
