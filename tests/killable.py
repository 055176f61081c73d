"""The worker as it runs, in a process of its own that a test may kill."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from noren.runtime import child, databases
from tests.environment import PATHS
from tests.servers import AppDatabase, VaultProcess

_BEGIN = """
import sys
import django
from django.conf import settings
django.setup()
from noren.runtime import worker
worker.HEARTBEAT, worker.DEAD_AFTER = 0.2, 3.0
settings.VAULT_SOCKET = sys.argv[1] or settings.VAULT_SOCKET
"""
_END = """
sys.exit(worker.main())
"""


@contextmanager
def working(
    database: AppDatabase, folder: Path, *, more: str = "", vault: VaultProcess | None = None
) -> Iterator[Popen[bytes]]:
    """The worker, at the test's vault if there is one; what is left of it at the end is killed.

    `more` is Python that runs before it begins.
    """
    settings = {
        "NOREN_VAR": str(PATHS.var),
        "NOREN_ROLE": "worker",
        "NOREN_DATABASE_URL": databases.url(database.words("migrate")),
        "DJANGO_SETTINGS_MODULE": "noren.runtime.settings",
    }
    with (folder / "worker.log").open("ab") as log:
        process = child.start(
            [sys.executable, "-c", _BEGIN + more + _END, "" if vault is None else str(vault.socket)],
            env=child.environment(settings, home=folder),
            stdout=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
