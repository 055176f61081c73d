"""The web server and the worker as the supervisor starts them, on a test's databases and vault."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

from noren.runtime import child, databases, env
from noren.runtime.house import House
from noren.runtime.users import Sides
from tests.environment import PATHS, TOP
from tests.ports import free_port
from tests.servers import AppDatabase, VaultProcess, wait_for


@contextmanager
def granian(database: AppDatabase, vault: VaultProcess) -> Iterator[int]:
    """Serve on a free port; give the port."""
    port = free_port()
    PATHS.static.mkdir(exist_ok=True)
    with _reachable(vault), (TOP / "granian.log").open("wb") as log:
        server = _house(database, port).web().launch(log)
        try:
            wait_for(lambda: _answers(port), 60)
            yield port
        finally:
            child.stop_group(server, [(signal.SIGTERM, 15.0)])


@contextmanager
def worker(database: AppDatabase, vault: VaultProcess) -> Iterator[Path]:
    """Run the jobs; give the worker's log."""
    log_path = TOP / "worker.log"
    with _reachable(vault), log_path.open("wb") as log:
        running = _house(database, 8000).worker().launch(log)
        try:
            yield log_path
        finally:
            child.stop_group(running, [(signal.SIGTERM, 15.0)])


def _house(database: AppDatabase, port: int) -> House:
    """Return the house on the test's database; its children run as the tests' user, whom the vault knows."""
    given = replace(env.read(), port=port, database_url=databases.url(database.words()))
    return House(given, PATHS, Sides(None, None))


@contextmanager
def _reachable(vault: VaultProcess) -> Iterator[None]:
    """Put the test's vault where the settings look for it."""
    where = PATHS.vault_socket
    where.parent.mkdir(parents=True, exist_ok=True)
    where.unlink(missing_ok=True)
    where.symlink_to(vault.socket)
    try:
        yield
    finally:
        where.unlink(missing_ok=True)


def _answers(port: int) -> bool:
    connection = HTTPConnection("localhost", port, timeout=30)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
