"""When something was down, and what a client may be answered meanwhile, and never else."""

import threading
import time
from dataclasses import dataclass, field

# What is back has still to be found by the others: a connection to the database is tried again, the vault's
# socket is opened anew, and what a killed web process had taken from the port is cut off. A busy machine
# takes its time for that.
GRACE = 5.0


NONE = 0  # no answer at all
ALLOWED: dict[str, frozenset[int]] = {
    "web process": frozenset({NONE}),
    "web": frozenset({NONE}),
    "worker": frozenset(),
    "backend": frozenset({500, 503}),
    "app database": frozenset({500, 503}),
    "vault": frozenset({503}),
    "vault database": frozenset({503}),
}
"""By what was killed. Nobody at the pages notices that the worker is away; while the vault is, nobody new can
book (503), and everything else goes on.
"""


@dataclass
class Window:
    """From a kill until what was killed answers again; `end` is None while open. Monotonic seconds."""

    what: str
    begin: float
    end: float | None = None

    def covers(self, sent: float, answered: float) -> bool:
        """Whether a request met it on its way."""
        return sent <= (self.end + GRACE if self.end is not None else float("inf")) and self.begin <= answered


@dataclass
class Trouble:
    """All windows of a run."""

    windows: list[Window] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def opened(self, what: str) -> Window:
        window = Window(what, time.monotonic())
        with self._lock:
            self.windows.append(window)
        return window

    def closed(self, window: Window, end: float | None = None) -> None:
        """Close it as of a moment, or of now."""
        window.end = time.monotonic() if end is None else end

    def excuses(self, status: int, sent: float, answered: float) -> bool:
        """Whether something was down between the two for which this is an answer that may be given."""
        with self._lock:
            return any(status in ALLOWED[w.what] and w.covers(sent, answered) for w in self.windows)

    def nearest(self, sent: float) -> str:
        """Say after what, and how long after, a request was sent: for who looks why it had no answer."""
        with self._lock:
            before = [(sent - (w.end or sent), w.what) for w in self.windows if w.begin <= sent]
        return "before anything was down" if not before else "{:.1f} s after {}".format(*min(before))

    def seconds(self, begin: float, end: float) -> float:
        """For how long something was down between the two."""
        down, until = 0.0, begin
        for window in sorted(self.windows, key=lambda w: w.begin):
            closed = min(end, window.end if window.end is not None else end)
            down += max(0.0, closed - max(until, window.begin))
            until = max(until, closed)
        return down
