"""The web server as the supervisor starts it, on a test's databases and vault."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection

from noren.runtime import child, databases, env
from noren.runtime.house import House
from noren.runtime.users import Sides
from tests.environment import PATHS, TOP
from tests.servers import AppDatabase, VaultProcess, wait_for


@contextmanager
def granian(database: AppDatabase, vault: VaultProcess) -> Iterator[int]:
    """Serve on a free port; give the port."""
    port = _free_port()
    given = replace(env.read(), port=port, database_url=databases.url(database.words()))
    socket_path = PATHS.vault_socket
    socket_path.parent.mkdir(parents=True, exist_ok=True)
    socket_path.unlink(missing_ok=True)
    socket_path.symlink_to(vault.socket)
    PATHS.static.mkdir(exist_ok=True)
    with (TOP / "granian.log").open("wb") as log:
        # As the tests' own user: the test's vault knows no other.
        server = House(given, PATHS, Sides(None, None)).web().launch(log)
        try:
            wait_for(lambda: _answers(port), 60)
            yield port
        finally:
            child.stop_group(server, [(signal.SIGTERM, 15.0)])
            socket_path.unlink(missing_ok=True)


def _answers(port: int) -> bool:
    connection = HTTPConnection("localhost", port, timeout=30)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
