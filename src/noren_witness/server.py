"""The witness's HTTP server: a thread a connection, and a bound on everything."""

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from noren_witness.folder import FolderError
from noren_witness.witness import MOST_BYTES, Answer, Witness

MOST_CONNECTIONS: Final = 64
# For one read, and for a whole connection however slowly it drips.
READ_SECONDS: Final = 10.0
CONNECTION_SECONDS: Final = 60.0


class Server(ThreadingHTTPServer):
    """Listens. Beyond MOST_CONNECTIONS a connection is closed at once: the log tries again a little later."""

    daemon_threads = True
    request_queue_size = MOST_CONNECTIONS

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        """Bind."""
        self.witness = witness
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve in a thread, when there is one left."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection, for a minute at most."""
        end = threading.Timer(CONNECTION_SECONDS, _cut, [request])
        end.daemon = True
        end.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            end.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is no news."""


class Handler(BaseHTTPRequestHandler):
    """`POST /add-checkpoint`, `GET /<sha256 of the origin>/checkpoint`, and the public key at `GET /`."""

    protocol_version = "HTTP/1.1"
    server_version = "noren-witness"
    sys_version = ""
    timeout = READ_SECONDS
    server: Server

    def do_POST(self) -> None:
        """Take a checkpoint."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdecimal():
            self._end(Answer(411, "give a Content-Length\n"))
        elif len(length) > 9 or int(length) > MOST_BYTES:
            self._end(Answer(413, "the request is too long\n"))
        elif self.path != "/add-checkpoint":
            self._end(Answer(404, "nothing here\n"))
        elif len(body := self.rfile.read(int(length))) == int(length):
            self._tell(self._answer(body))

    def do_GET(self) -> None:
        """Show what was cosigned."""
        parts = self.path.split("/")
        if len(parts) == 3 and parts[2] == "checkpoint":
            self._tell(self._shown(parts[1]))
        elif self.path == "/":
            self._tell(Answer(200, f"{self.server.witness.vkey}\n"))
        else:
            self._tell(Answer(404, "nothing here\n"))

    def _shown(self, name: str) -> Answer:
        try:
            return self.server.witness.checkpoint(name)
        except (FolderError, OSError) as error:
            return _broken(error)

    def _answer(self, body: bytes) -> Answer:
        try:
            answer = self.server.witness.add_checkpoint(body)
        except (FolderError, OSError) as error:
            return _broken(error)
        if answer.status == 422:
            # A log that lies gives its own proof of it: what it signed is kept by whoever reads this.
            _say(f"does not continue what was cosigned; the request was:\n{body.decode(errors='replace')}")
        return answer

    def _end(self, answer: Answer) -> None:
        """Answer and close: what follows on the line was not read."""
        self.close_connection = True
        self._tell(answer)

    def _tell(self, answer: Answer) -> None:
        data = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_request(self, code: Any = "-", size: Any = "-") -> None:  # noqa: ARG002 - the library's
        """Every request is one line of what it was; nobody's address stands in it."""
        _say(f"{self.command} {self.path[:100]!a} {int(code)}")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Nothing else is logged."""


def _broken(error: Exception) -> Answer:
    _say(f"cannot answer: {error}")
    return Answer(500, "the witness cannot use its own files now\n")


def _cut(request: socket.socket) -> None:
    try:
        request.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _say(words: str) -> None:
    sys.stderr.write(f"noren-witness: {words}\n")
