"""A known process's mark on each of its sessions at a database: made for one session, and proved by a key.

    noren:PID.START:SECONDS.NONCE:MAC        (the session's application_name, at most 63 characters)

The key is made anew at each start of the system, and each login has one derived of it. A child is given those
of its own logins; a command that is run by hand reads the file, which only the one who started the system
can. So who has a database's password alone cannot make a mark, and a mark that somebody has seen serves
nobody: it is good for one session, and for a few minutes (noren.doors.judge).
"""

import base64
import contextlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import psycopg

# As long as connection logs are kept, and then some: an old session's mark can still be checked.
KEPT_SECONDS: Final = 40 * 86_400
_MAC_BYTES: Final = 16  # characters of base64: 96 bits, and each try is a sign on the ledger
Keys = list[tuple[int, bytes]]


def make(path: Path) -> None:
    """Put a new key behind those of before, each with the second from which on it counts."""
    began = int(time.time())
    keys = [(since, key) for since, key in read(path) if since > began - KEPT_SECONDS][-500:]
    keys.append((began, secrets.token_bytes(32)))
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump([[since, key.hex()] for since, key in keys], file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _own.cache_clear()


def read(path: Path) -> Keys:
    """Return (since, key), the newest last; nothing where there is no file or it may not be read."""
    with contextlib.suppress(FileNotFoundError, PermissionError):
        return [(since, bytes.fromhex(key)) for since, key in json.loads(path.read_text("ascii"))]
    return []


def derived(key: bytes, login: str) -> bytes:
    """Return one login's key."""
    return hmac.digest(key, f"noren session v1\x00{login}".encode(), "sha256")


def given_to_child(path: Path, logins: Iterable[str]) -> str:
    """Return the setting by which a child is given the newest keys of its logins; empty without a key."""
    keys = read(path)
    return ",".join(f"{login}={derived(keys[-1][1], login).hex()}" for login in logins) if keys else ""


def mac_of(key: bytes, words: str) -> str:
    """Return what proves a mark's words, by a login's key."""
    return _text(hmac.digest(key, words.encode(), "sha256"))[:_MAC_BYTES]


def marked(words: Mapping[str, Any], file: Path | None = None) -> dict[str, Any]:
    """Return psycopg's connection words with a mark for one session, where this process has the key.

    `file` is the keys' file of a system that is not the one this process was set for.
    """
    login = str(words.get("user") or "")
    key = _own(login) if file is None else _newest(file, login)
    if key is None:
        return dict(words)
    told = f"noren:{os.getpid()}.{_start()}:{int(time.time())}.{_text(secrets.token_bytes(6))}"
    return {**words, "application_name": f"{told}:{mac_of(key, told)}"}


class MarkedConnection(psycopg.Connection[Any]):
    """What a pool opens: each connection has a mark of its own."""

    @classmethod
    def connect(cls, conninfo: str = "", **words: Any) -> "MarkedConnection":
        return super().connect(conninfo, **marked(words))


@cache
def _own(login: str) -> bytes | None:
    """Return this process's key for a login: of its environment, else of the file."""
    held = os.environ.get("NOREN_DOOR_KEY", "")
    if held:
        keys = dict(one.split("=", 1) for one in held.split(","))
        return bytes.fromhex(keys[login]) if login in keys else None
    return _newest(Path(os.environ.get("NOREN_VAR", "var")).expanduser() / "run" / "door-keys.json", login)


def _newest(path: Path, login: str) -> bytes | None:
    found = read(path)
    return derived(found[-1][1], login) if found else None


def _start() -> str:
    """When this process started, in clock ticks (Linux); forked children have their own."""
    try:
        return Path("/proc/self/stat").read_text("ascii", errors="replace").rpartition(")")[2].split()[19]
    except OSError:
        return "0"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
