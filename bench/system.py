"""A whole Noren of its own, as `noren up` starts it, in a folder and on ports that nobody else uses."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from noren.runtime import throwaway

if TYPE_CHECKING:
    import subprocess


@dataclass(frozen=True, slots=True)
class System:
    """`var` is its data folder; `port` serves its pages."""

    var: Path
    port: int

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"


@contextmanager
def system() -> Iterator[System]:
    """Start it empty, with this process's Django on its database as the web's role; remove it after."""
    with throwaway.running() as started:
        yield System(started.paths.var, started.port)


def wait(running: "subprocess.Popen[bytes]", log: Path, word: str) -> None:
    deadline = time.monotonic() + 120
    while word not in log.read_text():
        if running.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"The system did not start:\n{log.read_text()}")
        time.sleep(0.1)


def free_ports() -> int:
    """Return a port that is free together with the two above it."""
    while True:
        with socket.socket() as one, socket.socket() as two, socket.socket() as three:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            try:
                two.bind(("127.0.0.1", port + 1))
                three.bind(("127.0.0.1", port + 2))
            except OSError:
                continue
            return port
