"""Starting a child: its own user, its own process group, and a signal when its parent dies."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from noren.runtime.users import OsUser

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

# What a child inherits of the environment; every setting is given to it by name.
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONDONTWRITEBYTECODE")


def environment(settings: Mapping[str, str], *, home: Path) -> dict[str, str]:
    """Return a child's whole environment: the few inherited names, a home of its own, and its settings."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    inherited.setdefault("LANG", "C.UTF-8")
    return inherited | {"HOME": str(home), "PYTHONUNBUFFERED": "1"} | dict(settings)


def start(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    user: OsUser | None = None,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    death: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child whose two streams go to `stdout`; `death` is sent to it when we die (Linux)."""
    return subprocess.Popen(
        list(argv),
        env=dict(env),
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        cwd="/",
        user=None if user is None else user.uid,
        group=None if user is None else user.gid,
        extra_groups=None if user is None else [],
        umask=0o077,
        process_group=0,
        preexec_fn=_die_with(os.getpid(), death),  # noqa: PLW1509 - two system calls, no locks
    )


def stop_group(child: subprocess.Popen[bytes], signals: Sequence[tuple[signal.Signals, float]]) -> int:
    """Stop a child, one signal after another, each with its seconds; kill what is left of its group."""
    for sign, seconds in signals:
        if child.poll() is None:
            child.send_signal(sign)
            try:
                child.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
    kill_group(child.pid)
    return child.wait()


def kill_group(group: int) -> None:
    """Kill what still runs of the group; an empty one is no error."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # macOS answers EPERM for a group of which only zombies are left.
        return


def _die_with(parent: int, sign: signal.Signals) -> Callable[[], None]:
    """Return what the child runs before exec: after the change of user, which clears the arrangement."""

    def arrange() -> None:
        _arrange(parent, sign)

    return arrange


def die_with_parent(sign: signal.Signals) -> None:
    """Have `sign` sent to this process when its parent dies (Linux). An orphan ends at once."""
    parent = os.getppid()
    if parent == 1:
        os._exit(1)
    _arrange(parent, sign)


def _arrange(parent: int, sign: signal.Signals) -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(sign), 0, 0, 0)
    # Who had died before is not told of any more.
    if os.getppid() != parent:
        os._exit(1)
