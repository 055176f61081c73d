"""A whole system for a while: `noren up` on an empty folder and on ports that nobody uses.

Nothing of the settings this process was given is handed on, so that no given server or vault is ever spoken
to by it. This process is set for the new system: once in its life, as Django is.
"""

import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import django
from django.utils import translation

from noren.runtime import child
from noren.runtime.env import StartRefused
from noren.runtime.paths import Paths

if TYPE_CHECKING:
    import subprocess

_OPEN: Final = "Noren is open."
_START_SECONDS: Final = 120
_SIGNALS: Final = ((signal.SIGTERM, 60.0), (signal.SIGKILL, 10.0))
# Pages, the mailbox, its SMTP, and what would come back: a system listens on its port and on these above it.
_PORTS: Final = 4


@dataclass
class Throwaway:
    """`top` is the folder of all of it, `paths` its data, `port` serves its pages."""

    top: Path
    port: int
    _child: "subprocess.Popen[bytes] | None" = None

    @property
    def paths(self) -> Paths:
        return Paths(self.top / "var")

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """The only settings it has."""
        return {"NOREN_VAR": str(self.paths.var), "NOREN_PORT": str(self.port)}

    def start(self) -> None:
        """Start it, and wait until it is open. Raises StartRefused."""
        log = self.top / "up.log"
        argv = [sys.executable, "-m", "noren.cli", "up", "--no-demo"]
        with log.open("wb") as output:
            environ = child.environment(self.settings, home=self.top)
            self._child = child.start(argv, env=environ, stdout=output)
        _wait(self._child, log)

    def stop(self) -> None:
        """Stop it; its data stay."""
        if self._child is not None:
            child.stop_group(self._child, _SIGNALS)


@contextmanager
def running(keep: Path | None = None) -> Iterator[Throwaway]:
    """Start one, and end it after; its folder stays only where one was named (`keep`).

    Raises StartRefused for a folder in which anything is: no system that holds data is ever touched.
    """
    top = _folder(keep)
    system = Throwaway(top, _free_port())
    try:
        system.start()
        _become(system.settings)
        yield system
    finally:
        system.stop()
        if keep is None:
            shutil.rmtree(top, ignore_errors=True)


def _folder(keep: Path | None) -> Path:
    if keep is None:
        top = Path(tempfile.mkdtemp(prefix="noren-"))
    else:
        top = keep.expanduser().resolve()
        if top.exists() and (not top.is_dir() or any(top.iterdir())):
            raise StartRefused(f"{top} is not empty: a drill needs a folder of its own, new or empty.")
        top.mkdir(parents=True, exist_ok=True)
    top.chmod(0o755)  # Started by root, the two sides are two users, who go in there.
    return top


def _become(settings: dict[str, str]) -> None:
    for name in [one for one in os.environ if one.startswith("NOREN_")]:
        del os.environ[name]
    os.environ.update(settings | {"DJANGO_SETTINGS_MODULE": "noren.runtime.settings", "NOREN_ROLE": "web"})
    django.setup()
    translation.activate("en")


def _wait(started: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while _OPEN not in log.read_text(errors="replace"):
        if started.poll() is not None or time.monotonic() > deadline:
            raise StartRefused(f"the system for the drill did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.1)


def _free_port() -> int:
    """Return a port on 127.0.0.1 that is free with those above it."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            if all(_free(one) for one in range(port + 1, port + _PORTS)):
                return port


def _free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except (OSError, OverflowError):
        return False
