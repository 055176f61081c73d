"""A whole system, started by `noren up` as a person starts it."""

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from noren.runtime.record import started_at
from tests.servers import wait_for

OPEN = "Ctrl-C stops everything."


@dataclass
class Up:
    """`noren up` on a data folder; `said` are the lines it has printed."""

    var: Path
    port: int
    words: tuple[str, ...] = ("--no-demo",)
    prefix: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    process: "subprocess.Popen[str] | None" = None
    _reader: threading.Thread | None = None

    def start(self) -> "Up":
        """Start it and wait until it says that it is open."""
        environ = {"PATH": os.environ["PATH"], "NOREN_VAR": str(self.var), "NOREN_PORT": str(self.port)}
        self.said.clear()
        self.process = subprocess.Popen(
            [*self.prefix, sys.executable, "-m", "noren.cli", "up", *self.words],
            env=environ | self.settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        process = self.process
        wait_for(lambda: OPEN in self.said or process.poll() is not None, 120)
        return self

    def _read(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.said.append(line.rstrip("\n"))

    def stop(self, sign: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and wait for the end; return the exit code."""
        assert self.process is not None
        self.process.send_signal(sign)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end and for its last word; return the exit code."""
        assert self.process is not None
        assert self._reader is not None
        code = self.process.wait(90)
        self._reader.join(30)
        return code

    def end(self) -> None:
        """End it in any case."""
        if self.process is not None and self.process.poll() is None:
            self.stop()

    def text(self) -> str:
        return "\n".join(self.said)

    def child(self, name: str) -> int:
        """The process id of a child."""
        return int(self.children()[name])

    def children(self) -> dict[str, int]:
        record = json.loads((self.var / "run" / "children.json").read_text())
        return {name: entry[0] for name, entry in record.items()}

    def status(self, path: str = "/") -> int:
        """The page's HTTP status; 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            return 0

    def opens(self, path: str = "/") -> bool:
        return 0 < self.status(path) < 500


def descendants(pid: int) -> list[int]:
    """The process's children and theirs."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    own = [int(word) for word in path.read_text().split()] if path.exists() else []
    return own + [deeper for one in own for deeper in descendants(one)]


def gone(pids: list[int]) -> None:
    """Wait until none of the processes is left."""
    try:
        wait_for(lambda: not any(started_at(pid) for pid in pids), 30)
    except AssertionError:
        left = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids if started_at(pid)]
        raise AssertionError(f"still there: {left}") from None
