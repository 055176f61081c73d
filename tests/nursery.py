"""Vaults that are forked: two thirds of what a start costs are imports, and tests start hundreds.

One process, the nursery, has imported the vault and nothing else; it forks one at each word, which then does
what `child.start` does (group, user, signal, streams, environment) and serves as a process of its own. Starts
again within a test, and whole systems, are started as they are elsewhere, by exec.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noren.runtime import child
from noren.runtime.users import OsUser

_nurseries: "list[Nursery]" = []


class Forked(subprocess.Popen[bytes]):
    """A vault of the nursery's, as `Popen` shows its children; it is the nursery that waits for it."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        # Nothing was started here, and nothing is to be waited for when this is forgotten.
        self._child_created = False
        self.args = [sys.executable, "-m", "noren_vault", "serve"]
        self.stdin = self.stdout = self.stderr = None
        self.pid = pid
        self.returncode: int | Any = None
        self._nursery = nursery

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        if self.returncode is None:
            self.returncode = self._nursery.ask({"poll": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
            time.sleep(0.005)
        return code

    def send_signal(self, sig: int) -> None:
        """Send a signal while it runs."""
        if self.poll() is None:
            os.kill(self.pid, sig)


class Nursery:
    """The process that forks. It ends with this one."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        words = [sys.executable, "-m", "tests.nursery", str(theirs.fileno())]
        environ = child.environment({}, home=Path("/"))
        with theirs:
            self._process = subprocess.Popen(
                words, env=environ, cwd=Path(__file__).parents[1], pass_fds=[theirs.fileno()]
            )
        self._ours, self._line = ours, ours.makefile("rwb")

    def end(self) -> None:
        """Close the line, and wait for its end."""
        self._line.close()
        self._ours.close()
        self._process.wait(10)

    def ask(self, words: Mapping[str, Any]) -> Any:
        """Say one thing and return the answer."""
        self._line.write(json.dumps(words).encode() + b"\n")
        self._line.flush()
        return json.loads(self._line.readline())


def fork(settings: Mapping[str, str], *, home: Path, user: OsUser | None, log: Path) -> Forked:
    """Start a vault with these settings; its two streams go to `log`."""
    if not _nurseries:
        _nurseries.append(Nursery())
    log.write_bytes(b"")
    who = None if user is None else [user.uid, user.gid]
    environ = child.environment(settings, home=home)
    return Forked(_nurseries[0], _nurseries[0].ask({"environ": environ, "user": who, "log": str(log)}))


def end() -> None:
    """End the nursery, if there is one."""
    while _nurseries:
        _nurseries.pop().end()


def main(line: int) -> None:
    """Fork and wait, as the line says, until it is closed."""
    import noren_vault.__main__ as vault  # noqa: PLC0415 - in the nursery alone

    child.die_with_parent(signal.SIGKILL)
    with socket.socket(fileno=line) as ours, ours.makefile("rwb") as words:
        for said in words:
            told = json.loads(said)
            answer = _ended(told["poll"]) if "poll" in told else _forked(vault, ours, told)
            words.write(json.dumps(answer).encode() + b"\n")
            words.flush()


def _ended(pid: int) -> int | None:
    done, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if done else None


def _forked(vault: Any, line: socket.socket, told: Mapping[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        line.close()
        _become(told)
        code = vault.main(["serve"])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _become(told: Mapping[str, Any]) -> None:
    """Be what a child of `child.start` is."""
    os.setpgid(0, 0)
    log, nothing = os.open(told["log"], os.O_WRONLY), os.open(os.devnull, os.O_RDONLY)
    for given, stream in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(given, stream)
    os.closerange(3, max(log, nothing) + 1)
    os.chdir("/")
    if told["user"] is not None:
        uid, gid = told["user"]
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(0o077)
    os.environ.clear()
    os.environ.update(told["environ"])
    child.die_with_parent(signal.SIGTERM)


if __name__ == "__main__":
    main(int(sys.argv[1]))
