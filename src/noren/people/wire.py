"""The wire to the vault: framed JSON over a unix socket or TLS, and a small pool of connections.

A frame is four bytes of length (big-endian) and that many bytes of UTF-8 JSON. A request has at most 8 MiB;
an answer may be longer, for who asks after a leak must be told everybody. Nothing else in the app side opens
this socket.
"""

import atexit
import json
import os
import select
import socket
import threading
from typing import Any, Final

from noren import errors
from noren.people import tls

LARGEST_FRAME: Final = 8 * 1024 * 1024
# About a million persons with their fields and entries.
LARGEST_ANSWER: Final = 256 * 1024 * 1024
IDLE_CONNECTIONS: Final = 8
CONNECT_SECONDS: Final = 2.0

Json = dict[str, Any]


class Connection:
    """One connection; used by one thread at a time."""

    def __init__(self, path: str) -> None:
        self._socket: socket.socket
        if path.startswith(tls.SCHEME):
            self._socket = tls.connect(path, CONNECT_SECONDS)
            return
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(CONNECT_SECONDS)
        try:
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise

    def alive(self) -> bool:
        """Nothing may be readable between requests: what is readable then is the end of the stream."""
        # Not select(): it takes no descriptor beyond 1,023, and in a rush a web process has more.
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def call(self, frame: bytes, seconds: float) -> Json:
        self._socket.settimeout(seconds)
        self._socket.sendall(len(frame).to_bytes(4, "big") + frame)
        length = int.from_bytes(self._exactly(4), "big")
        if length > LARGEST_ANSWER:
            msg = "an answer longer than 256 MiB"
            raise OSError(msg)
        answer = json.loads(self._exactly(length))
        if not isinstance(answer, dict):
            msg = "an answer that is no object"
            raise OSError(msg)
        return answer

    def close(self) -> None:
        self._socket.close()

    def _exactly(self, length: int) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            part = self._socket.recv(min(length - len(parts), 1 << 16))
            if not part:
                msg = "the vault closed the connection"
                raise ConnectionResetError(msg)
            parts += part
        return bytes(parts)


class Pool:
    """Idle connections of one socket path, or of one `tls://` address; any thread may call.

    A connection that saw any fault is closed, never returned. There is no blind second try: whether the vault
    had begun is not known here, and each caller's request has its own key for trying again.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[Connection] = []

    def call(self, frame: bytes, seconds: float) -> Json:
        connection = self._take()
        try:
            answer = connection.call(frame, seconds)
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if len(self._idle) < IDLE_CONNECTIONS:
                self._idle.append(connection)
                return answer
        connection.close()
        return answer

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> Connection:
        while True:
            with self._lock:
                if not self._idle:
                    break
                connection = self._idle.pop()
            if connection.alive():
                return connection
            connection.close()
        return Connection(self._path)


_pools: dict[str, Pool] = {}
_pools_lock = threading.Lock()


def _forget() -> None:
    """Run in a forked child: two processes must never share a connection."""
    global _pools_lock  # noqa: PLW0603 - the parent's lock may have been held at the fork
    _pools_lock = threading.Lock()
    _pools.clear()


os.register_at_fork(after_in_child=_forget)


@atexit.register
def close() -> None:
    """Close every idle connection."""
    with _pools_lock:
        pools = list(_pools.values())
        _pools.clear()
    for pool in pools:
        pool.close()


def call(path: str, method: str, params: Json, *, seconds: float) -> Json:
    """Ask the vault. Raises the class of `noren.errors` that the vault names.

    VaultUnavailable when it cannot be reached or does not answer within `seconds`; RuntimeError when it says
    that the request itself is wrong, for that is a fault of ours.
    """
    with _pools_lock:
        pool = _pools.setdefault(path, Pool(path))
    frame = json.dumps({"v": 1, "method": method, "params": params}, ensure_ascii=False).encode()
    if len(frame) > LARGEST_FRAME:
        raise RuntimeError(f"{method}: the request is longer than a frame")
    try:
        answer = pool.call(frame, seconds)
    except (OSError, ValueError) as fault:
        raise errors.VaultUnavailable from fault
    if "ok" in answer:
        return dict(answer["ok"] or {})
    raise _error(method, dict(answer.get("error") or {}))


def _error(method: str, error: Json) -> Exception:
    code = str(error.get("code", ""))
    found = getattr(errors, code, None)
    if isinstance(found, type) and issubclass(found, errors.NorenError):
        return found(**dict(error.get("facts") or {}))
    return RuntimeError(f"the vault refused {method}: {code}: {error.get('message', '')}")
