"""Whether a password is known from a breach: by the range service of Have I Been Pwned, where it is allowed.

Only the first five hex digits of the password's SHA-1 leave, one of 1,048,576 ranges; the answer holds the
rest of every hash in it and is searched here. `Add-Padding` gives each answer about the same length. A
service that does not answer in time stops nobody: the bundled list has been asked before, and is all there
is then.
"""

import asyncio
import hashlib
import http.client
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit

import structlog

from noren_vault.clock import Now

_DIGITS: Final = 5
# For each step of asking, and for all of it: who signs in waits meanwhile.
_STEP_SECONDS: Final = 2.0
_SECONDS: Final = 3.0
# A range holds some two thousand hashes of 35 digits; padded they are some 100 kB.
_LONGEST: Final = 2 << 20
_AT_ONCE: Final = 4
_REST_MS: Final = 30_000
_log = structlog.get_logger("pwned")
Ask = Callable[[str], str]


class Pwned:
    """Asks, where a service is set."""

    def __init__(self, service: str, now: Now) -> None:
        """`service` is the URL of its root, or empty: nobody is asked."""
        self._ask = None if not service else _asking(service)
        self._now = now
        # Threads of its own: a service that hangs takes none of those that everything else needs.
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="pwned")
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._rests_until = 0

    async def knows(self, password: bytes) -> bool:
        """Whether it stood in a breach. False also where nobody is asked, or nobody answers."""
        if self._ask is None or self._now() < self._rests_until or not self._places.acquire(blocking=False):
            return False
        digest = hashlib.sha1(password, usedforsecurity=False).hexdigest().upper()
        asked = self._pool.submit(self._ask, digest[:_DIGITS])
        asked.add_done_callback(lambda _: self._places.release())
        try:
            answer = await asyncio.wait_for(asyncio.wrap_future(asked), _SECONDS)
        except (OSError, http.client.HTTPException, ValueError, TimeoutError) as fault:
            self._rests_until = self._now() + _REST_MS
            _log.warning("pwned_unanswered", fault=type(fault).__name__)
            return False
        return _holds(answer, digest[_DIGITS:])


def _holds(answer: str, rest: str) -> bool:
    """Whether a line `REST:COUNT` is there; a line that only pads has the count 0."""
    for line in answer.splitlines():
        found, _, count = line.partition(":")
        if found.strip().upper() == rest:
            return count.strip() not in ("", "0")
    return False


def _asking(service: str) -> Ask:
    parts = urlsplit(service)
    host, port, path = parts.hostname or "", parts.port, parts.path.rstrip("/")
    context = ssl.create_default_context() if parts.scheme == "https" else None

    def ask(prefix: str) -> str:
        connection = (
            http.client.HTTPConnection(host, port, timeout=_STEP_SECONDS)
            if context is None
            else http.client.HTTPSConnection(host, port, timeout=_STEP_SECONDS, context=context)
        )
        try:
            headers = {"Add-Padding": "true", "User-Agent": "Noren", "Accept": "text/plain"}
            connection.request("GET", f"{path}/range/{prefix}", headers=headers)
            with connection.getresponse() as answer:
                if answer.status != http.HTTPStatus.OK:
                    raise ValueError(f"status {answer.status}")
                return answer.read(_LONGEST).decode("ascii")
        finally:
            connection.close()

    return ask
