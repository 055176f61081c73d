"""The line to one witness: HTTP with a bound on everything, and no way to hold anybody else up."""

import asyncio
import http.client
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from noren_vault.ledger.hand import Hand

MOST_BYTES: Final = 256 * 1024
SECONDS: Final = 5.0


class NoAnswer(Exception):
    """The witness could not be reached, or did not answer in time; the words are a code."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    kind: str
    text: str


class Line:
    """One request at a time, in a thread of its own: a look-up of a name that hangs cannot be ended, but it
    keeps only this witness waiting. Redirections are not followed.
    """

    def __init__(self, url: str) -> None:
        """`url` is the witness's prefix, without a slash at its end."""
        self._parts = urlsplit(url)
        self._hand = Hand("witness")
        self._busy = False
        self._socket: socket.socket | None = None

    async def ask(self, path: str, sent: bytes | None = None, *, seconds: float = SECONDS) -> Reply:
        """POST what is sent, or GET. Raises NoAnswer within `seconds`."""
        if self._busy:
            raise NoAnswer("still_waiting")
        self._busy = True
        try:
            return await asyncio.wait_for(self._hand.run(lambda: self._ask(path, sent, seconds)), seconds)
        except TimeoutError:
            self._cut()
            raise NoAnswer("timeout") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswer(type(error).__name__.lower()) from None

    def stop(self) -> None:
        """Let go of the thread."""
        self._cut()
        self._hand.stop()

    def _ask(self, path: str, sent: bytes | None, seconds: float) -> Reply:
        secure = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=seconds)
        try:
            connection.connect()
            self._socket = connection.sock
            headers = {"Connection": "close"} | ({} if sent is None else {"Content-Type": "text/plain"})
            method = "GET" if sent is None else "POST"
            connection.request(method, self._parts.path + path, body=sent, headers=headers)
            # Closed with the answer, too: one that is cut off would hold its socket until it is collected.
            with connection.getresponse() as answer:
                data = answer.read(MOST_BYTES + 1)
            if len(data) > MOST_BYTES:
                raise ValueError("an answer that is too long")
            return Reply(answer.status, answer.headers.get_content_type(), data.decode())
        finally:
            connection.close()
            self._socket, self._busy = None, False

    def _cut(self) -> None:
        """End what the thread reads: its socket is shut under it."""
        line = self._socket
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
